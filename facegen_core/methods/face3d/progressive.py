"""Layers of progressively grown networks (Karras et al. 2018), and the schedule by which they grow."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facegen_core.methods.face3d.config import GrowthConfig

EPSILON = 1e-8


class Phase(NamedTuple):
    """Where in its growth a network is.

    Attributes:
        resolution: pixels of a side of the pictures.
        alpha: share of the newest block in the output, in [0, 1]; 1 when it is fully there.
    """

    resolution: int
    alpha: float


def phase_at(images: int, config: GrowthConfig) -> Phase:
    """The phase after so many real pictures: the first resolution is trained, each further one fades in, is trained."""
    left, resolution = images - config.stable_images, config.first_resolution
    while left >= 0 and resolution < config.last_resolution:
        resolution *= 2
        if left < config.fade_images:
            return Phase(resolution, left / config.fade_images)
        left -= config.fade_images + config.stable_images
    return Phase(resolution, 1.0)


def batch_at(images: int, config: GrowthConfig) -> int:
    """Pictures in the batch that begins after ``images``."""
    resolution = phase_at(images, config).resolution
    return config.batch[int(math.log2(resolution // config.first_resolution))]


def resolutions(config: GrowthConfig) -> tuple[int, ...]:
    """Sides of the pictures, from the first phase to the last."""
    return tuple(config.first_resolution * 2**i for i in range(len(config.batch)))


def total_batches(config: GrowthConfig) -> int:
    """Batches from the first phase to the end of the last: the steps that a whole run has."""
    images = batches = 0
    for growths, size in enumerate(config.batch):
        end = config.stable_images + growths * (config.fade_images + config.stable_images)
        count = max(0, math.ceil((end - images) / size))  # the last one of a resolution may reach into the next
        images, batches = images + count * size, batches + count
    return batches


class EqualConv2d(nn.Conv2d):
    """A convolution whose weights are drawn from N(0, 1) and scaled by ``gain / sqrt(fan in)`` whenever it is used."""

    def __init__(self, inputs: int, outputs: int, kernel: int, padding: int = 0, gain: float = math.sqrt(2)) -> None:
        super().__init__(inputs, outputs, kernel, padding=padding)
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)  # type: ignore[arg-type]
        self.scale = gain / math.sqrt(inputs * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


class EqualLinear(nn.Linear):
    """A linear layer of the same kind; gain 1, as for outputs."""

    def __init__(self, inputs: int, outputs: int, gain: float = 1.0) -> None:
        super().__init__(inputs, outputs)
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)
        self.scale = gain / math.sqrt(inputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias)


class PixelNorm(nn.Module):
    """Divides each pixel's features by their root mean square."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + EPSILON)


def append_deviation(x: Tensor, group: int) -> Tensor:
    """Adds one feature map (B, 1, H, W): how much each group of pictures differs, its deviation averaged over all.

    Pictures i, i + n, i + 2n, ... form a group, n being how many groups there are; the last may be smaller.

    Args:
        x: (B, C, H, W).
        group: pictures in a group.
    """
    groups = max(1, len(x) // group)
    deviations = [(x[g::groups].float().var(0, correction=0) + EPSILON).sqrt().mean() for g in range(groups)]
    feature = torch.stack(deviations).repeat(-(-len(x) // groups))[: len(x)]
    plane = feature.to(x.dtype).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
    return torch.cat([x, plane], 1)


def upsample(x: Tensor) -> Tensor:
    """Twice the size, bilinear [C]."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def downsample(x: Tensor) -> Tensor:
    """Half the size: the mean of two by two, which bilinear resizing by one half is [C]."""
    return F.avg_pool2d(x, 2)


def faded(pictures: Tensor, alpha: float) -> Tensor:
    """Real pictures of a phase: their finest details come in as the generator's do (Karras et al. 2018, section 2).

    Args:
        pictures: (B, 3, R, R).
        alpha: of the phase; at 0 they hold nothing that half their size would not.
    """
    if alpha >= 1:
        return pictures
    coarse = upsample(downsample(pictures))
    return coarse + alpha * (pictures - coarse)
