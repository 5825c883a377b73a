"""What ``facegen data check`` says of a BP4D folder."""

from pathlib import Path

from datamodules.prepare.au_coding import read_intensity
from datamodules.prepare.bp4d import (
    INTENSITY,
    MESHES,
    OCCURRENCE,
    PICTURES,
    TASKS,
    Recording,
    choose_frames,
    intensity_path,
    mesh_reader,
    read_recordings,
    texture_of,
)
from datamodules.prepare.report import counted, unreadable_meshes
from facegen_core.errors import BadSampleError
from facegen_core.population.action_units import WITH_INTENSITY
from facegen_core.progress import track

FRAMES, OTHER_OFFSET = 50, -1
"""Frames a sequence that a reader takes by default; the offset that BP4D+ needs."""


def is_bp4d(root: Path) -> bool:
    """Whether a folder looks like BP4D, whole or in part."""
    return any((root / tree).is_dir() for tree in (OCCURRENCE, INTENSITY, PICTURES, MESHES))


def check_bp4d(root: Path, deep: bool = False) -> str:
    """Says what a folder has, what it lacks and what would be skipped.

    Args:
        root: the data set's folder.
        deep: also read every mesh and texture that a reader would take.

    Raises:
        DatasetNotFoundError: it holds no BP4D data, or position maps without their topology.
    """
    recordings = read_recordings(root)
    frames, kind = choose_frames(recordings, FRAMES, 0)
    reader = mesh_reader(root, kind)
    subjects = sorted({recording.subject for recording in recordings})
    women = sum(subject.startswith("F") for subject in subjects)
    meshless = [f"{_name(r)} ({lacking} of {len(r.coding.frames)})" for r in recordings if r.coding is not None
                if (lacking := _without(r, r.files.get(kind, {}), 0))]  # fmt: skip
    named = {(recording.subject, recording.task): recording for recording in recordings}
    textures = {f: texture_of(root, named[f.identity, f.task], f.picture, kind) for f in frames}
    missing, broken = _intensity_tables(root, recordings)
    lines = [
        f"{root}: {len(recordings)} sequences of {len(subjects)} subjects ({women} F, {len(subjects) - women} M); "
        f"meshes are {'position maps' if kind == 'npy' else 'OBJ files'}",
        counted("sequences missing", [f"{s}/{task}" for s in subjects for task in TASKS if (s, task) not in named]),
        counted("sequences that will be skipped", [r.problem for r in recordings if r.problem]),
        _frames_line(recordings, kind, len(frames)),
        counted("sequences with coded frames that have no mesh", meshless),
        _pictures_line(recordings),
        counted("action units without a column", _absent_units(recordings)),
        counted("tables of intensity missing (only figures of intensity need them)", missing),
        counted("tables of intensity that cannot be read", broken),
        counted("frames taken without a texture", [frame.path for frame, texture in textures.items() if not texture]),
    ]
    if not deep:
        return "\n".join([*lines, "meshes and textures not opened; --deep reads those that will be taken"])
    bad = unreadable_meshes(root, [frame.path for frame in frames], reader.vertices)
    spoilt = []
    for texture in track([texture for texture in textures.values() if texture], "read textures", "texture"):
        try:
            texture.read()
        except BadSampleError as error:
            spoilt.append(str(error))
    lines.append(counted("meshes that cannot be read and will be skipped", bad))
    return "\n".join([*lines, counted("textures that cannot be read", spoilt)])


def _name(recording: Recording) -> str:
    return f"{recording.subject}/{recording.task}"


def _without(recording: Recording, files: dict[int, str], offset: int) -> int:
    """Coded frames of a sequence that have none of ``files``."""
    frames = recording.coding.frames.tolist() if recording.coding is not None else []
    return sum(frame + offset not in files for frame in frames)


def _frames_line(recordings: list[Recording], kind: str, taken: int) -> str:
    coded = sum(len(r.coding.frames) for r in recordings if r.coding is not None)
    meshed = coded - sum(_without(r, r.files.get(kind, {}), 0) for r in recordings)
    return f"coded frames: {coded}; with a mesh: {meshed}; taken at {FRAMES} a sequence, evenly spread: {taken}"


def _pictures_line(recordings: list[Recording]) -> str:
    """How many coded frames lack a picture, and whether another offset would fit better."""
    lacking, otherwise = (sum(_without(r, r.pictures, offset) for r in recordings) for offset in (0, OTHER_OFFSET))
    hint = f" ({otherwise} with data.frame_offset={OTHER_OFFSET})" if otherwise < lacking else ""
    return f"coded frames without a picture (only textures need them): {lacking or 'none'}{hint}"


def _absent_units(recordings: list[Recording]) -> list[str]:
    tables = [r.coding.absent for r in recordings if r.coding is not None]
    units = sorted({unit for absent in tables for unit in absent})
    return [f"AU{unit:02d} in {sum(unit in absent for absent in tables)} tables" for unit in units]


def _intensity_tables(root: Path, recordings: list[Recording]) -> tuple[list[str], list[str]]:
    """Tables that are not there, and what is wrong with those that cannot be read."""
    missing, broken = [], []
    for recording in recordings:
        for unit in WITH_INTENSITY:
            path = intensity_path(root, recording.subject, recording.task, unit)
            if not path.is_file():
                missing.append(path.relative_to(root).as_posix())
                continue
            try:
                read_intensity(path)
            except BadSampleError as error:
                broken.append(str(error))
    return missing, broken
