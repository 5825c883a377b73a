"""The face on ArcFace's five points, a little wider, as the embedded judges are trained on it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from datamodules.prepare.framing import LANDMARKS_OUTSIDE, NO_LANDMARKS, Corners, cut, fits
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.pictures import BadPictureError, Picture
from facegen_core.geometry.face_crop import align_matrix, invert, move_points


@dataclass(frozen=True)
class FivePoints:
    """A square around the face in which eyes, nose and mouth have their places; see ``framing.Framing``.

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

    def corners(self, points: np.ndarray) -> Corners:
        """Of the square, in the order of ``framing.Corners``, from 68 points (68, 2) in pixels from the border on."""
        back = invert(align_matrix(torch.from_numpy(points - 0.5)[None], self.inner))  # there, pixels are points
        near, far = (self.inner - self.outer) / 2 - 0.5, (self.inner + self.outer) / 2 - 0.5
        square = torch.tensor([[near, near], [near, far], [far, far], [far, near]], dtype=torch.float64)
        corners: Corners = move_points(square[None], back)[0].numpy() + 0.5
        return corners
