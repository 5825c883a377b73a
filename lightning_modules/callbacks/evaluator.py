"""Metrics, outside the module and outside autocast."""

from collections.abc import Mapping
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torchmetrics import Metric

from lightning_modules.base import FaceGenModule


class Evaluator(pl.Callback):
    """Feeds what a step returns to metrics and logs them at the end of the pass.

    Metrics kept here do not follow the module's precision and stay out of its checkpoints.

    Args:
        metrics: name -> (metric, names of the step's outputs that its ``update`` takes, in order).
    """

    def __init__(self, metrics: Mapping[str, tuple[Metric, tuple[str, ...]]]) -> None:
        self.metrics = dict(metrics)
        self.values: dict[str, float] = {}
        """What the last pass gave, by metric name."""

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._reset(pl_module)

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        self._update(outputs, pl_module)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._finish(trainer, pl_module, "val")

    def on_test_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._reset(pl_module)

    def on_test_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        self._update(outputs, pl_module)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._finish(trainer, pl_module, "test")

    def _reset(self, pl_module: pl.LightningModule) -> None:
        for metric, _ in self.metrics.values():
            metric.to(pl_module.device).reset()

    def _update(self, outputs: Mapping[str, Tensor], pl_module: pl.LightningModule) -> None:
        with torch.autocast(pl_module.device.type, enabled=False):
            for metric, fields in self.metrics.values():
                values = (outputs[field] for field in fields)
                metric.update(*(v.float() if v.is_floating_point() else v for v in values))

    def _finish(self, trainer: pl.Trainer, pl_module: pl.LightningModule, split: str) -> None:
        assert isinstance(pl_module, FaceGenModule)
        self.values = {name: float(metric.compute()) for name, (metric, _) in self.metrics.items()}
        if trainer.logger is not None:
            trainer.logger.log_metrics({f"{split}/{k}": v for k, v in self.values.items()}, step=pl_module.step)
