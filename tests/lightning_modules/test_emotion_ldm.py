"""EmotionLDM's training step: what the network is shown, whose weights move, and that its edits reach their targets."""

from dataclasses import replace

import pytest
import torch
from helpers.fitting import fit
from helpers.manipulation import manipulate
from torch import Tensor, nn

from facegen_core.config import OptimConfig
from facegen_core.diffusion.schedule import ScheduleConfig
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.types import LatentBatch
from lightning_modules.callbacks.ema import EMA
from lightning_modules.emotion_ldm import EmotionLDMModule

TINY = DenoiserConfig(latent_pixels=4, channels=(8,), layers_per_block=1, heads=(1,), norm_groups=4, context_dim=6)
OPTIM = OptimConfig(lr=1e-3, weight_decay=0.01)
COUNT = 200


def module(config: DenoiserConfig = TINY, optim: OptimConfig = OPTIM) -> EmotionLDMModule:
    torch.manual_seed(0)
    return EmotionLDMModule(config, optim)


def batch(count: int = 4, first: int = 0, mean: float = 0.5) -> LatentBatch:
    """Latents whose values tell which they are."""
    latent = mean + torch.arange(count * 3.0).view(count, 3, 1, 1).expand(-1, -1, 4, 4) / 10
    emotion = torch.arange(count) % 8
    return LatentBatch(
        latent=latent, emotion=emotion, identity=torch.zeros_like(emotion), index=first + torch.arange(count)
    )


