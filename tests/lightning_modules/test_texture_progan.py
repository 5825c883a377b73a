"""TextureProGAN's training step: whose weights move, losses worked out by hand, and that it learns."""

import math

import pytest
import torch
from helpers.fitting import fit, fit_watched
from torch import Tensor, nn

from facegen_core.config import OptimConfig
from facegen_core.errors import CheckpointError
from facegen_core.methods.face3d.config import GrowthConfig, TextureGANConfig, TextureSizes
from facegen_core.methods.face3d.identity_codes import IdentityCodes
from facegen_core.methods.face3d.progressive import faded
from facegen_core.methods.face3d.texture_gan import TextureVerdict
from facegen_core.types import TextureBatch
from lightning_modules.texture_progan import TextureProGANModule

SMALL = TextureGANConfig(width=8, noise_dim=4, growth=GrowthConfig(8, 16, 10, 10, [4, 4]))
PEOPLE, NAMES = 3, ["neutral", "smile"]


def module(config: TextureGANConfig = SMALL, seed: int = 0, lr: float = 1e-3) -> TextureProGANModule:
    torch.manual_seed(seed)
    sizes = TextureSizes(identity_code_dim=5, identities=PEOPLE, expressions=len(NAMES))
    table = IdentityCodes.draw(torch.arange(1, 1 + PEOPLE), 5, seed)
    optim = OptimConfig(lr=lr, betas=[0.0, 0.99])
    return TextureProGANModule(config, sizes, optim, NAMES, table)


def batch(side: int = 16, alpha: float = 0.5, count: int = 4) -> TextureBatch:
    generator = torch.Generator().manual_seed(side)
    return TextureBatch(
        image=torch.rand(count, 3, side, side, generator=generator) * 2 - 1,
        identity=torch.arange(count) % PEOPLE,
        expression=torch.arange(count) % len(NAMES),
        alpha=torch.tensor(alpha),
    )


# Whose weights move


def test_gradients_reach_only_the_network_whose_turn_it_is():
    model = module()
    critic_of_8, maker_of_8, critic_of_16, maker_of_16 = fit_watched(model, [batch(8, 1.0), batch(16, 0.5)])
    for found, owner in ((critic_of_8, "discriminator."), (maker_of_8, "generator."),
                         (critic_of_16, "discriminator."), (maker_of_16, "generator.")):  # fmt: skip
        assert {name for name in found if not name.startswith(owner)} == set()
    everything = {name for name, _ in model.named_parameters()}
    assert critic_of_16 | maker_of_16 == everything, "in the fade both resolutions learn"
    newest = ("discriminator.from_rgb.16", "discriminator.blocks.16", "generator.to_rgb.16", "generator.blocks.16")
    assert everything - critic_of_8 - maker_of_8 == {name for name in everything if name.startswith(newest)}


def test_weights_of_a_resolution_to_come_do_not_move():
    model = module()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    fit(model, [batch(8, 1.0), batch(8, 1.0)])
    moved = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    newest = ("discriminator.from_rgb.16", "discriminator.blocks.16", "generator.to_rgb.16", "generator.blocks.16")
    assert moved == {name for name in before if not name.startswith(newest)}


def test_table_of_people_never_moves():
    model = module()
    before = model.identity_codes.codes.clone()
    fit(model, [batch()] * 3)
    assert torch.equal(model.identity_codes.codes, before)


def test_place_in_the_growth_is_kept_with_the_weights():
    model = module()
    fit(model, [batch(8, 1.0), batch(16, 0.25)])
    assert (int(model.state_dict()["resolution"]), float(model.state_dict()["alpha"])) == (16, 0.25)
    assert model.pictures(torch.randn(2, 4), torch.randn(2, 5), torch.eye(2)).shape == (2, 3, 16, 16)


# Losses


class Judge(nn.Module):
    """Scores ``slope`` times the sum of all pixels; real pictures, which are bright, are recognised by ``margin``."""

    def __init__(self, slope: float, margin: float) -> None:
        super().__init__()
        self.slope, self.margin, self.seen = slope, margin, []

    def forward(self, pictures: Tensor, alpha: float) -> TextureVerdict:
        self.seen.append((pictures.detach(), alpha))
        bright = self.margin * (pictures.mean((1, 2, 3)) > 0).float()
        first = nn.functional.pad(bright[:, None], (0, PEOPLE - 1))
        return TextureVerdict(self.slope * pictures.sum((1, 2, 3)), first, first[:, : len(NAMES)])


def hand_made(config: TextureGANConfig = SMALL) -> tuple[TextureProGANModule, TextureBatch]:
    """All real pictures are 0.5 and of the first person and expression, all generated ones -1."""
    model = module(config)
    model.discriminator = Judge(0.01, 2.0)
    model.generator.forward = lambda noise, *_: torch.full((len(noise), 3, 8, 8), -1.0)
    shown = batch(8, 1.0)
    shown.update(image=torch.full((4, 3, 8, 8), 0.5), identity=torch.zeros(4).long(), expression=torch.zeros(4).long())
    return model, shown


PIXELS = 3 * 8 * 8
REAL_SCORE, FAKE_SCORE = 0.01 * 0.5 * PIXELS, -0.01 * PIXELS
PENALTY = (0.01 * math.sqrt(PIXELS) - 1) ** 2
KNOWN = sum(math.log(1 + (classes - 1) * math.exp(-2)) for classes in (PEOPLE, len(NAMES)))
GUESSED = math.log(PEOPLE) + math.log(len(NAMES))


