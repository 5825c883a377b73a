"""What an AffectNet folder holds, of either release, as its owners hand it out. The lists of the old one are read here.

Facts: papers' notes on AffectNet; labels 0 to 7 are the emotions, 8 none, 9 uncertain, 10 no face.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from datamodules.prepare.affectnet_2021 import AffectNet2021
from datamodules.prepare.affectnet_labels import read_emotion
from datamodules.prepare.aligned import Align
from datamodules.prepare.framing import AsIs, Box, Framing
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.pictures import NO_FILE, find_pictures
from datamodules.prepare.report import Tally
from facegen_core.errors import DatasetNotFoundError

EXPECTED = """Expected, of the old release (zips may have nested folders; pictures of any kind; gaps may be):
  <root>/Manually_Annotated_Images/<number>/<hash>.jpg
  <root>/Manually_Annotated_file_lists/training.csv, validation.csv      with a header or without
  <root>/Automatically_Annotated_Images/, Automatically_Annotated_file_lists/automatically_annotated.csv   optional
or of the release of 2021:
  <root>/train_set/images/<id>.jpg, train_set/annotations/<id>_exp.npy, <id>_lnd.npy; the same in val_set/
Licence and application: http://mohammadmahoor.com/affectnet/
Without it: facegen data population --layout affectnet --people 200 --out DIR"""

COLUMNS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)
NAME, BOX, LANDMARKS, EXPRESSION = COLUMNS[0], COLUMNS[1:5], COLUMNS[5], COLUMNS[6]
LISTS = {"manual": {"val": "validation.csv", "train": "training.csv"},
         "automatic": {"val": "validation.csv", "train": "automatically_annotated.csv"}}  # fmt: skip
"""Validation first: a picture that is in both lists is not trained on."""
SHORT_ROW, LISTED_AGAIN = "row with too few columns", "listed a second time"
RENAMED = "found with another ending of its name"
DEEPEST = 3


class Listed(NamedTuple):
    """One row of a list.

    Attributes:
        line: its number in the file.
        name: path of the picture, as written.
        emotion: 0 to 7.
        box: left, top, right, bottom, if read.
        landmarks: (68, 2) float32 if read and given, or of another size if they cannot be.
    """

    line: int
    name: str
    emotion: int
    box: tuple[float, float, float, float] | None
    landmarks: npt.NDArray[np.float32] | None


@dataclass(frozen=True)
class AffectNetOld:
    """AffectNet's old release: whole pictures, with boxes of the faces in lists; see ``PictureSet``.

    Attributes:
        root: the data set's folder.
        annotation: "manual" or "automatic".
        lists: split -> path of its list, relative to the root.
        folders: of pictures, by numbered folders, relative to the root.
    """

    root: Path
    annotation: str
    lists: dict[str, str]
    folders: list[str]
    crops: tuple[Framing, ...] = (Box(), Align(detect=True), AsIs())

    @property
    def title(self) -> str:
        """For messages."""
        return f"AffectNet, old release, {self.annotation} annotations"

    @cached_property
    def pictures(self) -> dict[str, str]:
        """Path below its folder of pictures, as lists have it -> path relative to the root."""
        found: dict[str, str] = {}
        for folder in self.folders:
            for path in find_pictures(self.root, folder):
                found.setdefault(path[len(folder) + 1 :] if folder else path, path)
        return found

    def sources(self, needs: str) -> list[str]:
        """The lists and the pictures."""
        return [*self.lists.values(), *self.pictures.values()]

    def files(self, tally: Tally, needs: str) -> list[PictureFile]:
        """The listed pictures that are there and show an emotion, each once."""
        files: dict[str, PictureFile] = {}
        for split, listed in self.lists.items():
            for row in read_list(self.root / listed, needs, tally):
                path = self._find(row.name, tally)
                if path is None:
                    tally.bad(NO_FILE, row.name)
                elif path in files:
                    tally.note(LISTED_AGAIN, f"{row.name} in {listed}, line {row.line}")
                else:
                    files[path] = PictureFile(path, row.emotion, split=split, box=row.box, landmarks=row.landmarks)
        return list(files.values())

    @cached_property
    def _stems(self) -> dict[str, str]:
        """Without the ending; only asked for if a picture is not found."""
        return {str(PurePosixPath(name).with_suffix("")): path for name, path in self.pictures.items()}

    def _find(self, name: str, tally: Tally) -> str | None:
        path = self.pictures.get(name)
        if path is None and (path := self._stems.get(str(PurePosixPath(name).with_suffix("")))):
            tally.note(RENAMED, name)
        return path


def find_affectnet(root: Path, annotation: str = "manual") -> AffectNetOld | AffectNet2021:
    """The pictures of an AffectNet folder, whichever release it is.

    Args:
        root: the data set's folder.
        annotation: "manual", or "automatic": the old release's pictures that were labelled by a network.

    Raises:
        DatasetNotFoundError: no folder, or nothing in it that looks like AffectNet with these annotations.
    """
    if not root.is_dir():
        raise DatasetNotFoundError(f"{root}: no such folder.\n{EXPECTED}")
    new = AffectNet2021(root)
    if new.splits:
        if annotation == "automatic":
            raise DatasetNotFoundError(f"{root}: the release of 2021 has no automatic annotations.\n{EXPECTED}")
        return new
    lists, folders = _find_old(root, annotation)
    if set(lists) <= ({"val"} if annotation == "automatic" else set()):
        raise DatasetNotFoundError(f"{root}: no list of AffectNet's found ({annotation} annotations).\n{EXPECTED}")
    if not folders:
        raise DatasetNotFoundError(f"{root}: no folder of AffectNet's pictures beside the lists.\n{EXPECTED}")
    return AffectNetOld(root, annotation, lists, folders)


def is_affectnet(root: Path) -> bool:
    """Whether a folder looks like AffectNet, whole or in part."""
    if AffectNet2021(root).splits:
        return True
    for annotation in LISTS:
        lists, folders = _look(root, annotation)
        if any(_is_list(root / path) for path in lists.values()) or any(annotation in name.lower() for name in folders):
            return True
    return False


def read_list(path: Path, needs: str, tally: Tally) -> Iterator[Listed]:
    """The rows of a list that show one of the eight emotions, one at a time.

    Args:
        path: a CSV file, of COLUMNS in any order under a header, or in theirs without one.
        needs: what is read besides the name and the emotion: "box", "landmarks" or "".
        tally: counts the other rows.

    Raises:
        DatasetNotFoundError: the file cannot be read, or columns that are needed are missing.
    """
    wanted = [NAME, EXPRESSION, *{"box": BOX, "landmarks": (LANDMARKS,)}.get(needs, ())]
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            rows = csv.reader(file)
            first = next(rows, [])
            column = _columns(path, first, wanted)
            longest = max(column[name] for name in wanted)
            if not _is_header(first):
                yield from _row(path, 1, first, column, longest, needs, tally)
            for row in rows:
                if row:
                    yield from _row(path, rows.line_num, row, column, longest, needs, tally)
    except (OSError, csv.Error) as error:
        raise DatasetNotFoundError(f"{path}: the list cannot be read: {error}") from None


def _row(
    path: Path, line: int, row: list[str], column: dict[str, int], longest: int, needs: str, tally: Tally
) -> Iterator[Listed]:
    """A row as a sample, if it is one that is used."""
    if len(row) <= longest:
        return tally.bad(SHORT_ROW, f"{path.name}, line {line}")
    emotion = read_emotion(row[column[EXPRESSION]], f"{path.name}, line {line}", tally)
    if emotion is None:
        return None
    name = row[column[NAME]].strip().replace("\\", "/").removeprefix("./").lstrip("/")
    box = _box([row[column[side]] for side in BOX]) if needs == "box" else None
    landmarks = _landmarks(row[column[LANDMARKS]]) if needs == "landmarks" else None
    yield Listed(line, name, emotion, box, landmarks)
    return None


def _is_list(path: Path) -> bool:
    """Whether a file of that name begins as AffectNet's lists do."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            first = next(csv.reader(file), [])
    except (OSError, csv.Error):
        return False
    return _is_header(first) or len(first) == len(COLUMNS)


