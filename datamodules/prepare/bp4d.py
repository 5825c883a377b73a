"""What a BP4D folder holds: sequences, coded action units, and the registered meshes made from them."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datamodules.prepare.au_coding import Coding, read_intensity, read_occurrence
from datamodules.prepare.mesh_cache import OBJ, MeshReader
from datamodules.prepare.prnet import PositionMapReader, TextureFile, read_topology
from facegen_core.errors import BadSampleError, DatasetNotFoundError
from facegen_core.geometry.mesh import Indices
from facegen_core.population.action_units import WITH_INTENSITY
from facegen_core.types import UNKNOWN

PICTURES, OCCURRENCE, INTENSITY = "Sequences(2D+3D)", "AUCoding/AU_OCC", "AUCoding/AU_INT"
MESHES, TOPOLOGY = "Registered", "Registered/uv-data"

EXPECTED = """Expected, gaps in it may be:
  <root>/AUCoding/AU_OCC/F001_T1.csv              action units by frame; subjects F001, M001, ..., tasks T1 to T8
  <root>/AUCoding/AU_INT/AU06/F001_T1_AU06.csv    intensity of units 6, 10, 12, 14, 17, optional
  <root>/Sequences(2D+3D)/F001/T1/000.jpg         pictures, optional: textures come from them
  <root>/Registered/F001/T1/000.npy               PRNet's position map of the picture of that number, or 000.obj, a
                                                  registered mesh; and its texture 000.jpg or .png, optional
  <root>/Registered/uv-data/                      with position maps: PRNet's face_ind.txt, canonical_vertices.npy
Licence and application: https://www.cs.binghamton.edu/~lijun/Research/3DFE/3DFE_Analysis.html
Without it: facegen data population --layout bp4d --people 41 --out DIR"""

TASKS = tuple(f"T{number}" for number in range(1, 9))
_SUBJECT = re.compile(r"[FM]\d{3,}")
_TASK = re.compile(r"T\d+")
_SEQUENCE = re.compile(r"([FM]\d{3,})_(T\d+)\.csv")
_FRAME = re.compile(r"(\d+)\.(npy|obj|jpg|jpeg|png)")
PICTURE_KINDS = ("jpg", "jpeg", "png")
MALE = 10_000


@dataclass(frozen=True)
class FrameFile:
    """The mesh of one frame.

    Attributes:
        path: relative to the data set's root.
        identity: the subject, such as F001.
        task: such as T1.
        picture: number of the picture it was made from.
    """

    path: str
    identity: str
    task: str
    picture: int

    @property
    def labels(self) -> str:
        """Who and when, for the cache's digest; the coded units are read anew at each start."""
        return f"{self.identity} {self.task} {self.picture}"


@dataclass(frozen=True)
class FrameTexture(FrameFile):
    """The texture of one frame.

    Attributes:
        path: of the texture, or of the picture that it is sampled from.
        position_map: through which it is sampled; relative to the data set's root, "" where ``path`` is the texture.
    """

    position_map: str

    def texture(self, root: Path) -> TextureFile:
        """Where it is read from."""
        return TextureFile(root / self.path, root / self.position_map if self.position_map else None)


@dataclass
class Recording:
    """One sequence, as far as it is there.

    Attributes:
        subject: such as F001.
        task: such as T1.
        files: kind of file, such as "npy" -> number of the picture -> path relative to the root, of registered meshes
            and their textures.
        pictures: number -> path of the sequence's pictures.
        coding: the coded units; null without a table, or with one that cannot be read.
        problem: why the sequence cannot be used; "" if it can.
    """

    subject: str
    task: str
    files: dict[str, dict[int, str]] = field(default_factory=dict)
    pictures: dict[int, str] = field(default_factory=dict)
    coding: Coding | None = None
    problem: str = ""


class Labels(NamedTuple):
    """What is known of frames.

    Attributes:
        units: (N, 34) int64, 0 absent, 1 present, -1 unknown.
        intensity: (N, 5) int64 of the units that have one, 0 to 5, -1 unknown.
        problems: what is wrong with tables of intensities that cannot be read.
    """

    units: Indices
    intensity: Indices
    problems: list[str]


def read_recordings(root: Path) -> list[Recording]:
    """All sequences that a folder has anything of, by subject and task, with their coded units.

    Raises:
        DatasetNotFoundError: no folder, or nothing in it that looks like BP4D.
    """
    if not root.is_dir():
        raise DatasetNotFoundError(f"{root}: no such folder.\n{EXPECTED}")
    found: dict[tuple[str, str], Recording] = {}
    for tree in (MESHES, PICTURES):
        for folder in sorted((root / tree).glob("*/T*")):
            if _SUBJECT.fullmatch(folder.parent.name) and _TASK.fullmatch(folder.name) and folder.is_dir():
                names = folder.parent.name, folder.name
                recording = found.setdefault(names, Recording(*names))
                files = _numbered(root, folder)
                if tree == MESHES:
                    recording.files = files
                else:
                    recording.pictures = {n: path for kind in PICTURE_KINDS for n, path in files.get(kind, {}).items()}
    coded = {}
    for path in sorted((root / OCCURRENCE).glob("*.csv")):
        if match := _SEQUENCE.fullmatch(path.name):
            coded[match[1], match[2]] = path
            found.setdefault((match[1], match[2]), Recording(match[1], match[2]))
    if not found:
        raise DatasetNotFoundError(f"{root}: no sequences found.\n{EXPECTED}")
    recordings = [found[names] for names in sorted(found)]
    for recording in recordings:
        names = recording.subject, recording.task
        if names not in coded:
            recording.problem = f"{names[0]}/{names[1]}: no {OCCURRENCE}/{names[0]}_{names[1]}.csv"
            continue
        try:
            recording.coding = read_occurrence(coded[names])
        except BadSampleError as error:
            recording.problem = str(error)
    return recordings


