"""Squares of photographs: where a face lies upright in one, and cutting it out.

Here a picture's first pixel reaches from 0 to 1, as Pillow has it; matrices keep to the convention of ``face_crop.py``,
where its centre is at (0, 0).
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor

FILTER = Image.Resampling.LANCZOS
REACH = 3
"""Pixels of the result that the filter sees to each side."""
REDUCE = 3.0
"""Pillow's ``reducing_gap``: much larger pictures are first averaged to this many times the size wanted."""

Corners = npt.NDArray[np.float64]
"""(4, 2) of a square in a picture, x right and y down in pixels: top left, bottom left, bottom right, top right."""


def square_around(left: float, top: float, right: float, bottom: float) -> Corners:
    """The square about a box's middle whose side is the box's longer one."""
    x, y, half = (left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top) / 2
    return np.array([[x - half, y - half], [x - half, y + half], [x + half, y + half], [x + half, y - half]])


def level_square(points: npt.NDArray[Any]) -> Corners:
    """The square around 68 points (68, 2), turned about the middle between the eyes until they are level."""
    import torch

    from facegen_core.geometry.face_crop import eye_level_matrix, invert, move_points

    square = square_around(*points.min(axis=0).tolist(), *points.max(axis=0).tolist())
    back = invert(eye_level_matrix(torch.from_numpy(points)[None]))
    corners: Corners = move_points(torch.from_numpy(square)[None], back)[0].numpy()
    return corners


def average_face_square(points5: "Tensor") -> Corners:
    """The square around the 68 points of an average face that lies on a face's five.

    Where :func:`level_square` is not to be had: eyes, nose and mouth come to lie where they are in the square of an
    average face [EmotionLDM A.1, "canonical coordinates"].

    Args:
        points5: (5, 2) as the detector finds them, the centre of the first pixel at (0, 0).
    """
    from facegen_core.geometry.face_crop import ALIGNED_224, align_matrix

    return square_of(align_matrix(points5[None], 224, ALIGNED_224, 224), 0.0, 224.0)


def square_of(matrix: "Tensor", low: float, high: float) -> Corners:
    """A square of a crop from ``low`` to ``high``, as it lies in the picture.

    Args:
        matrix: (1, 2, 3) from picture to crop, of ``face_crop.py``.
        low: left and top of the square in pixels of the crop, from its border on.
        high: right and bottom.
    """
    from facegen_core.geometry.face_crop import invert, move_points

    near, far = low - 0.5, high - 0.5
    square = matrix.new_tensor([[near, near], [near, far], [far, far], [far, near]])
    corners: Corners = move_points(square[None], invert(matrix))[0].numpy() + 0.5
    return corners


def matrix_of(corners: Corners, pixels: int) -> "Tensor":
    """(1, 2, 3) float64 from the picture to the crop of a square, as ``face_crop.py`` has them.

    Args:
        corners: of the square.
        pixels: side of the crop.
    """
    import torch

    from facegen_core.geometry.face_crop import similarity

    low, high = -0.5, pixels - 0.5
    there = torch.tensor([[low, low], [low, high], [high, high], [high, low]], dtype=torch.float64)
    return similarity(torch.from_numpy(corners - 0.5)[None], there)


def side_of(corners: Corners) -> float:
    """Of a square, in the picture's pixels."""
    return float(np.linalg.norm(corners[3] - corners[0]))


def cut_square(image: Image.Image, corners: Corners, pixels: int) -> Image.Image:
    """A square of a picture, resized with antialiasing; beyond the border the picture is reflected.

    Args:
        image: RGB, of any size.
        corners: of the square; all four are at right angles.
        pixels: side of the result.
    """
    margin = 2 + math.ceil(REACH * side_of(corners) / pixels)
    low, high = np.floor(corners.min(axis=0)).astype(int) - margin, np.ceil(corners.max(axis=0)).astype(int) + margin
    region = _region(image, low, high)
    (left, top), (right, bottom) = corners[0] - low, corners[2] - low
    across, down = (corners[3] - corners[0]), (corners[1] - corners[0])
    if abs(across[1]) < 1e-6 and across[0] > 0:
        return region.resize((pixels, pixels), FILTER, (left, top, right, bottom), reducing_gap=REDUCE)
    fine = pixels * max(1, round(side_of(corners) / pixels))  # sampled about as fine as the picture is, then reduced
    matrix = (across[0] / fine, down[0] / fine, left, across[1] / fine, down[1] / fine, top)
    turned = region.transform((fine, fine), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    return turned.resize((pixels, pixels), FILTER, reducing_gap=REDUCE)


def _region(image: Image.Image, low: npt.NDArray[Any], high: npt.NDArray[Any]) -> Image.Image:
    """The part of a picture from ``low`` to ``high``, (x, y) whole numbers; reflected where it reaches outside."""
    if (low >= 0).all() and (high <= image.size).all():
        return image.crop((*low.tolist(), *high.tolist()))
    columns, rows = (_reflected(low[i], high[i], image.size[i]) for i in (0, 1))
    part = image.crop((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    return Image.fromarray(np.asarray(part)[rows - rows.min()][:, columns - columns.min()])


def _reflected(low: int, high: int, size: int) -> npt.NDArray[np.int64]:
    """Places low, ..., high - 1 on a line of ``size`` pixels that ends in mirrors; its end pixels are not repeated."""
    there_and_back = max(1, 2 * (size - 1))
    places = np.arange(low, high) % there_and_back
    return np.minimum(places, there_and_back - places) if size > 1 else np.zeros_like(places)
