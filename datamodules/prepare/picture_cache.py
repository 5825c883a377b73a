"""Pictures of one size in one memory map of bytes, made from any data set of pictures."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from datamodules.prepare.framing import Framing
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.pictures import BadPictureError, read_picture
from datamodules.prepare.report import Tally
from datamodules.prepare.row_cache import Row, RowCache, build_once, files_key, fill_rows, open_rows
from facegen_core.errors import BadSampleError, ConfigError, DatasetNotFoundError, NoFaceError
from facegen_core.files import atomic_path
from facegen_core.geometry.squares import FILTER
from facegen_core.population.truth import read_truth, truth_files
from facegen_core.types import BadSamplePolicy

FORMAT, LEAST_PIXELS = 1, 8
LISTED = "listed.json"
NAMES_SHOWN = 10
NO_FACE, NOT_CROPPED, BAD_TRUTH = "no face found", "cannot be cropped", "truth that cannot be read"


class PictureSet(Protocol):
    """The pictures of a data set. Finding them is cheap and done at each start; labels are read to make a cache."""

    @property
    def root(self) -> Path:
        """The data set's folder."""

    @property
    def title(self) -> str:
        """What data set it is, for messages."""

    @property
    def crops(self) -> Sequence[Framing]:
        """What can be had of it; the first is the usual one."""

    def sources(self, needs: str) -> Sequence[str]:
        """Paths below the root of all files that a cache depends on: pictures, and what labels them.

        Args:
            needs: what the crop reads besides: "box", "landmarks" or "".
        """

    def files(self, tally: Tally, needs: str) -> list[PictureFile]:
        """The pictures with their labels, in a fixed order; what is left out is counted in ``tally``."""


@dataclass(frozen=True)
class PictureReader:
    """Reads a picture file as its crop; see ``RowReader``.

    Attributes:
        pixels: side of the crop.
        framing: which crop.
    """

    pixels: int
    framing: Framing
    dtype: npt.DTypeLike = np.uint8

    @property
    def shape(self) -> tuple[int, ...]:
        """(R, R, 3)."""
        return self.pixels, self.pixels, 3

    def row(self, root: Path, file: PictureFile) -> Row:
        """The crop, resized with antialiasing."""
        picture = read_picture(root / file.path, partial(self._share, file))
        try:
            crop = np.asarray(self.framing(root, picture, file, self.pixels)).reshape(self.shape)
        except NoFaceError as error:
            raise BadPictureError(NO_FACE, str(error)) from None
        except BadSampleError:
            raise
        except Exception as error:  # one picture, with whatever is odd about it, does not end the run
            problem = f"{type(error).__name__}: {error}"
            raise BadPictureError(
                NOT_CROPPED, f"{root / file.path}: the picture cannot be cropped: {problem}"
            ) from None
        return Row(crop, crop.tobytes(), picture.notes)

    def _share(self, file: PictureFile, size: tuple[int, int]) -> float:
        return self.framing.share(file, size, self.pixels)


@dataclass(frozen=True)
class PictureCache(RowCache):
    """A finished cache of pictures, opened: rows (N, R, R, 3) uint8, RGB.

    Attributes:
        listed: what was left out before any picture was opened.
    """

    listed: Tally = field(default_factory=Tally)

    def report(self) -> list[str]:
        """Lines on what is there, and what was left out or had to be done, each kind counted."""
        size = f"{self.rows.shape[1]} x {self.rows.shape[2]}"
        return [f"{len(self.files)} pictures of {size} pixels", *self.listed.lines(), *self.found()]

    def found(self) -> list[str]:
        """Lines on what opening the pictures showed."""
        counts = sorted(self.outcomes.items(), key=lambda item: (-item[1], item[0]))
        return [
            *(f"{outcome}: {count}" for outcome, count in counts),
            *(f"skipped: {problem}" for _, problem in self.skipped[:NAMES_SHOWN]),
            *([f"skipped: {len(self.skipped) - NAMES_SHOWN} more"] if len(self.skipped) > NAMES_SHOWN else []),
        ]


