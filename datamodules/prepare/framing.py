"""Which part of a picture is kept, and how it is sampled: all of it, or a square around a box or an upright face."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.pictures import BadPictureError, Picture
from facegen_core.geometry.squares import FILTER, REDUCE, Corners, cut_square, side_of, square_around

MOST_GROWN = 2.0
"""Sides of a crop, in longer sides of its picture, beyond which its coordinates are taken for wrong."""

# Why a picture cannot be cropped
NO_BOX = "no box"
BOX_OUTSIDE = "box outside the picture, or empty"
# What was done
REFLECTED = "crop reaches over the border, reflected"
ENLARGED = "smaller than asked for, enlarged"


class Framing(Protocol):
    """How a picture is cropped; sent to other processes. Those of upright faces are in ``aligned.py``."""

    @property
    def name(self) -> str:
        """Of the crop, and of all that it depends on; part of the cache's name."""

    @property
    def needs(self) -> str:
        """What it reads of a file besides the picture: "box", "landmarks" or ""."""

    def share(self, file: PictureFile, size: tuple[int, int], pixels: int) -> float:
        """At which share of its size a picture has the detail it needs; see ``pictures.Share``."""

    def __call__(self, root: Path, picture: Picture, file: PictureFile, pixels: int) -> Image.Image:
        """The crop, RGB of ``pixels`` a side; notes what it did in ``picture.notes``.

        Raises:
            BadPictureError: there is no such crop.
            NoFaceError: no face was found.
        """


@dataclass(frozen=True)
class AsIs:
    """The whole picture; one that is not square is squeezed into a square."""

    name: str = "as_is"
    needs: str = ""

    def share(self, file: PictureFile, size: tuple[int, int], pixels: int) -> float:
        return max(pixels / size[0], pixels / size[1])

    def __call__(self, root: Path, picture: Picture, file: PictureFile, pixels: int) -> Image.Image:
        if min(picture.image.size) < pixels:
            picture.notes.append(ENLARGED)
        return picture.image.resize((pixels, pixels), FILTER, reducing_gap=REDUCE)


@dataclass(frozen=True)
class Box:
    """The file's box, made square by growing its shorter side about its middle."""

    name: str = "box"
    needs: str = "box"

    def share(self, file: PictureFile, size: tuple[int, int], pixels: int) -> float:
        return share_of(pixels, max(file.box[2] - file.box[0], file.box[3] - file.box[1]) if file.box else 0)

    def __call__(self, root: Path, picture: Picture, file: PictureFile, pixels: int) -> Image.Image:
        if file.box is None:
            raise BadPictureError(NO_BOX, f"{root / file.path}: no box is given for it")
        corners = square_around(*file.box)
        if min(file.box[2] - file.box[0], file.box[3] - file.box[1]) <= 0 or not fits(corners, picture):
            raise BadPictureError(BOX_OUTSIDE, f"{root / file.path}: box {_text(file.box)} {outside_of(picture)}")
        return cut(picture, corners, pixels)


def fits(corners: Corners, picture: Picture) -> bool:
    """Whether a square has a size, its middle lies in the picture, and it is not far larger than that."""
    if not np.isfinite(corners).all():
        return False
    longest, middle = max(picture.image.size) * picture.scale, corners.mean(axis=0, keepdims=True)
    return 0 < side_of(corners) <= MOST_GROWN * longest and bool(inside(middle, picture)[0])


def cut(picture: Picture, corners: Corners, pixels: int) -> Image.Image:
    """A square of a picture, as :func:`cut_square` cuts it; notes what is special in ``picture.notes``.

    Args:
        picture: of any size.
        corners: of the square, in the file's pixels.
        pixels: side of the result.
    """
    corners = corners / picture.scale
    if (corners.min(axis=0) < 0).any() or (corners.max(axis=0) > picture.image.size).any():
        picture.notes.append(REFLECTED)
    if side_of(corners) < pixels:
        picture.notes.append(ENLARGED)
    return cut_square(picture.image, corners, pixels)


def inside(points: npt.NDArray[Any], picture: Picture) -> npt.NDArray[np.bool_]:
    """Which of (N, 2) points lie in the picture; none that is not finite."""
    size = np.array(picture.image.size) * picture.scale
    found: npt.NDArray[np.bool_] = np.all((points >= 0) & (points <= size), axis=1)
    return found


def share_of(pixels: int, side: float) -> float:
    """At which share of its size a picture is as fine as a crop of ``pixels`` that shows ``side`` of its pixels."""
    return min(1.0, pixels / side) if side > 0 else 1.0


def _text(numbers: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{number:g}" for number in numbers) + ")"


def outside_of(picture: Picture) -> str:
    """What is said of a crop that :func:`fits` refuses."""
    width, height = (side * picture.scale for side in picture.image.size)
    return f"lies outside its {width} x {height} pixels, or has no size"
