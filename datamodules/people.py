"""Cached files of people, split by person: what meshes and textures have in common."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datamodules.base import FaceDataModule
from datamodules.config import MeshDataConfig
from datamodules.prepare.row_cache import CachedFile
from facegen_core.errors import ConfigError, DatasetNotFoundError
from facegen_core.seeding import torch_generator

_SPLIT = 30

Name = TypeVar("Name", bound=int | str)
"""What a data set calls a person."""


class Part(NamedTuple):
    """One split's share of a cache.

    Attributes:
        rows: (N,) of the cache, rising.
        identity: (N,) labels.
        expression: (N,) class labels, or (N, A) action units.
    """

    rows: npt.NDArray[np.int64]
    identity: Tensor
    expression: Tensor


class PeopleDataModule(FaceDataModule):
    """Files of people, kept in a cache and split by person; see ``datamodules/config.py`` for the settings.

    Meshes and textures each say what they cache and how it is opened; a data set says how its files are found and
    labelled. After :meth:`setup`: ``parts``, split -> :class:`Part`; ``everybody``, people's numbers in the order of
    their labels; ``people``, the first of them, who are trained on, and ``num_identities``, how many they are;
    ``expression_names`` and ``num_expressions``.
    """

    file: type[CachedFile]
    """What the cache knows of a file; has an ``identity``."""
    sample: str
    """What a sample is called in messages."""

    def __init__(self, config: MeshDataConfig, batch_size: int, seed: int) -> None:
        super().__init__(batch_size, seed, config.num_workers)
        self.config = config
        self._folder: Path | None = None
        self._split: dict[str, list[Any]] = {}
        self._digest = ""

    @abstractmethod
    def find(self) -> Sequence[Any]:
        """The meshes below :attr:`root`: their people are split, so that shapes and textures are split alike."""

    @abstractmethod
    def label(self, files: list[Any]) -> tuple[Tensor, list[str]]:
        """Expression labels of files, (N,) or (N, A) int64, and the names of the expressions or action units."""

    def number(self, person: Any) -> int:
        """A person's number: the name itself where names are numbers."""
        return int(person)

    @abstractmethod
    def build_cache(self, meshes: Sequence[Any], folder: Path) -> Path:
        """Builds, in ``folder``, the cache of what is read of the people who have these meshes; returns its folder."""

    @abstractmethod
    def open_cache(self, folder: Path) -> None:
        """Opens what :meth:`build_cache` built, and fills what is promised after :meth:`setup`."""

    def prepare_data(self) -> None:
        if self._folder is not None:
            return
        meshes = self.find()
        self._split = split_identities(sorted({mesh.identity for mesh in meshes}), self.config)
        cache = Path(self.config.cache) if self.config.cache else self.root / ".facegen_cache"
        self._folder = self.build_cache(meshes, cache)

    def setup(self, stage: str) -> None:
        if self.datasets:
            return
        self.prepare_data()
        assert self._folder is not None
        self.open_cache(self._folder)

    def share_out(self, files: list[Any]) -> Tensor:
        """Labels the files of the cache and gives each split its share.

        Returns:
            The expression labels of all files, as :meth:`label` gives them.

        Raises:
            DatasetNotFoundError: none is of somebody who is trained on.
        """
        there = {file.identity for file in files}
        self._split = {name: [person for person in people if person in there] for name, people in self._split.items()}
        if not self._split["train"]:
            raise DatasetNotFoundError(f"{self.root}: nobody who is trained on has a {self.sample}.")
        everybody = [*self._split["train"], *self._split["val"], *self._split["test"]]
        self.everybody = [self.number(person) for person in everybody]
        self.num_identities = len(self._split["train"])
        self.people = self.everybody[: self.num_identities]
        expressions, self.expression_names = self.label(files)
        self.num_expressions = len(self.expression_names)
        label = {person: i for i, person in enumerate(everybody)}
        identities = torch.tensor([label[file.identity] for file in files], dtype=torch.int64)
        self.parts: dict[str, Part] = {}
        for name, people in self._split.items():
            wanted = set(people)
            rows = np.flatnonzero([file.identity in wanted for file in files])
            self.parts[name] = Part(rows, identities[rows], expressions[rows])
        return expressions

    def digest(self) -> str:
        return self._digest

    @property
    def has_classes(self) -> bool:
        """Whether every sample has one of the expressions; else it has action units."""
        return self.parts["train"].expression.ndim == 1

    @property
    def root(self) -> Path:
        """The data set's folder.

        Raises:
            DatasetNotFoundError: none is configured.
        """
        if self.config.root is None:
            raise DatasetNotFoundError("data.root: no folder given.")
        return Path(self.config.root)


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
