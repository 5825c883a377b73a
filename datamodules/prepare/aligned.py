"""The face upright: by the corners or points that a data set gives, or by those that a detector finds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from datamodules.prepare.framing import cut, fits, inside, outside_of, share_of
from datamodules.prepare.picture_file import POINTS, PictureFile
from datamodules.prepare.pictures import BadPictureError, Picture
from facegen_core.errors import NoFaceError
from facegen_core.geometry.squares import Corners, average_face_square, level_square, side_of, square_of

# Why a picture cannot be aligned
NO_LANDMARKS = "no landmarks"
LANDMARKS_OUTSIDE = "landmarks outside the picture"
# What was done
SOME_OUTSIDE = "some landmarks outside the picture"
DETECTED = "no landmarks given, face found by the detector"
SEVERAL = "several faces found, the largest taken"


@dataclass(frozen=True)
class Align:
    """The face turned until the eyes are level; see ``framing.Framing``.

    Where the file has the corners of an aligned crop, as FFHQ's pictures in the wild do, it is that crop. Else it is
    the smallest square around the 68 points, turned about the middle between the eyes [EmotionLDM A.1, align/align.py].

    Attributes:
        detect: where a file has neither, look for its largest face, and put eyes, nose and mouth where they are in the
            square of an average face [EmotionLDM A.1, "canonical coordinates"]; else the picture cannot be used.
    """

    name: str = "align"
    needs: str = "landmarks"
    detect: bool = False

    def share(self, file: PictureFile, size: tuple[int, int], pixels: int) -> float:
        if file.quad is not None:
            return share_of(pixels, side_of(np.asarray(file.quad)))
        if isinstance(file.landmarks, np.ndarray) and file.landmarks.shape == (POINTS, 2):
            return share_of(pixels, float(np.ptp(file.landmarks, axis=0).max()))
        return 1.0

    def __call__(self, root: Path, picture: Picture, file: PictureFile, pixels: int) -> Image.Image:
        path = root / file.path
        if file.quad is not None:
            corners = np.asarray(file.quad, dtype=np.float64)
        elif (points := file.points(root)) is not None:
            outside = ~inside(points, picture)
            if outside.all() or not inside(_eyes(points), picture).all():
                raise BadPictureError(
                    LANDMARKS_OUTSIDE, f"{path}: {outside.sum()} of 68 landmarks {outside_of(picture)}"
                )
            if outside.any():
                picture.notes.append(SOME_OUTSIDE)
            corners = level_square(points)
        elif self.detect:
            corners = detected(path, picture)
        else:
            raise BadPictureError(NO_LANDMARKS, f"{path}: no landmarks are given for it")
        if not fits(corners, picture):
            raise BadPictureError(LANDMARKS_OUTSIDE, f"{path}: the aligned face {outside_of(picture)}")
        return cut(picture, corners, pixels)

    def points_in_crop(self, root: Path, file: PictureFile) -> npt.NDArray[np.float64] | None:
        """Where a file's 68 landmarks lie in its crop, (68, 2), the crop reaching from 0 to 1; None if it has none.

        Raises:
            BadPictureError: they cannot be read.
        """
        points = file.points(root)
        if points is None:
            return None
        top_left, bottom_left, _, top_right = np.asarray(file.quad) if file.quad else level_square(points)
        sides = np.stack([top_right - top_left, bottom_left - top_left], axis=1)
        places: npt.NDArray[np.float64] = np.linalg.solve(sides, (points - top_left).T).T
        return places


@dataclass(frozen=True)
class FivePoints:
    """The face on ArcFace's five points, a little wider, as the embedded judges are trained on it.

    Attributes:
        inner: side of the square in which ArcFace's five points are given.
        outer: side of the square that is kept, about the same centre.
    """

    inner: int
    outer: int
    needs: str = "landmarks"

    @property
    def name(self) -> str:
        """Of the crop."""
        return f"five_points_{self.outer}_of_{self.inner}"

    def share(self, file: PictureFile, size: tuple[int, int], pixels: int) -> float:
        return 1.0  # the population's pictures are hardly larger than the crop

    def __call__(self, root: Path, picture: Picture, file: PictureFile, pixels: int) -> Image.Image:
        points = file.points(root)
        if points is None:
            raise BadPictureError(NO_LANDMARKS, f"{root / file.path}: no landmarks are given for it")
        corners = self.corners(points)
        if not fits(corners, picture):
            raise BadPictureError(LANDMARKS_OUTSIDE, f"{root / file.path}: the aligned face lies outside the picture")
        return cut(picture, corners, pixels)

    def corners(self, points: npt.NDArray[Any]) -> Corners:
        """Of the square, from 68 points (68, 2)."""
        import torch

        from facegen_core.geometry.face_crop import align_matrix

        matrix = align_matrix(torch.from_numpy(points - 0.5)[None], self.inner)
        return square_of(matrix, (self.inner - self.outer) / 2, (self.inner + self.outer) / 2)


def detected(path: Path, picture: Picture) -> Corners:
    """The square of the largest face that the detector finds, as the square around an average face's 68 points.

    Args:
        path: of the picture, for the message.
        picture: what is in it; notes what was found in ``picture.notes``.

    Raises:
        NoFaceError: no face was found.
    """
    from facegen_core.encoders.detector import find_in_photograph

    faces = find_in_photograph(picture.image)
    if not faces:
        width, height = (side * picture.scale for side in picture.image.size)
        raise NoFaceError(f"{path}: no face was found in its {width} x {height} pixels")
    picture.notes.append(DETECTED)
    if len(faces) > 1:
        picture.notes.append(SEVERAL)
    return average_face_square(faces[0].points5) * picture.scale


def _eyes(points: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(2, 2): centres of the person's right and left eye, of the 68 points."""
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0)])
