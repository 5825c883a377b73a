"""Peak signal-to-noise ratio."""

from torch import Tensor

EPSILON = 1e-8
"""Added to the squared error, so that equal pictures give 80 dB [C emotion_ldm: piq.psnr]."""


def psnr(first: Tensor, second: Tensor) -> Tensor:
    """PSNR of each pair: ``-10 log10(MSE + 1e-8)``.

    The mean over pairs is of these decibels; that of the pooled squared error is another number.

    Args:
        first: (B, 3, H, W) in [0, 1].
        second: the same.

    Returns:
        (B,) dB, at most 80.
    """
    error = (first.float() - second.float()).square().mean(dim=(1, 2, 3))
    return -10 * (error + EPSILON).log10()
