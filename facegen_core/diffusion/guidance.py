"""Classifier-free guidance (Ho and Salimans 2021)."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from facegen_core.errors import ConfigError

Denoise = Callable[[Tensor, Tensor], Tensor]
"""(z (B, C, h, w), t (B,) int64) -> predicted noise, as z."""


def guided(
    denoise_with: Callable[[Tensor, Tensor, Tensor], Tensor], context: Tensor, null: Tensor, scale: float
) -> Denoise:
    """``eps_null + scale (eps_context - eps_null)``, both from one forward of twice the batch.

    Args:
        denoise_with: (z, t, context) -> predicted noise.
        context: (B, L, D), what each sample is conditioned on.
        null: what stands for no condition; (B, L, D) or what expands to it.
        scale: guidance. 1 is the condition alone, in a forward of the plain batch; 0 is no condition.

    Raises:
        ConfigError: the scale is NaN or infinite.
    """
    if not math.isfinite(scale):
        raise ConfigError(f"guidance = {scale}: must be a finite number.")
    if scale == 1:
        return lambda z, t: denoise_with(z, t, context)
    both = torch.cat([null.expand_as(context), context])

    def denoise(z: Tensor, t: Tensor) -> Tensor:
        # In the dtype of z: half precision would lose what is left of two nearly equal predictions.
        without, conditioned = denoise_with(torch.cat([z, z]), torch.cat([t, t]), both).to(z.dtype).chunk(2)
        return without + scale * (conditioned - without)

    return denoise
