"""Registered meshes of people, split by person: what FaceScape and BP4D have in common."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datamodules.base import FaceDataModule
from datamodules.config import MeshDataConfig
from datamodules.prepare.mesh_cache import MeshCache, MeshReader, build_mesh_cache, open_mesh_cache
from datamodules.prepare.row_cache import CachedFile
from datamodules.rows import RowDataset
from facegen_core.errors import ConfigError, DatasetNotFoundError
from facegen_core.files import atomic_path
from facegen_core.progress import say
from facegen_core.seeding import torch_generator
from facegen_core.types import MeshBatch

_SPLIT = 30
ROWS_AT_A_TIME = 64

Name = TypeVar("Name", bound=int | str)
"""What a data set calls a person."""


class MeshDataset(RowDataset):
    """Rows of a mesh cache, measured from a template of their own.

    Args:
        displacements: (M, V, 3) float32, the cache's memory map.
        rows: (N,) the rows that belong to this split.
        offset: (V, 3) float32, taken off every row: the template's own displacement in the cache.
        identity: (N,) labels.
        expression: (N,) class labels, or (N, A) action units.
    """

    def __init__(
        self,
        displacements: npt.NDArray[np.float32],
        rows: npt.NDArray[np.int64],
        offset: npt.NDArray[np.float32],
        identity: Tensor,
        expression: Tensor,
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


class MeshDataModule(FaceDataModule):
    """Meshes split by person; see ``datamodules/config.py`` for the settings. Subclasses say which and how labelled.

    After :meth:`setup`: ``template`` (V, 3), what displacements are measured from; ``faces``, ``uv``, ``faces_uv``;
    ``num_vertices``; ``everybody``, people's numbers in the order of their labels; ``people``, the first of them, who
    are trained on, and ``num_identities``, how many they are; ``expression_names`` and ``num_expressions``;
    ``skipped``, what was left out, with the reasons.
    """

    file: type[CachedFile]
    """What the cache knows of a mesh; has an ``identity``."""
    unit = "mm"
    """Of vertices."""

    def __init__(self, config: MeshDataConfig, batch_size: int, seed: int) -> None:
        super().__init__(batch_size, seed, config.num_workers)
        self.config = config
        self._folder: Path | None = None
        self._split: dict[str, list[Any]] = {}  # of all people found: textures, read or not, are split in the same way
        self.rows: dict[str, npt.NDArray[np.int64]] = {}
        """Rows of the cache that each split has."""

    def find(self, root: Path) -> tuple[Sequence[CachedFile], MeshReader]:
        """The meshes below ``root`` and how they are read."""
        raise NotImplementedError

    def label(self, meshes: list[Any]) -> tuple[Tensor, list[str]]:
        """Expression labels of meshes, (N,) or (N, A) int64, and the names of the expressions or action units."""
        raise NotImplementedError

    def number(self, person: Any) -> int:
        """A person's number: the name itself where names are numbers."""
        return int(person)

    def prepare_data(self) -> None:
        if self._folder is not None:
            return
        meshes, reader = self.find(self.root)
        people = sorted({mesh.identity for mesh in meshes})  # type: ignore[attr-defined]
        self._split = split_identities(people, self.config)
        cache = Path(self.config.cache) if self.config.cache else self.root / ".facegen_cache"
        template = Path(self.config.template) if self.config.template else None
        self._folder = build_mesh_cache(self.root, meshes, template, cache, self.config.on_bad_sample, reader)

    def setup(self, stage: str) -> None:
        if self.datasets:
            return
        self.prepare_data()
        assert self._folder is not None
        cache = open_mesh_cache(self._folder, self.config.on_bad_sample, self.file)
        there = {mesh.identity for mesh in cache.meshes}
        split = {name: [person for person in people if person in there] for name, people in self._split.items()}
        everybody = [*split["train"], *split["val"], *split["test"]]
        label = {person: i for i, person in enumerate(everybody)}
        offset = self._offset(cache, split["train"])
        self.template = torch.from_numpy(cache.template + offset)
        self.faces, self.faces_uv = torch.from_numpy(cache.faces), torch.from_numpy(cache.faces_uv)
        self.uv, self.skipped = torch.from_numpy(cache.uv), cache.skipped
        if self.skipped:
            say(f"{self.root}: {len(self.skipped)} meshes are left out, the first: {self.skipped[0][1]}")
        self.num_vertices, self.num_identities = len(cache.template), len(split["train"])
        self.everybody = [self.number(person) for person in everybody]
        self.people = self.everybody[: self.num_identities]
        expressions, self.expression_names = self.label(cache.meshes)
        self.num_expressions = len(self.expression_names)
        for name, people in split.items():
            rows = self.rows[name] = _rows_of(cache, people)
            identities = torch.tensor([label[cache.meshes[row].identity] for row in rows], dtype=torch.int64)
            self.datasets[name] = MeshDataset(cache.displacements, rows, offset, identities, expressions[rows])
        self._digest = hashlib.sha256(
            f"{cache.digest} {split} {self.template.numpy().tobytes()!r}".encode()
        ).hexdigest()

    def digest(self) -> str:
        return self._digest

    @property
    def has_classes(self) -> bool:
        """Whether every mesh has one of the expressions; else it has action units."""
        return self.datasets["train"].expression.ndim == 1  # type: ignore[attr-defined,no-any-return]

    @property
    def root(self) -> Path:
        """The data set's folder.

        Raises:
            DatasetNotFoundError: none is configured.
        """
        if self.config.root is None:
            raise DatasetNotFoundError("data.root: no folder given.")
        return Path(self.config.root)

    def _offset(self, cache: MeshCache, people: Sequence[Any]) -> npt.NDArray[np.float32]:
        """The displacement, in the cache, of what this run measures from: a given template, or the training mean.

        The released code's template is not documented; the mean is what a network, whose output starts near zero, is
        closest to. It is taken over training people alone, so that nothing of the held-out ones is known.
        """
        if self.config.template:
            return np.zeros_like(cache.template)
        assert self._folder is not None
        key = hashlib.sha256(str(people).encode()).hexdigest()[:16]
        path = self._folder / f"mean-{key}.npy"
        if not path.is_file():
            rows = _rows_of(cache, people)
            total = np.zeros(cache.template.shape)
            for start in range(0, len(rows), ROWS_AT_A_TIME):
                total += cache.displacements[rows[start : start + ROWS_AT_A_TIME]].sum(axis=0, dtype=np.float64)
            with atomic_path(path) as temporary, temporary.open("wb") as file:
                np.save(file, (total / len(rows)).astype(np.float32))
        offset: npt.NDArray[np.float32] = np.load(path)
        return offset


