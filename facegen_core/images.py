"""Pictures as tensors and back. Pictures are (3, H, W), RGB, in [0, 1] unless a name says otherwise."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from facegen_core.files import atomic_path


def to_uint8(image: Tensor) -> npt.NDArray[np.uint8]:
    """A picture as rounded bytes.

    Args:
        image: (3, H, W) in [0, 1]; values outside are clipped.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: another shape.
    """
    if image.ndim != 3 or image.shape[0] != 3:
        raise ValueError(f"expected a picture of shape (3, H, W), got {tuple(image.shape)}")
    return (image.detach().float().clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()


def from_uint8(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """Bytes (H, W, 3) as a picture (3, H, W) in [0, 1], float32."""
    return torch.from_numpy(np.array(pixels, order="C")).permute(2, 0, 1).float() / 255


def from_signed(pictures: Tensor) -> Tensor:
    """Pictures in [-1, 1], as batches and networks have them, in [0, 1]; what lies outside is clipped."""
    return ((pictures + 1) / 2).clamp(0, 1)


def linear(colours: Tensor) -> Tensor:
    """Linear light of sRGB colours in [0, 1], of any shape (IEC 61966-2-1)."""
    return torch.where(colours <= 0.04045, colours / 12.92, ((colours.clamp(min=0) + 0.055) / 1.055) ** 2.4)


def srgb(light: Tensor) -> Tensor:
    """The sRGB of linear light, of any shape: the inverse of :func:`linear`; brighter than white goes on."""
    light = light.clamp(min=0)
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light.clamp(min=1e-9) ** (1 / 2.4) - 0.055)


def read_image(path: Path) -> Tensor:
    """An image file of any kind as a picture (3, H, W) in [0, 1]; alpha is dropped."""
    with Image.open(path) as image:
        return from_uint8(np.asarray(image.convert("RGB")))


def save_png(image: Tensor, path: Path) -> None:
    """Writes a picture without loss, whole or not at all. PNG and not JPEG: metrics notice the difference."""
    with atomic_path(path) as temporary:
        Image.fromarray(to_uint8(image)).save(temporary, format="PNG")


def grid(images: Tensor, columns: int, gap: int = 2) -> Tensor:
    """One sheet of pictures, row by row, on white.

    Args:
        images: (B, 3, H, W) in [0, 1].
        columns: pictures in a row.
        gap: pixels between pictures.

    Returns:
        (3, rows * (H + gap) - gap, columns * (W + gap) - gap).
    """
    count, _, height, width = images.shape
    rows = -(-count // columns)
    sheet = images.new_ones(3, rows * (height + gap) - gap, columns * (width + gap) - gap)
    for i, image in enumerate(images):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[:, top : top + height, left : left + width] = image
    return sheet
