"""How fast specificity is found: ``python tests/bench/bench_specificity.py [--meshes M] [--samples N] [--folder DIR]``.

FaceScape's size by default: 1000 samples against 16,940 meshes of 26,317 vertices, 5.3 GB, which are written to a
temporary folder, dropped from the system's cache, and deleted in the end. Faces are of the ICT model where
FACEGEN_REAL holds it, else of a linear model with 130 smooth random modes. Brute force is measured on a few samples
against all meshes; its time for all samples follows from that.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from conftest import real_folder
from helpers.ict_facescape import ict_file, ict_person

from facegen_core.metrics.functional.mesh_distance import distance_matrix, stream_meshes
from facegen_core.metrics.functional.specificity import index_training, nearest_training_mesh
from facegen_core.progress import track
from facegen_core.seeding import numpy_generator
from tests.bench.bench_meshes import _forget, _read

VERTICES, MESHES, SAMPLES = 26_317, 16_940, 1000
MODES = 130
BRUTE_SAMPLES = 4
BLOCK = 20
"""Meshes written at a time; the ICT model's people have as many."""


class Measured(NamedTuple):
    """Seconds, bytes and counts of one search, made in a process of its own."""

    index_seconds: float
    search_seconds: float
    brute_seconds: float
    peak_bytes: int
    evaluations: int
    worst_difference: float
    specificity: float


def main() -> None:
    """Prints one table, and one more for a GPU where there is one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--meshes", type=int, default=MESHES)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--folder", type=Path, default=None, help="where the meshes are written; the system's if left")
    arguments = parser.parse_args()
    size = (arguments.meshes + arguments.samples) * VERTICES * 12
    with tempfile.TemporaryDirectory(prefix="facegen-bench-", dir=arguments.folder) as folder:
        if (free := shutil.disk_usage(folder).free) < 1.1 * size:
            print(f"specificity: {folder} has {free / 2**30:.1f} GiB free and needs {1.1 * size / 2**30:.1f}; "
                  "give another with --folder, or fewer --meshes")  # fmt: skip
            return
        source, faces = _faces()
        training, samples = Path(folder) / "training.f32", Path(folder) / "samples.f32"
        _write(training, faces, arguments.meshes, "write training meshes")
        _write(samples, faces, arguments.samples, "write samples")
        print(f"\nspecificity: {arguments.samples} samples against {arguments.meshes} meshes of {VERTICES} vertices "
              f"({source}), {training.stat().st_size / 2**30:.2f} GiB on disk")  # fmt: skip
        for device in ("cpu", *(["cuda"] if torch.cuda.is_available() else [])):
            _report(device, training, samples)


def _report(device: str, training: Path, samples: Path) -> None:
    meshes, count = _open(training).shape[0], _open(samples).shape[0]
    _forget(training)
    started = time.perf_counter()
    _read(training)
    read = time.perf_counter() - started
    _forget(training)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        cold = pool.submit(measure, device, training, samples).result()
    total, brute = cold.index_seconds + cold.search_seconds, cold.brute_seconds * count / BRUTE_SAMPLES
    pairs = meshes * count
    print(f"  {device}, {torch.get_num_threads()} threads" if device == "cpu" else f"  {device}")
    print(f"    end to end          {total:9.1f} s   (pass over the file for cluster means {cold.index_seconds:.1f} s, "
          f"search {cold.search_seconds:.1f} s)")  # fmt: skip
    print(f"    reading the file    {read:9.1f} s   (alone, in order; the system was asked to forget it before each)")
    print(f"    brute force         {brute:9.1f} s   (from {BRUTE_SAMPLES} samples against all meshes, file in memory)")
    print(f"    ratio               {brute / total:9.1f}")
    print(f"    peak memory         {cold.peak_bytes / 2**30:9.2f} GiB (torch's libraries and mapped pages included)")
    print(f"    full distances      {cold.evaluations:9d}     of {pairs}: {pairs / cold.evaluations:.0f} times fewer, "
          f"{cold.evaluations / count:.1f} a sample")  # fmt: skip
    print(f"    specificity         {cold.specificity:9.4f} mm  (differs from brute force by at most "
          f"{cold.worst_difference:.1e} mm)")  # fmt: skip


def measure(device: str, training_file: Path, samples_file: Path) -> Measured:
    """Finds the nearest meshes of all samples, and by brute force those of a few."""
    training = _open(training_file)
    samples = torch.from_numpy(np.fromfile(samples_file, np.float32).reshape(-1, VERTICES, 3)).to(device)
    started = time.perf_counter()
    index = index_training(training)
    indexed = time.perf_counter()
    found = nearest_training_mesh(samples, training, index)
    distance = found.distance.cpu()
    finished = time.perf_counter()
    peak = _peak_bytes()
    few = samples[:: max(1, len(samples) // BRUTE_SAMPLES)][:BRUTE_SAMPLES]
    few_distance = distance[:: max(1, len(samples) // BRUTE_SAMPLES)][:BRUTE_SAMPLES]
    brute_started = time.perf_counter()
    lowest = torch.full((len(few),), torch.inf, device=device)
    for _, meshes in stream_meshes(training):
        lowest = torch.minimum(lowest, distance_matrix(few, meshes.to(device)).amin(dim=1))
    difference = float((lowest.cpu() - few_distance).abs().max())
    return Measured(
        indexed - started,
        finished - indexed,
        time.perf_counter() - brute_started,
        peak,
        found.evaluations,
        difference,
        float(distance.double().mean()),
    )


def _faces() -> tuple[str, Iterator[np.ndarray]]:
    """What the faces are, and blocks of them, (20, VERTICES, 3) mm: one person's expressions each."""
    real = real_folder()
    if real is not None and ict_file(real).is_file():
        model = ict_file(real)
        return "ICT model", (ict_person(model, 0, person)[:, :VERTICES] for person in range(10**6))
    return "random linear model", _linear_faces()


