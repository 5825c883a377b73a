"""The true pictures of embedded people with other emotions than a picture shows, cut exactly as that picture is."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from datamodules.prepare.framing import Framing
from datamodules.prepare.picture_cache import PictureReader
from datamodules.prepare.picture_file import PictureFile
from facegen_core.population.truth import ANOTHER, read_truths


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """The same person, light, pose and place with another emotion.

    A face's landmarks move with its expression, so a truth cut by its own would be shifted and scaled against the
    picture that is edited, and the comparison would be one of crops. Each is cut by the source's.

    Attributes:
        root: the data set's folder.
        framing: how its pictures are cropped.
        pixels: side R of the crops.
    """

    root: Path
    framing: Framing
    pixels: int
    _paths: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict), init=False)

    def __post_init__(self) -> None:
        for truth in read_truths(self.root, "emotion"):
            for picture in truth["pictures"]:
                if ANOTHER in picture:
                    self._paths[picture[ANOTHER]][picture["emotion"]] = picture["file"]

    def has(self, path: str) -> bool:
        """Whether truths belong to the picture at this path below the data set's folder."""
        return path in self._paths

    def crop(self, source: PictureFile, emotion: int) -> npt.NDArray[np.uint8]:
        """The picture ``source`` as it would be with ``emotion``, (R, R, 3); itself where it shows that one.

        Args:
            source: a picture that has truths, with its box and landmarks.
            emotion: 0 to 7.

        Raises:
            BadSampleError: the file is missing or damaged.
        """
        path = source.path if emotion == source.emotion else self._paths[source.path][emotion]
        row = PictureReader(self.pixels, self.framing).row(self.root, replace(source, path=path))
        return np.asarray(row.values, dtype=np.uint8)
