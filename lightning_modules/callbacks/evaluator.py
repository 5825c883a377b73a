"""Metrics, outside the module and outside autocast."""

from collections.abc import Mapping
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torchmetrics import Metric

from facegen_core.metrics.picture_metric import PictureMetric, protocol_tags
from lightning_modules.base import FaceGenModule


class Evaluator(pl.Callback):
    """Feeds what a step returns to metrics and logs them at the end of the pass.

    Metrics kept here do not follow the module's precision and stay out of its checkpoints. What a picture metric says
    beside its value is logged as ``<name>_<detail>``, and its protocol as tags.

    Args:
        metrics: name -> (metric, names of the step's outputs that its ``update`` takes, in order).
    """

    def __init__(self, metrics: Mapping[str, tuple[Metric, tuple[str, ...]]]) -> None:
        self.metrics = dict(metrics)
        self.values: dict[str, float] = {}
        """What the last pass gave, by metric name."""
        self.tags: dict[str, str] = {}
        """How, see ``metrics/picture_metric.py``."""

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
                metric.update(*(_single(outputs[field]) for field in fields))

    def _finish(self, trainer: pl.Trainer, pl_module: pl.LightningModule, split: str) -> None:
        assert isinstance(pl_module, FaceGenModule)
        self.values, tags = {}, dict[str, str]()
        for name, (metric, _) in self.metrics.items():
            self.values[name] = float(metric.compute())
            if isinstance(metric, PictureMetric):
                self.values |= {f"{name}_{detail}": value for detail, value in metric.details().items()}
                tags |= protocol_tags(name, metric)
        if trainer.logger is not None:
            trainer.logger.log_metrics({f"{split}/{k}": v for k, v in self.values.items()}, step=pl_module.step)
            if tags != self.tags and hasattr(trainer.logger, "set_tags"):
                trainer.logger.set_tags(tags)
        self.tags = tags


def _single(value: Any) -> Any:
    """Numbers in single precision; labels and prompts as they are."""
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value