def choose_frames(recordings: list[Recording], frames: int, offset: int) -> tuple[list[FrameFile], str]:
    """Coded frames that have a mesh, evenly spread over each sequence's.

    A sequence with none is marked as a problem.

    Args:
        recordings: of :func:`read_recordings`.
        frames: how many a sequence, or all it has if those are fewer.
        offset: number of the picture minus the number of the coded frame.

    Returns:
        The meshes, by subject, task and frame; and their kind, "npy" or "obj".
    """
    kind = mesh_kind(recordings)
    chosen = []
    for recording in recordings:
        if recording.coding is None:
            continue
        meshes = recording.files.get(kind, {})
        there = [n for n in (np.sort(recording.coding.frames) + offset).tolist() if n in meshes]
        if not there:
            place = f"{recording.subject}/{recording.task}"
            coded = len(recording.coding.frames)
            recording.problem = f"{place}: {coded} coded frames, none with a mesh in {MESHES}/{place}"
        for i in np.linspace(0, len(there) - 1, min(frames, len(there))).round().astype(int):
            chosen.append(FrameFile(meshes[there[i]], recording.subject, recording.task, there[i]))
    return chosen, kind


def mesh_kind(recordings: list[Recording]) -> str:
    """What a folder's meshes are: position maps ("npy") where there are any, else OBJ files ("obj")."""
    return "npy" if any("npy" in recording.files for recording in recordings) else "obj"


def mesh_reader(root: Path, kind: str) -> MeshReader:
    """The reader of a folder's meshes.

    Raises:
        DatasetNotFoundError: position maps without PRNet's topology.
    """
    if kind == "obj":
        return OBJ
    read_topology(root / TOPOLOGY)
    return PositionMapReader(root / TOPOLOGY)


def read_labels(root: Path, recordings: list[Recording], frames: Sequence[FrameFile], offset: int) -> Labels:
    """The coded units of frames; their intensities too, where there are readable tables of them.

    Args:
        root: the data set's folder.
        recordings: of :func:`read_recordings`.
        frames: of :func:`choose_frames`, all or some.
        offset: as given there.
    """
    coding = {(r.subject, r.task): r.coding for r in recordings if r.coding is not None}
    units = {names: dict(zip(c.frames.tolist(), c.values, strict=True)) for names, c in coding.items()}
    problems: list[str] = []
    intensity = {
        names: _intensities(root, *names, problems) for names in sorted({(f.identity, f.task) for f in frames})
    }
    unknown = (UNKNOWN,) * len(WITH_INTENSITY)
    return Labels(
        np.array([units[f.identity, f.task][f.picture - offset] for f in frames], dtype=np.int64),
        np.array([intensity[f.identity, f.task].get(f.picture - offset, unknown) for f in frames], dtype=np.int64),
        problems,
    )


def texture_of(root: Path, recording: Recording, picture: int, kind: str) -> TextureFile | None:
    """Where a frame's texture comes from: a file beside its mesh, else its picture through its position map."""
    for texture_kind in PICTURE_KINDS:
        if path := recording.files.get(texture_kind, {}).get(picture):
            return TextureFile(root / path)
    if kind == "npy" and picture in recording.pictures:
        return TextureFile(root / recording.pictures[picture], root / recording.files["npy"][picture])
    return None


def find_textures(
    root: Path, recordings: list[Recording], frames: Sequence[FrameFile], kind: str
) -> list[FrameTexture]:
    """The textures of frames, as far as there is a way to them.

    Args:
        root: the data set's folder.
        recordings: of :func:`read_recordings`.
        frames: of :func:`choose_frames`.
        kind: of the meshes, from there.
    """
    named = {(recording.subject, recording.task): recording for recording in recordings}
    found = []
    for frame in frames:
        if texture := texture_of(root, named[frame.identity, frame.task], frame.picture, kind):
            picture, position_map = [*(path.relative_to(root).as_posix() for path in texture.files), ""][:2]
            found.append(FrameTexture(picture, frame.identity, frame.task, frame.picture, position_map))
    return found


def subject_number(name: str) -> int:
    """A subject's number where names will not do: F007 is 7 and M007 is 10007."""
    return int(name[1:]) + (MALE if name[0] == "M" else 0)


def intensity_path(root: Path, subject: str, task: str, unit: int) -> Path:
    """The table of one unit's intensities in one sequence."""
    return root / INTENSITY / f"AU{unit:02d}" / f"{subject}_{task}_AU{unit:02d}.csv"


def _intensities(root: Path, subject: str, task: str, problems: list[str]) -> dict[int, list[int]]:
    """Frame -> intensities of the five units; what is wrong with a table is added to ``problems``."""
    known: dict[int, list[int]] = {}
    for i, unit in enumerate(WITH_INTENSITY):
        path = intensity_path(root, subject, task, unit)
        if not path.is_file():
            continue
        try:
            table = read_intensity(path)
        except BadSampleError as error:
            problems.append(str(error))
            continue
        for frame, value in zip(table.frames.tolist(), table.values[:, 0].tolist(), strict=True):
            known.setdefault(frame, [UNKNOWN] * len(WITH_INTENSITY))[i] = value
    return known


def _numbered(root: Path, folder: Path) -> dict[str, dict[int, str]]:
    """Kind of file -> number -> path of a folder's files; numbers have three digits or four."""
    found: dict[str, dict[int, str]] = {}
    relative = folder.relative_to(root).as_posix()
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if match := _FRAME.fullmatch(entry.name):
            found.setdefault(match[2], {}).setdefault(int(match[1]), f"{relative}/{entry.name}")
    return found
