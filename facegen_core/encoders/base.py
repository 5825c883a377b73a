"""One protocol for all networks that judge pictures, so that any of them can stand in any metric or loss."""

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Framing = Literal["five_points", "box", "square", "whole"]
"""How a network wants its faces: on ArcFace's five points, the detector's box stretched to the square, a square around
that box, or the picture as it is."""

ResizeFilter = Literal["bilinear", "bicubic", "area"]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """What a network was trained to see; it travels with the weights.

    Attributes:
        size: side of its input in pixels.
        mean: subtracted from RGB in [0, 1].
        std: divides what is left.
        framing: how faces are cut out, see ``encoders/framing.py``.
        resize: filter used where a picture has another size; all of them average when they reduce.
    """

    size: int
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    framing: Framing = "five_points"
    resize: ResizeFilter = "bilinear"


class Encoder(Protocol):
    """A network from framed pictures to numbers.

    Attributes:
        name: what configurations and metric tags call it.
        dim: how many numbers a picture gets.
        preprocessing: size, colours and framing of its input.
        differentiable: whether gradients flow back to the pictures, so that it can stand in a loss.
    """

    @property
    def name(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def preprocessing(self) -> Preprocessing: ...
    @property
    def differentiable(self) -> bool: ...

    def __call__(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, H, W), RGB in [0, 1] and framed already, to (B, dim); resizing is done inside."""
        ...


class TorchEncoder(nn.Module):
    """A frozen torch network as an :class:`Encoder`; stays in evaluation mode and trains no parameter.

    Attributes:
        network: from normalised pictures (B, 3, S, S) to (B, dim).
    """

    differentiable = True

    def __init__(self, name: str, network: nn.Module, dim: int, preprocessing: Preprocessing, unit: bool = False):
        """Freezes ``network``.

        Args:
            name: what configurations and metric tags call it.
            network: the network, with its weights.
            dim: of its output.
            preprocessing: what it was trained to see.
            unit: divide the output by its length.
        """
        super().__init__()
        self.name, self.dim, self.preprocessing, self._unit = name, dim, preprocessing, unit
        self.network = network.requires_grad_(False)
        self.eval()

    def forward(self, pictures: Tensor) -> Tensor:
        codes = self.network(prepare(pictures, self.preprocessing))
        return F.normalize(codes, dim=1) if self._unit else codes

    def train(self, mode: bool = True) -> "TorchEncoder":
        """Does nothing but stay in evaluation mode: batch statistics of a frozen judge must not move."""
        return super().train(False)


def prepare(pictures: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Resizes and normalises pictures for a network.

    Args:
        pictures: (B, 3, H, W), RGB in [0, 1].
        preprocessing: of the network.

    Returns:
        (B, 3, size, size).

    Raises:
        ValueError: another shape.
    """
    if pictures.ndim != 4 or pictures.shape[1] != 3:
        raise ValueError(f"need pictures (B, 3, H, W), got {tuple(pictures.shape)}")
    mean, std = (torch.tensor(value, dtype=pictures.dtype, device=pictures.device)[:, None, None]
                 for value in (preprocessing.mean, preprocessing.std))  # fmt: skip
    return (resized(pictures, preprocessing.size, preprocessing.resize) - mean) / std


def resized(pictures: Tensor, size: int, resize: ResizeFilter) -> Tensor:
    """Pictures (B, 3, H, W) stretched to (B, 3, size, size); as they are where they have that size."""
    if pictures.shape[-2:] == (size, size):
        return pictures
    if resize == "area":
        return F.interpolate(pictures, (size, size), mode="area")
    return F.interpolate(pictures, (size, size), mode=resize, align_corners=False, antialias=True)
