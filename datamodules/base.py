"""What all data modules share: loaders over a seeded stream whose place is part of the checkpoint."""

import multiprocessing
from abc import ABC, abstractmethod
from collections.abc import Sized
from typing import Any

import lightning.pytorch as pl
from torch.utils.data import DataLoader, Dataset, default_collate

from datamodules.sampling import EndlessSampler, ShardSampler


class FaceDataModule(pl.LightningDataModule, ABC):
    """Base of the data modules. A subclass fills ``datasets`` in :meth:`setup`.

    A data set's ``__getitems__`` takes a list of ``(index, sample_seed)`` and returns one collated batch; the sample
    seed is the only source of randomness it may use.

    Args:
        batch_size: samples a process takes at a time.
        seed: the run's seed.
        num_workers: loader processes; 0 reads in the training process.
    """

    def __init__(self, batch_size: int, seed: int, num_workers: int = 0) -> None:
        super().__init__()
        self.batch_size, self.seed, self.num_workers = batch_size, seed, num_workers
        self.seen = 0
        """Samples of the training stream used so far by all processes together."""
        self.datasets: dict[str, Dataset[Any]] = {}

    def train_dataloader(self) -> DataLoader[Any]:
        """Endless batches; length is decided by the number of steps, not by the data."""
        dataset = self.datasets["train"]
        sampler = EndlessSampler(_size(dataset), self.seed, self.seen, *self._process())
        return self._loader(dataset, batch_size=self.batch_size, sampler=sampler)

    def val_dataloader(self) -> DataLoader[Any]:
        """Every validation sample once."""
        return self.in_order("val")

    def test_dataloader(self) -> DataLoader[Any]:
        """Every test sample once."""
        return self.in_order("test")

    def in_order(self, split: str) -> DataLoader[Any]:
        """Every sample of a split once, in the data's order, shared out over processes without repeating any."""
        dataset = self.datasets[split]
        sampler = ShardSampler(_size(dataset), self.seed, *self._process())
        return self._loader(dataset, batch_size=self.batch_size, sampler=sampler)

    @abstractmethod
    def digest(self) -> str:
        """Names the data that is read: equal digests mean equal samples and labels."""

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        if self.trainer is not None and self.trainer.training:
            self.seen += self.batch_size * self.trainer.world_size
        return batch

    def state_dict(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.seen = int(state_dict["seen"])

    def _process(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer is not None else (0, 1)

    def _loader(self, dataset: Dataset[Any], **sampling: Any) -> DataLoader[Any]:
        return DataLoader(
            dataset,
            **sampling,
            num_workers=self.num_workers,
            collate_fn=_as_is if hasattr(dataset, "__getitems__") else default_collate,
            pin_memory=self.trainer is not None and self.trainer.strategy.root_device.type == "cuda",
            persistent_workers=self.num_workers > 0,
            multiprocessing_context=_forkserver() if self.num_workers > 0 else None,
        )


def _forkserver() -> Any:
    """How workers are started: a plain fork would copy a process that holds threads (MLflow's sender, torch's own).

    The server imports the heavy packages once, so that a worker starts in milliseconds and not in ten seconds.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["datamodules.base"])
    return context


def _as_is(batch: Any) -> Any:
    return batch


def _size(dataset: Dataset[Any]) -> int:
    if not isinstance(dataset, Sized):
        raise TypeError(f"{type(dataset).__name__} has no length")
    return len(dataset)
