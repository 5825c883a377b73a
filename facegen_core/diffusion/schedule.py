"""How much of a latent is left at each time of the diffusion."""

from __future__ import annotations  # with the late import below, it keeps torch out of reading a configuration

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from facegen_core.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class ScheduleConfig:
    """Variances of the noise that each time adds.

    Attributes:
        kind: "linear": beta grows in a straight line. "scaled_linear": its square root does; this is what the latent
            diffusion papers' code calls linear.
        first: beta of time 0.
        last: beta of time ``steps - 1``.
        steps: times there are.
    """

    kind: Literal["linear", "scaled_linear"]
    first: float
    last: float
    steps: int = 1000

    def check(self) -> None:
        """Refuses what is no variance."""
        if not 0 < self.first <= self.last < 1 or self.steps < 2:
            raise ConfigError(
                f"schedule: first = {self.first} and last = {self.last} must lie between 0 and 1, first not above "
                f"last, and steps = {self.steps} must be 2 or more."
            )


def alpha_bars(config: ScheduleConfig) -> Tensor:
    """Share of the clean latent's variance at each time: the running product of ``1 - beta``.

    Returns:
        (T,) float64, falling; index 0 is after one addition of noise, so it is below 1.
    """
    import torch

    if config.kind == "linear":
        betas = torch.linspace(config.first, config.last, config.steps, dtype=torch.float64)
    else:
        betas = torch.linspace(config.first**0.5, config.last**0.5, config.steps, dtype=torch.float64).square()
    return (1 - betas).cumprod(0)


def noised(clean: Tensor, noise: Tensor, t: Tensor, bars: Tensor) -> Tensor:
    """A draw of q(z_t | z_0): ``sqrt(abar_t) z_0 + sqrt(1 - abar_t) noise``.

    Args:
        clean: (B, ...).
        noise: as ``clean``, standard normal.
        t: (B,) int64, times in [0, T).
        bars: (T,) float64, see :func:`alpha_bars`.

    Returns:
        As ``clean``, in its dtype.
    """
    bar = bars.to(t.device)[t].view(-1, *(1 for _ in clean.shape[1:]))
    return bar.sqrt().to(clean.dtype) * clean + (1 - bar).sqrt().to(clean.dtype) * noise
