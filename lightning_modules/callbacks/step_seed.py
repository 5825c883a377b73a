"""Randomness that depends on the place in the run alone."""

from typing import Any

import lightning.pytorch as pl
import torch

from facegen_core.seeding import derive
from lightning_modules.base import FaceGenModule

_TRAIN, _VALIDATE = 10, 11


class StepSeed(pl.Callback):
    """Counts batches, and seeds torch before each from (seed, batches done, rank).

    A resumed run thus draws the noise the uninterrupted run would have drawn, with no generator state in the
    checkpoint. Must come first in the list: the others read ``module.step`` after it has moved on.

    Args:
        seed: the run's seed.
        accumulate: batches that make one optimiser step.
    """

    state_key = "step_seed"

    def __init__(self, seed: int, accumulate: int = 1) -> None:
        self.seed, self.accumulate, self.batches = seed, accumulate, 0

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._publish(pl_module)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        torch.manual_seed(derive(self.seed, _TRAIN, self.batches, trainer.global_rank))

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.batches += 1
        self._publish(pl_module)

    def on_validation_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        torch.manual_seed(derive(self.seed, _VALIDATE, batch_idx, trainer.global_rank))

    def state_dict(self) -> dict[str, Any]:
        return {"batches": self.batches}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.batches = int(state_dict["batches"])

    def _publish(self, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, FaceGenModule)
        pl_module.batches, pl_module.accumulate = self.batches, self.accumulate
