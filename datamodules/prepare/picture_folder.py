"""A plain folder of pictures, with folders in it or without."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from datamodules.prepare.aligned import Align
from datamodules.prepare.framing import AsIs, Framing
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.pictures import find_pictures
from datamodules.prepare.report import Tally
from facegen_core.emotions import EMOTIONS
from facegen_core.errors import DatasetNotFoundError
from facegen_core.population.truth import MASKS, truth_files
from facegen_core.types import UNKNOWN

EXPECTED = """Expected: pictures (.jpg, .png, ...) in a folder, or in folders below it:
  <root>/<any>/<any>.jpg            folders named as the emotions label the pictures directly in them:
                                    neutral, happy, sad, surprise, fear, disgust, anger, contempt
Without any: facegen data population --layout ffhq --people 200 --out DIR"""

OTHER_WORDS = {
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "scared": "fear",
    "fearful": "fear",
    "disgusted": "disgust",
    "angry": "anger",
}
UNLABELLED = "pictures in a folder that names no emotion, used without a label"


@dataclass(frozen=True)
class PictureFolder:
    """All pictures below a folder; see ``PictureSet``."""

    root: Path
    title: str = "pictures in a plain folder"
    crops: tuple[Framing, ...] = (AsIs(), Align(detect=True))

    @cached_property
    def paths(self) -> list[str]:
        """Of all pictures, relative to the root.

        Raises:
            DatasetNotFoundError: no folder, or no picture in it.
        """
        if not self.root.is_dir():
            raise DatasetNotFoundError(f"{self.root}: no such folder.\n{EXPECTED}")
        paths = list(find_pictures(self.root))
        if truth_files(self.root):
            paths = [path for path in paths if not path.startswith(f"{MASKS}/")]
        if not paths:
            raise DatasetNotFoundError(f"{self.root}: no pictures found.\n{EXPECTED}")
        return paths

    def sources(self, needs: str) -> list[str]:
        """The pictures."""
        return self.paths

    def files(self, tally: Tally, needs: str) -> list[PictureFile]:
        """All pictures; labelled if folders are named as emotions."""
        files = [PictureFile(path, emotion_of_folder(Path(path).parent.name)) for path in self.paths]
        if any(file.emotion != UNKNOWN for file in files):
            for file in files:
                if file.emotion == UNKNOWN:
                    tally.note(UNLABELLED, file.path)
        return files


def has_pictures(root: Path) -> bool:
    """Whether there is any picture in a folder or below."""
    return next(find_pictures(root), None) is not None


def emotion_of_folder(name: str) -> int:
    """The emotion that a folder is named as, -1 if none: "happy", "Happiness", "scared"; not "happy_front"."""
    word = name.lower()
    word = OTHER_WORDS.get(word, word)
    return EMOTIONS.index(word) if word in EMOTIONS else UNKNOWN
