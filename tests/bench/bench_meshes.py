"""How fast meshes are read: ``python tests/bench/bench_meshes.py [--people N]``.

Every speed is measured beside what it is compared with, taking turns in one run, because absolute speeds differ from
machine to machine and from minute to minute. Sizes are FaceScape's: 26,317 vertices, 52,261 triangles.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import trimesh

sys.path.insert(0, str(Path(__file__).parents[2]))

from datamodules.config import FaceScapeConfig
from datamodules.facescape import FaceScapeDataModule
from facegen_core.geometry.mesh import format_topology, format_vertices, read_obj_vertices
from facegen_core.population.expressions import FACESCAPE
from facegen_core.progress import track

VERTICES, TRIANGLES, TEXELS = 26317, 52261, 26404
DISTINCT_FILES = 8
BATCH = 128
TURNS = 5


def main() -> None:
    """Prints two tables: parsing, and reading from the cache."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=40, help="people of 20 meshes each in the cache")
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory(prefix="facegen-bench-") as folder:
        root = Path(folder) / "data"
        files = write_files(Path(folder) / "files")
        bench_parsing(files)
        link_people(root, files, people)
        bench_cache(root)


def write_files(folder: Path) -> list[Path]:
    """A few OBJ files of FaceScape's sizes."""
    random = np.random.default_rng(0)
    folder.mkdir()
    faces = random.integers(0, VERTICES, (TRIANGLES, 3))
    faces_uv = random.integers(0, TEXELS, (TRIANGLES, 3))
    topology = format_topology(faces, random.random((TEXELS, 2)).astype(np.float32), faces_uv)
    paths = [folder / f"{i}.obj" for i in range(DISTINCT_FILES)]
    for path in paths:
        path.write_text(format_vertices(random.normal(0, 60, (VERTICES, 3)), 6) + topology)
    return paths


def link_people(root: Path, files: list[Path], people: int) -> None:
    """A FaceScape folder whose meshes are links to the same few files: the reader cannot tell, the disk is spared."""
    number = 0
    for person in range(1, people + 1):
        folder = root / str(person) / "models_reg"
        folder.mkdir(parents=True)
        for k, name in enumerate(FACESCAPE, start=1):
            os.link(files[number % len(files)], folder / f"{k}_{name}.obj")
            number += 1


def bench_parsing(files: list[Path]) -> None:
    """Meshes a second of our reader and of trimesh, file by file in turn."""
    ours, theirs = [], []
    for path in track(files, "parse", "file"):
        ours.append(_seconds(lambda path=path: read_obj_vertices(path)))
        theirs.append(_seconds(lambda path=path: trimesh.load(path, process=False, maintain_order=True)))
    print(f"\nparsing {len(files)} OBJ files of {VERTICES} vertices, one process, files in memory")
    print(f"  facegen   {1 / median(ours):8.1f} meshes/s   (vertices only, which is all a registered mesh adds)")
    print(f"  trimesh   {1 / median(theirs):8.1f} meshes/s   (the whole file; it has no reader of vertices alone)")
    print(f"  ratio     {median(theirs) / median(ours):8.1f}")


def bench_cache(root: Path) -> None:
    """Meshes a second in shuffled training batches, against copying the same bytes from memory and from disk."""
    started = time.perf_counter()
    datamodule = _opened(root)
    built = time.perf_counter() - started
    rows = datamodule.datasets["train"].cache
    mesh_bytes, path = rows[0].nbytes, rows.filename
    batches = max(2, len(datamodule.datasets["train"]) // BATCH)
    resident = np.array(rows)
    order = np.random.default_rng(0).permutation(len(resident))[: batches * BATCH]

    def copy() -> None:
        for start in range(0, len(order), BATCH):
            np.take(resident, order[start : start + BATCH], axis=0)

    def load() -> None:
        stream = iter(datamodule.train_dataloader())
        for _ in range(batches):
            next(stream)

    cached, copied, cold, disk = [], [], [], []
    for _ in track(range(TURNS), "read", "turn"):
        load()  # into memory
        cached.append(_seconds(load) / (batches * BATCH))
        copied.append(_seconds(copy) / len(order))
        del datamodule, rows  # the system keeps a file that is mapped
        _forget(path)
        datamodule = _opened(root)
        rows = datamodule.datasets["train"].cache
        cold.append(_seconds(load) / (batches * BATCH))
        del datamodule, rows
        _forget(path)
        disk.append(_seconds(lambda: _read(path)) / len(resident))
        datamodule = _opened(root)
        rows = datamodule.datasets["train"].cache
    print(f"\ncache of {len(rows)} meshes, {len(rows) * mesh_bytes / 2**20:.0f} MiB, built in {built:.1f} s "
          f"({len(rows) / built:.0f} meshes/s, {os.cpu_count()} cores); random batches of {BATCH}")  # fmt: skip
    for name, seconds in (("batches, in memory", cached), ("copy in memory", copied),
                          ("batches, from disk", cold), ("disk, read in order", disk)):  # fmt: skip
        print(f"  {name:22s}{1 / median(seconds):9.0f} meshes/s {mesh_bytes / median(seconds) / 2**30:8.2f} GiB/s")
    print(f"  batches reach {median(copied) / median(cached):.2f} of the copy's speed in memory "
          f"and {median(disk) / median(cold):.2f} of the disk's")  # fmt: skip
    print(
        "  (from disk: the system was asked to forget the file; a virtual disk may still hold it in its host's memory)"
    )


def _opened(root: Path) -> FaceScapeDataModule:
    datamodule = FaceScapeDataModule(FaceScapeConfig(root=str(root)), BATCH, seed=0)
    datamodule.prepare_data()
    datamodule.setup("fit")
    return datamodule


def _forget(path: str | Path) -> None:
    """Asks the system to drop a file from its page cache; needs no rights, unlike dropping all caches."""
    with Path(path).open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read(path: str | Path) -> None:
    buffer = bytearray(1 << 24)
    with Path(path).open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
