"""The texture GAN (TextureProGAN): progressively grown, conditioned on who and what [P 3.3; C]."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from facegen_core.methods.face3d.config import TextureGANConfig, TextureSizes
from facegen_core.methods.face3d.progressive import (
    EqualConv2d,
    EqualLinear,
    PixelNorm,
    append_deviation,
    downsample,
    upsample,
)


class TextureVerdict(NamedTuple):
    """What the discriminator says of pictures.

    Attributes:
        score: (B,) float32, the critic's, higher for real.
        identity: (B, identities) logits.
        expression: (B, expressions) logits.
    """

    score: Tensor
    identity: Tensor
    expression: Tensor


def generator_channels(width: int, resolution: int) -> int:
    """Features at a resolution: all up to 32, half at 64, a quarter from 128 on [C]."""
    return width if resolution <= 32 else width // 2 if resolution == 64 else width // 4


def discriminator_channels(width: int, resolution: int) -> int:
    """Features at a resolution: all up to 64, half at 128, a quarter from 256 on [C]."""
    return width if resolution <= 64 else width // 2 if resolution == 128 else width // 4


class TextureGenerator(nn.Module):
    """Noise, z_id and z_exp to a picture; blocks from 4 x 4 to the last resolution, each of two convolutions."""

    def __init__(self, config: TextureGANConfig, sizes: TextureSizes) -> None:
        super().__init__()
        growth, width, slope = config.growth, config.width, config.negative_slope
        codes = config.noise_dim + sizes.identity_code_dim + sizes.expressions
        self.first_resolution = growth.first_resolution
        # A 4 x 4 kernel over one padded pixel: every place of the 4 x 4 picture has its own weights.
        self.first = nn.Sequential(
            PixelNorm(), nn.Unflatten(1, (codes, 1, 1)), *_conv(codes, width, 4, 3, slope), PixelNorm()
        )
        self.blocks, self.to_rgb = nn.ModuleDict(), nn.ModuleDict()
        resolution, inputs = 4, width
        while resolution <= growth.last_resolution:
            outputs = generator_channels(width, resolution)
            self.blocks[str(resolution)] = nn.Sequential(
                *_norm_conv(inputs, outputs, slope), *_norm_conv(outputs, outputs, slope)
            )
            if resolution >= growth.first_resolution:
                self.to_rgb[str(resolution)] = EqualConv2d(outputs, 3, 1, gain=1.0)
            resolution, inputs = resolution * 2, outputs

    def forward(self, noise: Tensor, identity: Tensor, expression: Tensor, resolution: int, alpha: float) -> Tensor:
        """Pictures (B, 3, resolution, resolution), about [-1, 1].

        Args:
            noise: (B, noise_dim).
            identity: (B, identity_code_dim), z_id.
            expression: (B, expressions), z_exp.
            resolution: of the phase.
            alpha: of the phase; below 1 the picture is mixed with the previous resolution's, enlarged.
        """
        x = self.first(torch.cat([noise, identity, expression], 1))
        size, before = 4, x
        x = self.blocks["4"](x)
        while size < resolution:
            size, before = size * 2, x
            x = self.blocks[str(size)](upsample(x))
        picture: Tensor = self.to_rgb[str(size)](x)
        if alpha < 1 and resolution > self.first_resolution:
            old = upsample(self.to_rgb[str(size // 2)](before))
            picture = old + alpha * (picture - old)
        return picture


class TextureDiscriminator(nn.Module):
    """Scores pictures, and tells whose and which expression's they are."""

    def __init__(self, config: TextureGANConfig, sizes: TextureSizes) -> None:
        super().__init__()
        growth, width, slope = config.growth, config.width, config.negative_slope
        self.first_resolution, self.group = growth.first_resolution, config.deviation_group
        self.from_rgb, self.blocks = nn.ModuleDict(), nn.ModuleDict()
        resolution = growth.last_resolution
        while resolution > 4:
            inputs, outputs = (discriminator_channels(width, r) for r in (resolution, resolution // 2))
            if resolution >= growth.first_resolution:
                self.from_rgb[str(resolution)] = EqualConv2d(3, inputs, 1)
            self.blocks[str(resolution)] = nn.Sequential(
                *_conv(inputs, outputs, 3, 1, slope), *_conv(outputs, outputs, 3, 1, slope)
            )
            resolution //= 2
        self.last = nn.Sequential(
            *_conv(width + 1, width, 3, 1, slope), *_conv(width, width, 4, 0, slope), nn.Flatten()
        )
        self.score = EqualLinear(width, 1)
        self.identity = EqualLinear(width, sizes.identities)
        self.expression = EqualLinear(width, sizes.expressions)
        self.slope = slope

    def forward(self, pictures: Tensor, alpha: float) -> TextureVerdict:
        """Verdict on pictures (B, 3, R, R) of the phase with share ``alpha`` of the newest block."""
        resolution = pictures.shape[-1]
        x = self._features(pictures)
        x = downsample(self.blocks[str(resolution)](x))
        if alpha < 1 and resolution > self.first_resolution:
            old = self._features(downsample(pictures))
            x = old + alpha * (x - old)
        resolution //= 2
        while resolution > 4:
            x = downsample(self.blocks[str(resolution)](x))
            resolution //= 2
        x = self.last(append_deviation(x, self.group))
        return TextureVerdict(self.score(x).squeeze(1).float(), self.identity(x), self.expression(x))

    def _features(self, pictures: Tensor) -> Tensor:
        x: Tensor = self.from_rgb[str(pictures.shape[-1])](pictures)
        return nn.functional.leaky_relu(x, self.slope)


def _conv(inputs: int, outputs: int, kernel: int, padding: int, slope: float) -> list[nn.Module]:
    return [EqualConv2d(inputs, outputs, kernel, padding), nn.LeakyReLU(slope)]


def _norm_conv(inputs: int, outputs: int, slope: float) -> list[nn.Module]:
    return [*_conv(inputs, outputs, 3, 1, slope), PixelNorm()]
