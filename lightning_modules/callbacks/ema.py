"""Exponential moving average of one submodule's weights."""

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from lightning_modules.base import FaceGenModule


class EMA(pl.Callback):
    """Keeps an fp32 average of the trained weights of ``module.network`` and evaluates with it.

    Lightning's own averaging copies frozen networks too, and with two optimisers may never update. Buffers are not
    averaged: batch statistics and tables are states, not weights.

    Args:
        decay: share of the old average kept at each optimiser step.
        warm_up: see :class:`EmaConfig`.
    """

    state_key = "ema"

    def __init__(self, decay: float, warm_up: bool = False) -> None:
        if not 0 < decay < 1:
            raise ValueError(f"decay must lie between 0 and 1, got {decay}")
        self.decay, self.warm_up = decay, warm_up
        self.average: dict[str, Tensor] = {}
        self.trained: dict[str, Tensor] = {}
        self.last_step = 0

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        weights = self._weights(pl_module)
        self.average = {
            name: self.average.get(name, weight.detach()).to(weight.device, torch.float32, copy=True)
            for name, weight in weights.items()
        }

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, FaceGenModule)
        if pl_module.step == self.last_step:
            return  # the optimiser has not moved yet: gradients are still being accumulated
        self.last_step = pl_module.step
        weights = self._weights(pl_module)
        torch._foreach_lerp_(
            [self.average[name] for name in weights],
            [weight.detach().float() for weight in weights.values()],
            1 - self._kept(pl_module.step),
        )

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._swap_in(pl_module)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._swap_out(pl_module)

    def on_test_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._swap_in(pl_module)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._swap_out(pl_module)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._swap_out(pl_module)

    def state_dict(self) -> dict[str, Any]:
        return {"average": self.average, "last_step": self.last_step, "decay": self.decay}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.average, self.last_step = dict(state_dict["average"]), int(state_dict["last_step"])

    def _kept(self, step: int) -> float:
        return min(self.decay, (1 + step) / (10 + step)) if self.warm_up else self.decay

    def _swap_in(self, pl_module: pl.LightningModule) -> None:
        weights = self._weights(pl_module)
        self.trained = {name: weight.detach().clone() for name, weight in weights.items()}
        for name, weight in weights.items():
            weight.data.copy_(self.average[name])

    def _swap_out(self, pl_module: pl.LightningModule) -> None:
        weights = self._weights(pl_module)
        for name, trained in self.trained.items():
            weights[name].data.copy_(trained)
        self.trained = {}

    @staticmethod
    def _weights(pl_module: pl.LightningModule) -> dict[str, Tensor]:
        assert isinstance(pl_module, FaceGenModule)
        target = pl_module.get_submodule(pl_module.network)
        return {name: weight for name, weight in target.named_parameters() if weight.requires_grad}
