"""DDIM (Song, Meng and Ermon 2021): a latent to noise and back along the same path.

Times are integers that index ``bars``. What comes before the first step is time 0, so a clean latent is taken to sit at
``bars[0]``, on the way out and on the way back [EmotionLDM, A]; it is diffusers' ``set_alpha_to_one=False``. Latents
keep their dtype, float32 as a rule; coefficients are float64. Gradients pass through every function.
"""

import itertools
import math
from typing import Literal

import torch
from torch import Tensor

from facegen_core.diffusion.guidance import Denoise
from facegen_core.diffusion.schedule import noised
from facegen_core.errors import ConfigError


def invert(
    latents: Tensor,
    denoise: Denoise,
    steps: list[int],
    bars: Tensor,
    at: Literal["destination", "origin"] = "destination",
) -> Tensor:
    """Latents to the noise that :func:`reverse` brings back to them.

    Args:
        latents: (B, C, h, w), clean.
        denoise: predicts noise.
        steps: times to stop at, ascending, in [1, T).
        bars: (T,) float64, see ``schedule.alpha_bars``.
        at: time that the network is told: of the end of each step [EmotionLDM, A; diffusers' ``DDIMInverseScheduler``]
            or of its beginning, where the latent is [EmotionLDM, P eq. 8; DiffusionCLIP].

    Returns:
        (B, C, h, w) at time ``steps[-1]``.

    Raises:
        ConfigError: steps that are not ascending or not in the schedule.
    """
    kept = _bars_at(steps, bars)
    for origin, destination in zip([0, *steps[:-1]], steps, strict=True):
        noise = denoise(latents, _times(latents, destination if at == "destination" else origin))
        latents = _moved(latents, noise.to(latents.dtype), kept[origin], kept[destination])
    return latents


def reverse(
    latents: Tensor,
    denoise: Denoise,
    steps: list[int],
    bars: Tensor,
    eta: float = 0.0,
    random: torch.Generator | None = None,
) -> Tensor:
    """Noisy latents back to time 0.

    Args:
        latents: (B, C, h, w) at time ``steps[-1]``.
        denoise: predicts noise.
        steps: as for :func:`invert`.
        bars: as for :func:`invert`.
        eta: new noise in each step: 0 none, 1 as much as DDPM adds.
        random: draws that noise; needed when ``eta`` is above 0.

    Returns:
        (B, C, h, w) at time 0.

    Raises:
        ConfigError: steps as for :func:`invert`, or eta outside [0, 1].
        ValueError: eta is above 0 and there is no generator.
    """
    kept = _bars_at(steps, bars)
    if not 0 <= eta <= 1:
        raise ConfigError(f"eta = {eta}: must be from 0 to 1.")
    if eta > 0 and random is None:
        raise ValueError("eta above 0 draws noise: give a generator (facegen_core.seeding.torch_generator)")
    for origin, destination in zip(reversed(steps), [*steps[-2::-1], 0], strict=True):
        here, there = kept[origin], kept[destination]
        fresh = eta * math.sqrt((1 - there) / (1 - here) * (1 - here / there))  # Song et al., eq. 16
        noise = denoise(latents, _times(latents, origin))
        latents = _moved(latents, noise.to(latents.dtype), here, there, fresh)
        if random is not None and fresh > 0:
            drawn = torch.randn(latents.shape, generator=random, device=random.device, dtype=latents.dtype)
            latents = latents + fresh * drawn.to(latents.device)
    return latents


def sdedit(latents: Tensor, noise: Tensor, denoise: Denoise, steps: list[int], bars: Tensor) -> Tensor:
    """SDEdit (Meng et al. 2022): noise is added at once, then taken away by :func:`reverse`.

    Args:
        latents: (B, C, h, w), clean.
        noise: as ``latents``, standard normal.
        denoise: predicts noise.
        steps: as for :func:`invert`; the last is how far the latents are noised.
        bars: as for :func:`invert`.

    Returns:
        (B, C, h, w) at time 0.

    Raises:
        ConfigError: as for :func:`invert`.
    """
    _bars_at(steps, bars)
    return reverse(noised(latents, noise, _times(latents, steps[-1]), bars), denoise, steps, bars)


def _moved(latents: Tensor, noise: Tensor, here: float, there: float, fresh: float = 0.0) -> Tensor:
    """One step, ``here`` to ``there``: the clean latent that the noise implies, noised to ``there`` with that noise.

    ``fresh`` is the standard deviation left free for new noise. Both terms of each factor are gathered in float64.
    """
    scale = math.sqrt(there / here)
    return scale * latents + (math.sqrt(1 - there - fresh**2) - scale * math.sqrt(1 - here)) * noise


def _times(latents: Tensor, t: int) -> Tensor:
    return torch.full((len(latents),), t, dtype=torch.int64, device=latents.device)


def _bars_at(steps: list[int], bars: Tensor) -> dict[int, float]:
    """``bars`` at time 0 and at the steps; read at once, so that a GPU is waited for once and not in every step."""
    ascending = all(a < b for a, b in itertools.pairwise(steps))
    if not steps or not ascending or steps[0] < 1 or steps[-1] >= len(bars):
        shown = steps if len(steps) < 8 else [*steps[:4], "...", *steps[-3:]]
        raise ConfigError(
            f"steps {shown}: must be ascending times from 1 to {len(bars) - 1}, the schedule's last; the strength of "
            "an edit is the last of them."
        )
    times = [0, *steps]
    return dict(zip(times, bars[times].double().tolist(), strict=True))
