"""An emotion changed: latents are inverted under the emotion they show and brought back under another [P 3.3]."""

from typing import Protocol

import torch
from torch import Tensor

from facegen_core.diffusion.ddim import invert, reverse, sdedit
from facegen_core.diffusion.guidance import Denoise, guided
from facegen_core.diffusion.timesteps import strided_steps
from facegen_core.methods.emotion_ldm.edit_config import EditConfig


class EmotionModel(Protocol):
    """What is asked of a network; ``denoiser.EmotionDenoiser`` is one."""

    def context(self, emotion: Tensor) -> Tensor:
        """(B,) int64 emotions, -1 for none -> (B, 1, D)."""

    def __call__(self, latents: Tensor, t: Tensor, context: Tensor) -> Tensor:
        """Predicted noise, as the latents (B, C, h, w); t is (B,) int64."""


@torch.no_grad()
def invert_emotion(model: EmotionModel, latents: Tensor, source: Tensor, config: EditConfig, bars: Tensor) -> Tensor:
    """Clean latents to noise at time ``config.strength``, without a gradient.

    Args:
        model: predicts noise.
        latents: (B, C, h, w).
        source: (B,) int64, the emotions shown; -1 where none is known.
        config: the edit.
        bars: (T,) float64, see ``schedule.alpha_bars``.

    Returns:
        (B, C, h, w). They serve every target.

    Raises:
        ConfigError: a strength outside the schedule, steps that coincide, guidance that is not finite.
    """
    guidance = config.guidance if config.inversion_guidance == "same" else 1.0
    steps = strided_steps(config.strength, config.steps)
    return invert(latents, _under(model, source, guidance), steps, bars, config.at)


def reverse_emotion(
    model: EmotionModel,
    latents: Tensor,
    target: Tensor,
    config: EditConfig,
    bars: Tensor,
    random: torch.Generator | None = None,
) -> Tensor:
    """Inverted latents back to clean ones that show the target emotion; gradients pass through all steps.

    Args:
        model: predicts noise.
        latents: (B, C, h, w) from :func:`invert_emotion` with the same strength.
        target: (B,) int64, the emotions wanted.
        config: the edit.
        bars: as for :func:`invert_emotion`.
        random: draws new noise; needed when ``config.eta`` is above 0.

    Returns:
        (B, C, h, w).

    Raises:
        ConfigError: as for :func:`invert_emotion`, or eta outside [0, 1].
        ValueError: eta is above 0 and there is no generator.
    """
    steps = strided_steps(config.strength, config.steps)
    return reverse(latents, _under(model, target, config.guidance), steps, bars, config.eta, random)


@torch.no_grad()
def sdedit_emotion(
    model: EmotionModel, latents: Tensor, noise: Tensor, target: Tensor, config: EditConfig, bars: Tensor
) -> Tensor:
    """SDEdit with the same network: noise up to ``config.strength`` in place of an inversion, so no source is asked.

    Args:
        model: predicts noise.
        latents: (B, C, h, w), clean.
        noise: likewise, standard normal.
        target: (B,) int64, the emotions wanted.
        config: strength, steps and guidance.
        bars: as for :func:`invert_emotion`.

    Returns:
        (B, C, h, w).

    Raises:
        ConfigError: as for :func:`invert_emotion`.
    """
    steps = strided_steps(config.strength, config.steps)
    return sdedit(latents, noise, _under(model, target, config.guidance), steps, bars)


def _under(model: EmotionModel, emotion: Tensor, guidance: float) -> Denoise:
    null = model.context(torch.full_like(emotion, -1))  # no emotion
    return guided(model, model.context(emotion), null, guidance)
