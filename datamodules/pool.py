"""Inverted pictures in batches: what tuning towards an emotion starts from."""

import hashlib
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from datamodules.base import FaceDataModule
from datamodules.config import PoolConfig
from datamodules.pictures import PictureDataModule, PictureDataset
from datamodules.prepare.computed import Facts, facts_digest
from datamodules.prepare.picture_cache import PictureCache
from datamodules.prepare.pool import Invert, Rows, build_pool, draw_pool, open_pool, pool_facts, pool_type
from datamodules.rows import RowDataset
from facegen_core.types import PoolBatch


class PoolDataset(RowDataset):
    """Rows of a pool.

    Args:
        pool: (N,), the pool's memory map.
        identity: (N,) labels, -1 where unknown.
        emotion: (N,) labels, -1 where unknown.
    """

    def __init__(self, pool: npt.NDArray[Any], identity: Tensor, emotion: Tensor) -> None:
        super().__init__(pool, np.arange(len(pool)), identity, emotion)

    def __getitems__(self, places: list[tuple[int, int]]) -> PoolBatch:
        """One batch; the sample seeds are not used, since nothing is augmented."""
        chosen = np.array([index for index, _ in places])
        rows = self.cache[chosen]
        pixels = torch.from_numpy(rows["reference"]).permute(0, 3, 1, 2)
        return PoolBatch(
            latent=torch.from_numpy(np.ascontiguousarray(rows["latent"])),
            reference=pixels.float().div_(127.5).sub_(1).contiguous(),
            emotion=self.expression[chosen],
            identity=self.identity[chosen],
            index=torch.from_numpy(chosen),
        )


class _Chosen(NamedTuple):
    cache: PictureCache
    rows: Rows
    emotion: Tensor
    identity: Tensor


class PoolDataModule(FaceDataModule):
    """Pictures of a data module, some of each split, inverted before training.

    A split's pool is made when it is first needed: those held out for the final evaluation are not before that.

    Args:
        pictures: which pictures there are; they are not mirrored.
        invert: see :func:`build_pool`.
        latent: shape (C, h, w) of a latent.
        provenance: see :func:`build_pool`.
        config: how many are drawn, and how many inverted at a time.
        seed: of the draw, and of the order of samples.
    """

    def __init__(
        self,
        pictures: PictureDataModule,
        invert: Invert,
        latent: tuple[int, int, int],
        provenance: Facts,
        config: PoolConfig,
        seed: int,
    ) -> None:
        super().__init__(pictures.batch_size, seed, pictures.num_workers)
        self.pictures, self.invert, self.provenance, self.config = pictures, invert, provenance, config
        self.row_type = pool_type(latent, pictures.config.pixels)

    def prepare_data(self) -> None:
        self.pictures.prepare_data()

    def setup(self, stage: str) -> None:
        self.pictures.setup(stage)
        for split in ("train", "val") if stage == "fit" else ("test",):
            self.pool(split)

    def pool(self, split: str) -> PoolDataset:
        """The pool of a split, made if it is not there; one process does, others wait for it."""
        if split not in self.datasets:
            chosen = self._chosen(split)
            assert self.pictures.cache_folder is not None
            folder, batch = self.pictures.cache_folder.parent, self.config.invert_batch
            made_of = chosen.cache, chosen.rows, chosen.emotion.numpy()
            done = build_pool(*made_of, self.invert, self.row_type, self.provenance, folder, batch)
            rows = open_pool(done, *made_of, self.row_type, self.provenance)
            self.datasets[split] = PoolDataset(rows, chosen.identity, chosen.emotion)
        found: Dataset[Any] = self.datasets[split]
        assert isinstance(found, PoolDataset)
        return found

    def digest(self) -> str:
        """Of the pools that are trained and validated on, made or not."""
        digest = hashlib.sha256(self.pictures.digest().encode())
        for split in ("train", "val"):
            chosen = self._chosen(split)
            facts = pool_facts(chosen.cache, chosen.rows, chosen.emotion.numpy(), self.provenance)
            digest.update(facts_digest(facts).encode())
        return digest.hexdigest()

    def _chosen(self, split: str) -> _Chosen:
        """Drawn at random to train on, spread over the people held out for checks, all of them for the evaluation."""
        self.pictures.setup("fit")
        dataset = self.pictures.datasets[split]
        assert isinstance(dataset, PictureDataset)
        if split == "train":
            places = draw_pool(dataset.emotion.numpy(), self.config.per_class, self.config.size, self.seed)
        else:
            most = self.config.validation if split == "val" else self.config.test or len(dataset)
            places = np.linspace(0, len(dataset) - 1, min(most, len(dataset))).astype(np.int64)
        rows = self.pictures.rows[split][places]
        return _Chosen(self.pictures.pictures, rows, dataset.emotion[places], dataset.identity[places])
