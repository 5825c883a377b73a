"""Structural similarity (Wang et al., IEEE TIP 2004)."""

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2
"""Of a data range of 1."""
CENTRE = 0.5
"""Of the data range."""
SHRUNK_TO = 256
"""Pictures are first shrunk by their shorter side over 256, rounded: from 384 px on, as Wang et al. and piq do."""


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """SSIM of each pair by piq's definition [C emotion_ldm]: per channel, where the Gaussian window fits whole.

    It is piq's value in double precision to 1e-5; piq's own in single precision is off by 6e-5 on photographs with an
    even background. torchmetrics pads and crops, which leaves a border of another width: the fourth digit differs.

    Args:
        first: (B, 3, H, W) in [0, 1].
        second: the same.

    Returns:
        (B,), at most 1.

    Raises:
        ValueError: pictures smaller than the window.
    """
    if min(first.shape[-2:]) < WINDOW:
        raise ValueError(f"SSIM needs pictures of {WINDOW} px at least, got {tuple(first.shape[-2:])}")
    x, y = first.float(), second.float()
    shrink = max(1, round(min(x.shape[-2:]) / SHRUNK_TO))
    if shrink > 1:
        x, y = F.avg_pool2d(x, shrink), F.avg_pool2d(y, shrink)
    # Centred first: in single precision the variance of a bright even background would be lost in its square.
    x, y = x - CENTRE, y - CENTRE
    mean_x, mean_y = _window(x), _window(y)
    variance_x, variance_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    covariance = _window(x * y) - mean_x * mean_y
    structure = (2 * covariance + C2) / (variance_x + variance_y + C2)
    mean_x, mean_y = mean_x + CENTRE, mean_y + CENTRE
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return (luminance * structure).mean(dim=(1, 2, 3))


def _window(x: Tensor) -> Tensor:
    """Means (B, C, H - 10, W - 10) of (B, C, H, W), weighted by the Gaussian around each pixel."""
    place = torch.arange(WINDOW, device=x.device, dtype=x.dtype) - WINDOW // 2
    weights = torch.exp(-(place**2) / (2 * SIGMA**2))
    weights = (weights / weights.sum()).expand(x.shape[1], 1, 1, WINDOW)
    rows = F.conv2d(x, weights, groups=x.shape[1])
    return F.conv2d(rows, weights.transpose(2, 3), groups=x.shape[1])
