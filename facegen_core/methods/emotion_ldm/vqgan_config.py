"""Settings of the first stage. Plain values only: they travel in checkpoints. The defaults are the paper's."""

from dataclasses import dataclass, field
from typing import Literal

from facegen_core.errors import ConfigError

Perceptual = Literal["lpips", "judge", "none"]


@dataclass
class FirstStageConfig:
    """The VQGAN's autoencoder: 60,605,598 parameters, the paper's "approximately 61M".

    Attributes:
        pixels: side of the pictures [P].
        channels: of the levels, each half as large as the one before: 128 times 1, 2, 4 [P, A].
        blocks: residual blocks of a level in the encoder; the decoder has one more [A].
        groups: of the group normalisations [R CompVis].
        attention: self-attention after each block of the last level, as well as in the middle [A].
        latent_channels: of the latents and of the codebook's entries [P, A].
        codes: entries of the codebook [P, A].
        code_range: at first they are drawn evenly from minus to plus this. null: 1 / codes [P, A]; so close together
            that a short run learns to use only a few of them.
    """

    pixels: int = 128
    channels: tuple[int, ...] = (128, 256, 512)
    blocks: int = 2
    groups: int = 32
    attention: bool = True
    latent_channels: int = 3
    codes: int = 16384
    code_range: float | None = None

    @property
    def latent_pixels(self) -> int:
        """Side of the latents."""
        return self.pixels // 2 ** (len(self.channels) - 1)

    def check(self) -> None:
        """Refuses what cannot be built."""
        if not self.channels or self.groups < 1 or any(width < 1 or width % self.groups for width in self.channels):
            raise ConfigError(
                f"first_stage.channels = {list(self.channels)}: one number or more, each a multiple of groups = "
                f"{self.groups}."
            )
        shrunk = 2 ** (len(self.channels) - 1)
        if self.pixels < shrunk or self.pixels % shrunk:
            raise ConfigError(
                f"first_stage.pixels = {self.pixels}: must be a multiple of {shrunk}, by which {len(self.channels)} "
                "levels shrink a picture."
            )
        for name in ("blocks", "latent_channels", "codes"):
            if getattr(self, name) < 1:
                raise ConfigError(f"first_stage.{name} = {getattr(self, name)}: must be 1 or more.")
        if self.code_range is not None and self.code_range <= 0:
            raise ConfigError(f"first_stage.code_range = {self.code_range}: must be above 0, or null.")


@dataclass
class DiscriminatorConfig:
    """The discriminator of patches: 2,765,633 parameters.

    Attributes:
        width: channels of the first layer [R taming-transformers].
        layers: that halve the picture [R taming-transformers; ? in the paper, whose YAML is not in its repository].
    """

    width: int = 64
    layers: int = 3

    def check(self) -> None:
        """Refuses what cannot be built."""
        if self.width < 1 or self.layers < 1:
            raise ConfigError("discriminator.width and discriminator.layers must be 1 or more.")


@dataclass
class VQGANConfig:
    """Networks and losses of the first stage.

    Attributes:
        first_stage: the autoencoder.
        discriminator: of its reconstructions.
        perceptual: the distance beside L1: "lpips" with VGG16 [P, A], whose weights must be there; "judge", of the
            embedded identity judge's features; or "none".
        perceptual_weight: its weight [A].
        quantiser_weight: of the codebook's loss [A].
        disc_start: how many steps come before the discriminator's first, and before the autoencoder hears it [?; R
            taming-transformers; latent-diffusion's vq-f4 has 0, its vq-f8 1].
        disc_weight: of its loss, times the adaptive weight [?; R taming-transformers; latent-diffusion's vq-f4 has
            0.75, its vq-f8 0.6].
    """

    first_stage: FirstStageConfig = field(default_factory=FirstStageConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    perceptual: Perceptual = "lpips"
    perceptual_weight: float = 1.0
    quantiser_weight: float = 1.0
    disc_start: int = 10000
    disc_weight: float = 0.8

    def check(self) -> None:
        """Refuses weights below 0, and a discriminator whose patches the pictures are too small for."""
        for name in ("perceptual_weight", "quantiser_weight", "disc_start", "disc_weight"):
            if getattr(self, name) < 0:
                raise ConfigError(f"model.{name} = {getattr(self, name)}: must be 0 or more.")
        if self.first_stage.pixels < 3 * 2**self.discriminator.layers:
            raise ConfigError(
                f"model.discriminator.layers = {self.discriminator.layers}: leaves nothing of pictures of "
                f"{self.first_stage.pixels} pixels; take fewer."
            )