def _linear_faces() -> Iterator[np.ndarray]:
    """Smooth random fields on a head-sized ellipsoid; a person has 100 of their strengths, an expression 30."""
    random = numpy_generator(0, 0)
    golden = np.pi * (3 - np.sqrt(5)) * np.arange(VERTICES)
    height = np.linspace(-1, 1, VERTICES)
    ring = np.sqrt(1 - height**2)
    place = np.stack([ring * np.cos(golden), height, ring * np.sin(golden)], 1) * [80, 120, 95]
    order = np.arange(MODES)
    waves = random.normal(0, 1, (MODES, 3)) * (0.005 + 0.0004 * order[:, None])
    fields = np.cos(place @ waves.T + random.uniform(0, 2 * np.pi, MODES)).T[:, :, None]
    modes = (fields * random.normal(0, 1, (MODES, 1, 3)) * (4 / (1 + order / 5))[:, None, None]).astype(np.float32)
    flat = modes.reshape(MODES, -1)
    expressions = random.normal(0, 2, (BLOCK, 30))
    while True:
        codes = np.empty((BLOCK, MODES), np.float32)
        codes[:, :100] = random.normal(0, 1, 100)
        codes[:, 100:] = expressions * (1 + 0.12 * random.normal(0, 1, (BLOCK, 30)))
        yield (codes @ flat).reshape(BLOCK, VERTICES, 3) + place.astype(np.float32)


def _write(path: Path, faces: Iterator[np.ndarray], count: int, description: str) -> None:
    with path.open("wb") as file:
        for start in track(range(0, count, BLOCK), description, "person"):
            next(faces)[: count - start].astype(np.float32).tofile(file)


def _open(path: Path) -> np.memmap:
    return np.memmap(path, np.float32, "r").reshape(-1, VERTICES, 3)


def _peak_bytes() -> int:
    """Most memory this process has held, mapped pages of files included."""
    with Path(f"/proc/{os.getpid()}/status").open() as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