def split_identities(people: list[Name], config: MeshDataConfig) -> dict[str, list[Name]]:
    """Who is trained on, validated on and tested on: named people, else a fixed random share.

    The shares do not depend on the run's seed: runs of all seeds hold the same people out.

    Args:
        people: all people's names, sorted.
        config: names or shares.

    Raises:
        ConfigError: a named person is not there, is in two splits, or nobody is left to train on.
    """
    held = {"val": list(config.val_identities), "test": list(config.test_identities)}
    for name, named in held.items():
        if unknown := sorted(set(named) - set(people)):
            raise ConfigError(f"data.{name}_identities: nobody in the data is called {unknown}.")
    if both := sorted(set(held["val"]) & set(held["test"])):
        raise ConfigError(f"data.val_identities and data.test_identities share {both}.")
    order = torch.randperm(len(people), generator=torch_generator(_SPLIT)).tolist()
    free = [people[i] for i in order if people[i] not in {*held["val"], *held["test"]}]
    for name, fraction in (("test", config.test_fraction), ("val", config.val_fraction)):
        if not held[name] and fraction > 0:
            count = max(1, round(fraction * len(people)))
            held[name], free = free[:count], free[count:]
    if not free:
        raise ConfigError(
            f"{len(people)} people are too few to hold out data.val_fraction and data.test_fraction of them."
        )
    return {"train": sorted(free), "val": sorted(held["val"]), "test": sorted(held["test"])}


def _rows_of(cache: MeshCache, people: Iterable[Any]) -> npt.NDArray[np.int64]:
    wanted = set(people)
    return np.array([row for row, mesh in enumerate(cache.meshes) if mesh.identity in wanted], dtype=np.int64)
