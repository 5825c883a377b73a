"""Latents of pictures in batches: the second stage of a latent diffusion model reads no pictures."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datamodules.base import FaceDataModule
from datamodules.pictures import PictureDataModule, PictureDataset, Rows, flipped
from datamodules.prepare.computed import Facts
from datamodules.prepare.latents import Encode, Precision, build_latent_cache, open_latent_cache
from datamodules.rows import RowDataset
from facegen_core.types import LatentBatch


class LatentDataset(RowDataset):
    """Rows of a latent cache.

    Args:
        cache: (M, V, C, h, w), the cache's memory map.
        rows: (N,) the rows that belong to this split.
        identity: (N,) labels, -1 where unknown.
        emotion: (N,) labels, -1 where unknown.
        flip: take the mirrored picture's latent half of the times.
    """

    def __init__(self, cache: npt.NDArray[Any], rows: Rows, identity: Tensor, emotion: Tensor, flip: bool) -> None:
        super().__init__(cache, rows, identity, emotion)
        self.flip = flip

    def __getitems__(self, places: list[tuple[int, int]]) -> LatentBatch:
        """One batch of (index, sample seed)."""
        chosen = np.array([index for index, _ in places])
        view = np.array([int(self.flip and flipped(seed)) for _, seed in places])
        return LatentBatch(
            latent=torch.from_numpy(self.cache[self.rows[chosen], view]).float(),
            emotion=self.expression[chosen],
            identity=self.identity[chosen],
            index=torch.from_numpy(chosen),
        )


class LatentDataModule(FaceDataModule):
    """Latents of a data module's pictures, in its splits and with its labels; encoded once, before training.

    Args:
        pictures: which pictures; its configuration also says whether they are mirrored.
        encode: see :func:`build_latent_cache`.
        provenance: likewise.
        folder: where the latents go; beside the cache of pictures if none.
        precision: of what is kept.
        encode_batch: pictures encoded at a time.
    """

    def __init__(
        self,
        pictures: PictureDataModule,
        encode: Encode,
        provenance: Facts,
        folder: Path | None = None,
        precision: Precision = "float16",
        encode_batch: int = 32,
    ) -> None:
        super().__init__(pictures.batch_size, pictures.seed, pictures.num_workers)
        self.pictures, self.encode, self.provenance = pictures, encode, provenance
        self.folder, self.precision, self.encode_batch = folder, precision, encode_batch
        self._latents: Path | None = None

    def prepare_data(self) -> None:
        if self._latents is not None:
            return
        self.pictures.setup("fit")
        assert self.pictures.cache_folder is not None
        cache, folder = self.pictures.pictures, self.folder or self.pictures.cache_folder.parent
        self._latents = build_latent_cache(
            cache, self.encode, self.provenance, folder, self._flips, self.precision, self.encode_batch
        )

    def setup(self, stage: str) -> None:
        if self.datasets:
            return
        self.prepare_data()
        assert self._latents is not None
        arguments = self.pictures.pictures, self.provenance, self._flips, self.precision
        latents = open_latent_cache(self._latents, *arguments)
        for name, rows in self.pictures.rows.items():
            pictures = self.pictures.datasets[name]
            assert isinstance(pictures, PictureDataset)
            self.datasets[name] = LatentDataset(latents.rows, rows, pictures.identity, pictures.emotion, pictures.flip)
        self._digest = hashlib.sha256(f"{self.pictures.digest()} {latents.digest}".encode()).hexdigest()

    def digest(self) -> str:
        return self._digest

    @property
    def _flips(self) -> bool:
        return self.pictures.config.flip