class Listener(nn.Module):
    """In the network's place: predicts no noise and keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.latents: list[Tensor] = []
        self.t: list[Tensor] = []
        self.told: list[Tensor] = []
        self.nothing = nn.Parameter(torch.zeros(()))

    def context(self, emotion: Tensor) -> Tensor:
        self.told.append(emotion)
        return emotion[:, None, None]

    def forward(self, latents: Tensor, t: Tensor, context: Tensor) -> Tensor:
        self.latents.append(latents)
        self.t.append(t)
        return latents * self.nothing


def listening(config: DenoiserConfig = TINY) -> tuple[EmotionLDMModule, Listener]:
    model = module(config)
    model.denoiser = listener = Listener()
    return model, listener


# What the network is shown


def test_loss_is_the_mean_square_of_the_noise_that_was_mixed_in():
    """Solved for the noise: its share and that of the latent are those of the time that the network is told."""
    schedule = ScheduleConfig("linear", 0.1, 0.5, 3)
    bars = torch.tensor([0.9, 0.9 * 0.7, 0.9 * 0.7 * 0.5])
    model, listener = listening(replace(TINY, schedule=schedule))
    shown = batch(COUNT)
    loss = model.training_step(shown, 0)["loss"]
    bar = bars[listener.t[0]].view(-1, 1, 1, 1)
    noise = (listener.latents[0] - bar.sqrt() * shown["latent"]) / (1 - bar).sqrt()
    assert float(loss) == pytest.approx(float(noise.square().mean()), rel=1e-4)
    assert float(noise.mean()) == pytest.approx(0, abs=5 / noise.numel() ** 0.5)
    assert float(noise.var()) == pytest.approx(1, abs=10 / noise.numel() ** 0.5)
    counts = torch.bincount(listener.t[0], minlength=3)
    assert counts.min() > COUNT / 3 - 4 * (COUNT * 2 / 9) ** 0.5, "all times alike"


def withheld(config: DenoiserConfig, batches: int = COUNT) -> Tensor:
    """Which labels the network was not told, (batches, B) bool."""
    model, listener = listening(config)
    shown = batch()
    for _ in range(batches):
        model.training_step(shown, 0)
    told = torch.stack(listener.told)
    kept = told >= 0
    assert torch.equal(told[kept], shown["emotion"].expand_as(told)[kept])
    return ~kept


SURE = 4 * (0.2 * 0.8 / COUNT) ** 0.5


def test_labels_of_a_whole_batch_are_withheld_together():
    dropped = withheld(TINY)
    assert torch.equal(dropped.all(1), dropped.any(1))
    assert float(dropped.float().mean()) == pytest.approx(0.2, abs=SURE)


def test_labels_of_samples_are_withheld_one_by_one():
    dropped = withheld(replace(TINY, label_drop_per="sample")).float()
    assert float(dropped.mean()) == pytest.approx(0.2, abs=SURE)
    pairs = (dropped[:, 0] * dropped[:, 1]).mean()
    assert float(pairs) == pytest.approx(0.04, abs=4 * (0.04 * 0.96 / COUNT) ** 0.5), "of two at once by chance alone"


def test_no_label_is_withheld_where_none_should_be():
    assert not withheld(replace(TINY, label_drop=0.0), batches=20).any()


def test_validation_tells_all_labels_and_is_the_same_in_any_batches():
    model = module()
    whole = model.validation_step(batch(8), 0)
    torch.manual_seed(5)
    parts = []
    for first in (0, 4):
        part = {key: value[first : first + 4] for key, value in batch(8).items()}
        parts.append(model.validation_step(part, 3))
    for key in ("error", "t"):
        torch.testing.assert_close(torch.cat([part[key] for part in parts]), whole[key])
    model, listener = listening(replace(TINY, label_drop=0.99))
    model.validation_step(batch(8), 0)
    assert torch.equal(listener.told[0], batch(8)["emotion"])


# Whose weights move


def test_all_weights_but_those_left_out_have_a_gradient_whether_labels_are_withheld_or_not():
    """DDP waits for each."""
    for drop in (0.0, 0.999):
        model = module(replace(TINY, label_drop=drop))
        model.training_step(batch(), 0)["loss"].backward()
        assert [name for name, w in model.named_parameters() if w.requires_grad != (w.grad is not None)] == []


def test_weights_left_out_do_not_shrink_by_weight_decay():
    model = module(optim=OptimConfig(lr=0.1, weight_decay=0.5))
    frozen = {n: w.detach().clone() for n, w in model.named_parameters() if not w.requires_grad}
    fit(model, [batch()] * 2)
    assert len(frozen) == 4 * 4, "a block down, two up, one between"
    assert all(torch.equal(weight, model.get_parameter(name)) for name, weight in frozen.items())


def test_average_is_of_the_u_net_alone():
    model, ema = module(), EMA(0.99)
    fit(model, [batch()], ema)
    assert ema.average.keys() == {n for n, w in model.denoiser.unet.named_parameters() if w.requires_grad}


# What it learns


def test_edit_gives_a_latent_the_colour_of_its_target_and_keeps_its_own_brightness():
    """Emotion 1 is red and 2 is green; each latent has a brightness of its own in the third channel."""
    config = replace(TINY, channels=(32,), heads=(2,), context_dim=8, label_drop_per="sample")
    model = module(config, OptimConfig(lr=3e-3))
    random = torch.Generator().manual_seed(0)

    def drawn(count: int) -> LatentBatch:
        emotion = torch.randint(1, 3, (count,), generator=random)
        colour = torch.stack([emotion == 1, emotion == 2], dim=1).float() * 2 - 1
        own = torch.randn(count, 1, generator=random)
        latent = torch.cat([colour, own], dim=1)[:, :, None, None].expand(-1, -1, 4, 4)
        grain = 0.1 * torch.randn(latent.shape, generator=random)
        return LatentBatch(latent=latent + grain, emotion=emotion, identity=emotion, index=torch.arange(count))

    fit(model, [drawn(32) for _ in range(200)])
    model.eval()
    faces = drawn(16)
    source, target = faces["emotion"], 3 - faces["emotion"]
    edit = EditConfig(strength=800, steps=10, guidance=2.0)
    made = manipulate(model.denoiser, faces["latent"], source, target, edit, model.bars).mean((2, 3))
    same = manipulate(model.denoiser, faces["latent"], source, source, edit, model.bars).mean((2, 3))
    before = faces["latent"].mean((2, 3))
    redder = made[:, 0] - made[:, 1]
    assert ((redder > 0) == (target == 1)).all()
    assert torch.corrcoef(torch.stack([made[:, 2], before[:, 2]]))[0, 1] > 0.9
    assert (same - before).abs().mean() < 0.3, "guidance of 2 overshoots a little; an edit moves colours by 2"
