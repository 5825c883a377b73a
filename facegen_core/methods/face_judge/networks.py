"""The two judges: residual networks of plain convolutions, small enough to ship and to run without a GPU."""

import itertools
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facegen_core.emotions import EMOTIONS
from facegen_core.methods.face_judge.config import FaceJudgeConfig, TrunkConfig
from facegen_core.methods.face_judge.framing import EMOTION_CROP, EMOTION_INSET, EMOTION_WINDOW


class EmotionReading(NamedTuple):
    """What the emotion judge reads.

    Attributes:
        logits: (B, 8) of AffectNet's emotions.
        units: (B, U) strengths of action units, about 0 to 1.
    """

    logits: Tensor
    units: Tensor


class IdentityJudge(nn.Module):
    """Who it is.

    Args:
        trunk: sizes.
        dim: of the embedding.
    """

    def __init__(self, trunk: TrunkConfig, dim: int = 128) -> None:
        super().__init__()
        self.trunk = trunk_of(trunk)
        self.embed = nn.Linear(trunk.widths[-1], dim)

    def forward(self, pictures: Tensor) -> Tensor:
        """Embeddings (B, dim) of length 1 of ArcFace's crop (B, 3, 64, 64) in [0, 1]."""
        seen = self.trunk(standardised(pictures)).float()
        return F.normalize(self.embed(seen.mean((2, 3))).float(), dim=1)  # float: autocast makes it bf16


class EmotionJudge(nn.Module):
    """What the face does.

    Args:
        trunk: sizes.
        units: how many action units.
    """

    def __init__(self, trunk: TrunkConfig, units: int) -> None:
        super().__init__()
        self.trunk = trunk_of(trunk)
        self.read = nn.Linear(trunk.widths[-1], len(EMOTIONS) + units)

    def forward(self, pictures: Tensor) -> EmotionReading:
        """Reads ArcFace's crop (B, 3, 76, 76), or its window (B, 3, 64, 64), in [0, 1]."""
        values = self.read(self.features(pictures)).float()
        return EmotionReading(values[:, : len(EMOTIONS)], values[:, len(EMOTIONS) :])

    def features(self, pictures: Tensor) -> Tensor:
        """What it reads from, (B, widths[-1]), of the same pictures."""
        if pictures.shape[-1] == EMOTION_CROP:
            (left, top), side = EMOTION_INSET, EMOTION_WINDOW.pixels
            pictures = pictures[..., top : top + side, left : left + side]
        return self.trunk(standardised(pictures)).float().mean((2, 3))


class FaceJudges(nn.Module):
    """Both judges, each with pictures of its own.

    Args:
        config: their sizes.
        units: how many action units.
    """

    def __init__(self, config: FaceJudgeConfig, units: int) -> None:
        super().__init__()
        self.identity = IdentityJudge(config.identity, config.embedding)
        self.emotion = EmotionJudge(config.emotion, units)

    def forward(self, faces: Tensor, closer: Tensor) -> tuple[Tensor, EmotionReading]:
        """Embeddings of ArcFace's crops (B, 3, 64, 64), readings of the emotion judge's windows (B, 3, 64, 64)."""
        return self.identity(faces), self.emotion(closer)


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut (He et al. 2016), which is averaged where the picture is halved."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip
        shortcut: list[nn.Module] = [nn.AvgPool2d(stride)] if stride > 1 else []
        if channels != width:
            shortcut += [nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width)]
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.shortcut(x))


def trunk_of(config: TrunkConfig) -> nn.Sequential:
    """From pictures (B, 3, 64, 64) to (B, widths[-1], 4, 4): halved by the stem and by every stage but the first."""
    layers: list[nn.Module] = [
        nn.Conv2d(3, config.stem, 5, 2, 2, bias=False), nn.BatchNorm2d(config.stem), nn.ReLU(inplace=True)
    ]  # fmt: skip
    channels = config.stem
    for stage, (width, blocks) in enumerate(zip(config.widths, config.blocks, strict=True)):
        for block in range(blocks):
            layers.append(Block(channels, width, 2 if stage and not block else 1))
            channels = width
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def standardised(pictures: Tensor) -> Tensor:
    """Pictures with mean 0 and deviation 1 over all their pixels: exposure and contrast are gone before they are seen.

    The floor under the deviation keeps an empty picture empty.
    """
    middle = pictures.mean((1, 2, 3), keepdim=True)
    spread = pictures.std((1, 2, 3), keepdim=True)
    return ((pictures - middle) / (spread + 0.02)).contiguous(memory_format=torch.channels_last)


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Puts every batch normalisation of a network in evaluation mode into the convolution before it, in place."""
    for module in network.modules():
        if isinstance(module, nn.Sequential):
            _fold(module)
    return network


def _fold(layers: nn.Sequential) -> None:
    for (name, conv), (norm_name, norm) in itertools.pairwise(list(layers.named_children())):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            layers._modules[name] = nn.utils.fusion.fuse_conv_bn_eval(conv, norm)
            layers._modules[norm_name] = nn.Identity()
