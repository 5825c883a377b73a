"""Small BP4D folders with position maps of a made-up face, as PRNet would have written them."""

from pathlib import Path

import numpy as np
from PIL import Image

from facegen_core.population.action_units import ACTION_UNITS

SIDE = 256
MISSING_CORNER = 41 * SIDE + 60
"""A texel inside the face's square that is not of the face."""


def texels() -> np.ndarray:
    """The face: a rectangle of rows 40 to 49 and columns 60 to 71 without its second row's first texel."""
    rows, columns = np.meshgrid(np.arange(40, 50), np.arange(60, 72), indexing="ij")
    flat = (rows * SIDE + columns).ravel()
    return flat[flat != MISSING_CORNER]


def canonical() -> np.ndarray:
    """A frontal face (V, 3), y down: the rectangle, bulging towards the viewer."""
    row, column = np.divmod(texels(), SIDE)
    depth = 20 - 0.5 * ((row - 44.5) ** 2 + (column - 65.5) ** 2)
    return np.stack([10.0 * (column - 65.5), 128 + 10.0 * (row - 44.5), depth], axis=1)


def face(subject: str, task: str, frame: int) -> np.ndarray:
    """The face of one frame, frontal, (V, 3), y down: canonical with bumps of its own that no affine map makes."""
    random = np.random.default_rng([ord(letter) for letter in subject + task] + [frame])
    return canonical() + random.normal(0, 2, canonical().shape)


def position_map(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Points (V, 3) seen from somewhere: turned, scaled and moved, as a map (256, 256, 3) float32 with junk around."""
    random = np.random.default_rng(seed)
    turn = np.eye(3) * 1.5 + random.normal(0, 0.2, (3, 3))
    positions = random.normal(0, 1000, (SIDE * SIDE, 3))
    positions[texels()] = points @ turn + [300, 200, 50]
    return positions.reshape(SIDE, SIDE, 3).astype(np.float32)


def fitted(points: np.ndarray) -> np.ndarray:
    """What PRNet's frontalisation must give for ``points`` seen from anywhere: their best affine fit to canonical.

    Solved by the normal equations, y up.
    """
    homogeneous = np.column_stack([points, np.ones(len(points))])
    affine = np.linalg.inv(homogeneous.T @ homogeneous) @ homogeneous.T @ canonical()
    frontal = homogeneous @ affine
    return frontal * [1, -1, 1] + [0, SIDE - 1, 0]


def write_topology(folder: Path) -> None:
    """The two files a user copies from PRNet, in its formats."""
    folder.mkdir(parents=True)
    np.savetxt(folder / "face_ind.txt", texels())  # floats in text, as PRNet's own
    np.save(folder / "canonical_vertices.npy", canonical())


def units_of(subject: str, task: str, frame: int) -> list[int]:
    """Codes (34,) of one frame: 0, 1 and some 9."""
    random = np.random.default_rng([ord(letter) for letter in subject + task] + [frame, 1])
    return random.choice([0, 1, 9], len(ACTION_UNITS), p=[0.6, 0.3, 0.1]).tolist()


def write_occurrence(root: Path, subject: str, task: str, frames: range) -> Path:
    """A table of units by frame."""
    path = root / "AUCoding" / "AU_OCC" / f"{subject}_{task}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [[0, *ACTION_UNITS], *([frame, *units_of(subject, task, frame)] for frame in frames)]
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


def write_sequence(
    root: Path, subject: str, task: str, coded: range = range(4, 10), pictures: int = 12, digits: int = 3,
    meshes: range | None = None,
) -> None:  # fmt: skip
    """One sequence with pictures 0, 1, ..., coded frames and position maps of those (or of ``meshes``)."""
    write_occurrence(root, subject, task, coded)
    for unit in (6, 10, 12, 14, 17):
        path = root / "AUCoding" / "AU_INT" / f"AU{unit:02d}" / f"{subject}_{task}_AU{unit:02d}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{frame},{(frame + unit) % 6}\n" for frame in coded))
    folder = root / "Sequences(2D+3D)" / subject / task
    folder.mkdir(parents=True)
    for number in range(pictures):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / f"{number:0{digits}d}.jpg")
    folder = root / "Registered" / subject / task
    folder.mkdir(parents=True)
    for number in coded if meshes is None else meshes:
        np.save(folder / f"{number:0{digits}d}.npy", position_map(face(subject, task, number), number))


def write_bp4d_folder(root: Path, subjects=("F001", "F002", "M001", "M002", "M003"), tasks=("T1", "T2")) -> Path:
    """A folder of whole sequences."""
    write_topology(root / "Registered" / "uv-data")
    for subject in subjects:
        for task in tasks:
            write_sequence(root, subject, task)
    return root
