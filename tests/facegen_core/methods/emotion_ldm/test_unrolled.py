"""Sampling that is trained through: the same gradients, in memory that does not grow with the steps."""

from collections.abc import Callable

import pytest
import torch
from helpers.live_bytes import LiveBytes
from torch import Tensor

from facegen_core.diffusion.schedule import alpha_bars
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.manipulation import reverse_emotion
from facegen_core.methods.emotion_ldm.unrolled import Checkpointed

TINY = DenoiserConfig(latent_pixels=8, channels=(8,), layers_per_block=1, heads=(1,), norm_groups=4, context_dim=6)
Wrap = Callable[[EmotionDenoiser], object]


def plain(model: EmotionDenoiser) -> EmotionDenoiser:
    return model


def tiny(dtype: torch.dtype = torch.float32) -> EmotionDenoiser:
    torch.manual_seed(0)
    return EmotionDenoiser(TINY).to(dtype)


def unrolled(model: EmotionDenoiser, wrap: Wrap, steps: int, guidance: float) -> Tensor:
    latents = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1)).to(model.null.dtype)
    config = EditConfig(steps=steps, guidance=guidance)
    return reverse_emotion(wrap(model), latents, torch.tensor([1, 1]), config, alpha_bars(TINY.schedule))


def gradients(wrap: Wrap, guidance: float) -> dict[str, Tensor]:
    model = tiny(torch.float64)
    unrolled(model, wrap, 4, guidance).square().mean().backward()
    return {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_gradients_are_those_of_plain_unrolling(guidance):
    ours, theirs = gradients(Checkpointed, guidance), gradients(plain, guidance)
    assert ours.keys() == theirs.keys() and len(ours) > 30
    for name, expected in theirs.items():
        torch.testing.assert_close(ours[name], expected, rtol=1e-9, atol=1e-12)


def test_gradient_reaches_the_first_step_as_well_as_the_last():
    """Four steps are not the gradient of the last alone."""
    whole = gradients(Checkpointed, 1.0)
    model, seen = tiny(torch.float64), []

    def last_alone(latents: Tensor, t: Tensor, context: Tensor) -> Tensor:
        seen.append(int(t[0]))
        return model(latents, t, context) if int(t[0]) == 1 else model(latents, t, context).detach()

    last_alone.context = model.context
    unrolled(model, lambda _: last_alone, 4, 1.0).square().mean().backward()
    assert seen == [500, 333, 166, 1]
    name = "unet.conv_in.weight"
    assert not torch.allclose(whole[name], model.get_parameter(name).grad, rtol=1e-2)


def peak_bytes(wrap: Wrap, steps: int) -> int:
    """The most memory that a forward and a backward take at once, gradients of the weights left out."""
    model = tiny()
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)  # there already: what is added up does not count
    with LiveBytes() as live:
        unrolled(model, wrap, steps, 5.0).square().mean().backward()
    return live.peak


def test_memory_stays_flat_in_the_number_of_steps():
    two, six = peak_bytes(Checkpointed, 2), peak_bytes(Checkpointed, 6)
    assert six < 1.1 * two
    plain_two, plain_six = peak_bytes(plain, 2), peak_bytes(plain, 6)
    assert plain_six > 2.5 * plain_two, "as the count can tell"
    assert six < plain_two
