"""Face textures of people, at the size a growing network asks for."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from datamodules.base import FaceDataModule
from datamodules.config import TextureConfig
from datamodules.meshes import split_identities
from datamodules.prepare.facescape import MeshFile, find_meshes
from datamodules.prepare.texture_cache import FaceMips, build_texture_cache, open_texture_cache
from datamodules.sampling import EndlessSampler, ShardSampler
from facegen_core.errors import DatasetNotFoundError
from facegen_core.progress import say
from facegen_core.types import TextureBatch

Plan = Callable[[int], tuple[int, float, int]]
"""Pictures shown so far -> side of the pictures in the next batch, share of the newest block, pictures in the batch."""


def find_textures(root: Path, meshes: Sequence[MeshFile]) -> list[MeshFile]:
    """The textures that lie beside meshes, ``<k>_<expression>.jpg``, as far as they are there."""
    textures = [replace(mesh, path=mesh.path.removesuffix(".obj") + ".jpg") for mesh in meshes]
    return [texture for texture in textures if (root / texture.path).is_file()]


class TextureDataset(Dataset[Any]):
    """Rows of a texture cache.

    Args:
        cache: (M, bytes) uint8, the cache's memory map.
        rows: (N,) the rows that belong to this split.
        mips: what a row holds.
        identity: (N,) labels.
        expression: (N,) labels.
    """

    def __init__(
        self,
        cache: npt.NDArray[np.uint8],
        rows: npt.NDArray[np.int64],
        mips: FaceMips,
        identity: Tensor,
        expression: Tensor,
    ) -> None:
        self.cache, self.rows, self.mips = cache, rows, mips
        self.identity, self.expression = identity, expression

    def __len__(self) -> int:
        return len(self.rows)

    def __getstate__(self) -> dict[str, Any]:
        """What loader processes are handed: a memory map by its file, because numpy would send its whole content."""
        state = self.__dict__.copy()
        if isinstance(self.cache, np.memmap):
            state["cache"] = (self.cache.filename, self.cache.shape)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if isinstance(self.cache, tuple):
            path, shape = self.cache
            self.cache = np.memmap(path, np.uint8, "r", shape=shape)

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
    """Faces of FaceScape's texture maps, split by person as the meshes are.

    After :meth:`setup`: ``everybody``, people's numbers in the order of their labels; ``people``, the first of them,
    whom it is trained on; ``expression_names``; ``num_expressions``.

    Args:
        config: which textures.
        resolutions: sides of the pictures that are kept, from the smallest.
        plan: what the training batches are like.
        batch_size: pictures at a time where all are read in order.
        seed: the run's seed.
    """

    def __init__(
        self, config: TextureConfig, resolutions: tuple[int, ...], plan: Plan, batch_size: int, seed: int
    ) -> None:
        super().__init__(batch_size, seed, config.num_workers)
        self.config, self.mips, self.plan = config, FaceMips(resolutions), plan
        self._folder: Path | None = None
        self._split: dict[str, list[Any]] = {}  # all people's who have meshes, so that shapes are split in the same way

    def prepare_data(self) -> None:
        if self.config.root is None:
            raise DatasetNotFoundError("data.root: no folder given.")
        root = Path(self.config.root)
        meshes = find_meshes(root)
        self._split = split_identities(sorted({mesh.identity for mesh in meshes}), self.config)
        meshes = [mesh for mesh in meshes if self.config.has(mesh.identity)]
        there = find_textures(root, meshes)
        if len(there) < len(meshes):
            say(f"{root}: {len(meshes) - len(there)} of {len(meshes)} meshes have no texture")
        if not there:
            raise DatasetNotFoundError(f"{root}: no textures <k>_<expression>.jpg of the people asked for.")
        cache = Path(self.config.cache) if self.config.cache else root / ".facegen_cache"
        self._folder = build_texture_cache(root, there, self.mips, cache, self.config.on_bad_sample)

    def setup(self, stage: str) -> None:
        if self.datasets:
            return
        if self._folder is None:
            self.prepare_data()
        assert self._folder is not None
        cache = open_texture_cache(self._folder, self.mips, self.config.on_bad_sample, MeshFile)
        there = {file.identity for file in cache.files}
        split = {name: [person for person in people if person in there] for name, people in self._split.items()}
        self.people, self.everybody = split["train"], [*split["train"], *split["val"], *split["test"]]
        label = {person: i for i, person in enumerate(self.everybody)}
        names = {file.expression: file.name for file in cache.files}
        self.num_expressions = max(names) + 1
        self.expression_names = [names.get(k, "") for k in range(self.num_expressions)]
        for name, people in split.items():
            rows = np.flatnonzero([file.identity in set(people) for file in cache.files])
            files = [cache.files[row] for row in rows]
            self.datasets[name] = TextureDataset(
                cache.rows,
                rows,
                self.mips,
                torch.tensor([label[file.identity] for file in files], dtype=torch.int64),
                torch.tensor([file.expression for file in files], dtype=torch.int64),
            )
        self._digest = hashlib.sha256(f"{cache.digest} {split} {self.mips.resolutions}".encode()).hexdigest()

    def digest(self) -> str:
        return self._digest

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
        places = [(index, self.mips.resolutions[-1], 1.0) for index, _ in sampler]
        batches = [places[i : i + self.batch_size] for i in range(0, len(places), self.batch_size)]
        return self._loader(dataset, batch_sampler=batches)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        if self.trainer is not None and self.trainer.training:
            self.seen += self.plan(self.seen)[2]
        return batch