def choose_framing(pictures: PictureSet, crop: str) -> Framing:
    """The framing for a crop's name; "auto" is the usual one of the data set.

    Raises:
        ConfigError: the data set does not have what the crop needs.
    """
    framings = {framing.name: framing for framing in pictures.crops}
    name = pictures.crops[0].name if crop == "auto" else crop
    if name not in framings:
        raise ConfigError(
            f"data.crop={name}: {pictures.root} does not say where the faces are; crops that can be had of it: "
            f"{', '.join(framings)}."
        )
    return framings[name]


def build_picture_cache(
    pictures: PictureSet, pixels: int, framing: Framing, folder: Path, on_bad_sample: BadSamplePolicy
) -> Path:
    """Makes the cache of a data set's pictures if it is not there, going on where a killed build stopped.

    People are numbered if their truth lies with the pictures, as the population's does.

    Args:
        pictures: which.
        pixels: side of the crops.
        framing: which part of a picture is kept.
        folder: where caches go.
        on_bad_sample: "raise" stops at the first picture that cannot be used; "skip" leaves it out and counts it.

    Returns:
        The cache's folder, for :func:`open_picture_cache`.

    Raises:
        BadSampleError: a picture cannot be used and ``on_bad_sample`` is "raise", or none can be.
        ConfigError: pictures too small.
        DatasetNotFoundError: there are no pictures, or the folder cannot be written.
    """
    if pixels < LEAST_PIXELS:
        raise ConfigError(f"data.pixels = {pixels}: must be {LEAST_PIXELS} or more.")
    root, reader = pictures.root, PictureReader(pixels, framing)
    truths = [path.relative_to(root).as_posix() for path in truth_files(root)]
    key = files_key(FORMAT, [(path, root / path) for path in (*pictures.sources(framing.needs), *truths)])

    def build(work: Path) -> str:
        tally = Tally(on_bad_sample)
        files = list(_with_people(pictures.files(tally, framing.needs), root, truths, tally))
        if not files:
            raise BadSampleError(f"{root}: no picture can be used: {'; '.join(tally.lines())}")
        with atomic_path(work / LISTED) as temporary:
            temporary.write_text(json.dumps([tally.counts, tally.names, tally.first_bad]))
        return fill_rows(root, files, work, reader, on_bad_sample, "picture")

    return build_once(folder / f"pictures-{pixels}-{framing.name}-{FILTER.name.lower()}-{key}", build)


def open_picture_cache(folder: Path, on_bad_sample: BadSamplePolicy = "skip") -> PictureCache:
    """Opens a cache made by :func:`build_picture_cache`.

    Raises:
        BadSampleError: pictures were skipped and ``on_bad_sample`` is "raise".
    """
    tally = Tally()
    tally.counts, tally.names, tally.first_bad = json.loads((folder / LISTED).read_text())
    if tally.first_bad and on_bad_sample == "raise":
        raise BadSampleError(f"{tally.first_bad}. data.on_bad_sample=skip leaves such samples out.")
    pixels = int(folder.name.split("-")[1])
    cache = open_rows(folder, (pixels, pixels, 3), np.uint8, on_bad_sample, PictureFile)
    return PictureCache(**vars(cache), listed=tally)


def _with_people(files: list[PictureFile], root: Path, truths: list[str], tally: Tally) -> Iterator[PictureFile]:
    """The pictures with their people's labels, counted from 0 in the order of their numbers."""
    persons: dict[str, int] = {}
    for path in truths:
        try:
            truth = read_truth(root / path)
            persons |= {str(picture["file"]): truth["person"] for picture in truth["pictures"]}
        except DatasetNotFoundError:
            tally.bad(BAD_TRUTH, path)
    label = {person: i for i, person in enumerate(sorted(set(persons.values())))}
    for file in files:
        yield replace(file, identity=label[persons[file.path]]) if file.path in persons else file
