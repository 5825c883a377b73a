"""Settings of EmotionLDM's denoiser. Plain values only: they travel in checkpoints."""

from dataclasses import dataclass, field
from typing import Literal

from facegen_core.diffusion.schedule import ScheduleConfig
from facegen_core.errors import ConfigError


def _schedule() -> ScheduleConfig:
    return ScheduleConfig(kind="scaled_linear", first=0.0015, last=0.0205, steps=1000)


@dataclass
class DenoiserConfig:
    """The U-Net, its classes, its noise schedule, and how often a label is withheld.

    Attributes:
        latent_channels: of the first stage's latents [P, A: 3].
        latent_pixels: side of the latents [P, A: 32].
        channels: width of every resolution, the highest first, each half as fine as the one before [P, A: 160 x 1, 2,
            4]. A transformer block stands at all of them.
        layers_per_block: residual blocks of a resolution on the way down, one more on the way up [A: 2].
        heads: attention heads at every resolution [A: of 32 channels each].
        norm_groups: of the group norms [A: 32].
        context_dim: length of a class's embedding [P, A: 512].
        schedule: of the noise [A: 1000 steps, square roots of beta linear from 0.0015 to 0.0205; the paper says
            "linear" and no more].
        label_drop: share of labels replaced by the null embedding in training [P, A: 0.2].
        label_drop_per: "batch": one draw decides for all that a process takes at a time [A]; "sample": each has its
            own [P].
    """

    latent_channels: int = 3
    latent_pixels: int = 32
    channels: tuple[int, ...] = (160, 320, 640)
    layers_per_block: int = 2
    heads: tuple[int, ...] = (5, 10, 20)
    norm_groups: int = 32
    context_dim: int = 512
    schedule: ScheduleConfig = field(default_factory=_schedule)
    label_drop: float = 0.2
    label_drop_per: Literal["batch", "sample"] = "batch"

    def check(self) -> None:
        """Refuses what cannot be built."""
        if not self.channels or len(self.channels) != len(self.heads):
            raise ConfigError(
                f"model.heads = {list(self.heads)}: one number for each of model.channels = {list(self.channels)}."
            )
        for width, heads in zip(self.channels, self.heads, strict=True):
            if width < 1 or heads < 1 or width % heads or width % self.norm_groups:
                raise ConfigError(
                    f"model.channels: {width} must be a multiple of its heads ({heads}) and of model.norm_groups "
                    f"({self.norm_groups})."
                )
        if self.latent_pixels % 2 ** (len(self.channels) - 1):
            raise ConfigError(
                f"model.latent_pixels = {self.latent_pixels}: cannot be halved {len(self.channels) - 1} times."
            )
        if not 0 <= self.label_drop < 1:
            raise ConfigError(f"model.label_drop = {self.label_drop}: must be from 0 to below 1.")
