"""Makes a rendered face look as if taken by any camera under any light; on whole batches, on any device.

What a photograph has and a render has not cannot be added; what a network could lean on in a render and will not find
in a photograph can be taken away: smooth shading, colours, sharpness, the outline of the head.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.methods.face_judge.config import AugmentConfig


def augmented(
    pictures: Tensor, config: AugmentConfig, strength: float = 1.0, random: torch.Generator | None = None
) -> Tensor:
    """Pictures under another light, by another camera, partly hidden.

    Args:
        pictures: (B, 3, S, S) in [0, 1].
        config: how strongly.
        strength: factor of all of it, 0 to 1, for a ramp over training; 0 leaves the pictures as they are.
        random: source of the draws; torch's own if None.

    Returns:
        (B, 3, S, S) in [0, 1].
    """
    draws = _Draws(len(pictures), strength, config.milder, random, pictures.device)
    if config.occlude:
        pictures = _occluded(pictures, config, draws)
    pictures = _relit(pictures, config, draws)
    if config.mask:
        pictures = _masked(pictures, config, draws)
    pictures = _blurred(pictures, config, draws)
    noise = draws.strength * config.noise * draws.uniform(1, 1, 1)
    return (pictures + noise * draws.normal(*pictures.shape[1:])).clamp(0, 1)


class _Draws:
    """Random numbers, one row a picture."""

    def __init__(
        self, count: int, strength: float, milder: float, random: torch.Generator | None, device: torch.device
    ) -> None:
        self.count, self.random, self.device = count, random, device
        weaker, factor = self.uniform(1, 1, 1) < milder, self.uniform(1, 1, 1)
        self.strength = strength * torch.where(weaker, factor, 1.0)
        """(B, 1, 1, 1)."""

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(self.count, *shape, generator=self.random, device=self.device)

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(self.count, *shape, generator=self.random, device=self.device)

    def some(self, share: float) -> Tensor:
        """(B, 1, 1, 1) bool, true for about this share of the pictures."""
        return self.uniform(1, 1, 1) < share * self.strength


def _relit(pictures: Tensor, config: AugmentConfig, draws: _Draws) -> Tensor:
    """Tone curve, light from other sides, exposure, colours, contrast."""
    side, k = pictures.shape[-1], draws.strength
    pictures = pictures.clamp(1e-3, 1) ** torch.exp(k * config.gamma * draws.normal(1, 1, 1))
    light = F.interpolate(config.light * draws.normal(1, 3, 3), (side, side), mode="bicubic", align_corners=False)
    gain = light + config.exposure * draws.normal(1, 1, 1) + config.cast * draws.normal(3, 1, 1)
    pictures = pictures * torch.exp(k * gain)
    share = draws.uniform(1, 1, 1) * draws.some(config.grey)
    pictures = pictures.lerp(pictures.mean(1, keepdim=True).expand_as(pictures), share)
    middle = pictures.mean((1, 2, 3), keepdim=True)
    return middle + (pictures - middle) * torch.exp(k * config.contrast * draws.normal(1, 1, 1))


def _masked(pictures: Tensor, config: AugmentConfig, draws: _Draws) -> Tensor:
    """Only an ellipse around the middle is left of some pictures; the rest is black, one colour, or another picture."""
    side = pictures.shape[-1]
    place = (torch.arange(side, device=pictures.device) + 0.5) / side
    x, y = place, place[:, None]
    middle = 0.03 * draws.normal(2, 1, 1) + place.new_tensor([0.5, 0.62])[:, None, None]
    half = torch.exp(0.1 * draws.normal(2, 1, 1)) * place.new_tensor([0.36, 0.45])[:, None, None]
    inside = ((x - middle[:, 0]) / half[:, 0]) ** 2 + ((y - middle[:, 1]) / half[:, 1]) ** 2 <= 1
    kind = draws.uniform(1, 1, 1)
    behind = torch.where(kind < 0.4, pictures.new_zeros(()), draws.uniform(3, 1, 1))
    behind = torch.where(kind > 0.75, pictures.roll(1, 0).flip(-2), behind)
    return torch.where(draws.some(config.mask) & ~inside[:, None], behind, pictures)


def _occluded(pictures: Tensor, config: AugmentConfig, draws: _Draws) -> Tensor:
    """A rectangle of one colour over up to a quarter of some pictures."""
    side = pictures.shape[-1]
    place = (torch.arange(side, device=pictures.device) + 0.5) / side
    middle, half = draws.uniform(2, 1, 1), 0.05 + 0.2 * draws.uniform(2, 1, 1)
    inside = ((place - middle[:, 0]).abs() < half[:, 0]) & ((place[:, None] - middle[:, 1]).abs() < half[:, 1])
    return torch.where(draws.some(config.occlude) & inside[:, None], draws.uniform(3, 1, 1), pictures)


def _blurred(pictures: Tensor, config: AugmentConfig, draws: _Draws) -> Tensor:
    """Some pictures from half or a third of their pixels."""
    side, kind = pictures.shape[-1], draws.uniform(1, 1, 1)
    some, pictures = draws.some(config.blur), pictures.clone()
    for smaller, chosen in ((2, some & (kind < 0.7)), (3, some & (kind >= 0.7))):
        rows = chosen.flatten().nonzero().flatten()
        small = F.interpolate(pictures[rows], (side // smaller, side // smaller), mode="area")
        pictures[rows] = F.interpolate(small, (side, side), mode="bilinear", align_corners=False)
    return pictures
