"""VQGAN's training step: whose weights move and when, losses worked out by hand, and that it learns."""

import pytest
import torch
import torch.nn.functional as F
from helpers.fitting import fit, fit_watched
from torch import Tensor, nn

from facegen_core.config import OptimConfig
from facegen_core.errors import CheckpointError
from facegen_core.methods.emotion_ldm.first_stage import Reconstruction
from facegen_core.methods.emotion_ldm.vqgan_config import DiscriminatorConfig, FirstStageConfig, VQGANConfig
from facegen_core.types import PictureBatch
from lightning_modules import vqgan
from lightning_modules.callbacks.step_seed import StepSeed
from lightning_modules.vqgan import VQGANModule

PIXELS = 16
SIZES = FirstStageConfig(PIXELS, channels=(8, 8, 16), blocks=1, groups=4, codes=16)
SMALL = VQGANConfig(SIZES, DiscriminatorConfig(width=4, layers=2), perceptual="none", disc_start=2, disc_weight=0.5)


class Squares(nn.Module):
    """A perceptual distance: the mean squared difference in [0, 1]; with a weight, which must never be trained."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(()), requires_grad=False)

    def forward(self, pictures: Tensor, truth: Tensor) -> Tensor:
        return self.one * (pictures - truth).square().mean((1, 2, 3))


def module(config: VQGANConfig = SMALL, lr: float = 1e-3, perceptual: nn.Module | None = None) -> VQGANModule:
    torch.manual_seed(0)
    return VQGANModule(config, OptimConfig(lr=lr, betas=[0.5, 0.9]), perceptual)


def batches(count: int, size: int = 4) -> list[PictureBatch]:
    """Smooth pictures."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for _ in range(count):
        nobody = torch.full((size,), -1)
        coarse = torch.rand(size, 3, 4, 4, generator=generator) * 2 - 1
        image = F.interpolate(coarse, PIXELS, mode="bilinear")
        made.append(PictureBatch(image=image, emotion=nobody, identity=nobody, index=torch.arange(size)))
    return made


class Watched(VQGANModule):
    """Notes how many steps were done before each batch, and what the batch gave."""

    def training_step(self, batch: PictureBatch, batch_idx: int) -> dict[str, Tensor]:
        values = super().training_step(batch, batch_idx)
        self.__dict__.setdefault("noted", []).append((self.step, set(values)))
        return values


# Whose weights move, and when


def test_gradients_reach_only_the_network_whose_turn_it_is():
    model = module(VQGANConfig(SIZES, SMALL.discriminator, "none", disc_start=0))
    everything = {name for name, _ in model.named_parameters()}
    autoencoder, critic = fit_watched(model, batches(1))
    assert autoencoder == {name for name in everything if name.startswith("first_stage.")}
    assert critic == {name for name in everything if name.startswith("discriminator.")}


def test_discriminator_takes_part_from_its_start_on():
    """And Lightning counts both optimisers' steps all the while, or the run would end at another step."""
    torch.manual_seed(0)
    model = Watched(SMALL, OptimConfig(1e-3))
    before = {name: weight.detach().clone() for name, weight in model.discriminator.named_parameters()}
    fit(model, batches(2), StepSeed(0))
    assert all(torch.equal(weight, before[name]) for name, weight in model.discriminator.named_parameters())
    assert model.trainer.global_step == 4

    model = Watched(SMALL, OptimConfig(1e-3))
    fit(model, batches(4), StepSeed(0))
    heard = [("d_loss" in values, "adaptive_weight" in values) for _, values in model.noted]
    assert heard == [(False, False)] * 2 + [(True, True)] * 2
    assert model.trainer.global_step == 8


def test_start_is_counted_in_steps_not_in_accumulated_batches():
    torch.manual_seed(0)
    model = Watched(SMALL, OptimConfig(1e-3))
    fit(model, batches(6), StepSeed(0, accumulate=2))
    assert [step for step, _ in model.noted] == [0, 0, 1, 1, 2, 2]
    assert ["d_loss" in values for _, values in model.noted] == [False] * 4 + [True] * 2
    assert model.trainer.global_step == 6


def test_perceptual_network_is_neither_trained_nor_saved():
    network = Squares()
    model = module(perceptual=network)
    fit(model, batches(3), StepSeed(0))
    assert float(network.one) == 1 and network.one.grad is None
    assert {name.partition(".")[0] for name in model.state_dict()} == {"first_stage", "discriminator"}


# Losses


CODE, SCORE = 5, 0.25
"""The code always taken, and what the discriminator says of a picture of ones."""


