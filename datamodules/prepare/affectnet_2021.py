"""AffectNet's release of 2021: cropped pictures, each with four small arrays beside it."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from datamodules.prepare.affectnet_labels import read_emotion
from datamodules.prepare.aligned import Align
from datamodules.prepare.framing import AsIs, Framing
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.pictures import NO_FILE, find_pictures
from datamodules.prepare.report import Tally
from facegen_core.progress import track

FOLDERS = {"val": "val_set", "train": "train_set"}
LABEL, POINTS = "_exp.npy", "_lnd.npy"
NO_LABEL, NAMED_AGAIN = "no annotation", "a second picture of the same number"


@dataclass(frozen=True)
class AffectNet2021:
    """``train_set`` and ``val_set``, as far as they are there; see ``PictureSet``."""

    root: Path
    title: str = "AffectNet, release of 2021"
    crops: tuple[Framing, ...] = (AsIs(), Align(detect=True))

    @cached_property
    def splits(self) -> dict[str, str]:
        """Split -> its folder, of those that are there."""
        return {split: name for split, name in FOLDERS.items() if (self.root / name / "images").is_dir()}

    @cached_property
    def pictures(self) -> dict[str, list[str]]:
        """Split -> paths of its pictures, relative to the root."""
        return {split: list(find_pictures(self.root, f"{name}/images")) for split, name in self.splits.items()}

    @cached_property
    def arrays(self) -> dict[str, set[str]]:
        """Split -> names of its annotations."""
        return {split: _names(self.root / name / "annotations") for split, name in self.splits.items()}

    def sources(self, needs: str) -> list[str]:
        """The pictures, their labels, and their landmarks where those are needed."""
        endings = (LABEL, POINTS) if needs == "landmarks" else (LABEL,)
        paths = [path for pictures in self.pictures.values() for path in pictures]
        for split, name in self.splits.items():
            paths += [f"{name}/annotations/{array}" for array in sorted(self.arrays[split]) if array.endswith(endings)]
        return paths

    def files(self, tally: Tally, needs: str) -> list[PictureFile]:
        """The pictures that have a label, by split and number."""
        files = []
        for split, name in self.splits.items():
            arrays, numbers = self.arrays[split], set()
            for path in track(self.pictures[split], f"read {name}'s labels", "label"):
                number = PurePosixPath(path).stem
                if number in numbers:
                    tally.note(NAMED_AGAIN, path)
                    continue
                numbers.add(number)
                if number + LABEL not in arrays:
                    tally.bad(NO_LABEL, path)
                    continue
                emotion = read_label(self.root, f"{name}/annotations/{number}{LABEL}", tally)
                if emotion is None:
                    continue
                given = needs == "landmarks" and number + POINTS in arrays
                points = f"{name}/annotations/{number}{POINTS}" if given else None
                files.append(PictureFile(path, emotion, split=split, landmarks=points))
            for array in sorted(arrays):
                if array.endswith(LABEL) and array.removesuffix(LABEL) not in numbers:
                    tally.bad(NO_FILE, f"{name}/images/{array.removesuffix(LABEL)}.jpg")
        return files


def read_label(root: Path, path: str, tally: Tally) -> int | None:
    """The emotion in an array of one item, which is a text in this release; see :func:`read_emotion`."""
    try:
        array = np.load(root / path, allow_pickle=False)
        text = str(array.reshape(-1)[0]) if array.size == 1 else ""
    except Exception:  # whatever numpy makes of a damaged file: BadZipFile, MemoryError, ...
        text = ""
    return read_emotion(text, path, tally)


def _names(folder: Path) -> set[str]:
    if not folder.is_dir():
        return set()
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries}
