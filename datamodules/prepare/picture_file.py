"""What is known of a picture before it is opened."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datamodules.prepare.pictures import BadPictureError
from datamodules.prepare.row_cache import NOT_KEPT
from facegen_core.types import UNKNOWN

POINTS = 68
BAD_LANDMARKS = "landmarks that cannot be read"


@dataclass(frozen=True)
class PictureFile:
    """One picture of a data set. Places are in its own pixels, x right and y down, once it is upright.

    Attributes:
        path: relative to the data set's root.
        emotion: as labelled, see ``facegen_core/emotions.py``; -1 if it is not.
        identity: the person's number; -1 if unknown.
        split: "train" or "val" where the data set says so; else "".
        box: of the face: left, top, right, bottom.
        landmarks: (68, 2), or the file below the root that holds them.
        quad: (4, 2), corners of the aligned crop: top left, bottom left, bottom right, top right.
    """

    path: str
    emotion: int = UNKNOWN
    identity: int = UNKNOWN
    split: str = ""
    box: tuple[float, float, float, float] | None = field(default=None, metadata=NOT_KEPT)
    landmarks: npt.NDArray[Any] | str | None = field(default=None, compare=False, metadata=NOT_KEPT)
    quad: list[list[float]] | None = field(default=None, metadata=NOT_KEPT)

    @property
    def labels(self) -> str:
        """Who and what, for the cache's digest."""
        return f"{self.emotion} {self.identity} {self.split}"

    def points(self, root: Path) -> npt.NDArray[np.float64] | None:
        """The 68 landmarks (68, 2), if any are given.

        Raises:
            BadPictureError: they cannot be read.
        """
        if self.landmarks is None:
            return None
        found = self.landmarks
        if isinstance(found, str):
            try:
                found = np.load(root / found, allow_pickle=False)
            except Exception as error:  # whatever numpy makes of a damaged file: BadZipFile, MemoryError, ...
                raise BadPictureError(BAD_LANDMARKS, f"{root / self.path}: {self.landmarks}: {error}") from None
        try:
            points = np.asarray(found).astype(np.float64).reshape(POINTS, 2)
        except (ValueError, TypeError) as error:
            raise BadPictureError(BAD_LANDMARKS, f"{root / self.path}: landmarks: {error}") from None
        if not np.isfinite(points).all():
            raise BadPictureError(BAD_LANDMARKS, f"{root / self.path}: landmarks that are not finite")
        return points
