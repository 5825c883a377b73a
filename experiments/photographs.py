"""Photographs that a command edits: which, where the results go, reading them, and writing them as they came."""

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from datamodules.prepare.pictures import (
    FROM_16_BITS,
    FROM_CMYK,
    FROM_GREY,
    SUFFIXES,
    find_pictures,
    laid_on_white,
    read_picture,
)
from facegen_core.errors import ConfigError, FacegenError
from facegen_core.files import atomic_path
from facegen_core.progress import say, track

Pixels = npt.NDArray[np.uint8]
"""(H, W, 3), RGB."""

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
"""What is written, by the ending of its name."""
_WITHOUT_ALPHA = ("JPEG",)
_SETTINGS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True},
    "TIFF": {"compression": "tiff_lzw"},
}


@dataclass(frozen=True, eq=False)
class Photograph:
    """A photograph to edit.

    Attributes:
        path: its file.
        pixels: upright; of a transparent one the colours as they are stored.
        alpha: of a transparent one; None: opaque.
        is_grey: whether it has no colours.
        profile: its ICC colour profile, if it has one.
    """

    path: Path
    pixels: Pixels
    alpha: Image.Image | None = None
    is_grey: bool = False
    profile: bytes | None = None

    @property
    def seen(self) -> Image.Image:
        """As a detector and networks see it, RGB: what is transparent, on white."""
        image = Image.fromarray(self.pixels)
        return image if self.alpha is None else laid_on_white(image, self.alpha)


@dataclass(frozen=True)
class Job:
    """One photograph's way.

    Attributes:
        source: its file.
        edits: of each target the file to write.
        sheet: of all targets side by side, where there are several.
    """

    source: Path
    edits: dict[str, Path]
    sheet: Path | None = None

    @property
    def files(self) -> list[Path]:
        """All that is written."""
        return [*self.edits.values(), *([self.sheet] if self.sheet else [])]


def read_photograph(path: Path) -> Photograph:
    """A picture of any kind, upright; see :func:`datamodules.prepare.pictures.read_picture`.

    Raises:
        BadPictureError: it cannot be used.
    """
    found = read_picture(path, on_white=False)
    is_grey = FROM_GREY in found.notes or FROM_16_BITS in found.notes
    profile = found.image.info.get("icc_profile") if FROM_CMYK not in found.notes else None
    return Photograph(path, np.asarray(found.image), found.alpha, is_grey, profile)


def save_photograph(photograph: Photograph, pixels: Pixels, path: Path) -> None:
    """Writes what became of a photograph, whole or not at all: transparent, grey, or in its colours, as that was.

    EXIF is left out, as it speaks of another picture. A format without alpha gets it on white.

    Args:
        photograph: the source.
        pixels: edited.
        path: its ending decides the format.
    """
    kind, image = FORMATS[path.suffix.lower()], Image.fromarray(pixels)
    if photograph.alpha is not None and kind in _WITHOUT_ALPHA:
        image = laid_on_white(image, photograph.alpha)
    if photograph.is_grey:
        image = image.convert("L")
    if photograph.alpha is not None and kind not in _WITHOUT_ALPHA:
        image.putalpha(photograph.alpha)
    extra = {"icc_profile": photograph.profile} if photograph.profile else {}
    with atomic_path(path) as temporary:
        image.save(temporary, format=kind, **_SETTINGS.get(kind, {}), **extra)


