"""Where the camera stands, and which square of what it sees becomes the picture."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facegen_core.geometry.camera import look_at, perspective
from facegen_core.geometry.face_crop import ffhq_square

Points = npt.NDArray[np.float64]

WIDE = 60.0
"""Field of view, degrees, in which a square is chosen."""


class Square(NamedTuple):
    """A square in a plane.

    Attributes:
        centre: (2,).
        side: its length.
        right: (2,) unit vector to its right.
    """

    centre: Points
    side: float
    right: Points


def turn(yaw: float, pitch: float, roll: float) -> Points:
    """The rotation (3, 3) of a head, degrees: to its left, downwards, and towards its right shoulder."""
    y, x, z = (math.radians(angle) for angle in (yaw, pitch, roll))
    around_y = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    around_x = np.array([[1, 0, 0], [0, math.cos(x), -math.sin(x)], [0, math.sin(x), math.cos(x)]])
    around_z = np.array([[math.cos(z), -math.sin(z), 0], [math.sin(z), math.cos(z), 0], [0, 0, 1]])
    return around_z @ around_x @ around_y


def camera(distance: float, height: float = 0.0) -> tuple[Tensor, Tensor]:
    """A camera in front of the head.

    Args:
        distance: mm.
        height: mm above the head's middle.

    Returns:
        Where it stands, (3,), and world to clip space, (4, 4) float64.
    """
    eye = torch.tensor([0.0, height, distance], dtype=torch.float64)
    view = look_at(eye, torch.zeros(3, dtype=torch.float64))
    return eye, perspective(WIDE, 1.0, distance / 4, distance * 3) @ view


def project(points: Points, matrix: Tensor) -> Points:
    """Places (N, 2) of points (N, 3) in the plane of a camera, x right and y up."""
    clip = points @ matrix[:, :3].numpy().T + matrix[:, 3].numpy()
    return clip[:, :2] / clip[:, 3:]


def cropped(matrix: Tensor, square: Square) -> Tensor:
    """The camera (4, 4) whose picture is a square of another's plane."""
    right, up = square.right, np.array([-square.right[1], square.right[0]])
    inward = np.eye(4)
    scale = 2 / square.side
    for row, axis in enumerate((right, up)):
        inward[row, :2] = scale * axis
        inward[row, 3] = -scale * float(axis @ square.centre)
    return torch.from_numpy(inward) @ matrix


def around_box(points: Points, margin: float, shift: tuple[float, float] = (0.0, 0.0)) -> Square:
    """A square around landmarks (68, 2): ``margin`` times the longer side of their box, moved by shares of it."""
    low, high = points.min(0), points.max(0)
    side = float((high - low).max())
    return Square((low + high) / 2 + side * np.array(shift), margin * side, np.array([1.0, 0.0]))


def as_ffhq(points: Points) -> Square:
    """The square that FFHQ is cropped to (Karras et al. 2019, appendix C), from landmarks (68, 2) with y up."""
    down = np.array([1.0, -1.0])
    centre, right = (way[0].numpy() * down for way in ffhq_square(torch.from_numpy(points * down)[None]))
    half = float(np.linalg.norm(right))
    return Square(centre, 2 * half, right / half)
