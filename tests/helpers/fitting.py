"""Training a stage's module on a few batches, and watching whose weights move."""

from typing import Any

import lightning.pytorch as pl
import torch

from experiments.stage import quiet_lightning


def fit(model: pl.LightningModule, batches: list, *callbacks: pl.Callback, **hardware: Any) -> None:
    """Trains on the batches, each once; on the CPU in float32, unless ``hardware``, the Trainer's words, says more."""
    quiet_lightning()
    trainer = pl.Trainer(
        max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        use_distributed_sampler=False, callbacks=list(callbacks), **{"accelerator": "cpu"} | hardware,
    )  # fmt: skip
    trainer.fit(model, torch.utils.data.DataLoader(batches, batch_size=None))


def fit_watched(model: pl.LightningModule, batches: list) -> list[set[str]]:
    """Trains likewise; tells, for every move of an optimiser, in which weights there was a gradient."""
    watch = _Watch()
    fit(model, batches, watch)
    return watch.found


class _Watch(pl.Callback):
    def __init__(self) -> None:
        self.found: list[set[str]] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        def note(*_) -> None:
            self.found.append({name for name, p in pl_module.named_parameters() if p.grad is not None})

        for optimizer in trainer.optimizers:
            optimizer.register_step_pre_hook(note)