def test_critics_loss_is_the_one_worked_out_by_hand():
    """Wasserstein + 10 penalty + 0.001 drift, and the classes of real pictures, which are recognised, alone."""
    model, shown = hand_made()
    losses = model.discriminator_losses(shown)
    wasserstein = FAKE_SCORE - REAL_SCORE + 10 * PENALTY + 0.001 * REAL_SCORE**2
    assert float(losses["d_penalty"]) == pytest.approx(PENALTY, rel=1e-5)
    assert float(losses["d_wasserstein"]) == pytest.approx(wasserstein, rel=1e-5)
    assert float(losses["d_classes"]) == pytest.approx(KNOWN, rel=1e-5)
    assert float(losses["d_loss"]) == pytest.approx(wasserstein + KNOWN, rel=1e-5)


def test_generators_loss_is_the_one_worked_out_by_hand():
    """It is told of its own pictures' classes, which are not recognised here."""
    model, shown = hand_made()
    losses = model.generator_losses(shown)
    assert float(losses["g_adversarial"]) == pytest.approx(-FAKE_SCORE, rel=1e-5)
    assert float(losses["loss"]) == pytest.approx(-FAKE_SCORE + GUESSED, rel=1e-5)


def test_weights_of_the_losses_are_the_settings():
    config = TextureGANConfig(8, 4, penalty_weight=2, drift_weight=3, class_weight=0.5, growth=SMALL.growth)
    model, shown = hand_made(config)
    expected = FAKE_SCORE - REAL_SCORE + 2 * PENALTY + 3 * REAL_SCORE**2 + 0.5 * KNOWN
    assert float(model.discriminator_losses(shown)["d_loss"]) == pytest.approx(expected, rel=1e-5)
    assert float(model.generator_losses(shown)["loss"]) == pytest.approx(-FAKE_SCORE + 0.5 * GUESSED, rel=1e-5)


def test_critic_sees_real_pictures_that_fade_in_and_generated_ones_of_the_same_phase():
    model, shown = module(), batch(16, 0.25)
    judge = model.discriminator = Judge(0.01, 2.0)
    model.discriminator_losses(shown)
    (real, _), (fake, _), (between, _) = judge.seen
    assert torch.equal(real, faded(shown["image"], 0.25))
    assert not torch.equal(real, shown["image"])
    assert fake.shape == real.shape
    share = ((between - fake) / (real - fake)).flatten(1)
    torch.testing.assert_close(share, share[:, :1].expand_as(share), atol=1e-2, rtol=0)  # on the line between the two
    assert {alpha for _, alpha in judge.seen} == {0.25}


def test_action_units_that_are_not_known_change_no_loss():
    known = module()
    shown = batch()
    losses = []
    for unit in (0, 1):
        torch.manual_seed(0)
        shown["expression"] = torch.tensor([[1, -1], [0, -1], [1, -1], [0, -1]])
        known.discriminator.expression.bias.data[1] = 10.0 * unit  # its opinion of the unknown unit
        losses.append(known.discriminator_losses(shown)["d_classes"].item())
    assert losses[0] == losses[1]
    shown["expression"] = torch.tensor([[1, 0], [0, 0], [1, 0], [0, 0]])
    assert known.discriminator_losses(shown)["d_classes"].item() > losses[0] + 1, "or the test shows nothing"


def test_generated_pictures_are_of_the_batchs_people_and_expressions_with_noise_of_their_own():
    model, seen = module(), []
    model.generator.forward = lambda *words: seen.append(words) or torch.zeros(4, 3, 16, 16)
    shown = batch()
    model.generate(shown)
    model.generate(shown)
    (noise, identity, expression, side, alpha), (other_noise, *_) = seen
    assert torch.equal(identity, model.identity_codes.codes[shown["identity"]])
    assert torch.equal(expression, torch.eye(2)[shown["expression"]])
    assert (side, alpha) == (16, 0.5)
    assert not torch.equal(noise, other_noise)


# What it learns, and what it refuses


def test_it_learns_which_colour_an_expression_has():
    """Red or blue pictures, whoever it is: a generator that ignored z_exp would make both alike."""
    config = TextureGANConfig(width=16, noise_dim=4, growth=GrowthConfig(8, 8, 10_000, 1, [8]))
    model = module(config, lr=1e-2)
    red, blue = torch.tensor([0.8, -0.8, -0.8]), torch.tensor([-0.8, -0.8, 0.8])
    shown = []
    for _ in range(200):
        what = torch.randint(2, (8,))
        image = torch.where(what[:, None] == 0, red, blue)[:, :, None, None] + 0.05 * torch.randn(8, 3, 8, 8)
        who = torch.randint(PEOPLE, (8,))
        shown.append(TextureBatch(image=image, identity=who, expression=what, alpha=torch.tensor(1.0)))
    fit(model, shown)
    made = model.pictures(torch.randn(60, 4), torch.randn(60, 5), torch.eye(2).repeat(30, 1)).mean((2, 3))
    redder = made[:, 0] - made[:, 2]
    assert (redder[::2] > 0).float().mean() > 0.9
    assert (redder[1::2] < 0).float().mean() > 0.9


def test_checkpoint_of_another_table_is_refused():
    saved = {"state_dict": module(seed=1).state_dict()}
    with pytest.raises(CheckpointError, match="z_id"):
        module().on_load_checkpoint(saved)


def test_checkpoint_of_other_networks_is_refused():
    wider = module(TextureGANConfig(width=16, noise_dim=4, growth=SMALL.growth))
    with pytest.raises(CheckpointError, match="other networks"):
        module().on_load_checkpoint({"state_dict": wider.state_dict()})