def _is_header(row: list[str]) -> bool:
    return bool({NAME.lower(), EXPRESSION} & {field.strip().lower() for field in row})


def _columns(path: Path, first: list[str], wanted: list[str]) -> dict[str, int]:
    """Name of a column -> its place, by the header, else as the owners order them."""
    if not first:
        raise DatasetNotFoundError(f"{path}: the list is empty. Unpack it again, or give the population two people.")
    names = [name.strip().lower() for name in (first if _is_header(first) else COLUMNS[: len(first)])]
    missing = [name for name in wanted if name.lower() not in names]
    if missing:
        found = f"a header with {', '.join(names)}" if _is_header(first) else f"{len(first)} columns without a header"
        raise DatasetNotFoundError(
            f"{path}: columns missing: {', '.join(missing)}; found {found}. "
            "Where only the face's place is missing, data.crop=as_is does without it."
        )
    return {name: names.index(name.lower()) for name in COLUMNS if name.lower() in names}


def _box(fields: list[str]) -> tuple[float, float, float, float] | None:
    try:
        x, y, width, height = map(float, fields)
    except ValueError:
        return None
    return x, y, x + width, y + height


def _landmarks(text: str) -> npt.NDArray[np.float32] | None:
    numbers = text.strip(" ;")
    if not numbers:
        return None
    try:
        points = np.array(numbers.split(";"), dtype=np.float32)
    except ValueError:
        return np.empty(0, dtype=np.float32)
    return points.reshape(-1, 2) if len(points) % 2 == 0 else points


def _find_old(root: Path, annotation: str) -> tuple[dict[str, str], list[str]]:
    """Lists by split, and folders of pictures; the validation pictures of automatic annotations are the manual ones."""
    lists, folders = _look(root, annotation)
    if annotation == "automatic":
        folders += [folder for folder in _look(root, "manual")[1] if folder not in folders]
    return lists, folders


def _look(root: Path, annotation: str) -> tuple[dict[str, str], list[str]]:
    """Lists by split, and folders of pictures, whose path names the annotation; or has no such name, beside lists."""
    paths: dict[str, str] = {}
    named, unnamed = [], []
    for folder, inner, files in _folders(root):
        paths |= {name.lower(): f"{folder}/{name}".lstrip("/") for name in files if name.lower() not in paths}
        if any(name.isdecimal() for name in inner):
            kinds = [kind for kind in LISTS if kind in folder.lower()]
            if annotation in kinds:
                named.append(folder)
            elif not kinds:
                unnamed.append(folder)
    lists = {split: paths[name] for split, name in LISTS[annotation].items() if name in paths}
    return lists, named or (unnamed if lists else [])


def _folders(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Folders below the root, relative to it, with the names in them; not those by number, which hold pictures."""
    if not root.is_dir():
        return
    for folder, inner, files in os.walk(root, followlinks=True):  # large folders are often kept elsewhere
        relative = Path(folder).relative_to(root)
        place = "" if relative == Path() else relative.as_posix()
        yield place, inner, [name for name in files if name.lower().endswith(".csv")]
        deeper = len(relative.parts) < DEEPEST
        inner[:] = sorted(n for n in inner if deeper and not n.isdecimal() and not n.startswith("."))
