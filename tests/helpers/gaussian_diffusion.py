"""Diffusion of N(mean, deviation^2 I), of which everything is known in closed form."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Gaussian:
    """The best denoiser of normal data, and the path that it leads a latent along.

    Attributes:
        mean: of the clean data; a number, or what broadcasts with latents.
        deviation: of the clean data.
        bars: (T,) float64.
    """

    mean: float | Tensor
    deviation: float
    bars: Tensor

    def variance(self, t: Tensor) -> Tensor:
        """Of noised data at times (B,) -> (B, 1, 1, 1)."""
        bar = self.bars[t].view(-1, 1, 1, 1)
        return bar * self.deviation**2 + 1 - bar

    def noise(self, z: Tensor, t: Tensor) -> Tensor:
        """Expected noise given z, which is what a trained network predicts."""
        bar = self.bars[t].view(-1, 1, 1, 1)
        return ((1 - bar).sqrt() * (z - bar.sqrt() * self.mean) / self.variance(t)).to(z.dtype)

    def moved(self, z: Tensor, origin: int, destination: int) -> Tensor:
        """Where the probability-flow equation takes z: the same number of deviations from the mean at every time."""
        origins, destinations = (torch.full((len(z),), t) for t in (origin, destination))
        centre, goal = (self.bars[t].sqrt() * self.mean for t in (origin, destination))
        return goal + (self.variance(destinations) / self.variance(origins)).sqrt() * (z - centre)