def hand_made(monkeypatch, disc_start: int = 0) -> tuple[VQGANModule, Tensor]:
    """Reconstructions are the decoder's last weights' mean everywhere; true pictures are ones."""
    config = VQGANConfig(SIZES, SMALL.discriminator, "none", 0.3, 2.0, disc_start=disc_start, disc_weight=0.5)
    model = module(config, perceptual=Squares())

    def made(first_stage, pictures: Tensor) -> Reconstruction:
        level = first_stage.decoder.conv_out.weight.mean()
        return Reconstruction(
            level * torch.ones_like(pictures), torch.tensor(0.7), torch.full((len(pictures), 4, 4), CODE)
        )

    monkeypatch.setattr(vqgan, "reconstruct", made)
    model.first_stage.decoder.conv_out.weight.data.fill_(-0.5)
    model.discriminator.forward = lambda pictures: SCORE * pictures.mean((1, 2, 3))
    return model, torch.ones(2, 3, PIXELS, PIXELS)


RECONSTRUCTION = 1.5 + 0.3 * 0.75**2
"""|1 - -0.5|, and 0.3 times the squared difference in [0, 1]."""
PULL = 1 + 0.3 * 0.75
"""What it gains by a level that is 1 higher, for the first small part of it."""


def test_autoencoders_loss_before_the_start_is_the_one_worked_out_by_hand(monkeypatch):
    model, pictures = hand_made(monkeypatch, disc_start=1)
    losses = model.autoencoder_losses(pictures)
    assert float(losses["reconstruction"].detach()) == pytest.approx(RECONSTRUCTION)
    assert float(losses["loss"].detach()) == pytest.approx(RECONSTRUCTION + 2 * 0.7)
    assert float(losses["codebook_perplexity"]) == 1
    assert "g_adversarial" not in losses


def test_autoencoders_loss_from_the_start_on_is_the_one_worked_out_by_hand(monkeypatch):
    """Pulls at the last layer: both are of all its weights alike, so their ratio is that of the slopes."""
    model, pictures = hand_made(monkeypatch)
    losses = model.autoencoder_losses(pictures)
    count = model.first_stage.decoder.conv_out.weight.numel()
    adaptive = PULL * count**-0.5 / (SCORE * count**-0.5 + 1e-4)
    adversarial = 0.5 * SCORE
    assert float(losses["adaptive_weight"]) == pytest.approx(adaptive, rel=1e-4)
    assert float(losses["g_adversarial"].detach()) == pytest.approx(adversarial)
    expected = RECONSTRUCTION + 2 * 0.7 + 0.5 * adaptive * adversarial
    assert float(losses["loss"].detach()) == pytest.approx(expected, rel=1e-4)


def test_discriminators_loss_is_the_one_worked_out_by_hand(monkeypatch):
    model, pictures = hand_made(monkeypatch)
    losses = model.discriminator_losses(pictures, -pictures)
    assert float(losses["d_loss"]) == pytest.approx(0.5 * (1 - SCORE + 1 - SCORE))


def test_validation_leaves_the_discriminator_out_and_clips_pictures(monkeypatch):
    model, pictures = hand_made(monkeypatch)
    model.first_stage.decoder.conv_out.weight.data.fill_(-3)
    outputs = model.validation_step({"image": pictures}, 0)
    assert outputs["reconstruction"].tolist() == pytest.approx([4 + 0.3 * 2**2] * 2), "unclipped, as it is trained"
    assert outputs["quantiser"].tolist() == pytest.approx([0.7] * 2)
    assert not outputs["made"].any() and (outputs["picture"] == 1).all()


# What it learns, and what it refuses


def test_reconstructions_come_close_and_spread_over_the_codebook():
    model = module(VQGANConfig(SIZES, SMALL.discriminator, "none", disc_start=60), lr=3e-3)
    shown = batches(1, 8)[0]
    before = model.validation_step(shown, 0)["reconstruction"].mean()
    fit(model, [shown] * 80, StepSeed(0))
    after = model.validation_step(shown, 0)
    assert after["reconstruction"].mean() < before / 2
    assert len(after["codes"].unique()) >= 8


def test_compiled_blocks_leave_the_last_layer_apart(monkeypatch):
    """The adaptive weight asks for its gradient alone."""
    compiled = []
    monkeypatch.setattr(nn.Module, "compile", lambda self: compiled.append(self))
    model = module()
    model.compile_network()
    inside = {id(part) for block in compiled for part in block.modules()}
    convolutions = [part for part in model.first_stage.modules() if isinstance(part, nn.Conv2d)]
    assert len(compiled) == 2 * (len(SIZES.channels) + 1)
    assert id(model.first_stage.decoder.conv_out) not in inside
    assert sum(id(part) in inside for part in convolutions) == len(convolutions) - 6, "first, last, around the codes"


def test_checkpoint_of_other_networks_is_refused():
    wider = module(VQGANConfig(SIZES, DiscriminatorConfig(8, 2), "none"))
    with pytest.raises(CheckpointError, match="other networks"):
        module().on_load_checkpoint({"state_dict": wider.state_dict()})
