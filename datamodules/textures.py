"""Face textures of people, at the size a growing network asks for."""

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from datamodules.config import MeshDataConfig
from datamodules.people import PeopleDataModule
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
        identity: (N,) labels.
        expression: (N,) class labels, or (N, A) action units.
        mips: what a row holds.
    """

    def __init__(
        self,
        cache: npt.NDArray[np.uint8],
        rows: npt.NDArray[np.int64],
        identity: Tensor,
        expression: Tensor,
        mips: FaceMips,
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


class TextureDataModule(PeopleDataModule):
    """Faces from texture maps, split by person as the meshes are; see :class:`PeopleDataModule`.

    After :meth:`setup` also: ``maps``, paths of the whole maps of people trained on.

    Args:
        config: which textures.
        resolutions: sides of the pictures that are kept, from the smallest.
        plan: what the training batches are like.
        batch_size: pictures at a time where all are read in order.
        seed: the run's seed.
    """

    file: type[CachedTexture]
    sample = "texture"
    whole = False
    """Whether maps are faces as a whole, or the face is cut out of them."""

    def __init__(
        self, config: MeshDataConfig, resolutions: tuple[int, ...], plan: Plan, batch_size: int, seed: int
    ) -> None:
        super().__init__(config, batch_size, seed)
        self.resolutions, self.plan = resolutions, plan

    @abstractmethod
    def textures_of(self, meshes: Sequence[Any]) -> list[Any]:
        """The textures to read beside these meshes, which may be fewer."""

    def build_cache(self, meshes: Sequence[Any], folder: Path) -> Path:
        """The cache of the meshes' textures."""
        textures = self.textures_of(meshes)
        if not textures:
            raise DatasetNotFoundError(f"{self.root}: no textures of the people asked for beside the meshes.")
        self.mips = FaceMips(self.resolutions, self.whole)
        return build_texture_cache(self.root, textures, self.mips, folder, self.config.on_bad_sample)

    def open_cache(self, folder: Path) -> None:
        """Notes also where the maps of people trained on lie."""
        cache = open_texture_cache(folder, self.mips, self.config.on_bad_sample, self.file)
        labels = self.share_out(cache.files)
        for name, part in self.parts.items():
            self.datasets[name] = TextureDataset(cache.rows, *part, self.mips)
        content = f"{cache.digest} {self._split} {self.resolutions}".encode() + labels.numpy().tobytes()
        self._digest = hashlib.sha256(content).hexdigest()
        self.maps = [cache.files[row].texture(self.root).picture for row in self.parts["train"].rows]

    def template(self) -> Tensor | None:
        """The mean of some maps of people trained on, (3, 256, 256) uint8: what usually lies around a face, if any."""
        if self.whole:
            return None
        return mean_map(self.maps[:: -(-len(self.maps) // TEMPLATE_MAPS)], TEMPLATE_PIXELS)

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