def find_jobs(inputs: Sequence[str], out: Path, targets: Sequence[str], overwrite: bool) -> list[Job]:
    """What there is to do.

    One photograph goes to the file ``out``; where that is a folder, and of several, each goes below it, to the place it
    has in its own folder, as PNG. With several targets each result has its target's name behind its own, and
    the name alone is the sheet's.

    Args:
        inputs: files, folders, and patterns such as ``photos/*.jpg``.
        out: a file, or a folder.
        targets: what each photograph is edited to.
        overwrite: replace results that are there; else a file that is there is refused, and in a folder it is done.

    Raises:
        ConfigError: no such file, ``out`` cannot take the results, or would replace a photograph.
    """
    found, is_file = list(_named(inputs, out)), out.suffix != "" and not out.is_dir()
    if len(found) == 1 and is_file:
        if out.suffix.lower() not in FORMATS:
            raise ConfigError(f"{out}: pictures are not written as {out.suffix}. There are: {', '.join(FORMATS)}.")
        jobs = [_job(found[0][0], out, targets)]
    elif out.suffix.lower() in SUFFIXES or out.is_file():
        raise ConfigError(f"{out}: is one picture's name, and {len(found)} photographs are edited. Give a folder.")
    else:
        is_file, jobs = False, [_job(path, out / name, targets) for path, name in found]
    _check_kept(jobs)
    there = [path for job in jobs for path in job.files if path.exists()]
    if is_file and there and not overwrite:
        raise ConfigError(f"{there[0]}: is there already. --overwrite replaces it.")
    return jobs


def run_jobs(jobs: Sequence[Job], overwrite: bool, work: Callable[[Job], None]) -> None:
    """Does all that is not done yet. A photograph that fails is named, and the others go on.

    Args:
        jobs: of :func:`find_jobs`.
        overwrite: also do what is done.
        work: edits one photograph and writes its files.

    Raises:
        FacegenError: one that fails alone raises its own error; of several, how many failed.
    """
    waiting = [job for job in jobs if overwrite or not all(path.exists() for path in job.files)]
    failed = 0
    for job in track(waiting, "edit", "photograph") if len(jobs) > 1 else waiting:
        try:
            work(job)
        except FacegenError as error:
            if len(jobs) == 1:
                raise
            failed += 1
            say(f"left out: {error}")
    done = len(jobs) - len(waiting)
    say(f"edited: {len(waiting) - failed}" + (f", there already: {done} (--overwrite replaces them)" if done else ""))
    if failed:
        raise FacegenError(f"{failed} of {len(jobs)} photographs could not be edited; each is named above.")


def _job(source: Path, out: Path, targets: Sequence[str]) -> Job:
    if len(targets) == 1:
        return Job(source, {targets[0]: out})
    return Job(source, {target: out.with_name(f"{out.stem}-{target}{out.suffix}") for target in targets}, out)


def _named(inputs: Sequence[str], out: Path) -> Iterator[tuple[Path, str]]:
    """Every photograph once, and its result's name below ``out``."""
    files: dict[Path, Path] = {}
    for path, name in (found for given in inputs for found in _given(given, out)):
        files.setdefault(path.resolve(), name)
    names = [name.with_suffix("") for name in files.values()]
    for path, name in files.items():
        is_clear = names.count(name.with_suffix("")) == 1
        yield path, f"{name.with_suffix('') if is_clear else name}.png"


def _given(given: str, out: Path) -> list[tuple[Path, Path]]:
    """The photographs that one word of the command means, each with its name there."""
    path = Path(given)
    if path.is_file():
        return [(path, Path(path.name))]
    if path.is_dir():
        if path.resolve() == out.resolve():
            raise ConfigError(f"{out}: is the folder of the photographs themselves. Give another to write to.")
        below = out.resolve()
        found = [(path / name, Path(name)) for name in find_pictures(path)]
        found = [(file, name) for file, name in found if below not in file.resolve().parents]
    else:
        matches = sorted(Path(match) for match in glob.glob(given, recursive=True))  # noqa: PTH207  # may be absolute
        matches = [match for match in matches if match.suffix.lower() in SUFFIXES and match.is_file()]
        parent = Path(os.path.commonpath([match.parent for match in matches])) if matches else path
        found = [(match, match.relative_to(parent)) for match in matches]
    if not found:
        raise ConfigError(f"{given}: no such photograph, or none in it.")
    return found


def _check_kept(jobs: Sequence[Job]) -> None:
    """Refuses results in the place of a photograph, also where a link leads there."""
    sources = {_file_number(job.source): job.source for job in jobs}
    for path in (path for job in jobs for path in job.files):
        if path.exists() and (source := sources.get(_file_number(path))):
            raise ConfigError(f"{path}: would replace the photograph {source}. Give another name.")


def _file_number(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
