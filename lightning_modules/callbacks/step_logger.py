"""Training curves and the progress bar."""

import time
from typing import Any

import lightning.pytorch as pl
import torch

from facegen_core import progress
from lightning_modules.base import FaceGenModule, scalars


class StepLogger(pl.Callback):
    """Logs the scalars of the training step every so many optimiser steps, averaged over processes; draws the bar.

    Args:
        every: optimiser steps between two logged values; the values are those of the last batch.
        total: optimiser steps of the whole run.
        description: what the bar says.
    """

    def __init__(self, every: int, total: int, description: str) -> None:
        self.every, self.total, self.description = every, total, description
        self.started: tuple[float, int] | None = None
        self._logged: tuple[float, int] | None = None
        """When a value was last logged, without pauses, and samples seen then."""
        self.bar: Any = None
        self.seconds_per_step = float("nan")
        """Mean over all steps of this process's part of the run but the first, validation left out."""
        self._paused = self._pause_began = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, FaceGenModule)
        if trainer.is_global_zero:
            self.bar = progress.bar(self.total, self.description, "step", initial=pl_module.step)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, FaceGenModule)
        if pl_module.batches % pl_module.accumulate != 0:
            return
        self._time(pl_module.step)
        if self.bar is not None:
            self.bar.update(1)
        if pl_module.step % self.every == 0:
            self._log(trainer, pl_module, outputs)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._pause_began = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._paused += time.perf_counter() - self._pause_began

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._close()

    def _log(self, trainer: pl.Trainer, pl_module: FaceGenModule, outputs: Any) -> None:
        values = scalars(outputs)
        packed = trainer.strategy.reduce(torch.stack([v.float() for v in values.values()]), reduce_op="mean")
        metrics = dict(zip((f"train/{name}" for name in values), packed.tolist(), strict=True))
        metrics |= {f"train/lr_{i}": o.param_groups[0]["lr"] for i, o in enumerate(trainer.optimizers)}
        if self.bar is not None:
            self.bar.set_postfix_str(f"loss {metrics['train/loss']:.4g}" if "train/loss" in metrics else "")
        if trainer.logger is not None:
            trainer.logger.log_metrics(metrics | self._rate(trainer), step=pl_module.step)

    def _rate(self, trainer: pl.Trainer) -> dict[str, float]:
        """Samples of all processes together a second since values were last logged; a growing network's change."""
        now, seen = time.perf_counter() - self._paused, getattr(trainer, "datamodule", None)
        if seen is None:
            return {}
        before, self._logged = self._logged, (now, seen.seen)
        return {"speed/samples_per_second": (seen.seen - before[1]) / (now - before[0])} if before else {}

    def _time(self, step: int) -> None:
        now = time.perf_counter()
        if self.started is None:
            self.started, self._paused = (now, step), 0.0
        else:
            self.seconds_per_step = (now - self.started[0] - self._paused) / (step - self.started[1])

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None
