"""Stops a run at the first loss that is not a number."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from facegen_core.errors import NonFiniteLossError
from facegen_core.files import atomic_path
from lightning_modules.base import FaceGenModule


class NonFiniteGuard(pl.Callback):
    """Raises before the backward pass of a loss that is NaN or infinite on any process, and keeps the batch.

    The weights are still those of the last good step, and the newest checkpoint was written from good weights.

    Args:
        folder: where ``nonfinite_batch_rank<r>.pt`` goes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.batch: Any = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self.batch = batch

    def on_before_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor) -> None:
        assert isinstance(pl_module, FaceGenModule)
        finite = bool(torch.isfinite(loss.detach()).all())
        if trainer.strategy.reduce_boolean_decision(finite, all=True):
            return
        if not finite:
            with atomic_path(self._path(trainer.global_rank)) as temporary:
                torch.save(self.batch, temporary)
        # The first process speaks for all, so it must know whose loss it was; reducing also waits for their files.
        mine = torch.tensor(trainer.world_size if finite else trainer.global_rank, device=loss.device)
        rank = int(trainer.strategy.reduce(mine, reduce_op="min"))
        value = float(trainer.strategy.reduce(loss.detach().float().mean(), reduce_op="mean"))
        raise NonFiniteLossError(
            f"the loss became {value} in step {pl_module.step + 1}; the weights were not changed by it. Batch kept as "
            f"{self._path(rank)}. Lower optim.lr or look at that batch, then continue with resume=last."
        )

    def _path(self, rank: int) -> Path:
        return self.folder / f"nonfinite_batch_rank{rank}.pt"
