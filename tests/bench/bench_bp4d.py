"""How fast BP4D is read: ``python tests/bench/bench_bp4d.py``.

At PRNet's size: about as many vertices as its 43,867. What is compared takes turns in one run.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd  # comes with mlflow

sys.path.insert(0, str(Path(__file__).parents[2]))

from datamodules.prepare.au_coding import read_occurrence
from datamodules.prepare.prnet import SIDE, PositionMapReader
from facegen_core.geometry.mesh import format_vertices, read_obj_vertices
from facegen_core.population.action_units import ACTION_UNITS

TURNS = 20
ROWS = 1000


def main() -> None:
    """Prints both comparisons."""
    with tempfile.TemporaryDirectory(prefix="facegen-bench-") as folder:
        bench_meshes(Path(folder))
        bench_tables(Path(folder))


def bench_meshes(folder: Path) -> None:
    """A mesh from its position map, frontalisation included, and the same mesh from an OBJ file."""
    row, column = np.mgrid[:SIDE, :SIDE]
    texels = np.flatnonzero(((row - 103) / 98) ** 2 + ((column - 127.5) / 123) ** 2 < 1.16)
    canonical = np.stack([column, row, 60 * np.cos(row / 90) * np.cos(column / 90)], -1).reshape(-1, 3)[texels]
    np.savetxt(folder / "face_ind.txt", texels)
    np.save(folder / "canonical_vertices.npy", canonical)
    positions = np.zeros((SIDE * SIDE, 3), np.float32)
    positions[texels] = canonical + np.random.default_rng(0).normal(0, 1, canonical.shape)
    np.save(folder / "000.npy", positions.reshape(SIDE, SIDE, 3))
    (folder / "000.obj").write_text(format_vertices(positions[texels]))
    reader = PositionMapReader(folder)
    ours, theirs = _turns(lambda: reader.vertices(folder / "000.npy"), lambda: read_obj_vertices(folder / "000.obj"))
    print(
        f"\na mesh of {len(texels)} vertices: {1000 * ours:.1f} ms from a position map, {1000 * theirs:.1f} ms from an "
        f"OBJ file: {theirs / ours:.1f} times as fast"
    )


def bench_tables(folder: Path) -> None:
    """A table of action units, checked line by line, and the same file through pandas, unchecked."""
    codes = np.random.default_rng(0).choice([0, 1, 9], (ROWS, len(ACTION_UNITS)))
    rows = [[0, *ACTION_UNITS], *([frame, *row] for frame, row in enumerate(codes.tolist()))]
    path = folder / "F001_T1.csv"
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    ours, theirs = _turns(lambda: read_occurrence(path), lambda: pd.read_csv(path))
    print(
        f"a table of {ROWS} frames: {1000 * ours:.1f} ms with its checks, {1000 * theirs:.1f} ms by pandas without: "
        f"{theirs / ours:.1f} times as fast"
    )


def _turns(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of both, taking turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for seconds, work in zip(times, (ours, theirs), strict=True):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
    return median(times[0]), median(times[1])


if __name__ == "__main__":
    main()
