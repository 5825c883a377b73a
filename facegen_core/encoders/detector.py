"""Faces in photographs, by MTCNN (Zhang et al., 2016) of facenet-pytorch, whose weights ship in its wheel."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facegen_core.errors import NoFaceError

if TYPE_CHECKING:
    from facenet_pytorch import MTCNN

Arrays = npt.NDArray[Any]

LEAST_CONFIDENCE = 0.9

# Faces smaller than a 16th of the shorter side of the picture are not looked for: the first network's work grows with
# the square of the ratio. Below 20 pixels MTCNN finds hardly any.
SMALLEST_SHARE, SMALLEST_PIXELS = 1 / 16, 20


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


def by_index(faces: Sequence[Face], index: int) -> Face | None:
    """The face at a place counted from 0 for the largest, or None where there are fewer."""
    in_order = sorted(faces, key=lambda face: -face.area)
    return in_order[index] if 0 <= index < len(in_order) else None


def need_face(picture: Tensor, name: str, index: int = 0, least_confidence: float = LEAST_CONFIDENCE) -> Face:
    """The face of a picture that cannot do without one: what is edited, or whose person is drawn.

    Args:
        picture: (3, H, W), RGB in [0, 1].
        name: of its file, for the message.
        index: which face, counted from 0 for the largest.
        least_confidence: as for :func:`find_faces`.

    Raises:
        NoFaceError: no face was found, or fewer than were asked for; says in which file and what to do.
    """
    faces = find_faces(picture[None], least_confidence)[0]
    face = by_index(faces, index)
    if face is not None:
        return face
    if faces:
        raise NoFaceError(
            f"{name}: face {index} was asked for, and {len(faces)} found, counted from 0 for the largest."
        )
    height, width = picture.shape[-2:]
    raise NoFaceError(
        f"{name}: no face was found in its {width} x {height} pixels. Give an upright photograph in which the face is "
        f"seen from the front, and cut it closer where the face is less than a tenth of the picture's side."
    )


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
