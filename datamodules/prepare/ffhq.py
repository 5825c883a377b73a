"""What an FFHQ folder holds, as its owners hand it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import ijson
import numpy as np

from datamodules.prepare.aligned import Align
from datamodules.prepare.framing import AsIs, Box, Framing
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.pictures import find_pictures
from datamodules.prepare.report import Tally
from facegen_core.errors import DatasetNotFoundError

LIST = "ffhq-dataset-v2.json"
EXPECTED = f"""Expected, one of the three, gaps may be:
  <root>/images1024x1024/00000/00000.png ... 69000/69999.png
  <root>/thumbnails128x128/00000/00000.png
  <root>/in-the-wild-images/00000/00000.png
  <root>/{LIST}                     the official split, and where the faces are; needed for pictures in the wild
Licence (CC BY-NC-SA 4.0) and download: https://github.com/NVlabs/ffhq-dataset
Without it: facegen data population --layout ffhq --people 200 --out DIR"""

FOLDERS = {"images": "images1024x1024", "thumbnails": "thumbnails128x128", "in_the_wild": "in-the-wild-images"}
PARTS = {"images": "image", "thumbnails": "thumbnail", "in_the_wild": "in_the_wild"}
"""What the list calls them."""
SPLITS = {"training": "train", "validation": "val"}
FIRST_VALIDATION = 60_000
"""The official split, where there is no list of it: this number and all above are for validation."""
REPLACE = "Download it again, or take it away: the split then goes by the pictures' numbers."
NO_NUMBER, TWICE = "name that is no number", "a second picture of the same number"


@dataclass(frozen=True)
class FFHQ:
    """FFHQ's pictures in one of their versions; see ``PictureSet``.

    Attributes:
        root: the data set's folder.
        version: "images", "thumbnails" or "in_the_wild".
    """

    root: Path
    version: str

    @property
    def title(self) -> str:
        """For messages."""
        return f"FFHQ, {FOLDERS[self.version]}"

    @property
    def crops(self) -> Sequence[Framing]:
        """The pictures in the wild are whole photographs; the others are aligned, and the list has their landmarks."""
        return {"images": (AsIs(), Align()), "thumbnails": (AsIs(),)}.get(self.version, (Align(), Box(), AsIs()))

    @cached_property
    def pictures(self) -> list[str]:
        """Paths relative to the root."""
        return list(find_pictures(self.root, FOLDERS[self.version]))

    @property
    def listing(self) -> Path:
        """Where the list lies, if it does."""
        return self.root / LIST

    def sources(self, needs: str) -> list[str]:
        """The pictures, and the list."""
        return [*self.pictures, *([LIST] if self.listing.is_file() else [])]

    def files(self, tally: Tally, needs: str) -> list[PictureFile]:
        """The pictures by number, in the official split.

        Raises:
            DatasetNotFoundError: the list cannot be read, or is not there and the crop needs it.
        """
        if needs and not self.listing.is_file():
            raise DatasetNotFoundError(
                f"{self.listing}: no such file; it says where faces are. data.crop=as_is does without it.\n{EXPECTED}"
            )
        entries = read_list(self.listing, PARTS[self.version], needs) if self.listing.is_file() else {}
        files: dict[int, PictureFile] = {}
        for path in self.pictures:
            stem = PurePosixPath(path).stem
            if not stem.isdecimal():
                tally.bad(NO_NUMBER, path)
            elif int(stem) in files:
                tally.note(TWICE, path)
            else:
                split = "train" if int(stem) < FIRST_VALIDATION else "val"
                files[int(stem)] = PictureFile(path, **({"split": split} | entries.get(int(stem), {})))
        return [files[number] for number in sorted(files)]


def find_ffhq(root: Path, version: str | None = None) -> FFHQ:
    """The pictures of an FFHQ folder.

    Args:
        root: the data set's folder.
        version: "images", "thumbnails" or "in_the_wild"; if none, the first of them that is there.

    Raises:
        DatasetNotFoundError: no folder, or nothing in it that looks like FFHQ in that version.
    """
    if not root.is_dir():
        raise DatasetNotFoundError(f"{root}: no such folder.\n{EXPECTED}")
    there = versions(root)
    if not there or (version and version not in there):
        hint = f" There are: {', '.join(f'data.version={name}' for name in there)}." if there else ""
        folder = FOLDERS[version] if version else "of FFHQ's folders"
        raise DatasetNotFoundError(f"{root}: no {folder} found.{hint}\n{EXPECTED}")
    found = FFHQ(root, version or there[0])
    if not found.pictures:
        raise DatasetNotFoundError(f"{root / FOLDERS[found.version]}: no pictures in it.\n{EXPECTED}")
    return found


def versions(root: Path) -> list[str]:
    """Which versions of the pictures are there."""
    return [version for version, folder in FOLDERS.items() if (root / folder).is_dir()]


def is_ffhq(root: Path) -> bool:
    """Whether a folder looks like FFHQ."""
    return bool(versions(root))


def read_list(path: Path, part: str, needs: str) -> dict[int, dict[str, Any]]:
    """What the list says of each picture, read entry by entry: 268 MB are never in memory at once.

    Args:
        path: of ``ffhq-dataset-v2.json``.
        part: "image", "thumbnail" or "in_the_wild".
        needs: what is kept besides the split: "box", "landmarks" or "".

    Returns:
        Number -> fields of :class:`PictureFile`.

    Raises:
        DatasetNotFoundError: it cannot be read, is cut short, or is not that list.
    """
    entries, number = {}, "-"
    try:
        with path.open("rb") as file:
            for number, entry in ijson.kvitems(file, "", use_float=True):
                entries[int(number)] = _fields(entry, part, needs)
    except (OSError, ijson.JSONError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}, at or after picture {number}: {str(error).partition(chr(10))[0]}"
        raise DatasetNotFoundError(f"{path}: the list cannot be read: {reason}. {REPLACE}") from None
    if not entries:
        raise DatasetNotFoundError(f"{path}: the list cannot be read: no pictures in it. {REPLACE}")
    return entries


def _fields(entry: dict[str, Any], part: str, needs: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"split": SPLITS[entry["category"]]}
    place = entry.get(part, {})
    if needs == "box" and "face_rect" in place:
        left, top, right, bottom = map(float, place["face_rect"])
        fields["box"] = left, top, right, bottom
    elif needs == "landmarks" and "face_quad" in place:
        fields["quad"] = np.asarray(place["face_quad"], dtype=np.float64).reshape(4, 2).tolist()
    elif needs == "landmarks" and "face_landmarks" in place:
        fields["landmarks"] = np.asarray(place["face_landmarks"], dtype=np.float32)
    return fields
