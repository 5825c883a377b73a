"""Faces in photographs, by MTCNN (Zhang et al., 2016) of facenet-pytorch, whose weights ship in its wheel."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from facegen_core.errors import NoFaceError
from facegen_core.images import from_uint8

if TYPE_CHECKING:
    from facenet_pytorch import MTCNN

Arrays = npt.NDArray[Any]

LEAST_CONFIDENCE = 0.9

# Faces smaller than a 16th of the shorter side of the picture are not looked for: the first network's work grows with
# the square of the ratio. Below 20 pixels MTCNN finds hardly any.
SMALLEST_SHARE, SMALLEST_PIXELS = 1 / 16, 20

DETECTED_AT, LONGEST = 512, 4096
"""Photographs with larger shorter and longer sides are shrunk for the detector, which is as sure and far faster."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face that was found.

    Attributes:
        box: (4,) float32 left, top, right, bottom in pixels; may reach over the picture's border.
        confidence: of the detector, in [0, 1].
        points5: (5, 2) float32 (x, y) in pixels: the person's right eye, left eye, nose, right and left corner of the
            mouth.
    """

    box: Tensor
    confidence: float
    points5: Tensor

    @property
    def area(self) -> float:
        """Of the box, in square pixels."""
        return float((self.box[2] - self.box[0]) * (self.box[3] - self.box[1]))


def find_faces(pictures: Tensor, least_confidence: float = LEAST_CONFIDENCE) -> list[list[Face]]:
    """All faces of each picture.

    Args:
        pictures: (B, 3, H, W), RGB in [0, 1]; all of one size.
        least_confidence: faces below it are left out.

    Returns:
        For each picture its faces, the largest first; an empty list where there is none. Their tensors are on the CPU.

    Raises:
        ValueError: another shape.
    """
    if pictures.ndim != 4 or pictures.shape[1] != 3:
        raise ValueError(f"need pictures (B, 3, H, W), got {tuple(pictures.shape)}")
    shorter = min(pictures.shape[-2:])
    if not len(pictures) or shorter < SMALLEST_PIXELS:
        return [[] for _ in pictures]
    smallest = max(SMALLEST_PIXELS, round(shorter * SMALLEST_SHARE))
    pixels = (pictures.detach().float().clamp(0, 1) * 255).permute(0, 2, 3, 1)
    with torch.no_grad(), torch.autocast(pictures.device.type, enabled=False):
        found = _detect(pixels, smallest)
    return [_faces(boxes, points, least_confidence) for boxes, points in found]


def find_in_photograph(image: Image.Image, least_confidence: float = LEAST_CONFIDENCE) -> list[Face]:
    """All faces of a photograph of any size, the largest first, in its own pixels.

    Args:
        image: RGB, upright.
        least_confidence: as for :func:`find_faces`.
    """
    share = min(1.0, DETECTED_AT / min(image.size), LONGEST / max(image.size))
    width, height = (max(1, round(share * side)) for side in image.size)
    small = image if share == 1 else image.resize((width, height), Image.Resampling.BOX)
    faces = find_faces(from_uint8(np.asarray(small))[None], least_confidence)[0]
    grown = torch.tensor([side / now for side, now in zip(image.size, small.size, strict=True)])
    return [
        Face((face.box + 0.5) * grown.repeat(2) - 0.5, face.confidence, (face.points5 + 0.5) * grown - 0.5)
        for face in faces
    ]


def by_index(faces: Sequence[Face], index: int) -> Face | None:
    """The face at a place counted from 0 for the largest, or None where there are fewer."""
    in_order = sorted(faces, key=lambda face: -face.area)
    return in_order[index] if 0 <= index < len(in_order) else None


def chosen(faces: Sequence[Face], index: int | None, name: str, size: tuple[int, int]) -> list[Face]:
    """The faces that are asked for of a photograph that cannot do without one.

    Args:
        faces: that were found.
        index: which of them, counted from 0 for the largest; None: all.
        name: of the photograph's file, for the message.
        size: width and height of the photograph, likewise.

    Raises:
        NoFaceError: no face was found, or fewer than were asked for; says in which file and what to do.
    """
    if not faces:
        width, height = size
        raise NoFaceError(
            f"{name}: no face was found in its {width} x {height} pixels. Give an upright photograph in which the face "
            f"is seen from the front, and cut it closer where the face is less than a tenth of the picture's side."
        )
    if index is None:
        return list(faces)
    face = by_index(faces, index)
    if face is None:
        raise NoFaceError(
            f"{name}: face {index} was asked for, and {len(faces)} found, counted from 0 for the largest."
        )
    return [face]


def need_face(picture: Tensor, name: str, index: int = 0, least_confidence: float = LEAST_CONFIDENCE) -> Face:
    """The face of a picture that cannot do without one: what is edited, or whose person is drawn.

    Args:
        picture: (3, H, W), RGB in [0, 1].
        name: of its file, for the message.
        index: which face, counted from 0 for the largest.
        least_confidence: as for :func:`find_faces`.

    Raises:
        NoFaceError: as :func:`chosen`.
    """
    height, width = picture.shape[-2:]
    return chosen(find_faces(picture[None], least_confidence)[0], index, name, (width, height))[0]


@functools.cache
def _networks(device: torch.device) -> "MTCNN":
    from facenet_pytorch import MTCNN

    return MTCNN(device=device).eval()


def _detect(pixels: Tensor, smallest: int) -> list[tuple[Arrays, Arrays]]:
    """Boxes with confidence (N, 5) and points (N, 5, 2) of each picture (B, H, W, 3) in [0, 255]."""
    from facenet_pytorch.models.utils.detect_face import detect_face

    networks = _networks(pixels.device)
    try:
        boxes, points = detect_face(
            pixels, smallest, networks.pnet, networks.rnet, networks.onet, networks.thresholds, networks.factor,
            pixels.device,
        )  # fmt: skip
    except (RuntimeError, IndexError) as error:
        # It cannot take proposals that lie outside the picture: it stacks an empty list, or loses count.
        if not any(words in str(error) for words in ("non-empty", "shape of the mask")):
            raise
        if len(pixels) == 1:
            return [(np.zeros((0, 5), np.float32), np.zeros((0, 5, 2), np.float32))]
        return [found for picture in pixels for found in _detect(picture[None], smallest)]
    return list(zip(boxes, points, strict=True))


def _faces(boxes: Arrays, points: Arrays, least_confidence: float) -> list[Face]:
    faces = [
        Face(torch.from_numpy(box[:4].copy()), float(box[4]), torch.from_numpy(five))
        for box, five in zip(boxes.astype(np.float32), points.astype(np.float32), strict=True)
        if box[4] >= least_confidence
    ]
    return sorted(faces, key=lambda face: -face.area)
