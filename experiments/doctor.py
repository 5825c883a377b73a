"""``facegen doctor``: what this machine has, for a bug report or before a long run."""

import importlib.metadata
import os
import platform
import shutil
from pathlib import Path

from experiments.tracking.record import PACKAGES
from facegen_core.errors import DatasetNotFoundError


def doctor() -> str:
    """A report of versions, devices, free memory and disk, weights and data found."""
    sections = {"versions": _versions(), "devices": _devices(), "room": _room(), "weights": _weights(), "data": _data()}
    return "\n".join(f"{title}\n" + "\n".join(f"  {line}" for line in lines) for title, lines in sections.items())


def _versions() -> list[str]:
    lines = [f"{'python':<18} {platform.python_version()} on {platform.platform()}"]
    for name in ("facegen", *PACKAGES):
        try:
            lines.append(f"{name:<18} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            lines.append(f"{name:<18} not installed")
    return lines


def _devices() -> list[str]:
    import torch

    lines = [f"CPU: {os.cpu_count()} cores, torch uses {torch.get_num_threads()} threads"]
    for i in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(i)
        bf16 = "bf16" if torch.cuda.is_bf16_supported() else "no bf16"
        lines.append(
            f"GPU {i}: {torch.cuda.get_device_name(i)}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free, {bf16}"
        )
    return lines if len(lines) > 1 else [*lines, "GPU: none that torch can use"]


def _room() -> list[str]:
    import psutil

    memory, disk = psutil.virtual_memory(), shutil.disk_usage(".")
    return [
        f"memory: {memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free",
        f"disk here: {disk.free / 2**30:.1f} of {disk.total / 2**30:.1f} GiB free",
    ]


def _weights() -> list[str]:
    from experiments.weights import weights_list

    return weights_list().splitlines()


def _data() -> list[str]:
    folder = Path("outputs/data")
    lines = [f"{path}: {_held(path)}" for path in sorted(folder.glob("*")) if path.is_dir()]
    return lines or [f"none in {folder} yet"]


def _held(folder: Path) -> str:
    """What a data set's folder holds, counted without opening its files."""
    from datamodules.prepare.pictures import SUFFIXES
    from datamodules.prepare.recognise import find_picture_set
    from facegen_core.population.truth import truth_files

    meshes = ("*/models_reg", "Sequences(2D+3D)/*")  # FaceScape's, BP4D's
    if people := sum(1 for pattern in meshes for _ in folder.glob(pattern)):
        return f"{people} people"
    try:
        pictures = find_picture_set(folder, "auto")
    except DatasetNotFoundError:
        return "no data set"
    count = sum(path.lower().endswith(SUFFIXES) for path in pictures.sources(""))
    people = len(truth_files(folder))
    return f"{pictures.title}, {count} pictures" + (f" of {people} people" if people else "")
