"""The true pictures of embedded people with other emotions than a picture shows, cut exactly as that picture is."""

from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from datamodules.prepare.framing import Framing
from datamodules.prepare.picture_cache import PictureReader, PictureSet
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.report import Tally
from facegen_core.population.truth import ANOTHER, read_truths


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """The same person, light, pose and place with another emotion.

    A face's landmarks move with its expression, so a truth cut by its own would be shifted and scaled against the
    picture that is edited, and the comparison would be one of crops. Each is cut by the source's.

    Attributes:
        pictures: the data set.
        framing: how its pictures are cropped.
        pixels: side R of the crops.
    """

    pictures: PictureSet
    framing: Framing
    pixels: int
    _paths: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict), init=False)
    _sources: dict[str, PictureFile] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for truth in read_truths(self.pictures.root, "emotion"):
            for picture in truth["pictures"]:
                if ANOTHER in picture:
                    self._paths[picture[ANOTHER]][picture["emotion"]] = picture["file"]
        if self._paths:
            files = self.pictures.files(Tally(), self.framing.needs)
            self._sources.update({file.path: file for file in files if file.path in self._paths})

    def has(self, source: str) -> bool:
        """Whether truths belong to the picture at this path below the data set's folder."""
        return source in self._sources

    def crop(self, source: str, emotion: int) -> npt.NDArray[np.uint8]:
        """The picture ``source`` as it would be with ``emotion``, (R, R, 3); itself where it shows that one.

        Args:
            source: path of a picture that has truths.
            emotion: 0 to 7.

        Raises:
            BadSampleError: the file is missing or damaged.
        """
        file = self._sources[source]
        path = source if emotion == file.emotion else self._paths[source][emotion]
        # The other picture's file with the source's box and landmarks.
        row = PictureReader(self.pixels, self.framing).row(self.pictures.root, replace(file, path=path))
        return np.asarray(row.values, dtype=np.uint8)
