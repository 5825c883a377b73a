"""Distances between many meshes in dense correspondence, and reading more meshes than fit in memory."""

import mmap
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

CPU_BLOCK = 1 << 20
"""Numbers in a temporary on a CPU: a few MiB, which stay in its cache."""
GPU_BLOCK = 1 << 27
"""The same on a GPU, where larger blocks are faster."""
ROWS_AT_A_TIME = 64


class MeshRows(Protocol):
    """Meshes read by rows, (M, V, 3): an array, a memory map, or one split of a data module."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice | npt.NDArray[np.int64], /) -> npt.NDArray[np.float32]: ...


def mesh_distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean distance between corresponding vertices of each pair, ``d(a, b) = 1/V sum_v |a_v - b_v|``: a metric.

    Meshes are not aligned.

    Args:
        a: (B, V, 3), mm.
        b: (B, V, 3), mm.

    Returns:
        (B,) distances in mm.
    """
    size = _meshes_in_block(a)
    blocks = [(x - y).norm(dim=-1).mean(dim=1) for x, y in zip(a.split(size), b.split(size), strict=True)]
    return torch.cat(blocks)


def distance_matrix(a: Tensor, b: Tensor) -> Tensor:
    """:func:`mesh_distance` of every mesh of one set to every mesh of another.

    Args:
        a: (A, V, 3), mm.
        b: (B, V, 3), mm.

    Returns:
        (A, B) distances in mm.
    """
    result = a.new_empty(len(a), len(b))
    size = _meshes_in_block(b)
    for start in range(0, len(b), size):
        block = b[start : start + size]
        for row, mesh in zip(result, a, strict=True):
            row[start : start + size] = (mesh - block).norm(dim=-1).mean(dim=1)
    return result


def read_meshes(meshes: MeshRows, rows: slice | npt.NDArray[np.int64]) -> Tensor:
    """Some meshes as a float32 tensor of its own, (B, V, 3).

    A read-only memory map gives its pages back to the system at once, so that a pass over it does not fill the
    process's memory. The system keeps them cached while it has room.
    """
    read = np.array(meshes[rows], dtype=np.float32)
    _release(meshes)
    return torch.from_numpy(read)


def stream_meshes(meshes: MeshRows) -> Iterator[tuple[slice, Tensor]]:
    """All meshes in order, a block at a time: (rows, (B, V, 3))."""
    for start in range(0, len(meshes), ROWS_AT_A_TIME):
        part = slice(start, min(start + ROWS_AT_A_TIME, len(meshes)))
        yield part, read_meshes(meshes, part)


def _release(meshes: object) -> None:
    """Gives the pages of a memory map back, also of one that is read through a data set (its ``cache``)."""
    meshes = getattr(meshes, "cache", meshes)
    if isinstance(meshes, np.memmap) and meshes.mode == "r" and hasattr(mmap, "MADV_DONTNEED"):
        base: object = meshes
        while isinstance(base, np.ndarray):
            base = base.base
        if isinstance(base, mmap.mmap):
            base.madvise(mmap.MADV_DONTNEED)


def _meshes_in_block(meshes: Tensor) -> int:
    numbers = GPU_BLOCK if meshes.is_cuda else CPU_BLOCK
    return max(1, numbers // max(1, meshes[:1].numel()))
