"""Face textures of people, at the size a growing network asks for."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from datamodules.base import FaceDataModule
from datamodules.config import MeshDataConfig
from datamodules.meshes import split_identities
from datamodules.prepare.texture_cache import (
    CachedTexture,
    FaceMips,
    build_texture_cache,
    mean_map,
    open_texture_cache,
)
from datamodules.rows import RowDataset
from datamodules.sampling import EndlessSampler, ShardSampler
from facegen_core.errors import DatasetNotFoundError
from facegen_core.types import TextureBatch

TEMPLATE_PIXELS, TEMPLATE_MAPS = 256, 64

Plan = Callable[[int], tuple[int, float, int]]
"""Pictures shown so far -> side of the pictures in the next batch, share of the newest block, pictures in the batch."""


class TextureDataset(RowDataset):
    """Rows of a texture cache.

    Args:
        cache: (M, bytes) uint8, the cache's memory map.
        rows: (N,) the rows that belong to this split.
        mips: what a row holds.
        identity: (N,) labels.
        expression: (N,) class labels, or (N, A) action units.
    """

    def __init__(
        self,
        cache: npt.NDArray[np.uint8],
        rows: npt.NDArray[np.int64],
        mips: FaceMips,
        identity: Tensor,
        expression: Tensor,
    ) -> None:
        super().__init__(cache, rows, identity, expression)
        self.mips = mips

    def pictures(self, samples: npt.NDArray[np.int64], side: int) -> Tensor:
        """Pictures (B, 3, side, side) in [0, 1] of some samples, for what is not trained in batches; a size it has."""
        return self.mips.pictures(self.cache[self.rows[samples]], side).float() / 255

    def __getitems__(self, places: list[tuple[int, int, float]]) -> TextureBatch:
        """One batch of (index, resolution, alpha), the last two the same for all."""
        chosen = np.array([index for index, _, _ in places])
        _, resolution, alpha = places[0]
        pictures = self.mips.pictures(self.cache[self.rows[chosen]], resolution)
        return TextureBatch(
            image=pictures.float() / 127.5 - 1,
            identity=self.identity[chosen],
            expression=self.expression[chosen],
            alpha=torch.tensor(alpha),
        )


class GrowingBatches(Sampler[list[tuple[int, int, float]]]):
    """Endless batches whose size, and the size of whose pictures, follow a plan.

    Args:
        stream: this process's share of the seeded stream.
        plan: see :data:`Plan`.
        seen: pictures of all processes together before this process began.
        world_size: processes that share each batch.
    """

    def __init__(self, stream: EndlessSampler, plan: Plan, seen: int, world_size: int) -> None:
        self.stream, self.plan, self.seen, self.world_size = stream, plan, seen, world_size

    def __iter__(self) -> Iterator[list[tuple[int, int, float]]]:
        places, seen = iter(self.stream), self.seen
        while True:
            resolution, alpha, batch = self.plan(seen)
            yield [(next(places)[0], resolution, alpha) for _ in range(batch // self.world_size)]
            seen += batch


class TextureDataModule(FaceDataModule):
    """Faces from texture maps, split by person as the meshes are. Subclasses say which and how labelled.

    After :meth:`setup`: ``everybody``, people's numbers in the order of their labels; ``people``, the first of them,
    whom it is trained on; ``maps``, paths of their whole maps; ``expression_names``; ``num_expressions``.

    Args:
        config: which textures.
        resolutions: sides of the pictures that are kept, from the smallest.
        plan: what the training batches are like.
        batch_size: pictures at a time where all are read in order.
        seed: the run's seed.
    """

    file: type[CachedTexture]
    """What the cache knows of a texture; has an ``identity``."""
    whole = False
    """Whether maps are faces as a whole, or the face is cut out of them."""

    def __init__(
        self, config: MeshDataConfig, resolutions: tuple[int, ...], plan: Plan, batch_size: int, seed: int
    ) -> None:
        super().__init__(batch_size, seed, config.num_workers)
        self.config, self.resolutions, self.plan = config, resolutions, plan
        self._folder: Path | None = None
        self._split: dict[str, list[Any]] = {}  # all people's who have meshes, so that shapes are split in the same way

    def find(self, root: Path) -> tuple[list[Any], list[Any]]:
        """Meshes below ``root``, whose people are split, and the textures to read, which may be fewer."""
        raise NotImplementedError

    def label(self, textures: list[Any]) -> tuple[Tensor, list[str]]:
        """Expression labels of textures, (N,) or (N, A) int64, and the names of the expressions or action units."""
        raise NotImplementedError

    def number(self, person: Any) -> int:
        """A person's number: the name itself where names are numbers."""
        return int(person)

    def prepare_data(self) -> None:
        if self._folder is not None:
            return
        if self.config.root is None:
            raise DatasetNotFoundError("data.root: no folder given.")
        root = Path(self.config.root)
        meshes, textures = self.find(root)
        if not textures:
            raise DatasetNotFoundError(f"{root}: no textures of the people asked for beside the meshes.")
        self._split = split_identities(sorted({mesh.identity for mesh in meshes}), self.config)
        self.mips = FaceMips(self.resolutions, self.whole)
        cache = Path(self.config.cache) if self.config.cache else root / ".facegen_cache"
        self._folder = build_texture_cache(root, textures, self.mips, cache, self.config.on_bad_sample)

    def setup(self, stage: str) -> None:
        if self.datasets:
            return
        self.prepare_data()
        assert self._folder is not None
        cache = open_texture_cache(self._folder, self.mips, self.config.on_bad_sample, self.file)
        there = {file.identity for file in cache.files}
        split = {name: [person for person in people if person in there] for name, people in self._split.items()}
        if not split["train"]:
            raise DatasetNotFoundError(f"{self.config.root}: nobody who is trained on has a texture.")
        everybody = [*split["train"], *split["val"], *split["test"]]
        label = {person: i for i, person in enumerate(everybody)}
        self.everybody = [self.number(person) for person in everybody]
        self.people = self.everybody[: len(split["train"])]
        expressions, self.expression_names = self.label(cache.files)
        self.num_expressions = len(self.expression_names)
        for name, people in split.items():
            rows = np.flatnonzero([file.identity in set(people) for file in cache.files])
            identities = torch.tensor([label[cache.files[row].identity] for row in rows], dtype=torch.int64)
            self.datasets[name] = TextureDataset(cache.rows, rows, self.mips, identities, expressions[rows])
        labels = expressions.numpy().tobytes()
        self._digest = hashlib.sha256(f"{cache.digest} {split} {self.resolutions}".encode() + labels).hexdigest()
        root = Path(self.config.root or "")
        self.maps = [file.texture(root).picture for file in cache.files if file.identity in split["train"]]

    def template(self) -> Tensor | None:
        """The mean of some maps of people trained on, (3, 256, 256) uint8: what usually lies around a face, if any."""
        if self.whole:
            return None
        return mean_map(self.maps[:: -(-len(self.maps) // TEMPLATE_MAPS)], TEMPLATE_PIXELS)

    def digest(self) -> str:
        return self._digest

    @property
    def has_classes(self) -> bool:
        """Whether every texture shows one of the expressions; else it has action units."""
        return self.datasets["train"].expression.ndim == 1  # type: ignore[attr-defined,no-any-return]

    def train_dataloader(self) -> DataLoader[Any]:
        """Endless batches that grow by the plan."""
        dataset = self.datasets["train"]
        rank, world_size = self._process()
        stream = EndlessSampler(len(dataset), self.seed, self.seen, rank, world_size)  # type: ignore[arg-type]
        return self._loader(dataset, batch_sampler=GrowingBatches(stream, self.plan, self.seen, world_size))

    def in_order(self, split: str) -> DataLoader[Any]:
        """Every sample of a split once at its largest, shared out over processes without repeating any."""
        dataset = self.datasets[split]
        sampler = ShardSampler(len(dataset), self.seed, *self._process())  # type: ignore[arg-type]
        places = [(index, self.resolutions[-1], 1.0) for index, _ in sampler]
        batches = [places[i : i + self.batch_size] for i in range(0, len(places), self.batch_size)]
        return self._loader(dataset, batch_sampler=batches)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        if self.trainer is not None and self.trainer.training:
            self.seen += self.plan(self.seen)[2]
        return batch
