"""Registered meshes of people: what FaceScape and BP4D have in common."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datamodules.people import PeopleDataModule
from datamodules.prepare.mesh_cache import OBJ, MeshCache, MeshReader, build_mesh_cache, open_mesh_cache
from datamodules.rows import RowDataset
from facegen_core.files import atomic_path
from facegen_core.progress import say
from facegen_core.types import MeshBatch

ROWS_AT_A_TIME = 64


class MeshDataset(RowDataset):
    """Rows of a mesh cache, measured from a template of their own.

    Args:
        displacements: (M, V, 3) float32, the cache's memory map.
        rows: (N,) the rows that belong to this split.
        identity: (N,) labels.
        expression: (N,) class labels, or (N, A) action units.
        offset: (V, 3) float32, taken off every row: the template's own displacement in the cache.
    """

    def __init__(
        self,
        displacements: npt.NDArray[np.float32],
        rows: npt.NDArray[np.int64],
        identity: Tensor,
        expression: Tensor,
        offset: npt.NDArray[np.float32],
    ) -> None:
        super().__init__(displacements, rows, identity, expression)
        self.offset = offset

    def __getitem__(self, part: slice | npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Displacements (B, V, 3) of some samples, as an array, for what is not trained in batches (PCA, metrics)."""
        return self.cache[self.rows[part]] - self.offset

    def __getitems__(self, places: list[tuple[int, int]]) -> MeshBatch:
        """One batch; the sample seeds are not used, since nothing is augmented."""
        chosen = np.array([index for index, _ in places])
        order = np.argsort(self.rows[chosen])  # the disk is read forwards
        meshes = np.empty((len(chosen), *self.offset.shape), np.float32)
        for place in order:
            np.subtract(self.cache[self.rows[chosen[place]]], self.offset, out=meshes[place])
        return MeshBatch(
            displacement=torch.from_numpy(meshes),
            identity=self.identity[chosen],
            expression=self.expression[chosen],
        )


class MeshDataModule(PeopleDataModule):
    """Meshes split by person; see :class:`PeopleDataModule`.

    After :meth:`setup` also: ``template`` (V, 3), what displacements are measured from; ``faces``, ``uv``,
    ``faces_uv``; ``num_vertices``; ``skipped``, what was left out, with the reasons.
    """

    sample = "mesh"
    unit = "mm"
    """Of vertices."""

    def reader(self) -> MeshReader:
        """How the meshes that were found are read."""
        return OBJ

    def build_cache(self, meshes: Sequence[Any], folder: Path) -> Path:
        """The cache of all the meshes."""
        template = Path(self.config.template) if self.config.template else None
        return build_mesh_cache(self.root, meshes, template, folder, self.config.on_bad_sample, self.reader())

    def open_cache(self, folder: Path) -> None:
        """Measures the meshes from this run's template."""
        cache = open_mesh_cache(folder, self.config.on_bad_sample, self.file)
        self.share_out(cache.meshes)
        offset = self._offset(cache, folder)
        self.template = torch.from_numpy(cache.template + offset)
        self.faces, self.faces_uv = torch.from_numpy(cache.faces), torch.from_numpy(cache.faces_uv)
        self.uv, self.skipped = torch.from_numpy(cache.uv), cache.skipped
        if self.skipped:
            say(f"{self.root}: {len(self.skipped)} meshes are left out, the first: {self.skipped[0][1]}")
        self.num_vertices = len(cache.template)
        for name, part in self.parts.items():
            self.datasets[name] = MeshDataset(cache.displacements, *part, offset)
        content = f"{cache.digest} {self._split} {self.template.numpy().tobytes()!r}"
        self._digest = hashlib.sha256(content.encode()).hexdigest()

    def _offset(self, cache: MeshCache, folder: Path) -> npt.NDArray[np.float32]:
        """The displacement, in the cache, of what this run measures from: a given template, or the training mean.

        The released code's template is not documented; the mean is what a network, whose output starts near zero, is
        closest to. It is taken over training people alone, so that nothing of the held-out ones is known.
        """
        if self.config.template:
            return np.zeros_like(cache.template)
        key = hashlib.sha256(str(self._split["train"]).encode()).hexdigest()[:16]
        path = folder / f"mean-{key}.npy"
        if not path.is_file():
            rows = self.parts["train"].rows
            total = np.zeros(cache.template.shape)
            for start in range(0, len(rows), ROWS_AT_A_TIME):
                total += cache.displacements[rows[start : start + ROWS_AT_A_TIME]].sum(axis=0, dtype=np.float64)
            with atomic_path(path) as temporary, temporary.open("wb") as file:
                np.save(file, (total / len(rows)).astype(np.float32))
        offset: npt.NDArray[np.float32] = np.load(path)
        return offset
