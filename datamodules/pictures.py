"""Pictures of faces in batches, from a cache of bytes."""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datamodules.base import FaceDataModule
from datamodules.config import PictureDataConfig
from datamodules.prepare.picture_cache import (
    PictureCache,
    PictureSet,
    build_picture_cache,
    choose_framing,
    open_picture_cache,
)
from datamodules.rows import RowDataset
from facegen_core.errors import ConfigError, DatasetNotFoundError
from facegen_core.seeding import numpy_generator
from facegen_core.types import PictureBatch

SPLITS = ("train", "val", "test")
LEFT_OUT = -2
_HOLD_OUT = 0  # seeds the shares held out, which do not depend on the run's seed
Rows = npt.NDArray[np.int64]


def flipped(sample_seed: int) -> bool:
    """Whether a sample of the training stream is mirrored: a fair coin of its own seed."""
    return bool(sample_seed & 1)


class PictureDataset(RowDataset):
    """Rows of a picture cache.

    Args:
        cache: (M, R, R, 3) uint8, the cache's memory map.
        rows: (N,) the rows that belong to this split.
        identity: (N,) labels, -1 where unknown.
        emotion: (N,) labels, -1 where unknown.
        flip: mirror half of the pictures.
    """

    def __init__(
        self, cache: npt.NDArray[np.uint8], rows: Rows, identity: Tensor, emotion: Tensor, flip: bool = False
    ) -> None:
        super().__init__(cache, rows, identity, emotion)
        self.flip = flip

    @property
    def emotion(self) -> Tensor:
        """(N,) int64, -1 where unknown."""
        return self.expression

    def __getitems__(self, places: list[tuple[int, int]]) -> PictureBatch:
        """One batch of (index, sample seed)."""
        chosen = np.array([index for index, _ in places])
        pixels = self.cache[self.rows[chosen]]
        if self.flip:
            mirrored = np.array([flipped(seed) for _, seed in places])
            pixels[mirrored] = pixels[mirrored, :, ::-1]
        pictures = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
        return PictureBatch(
            image=pictures.float().div_(127.5).sub_(1),
            emotion=self.emotion[chosen],
            identity=self.identity[chosen],
            index=torch.from_numpy(chosen),
        )


class PictureDataModule(FaceDataModule):
    """Pictures of faces, cropped, at one size. Subclasses say of which data set.

    After :meth:`setup`: ``pictures``, the opened cache; ``rows``, split -> rows of the cache that belong to it.

    Args:
        config: which pictures.
        batch_size: samples a process takes at a time.
        seed: the run's seed.
    """

    def __init__(self, config: PictureDataConfig, batch_size: int, seed: int) -> None:
        super().__init__(batch_size, seed, config.num_workers)
        self.config = config
        self.rows: dict[str, Rows] = {}
        self.cache_folder: Path | None = None
        """Of the cache, once it is there."""

    def find(self, root: Path) -> PictureSet:
        """The pictures below ``root``."""
        raise NotImplementedError

    def emotions(self, labels: Rows) -> Rows:
        """Emotions that are trained on (N,), from those that the data set labels; LEFT_OUT is not used at all."""
        return labels

    def prepare_data(self) -> None:
        if self.cache_folder is not None:
            return
        if self.config.root is None:
            raise DatasetNotFoundError("data.root: no folder given.")
        self.config.check()
        root = Path(self.config.root)
        found = self.find(root)
        framing = choose_framing(found, self.config.crop)
        cache = Path(self.config.cache) if self.config.cache else root / ".facegen_cache"
        self.cache_folder = build_picture_cache(found, self.config.pixels, framing, cache, self.config.on_bad_sample)

    def setup(self, stage: str) -> None:
        if self.datasets:
            return
        self.prepare_data()
        assert self.cache_folder is not None
        self.pictures = open_picture_cache(self.cache_folder, self.config.on_bad_sample)
        emotion = self.emotions(np.array([file.emotion for file in self.pictures.files], dtype=np.int64))
        identity = np.array([file.identity for file in self.pictures.files], dtype=np.int64)
        self.rows = split_pictures(self.pictures, identity, emotion != LEFT_OUT, self.config)
        for name, rows in self.rows.items():
            labels = torch.from_numpy(identity[rows]), torch.from_numpy(emotion[rows])
            flip = self.config.flip and name == "train"
            self.datasets[name] = PictureDataset(self.pictures.rows, rows, *labels, flip)
        digest = hashlib.sha256(f"{self.pictures.digest} {self.cache_folder.name.rsplit('-', 1)[0]}".encode())
        for name in SPLITS:
            digest.update(name.encode() + self.rows[name].tobytes() + emotion[self.rows[name]].tobytes())
        self._digest = digest.hexdigest()

    def digest(self) -> str:
        return self._digest


def split_pictures(
    pictures: PictureCache, identity: Rows, used: npt.NDArray[np.bool_], config: PictureDataConfig
) -> dict[str, Rows]:
    """Which pictures are trained on, validated on and tested on: the data set's own lists, else a fixed random share.

    The shares do not depend on the run's seed. Where all people are known nobody is in two of them.

    Args:
        pictures: all that are there.
        identity: (M,) whose they are, -1 where unknown.
        used: (M,) those to split; the others are left out.
        config: the shares.

    Raises:
        ConfigError: nothing is left to train on.
    """
    split = np.array([file.split for file in pictures.files])
    units = identity if (identity >= 0).all() else np.arange(len(identity))
    val = (split == "val") & used
    free = used & ~val
    if not val.any():
        val = free & _held_out(units, free, config.val_fraction, 0)
    free &= ~val
    test = free & _held_out(units, free, config.test_fraction, 1)
    train = free & ~test
    if not train.any():
        raise ConfigError(f"{used.sum()} pictures: none is left to train on once the shares of data.val_fraction and "
                          "data.test_fraction are held out.")  # fmt: skip
    parts = {"train": train, "val": val, "test": test if config.test_fraction > 0 else val}
    return {name: np.flatnonzero(part) for name, part in parts.items()}


def _held_out(units: Rows, free: npt.NDArray[np.bool_], fraction: float, key: int) -> npt.NDArray[np.bool_]:
    """Which pictures are of a random share of the units, people or pictures, that are still free."""
    there = np.unique(units[free])
    count = max(1, round(fraction * len(there))) if fraction > 0 else 0
    return np.isin(units, numpy_generator(_HOLD_OUT, key).permutation(there)[:count])
