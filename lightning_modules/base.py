"""What all training stages share."""

from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from facegen_core.config import OptimConfig
from facegen_core.errors import CheckpointError


class FaceGenModule(pl.LightningModule):
    """Base of the stages.

    ``training_step`` and ``validation_step`` return a dict of tensors; callbacks log, measure, draw and save. Place in
    the run is :attr:`batches` and :attr:`step`, kept by the step-seed callback: Lightning's ``global_step`` counts each
    optimiser by itself and would count a GAN's steps twice.
    """

    network: str = ""
    """Name of the submodule that is trained: averaged by EMA, compiled on request; the whole module if empty."""

    optimizers_per_step: int = 1
    """How many optimisers move in one step: Lightning's ``global_step`` and ``max_steps`` count each of them."""

    optim: Any = None
    """Settings of all optimisers, an :class:`OptimConfig` or like it."""

    find_unused_parameters: bool = False
    """Whether a backward pass may leave parameters without a gradient (GANs), which DDP must be told."""

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0
        self.accumulate = 1

    def on_train_start(self) -> None:
        """A resumed run follows its present settings: the optimiser's saved state brings the former ones back."""
        if self.optim is None or self.trainer.lr_scheduler_configs:  # a schedule knows better
            return
        for group in (group for optimizer in self.trainer.optimizers for group in optimizer.param_groups):
            group.update(lr=self.optim.lr, betas=tuple(self.optim.betas), weight_decay=self.optim.weight_decay)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses a checkpoint of other networks.

        Raises:
            CheckpointError: names or shapes of weights differ.
        """
        own, saved = self.state_dict(), checkpoint["state_dict"]
        differ = [name for name in own | saved if name not in own or name not in saved
                  or own[name].shape != saved[name].shape]  # fmt: skip
        if differ:
            raise CheckpointError(
                f"this checkpoint is of other networks or other data: {len(differ)} of its weights do not fit, such as "
                f"{differ[0]}. Give it the settings and the data it was made with, or start a new run."
            )

    @property
    def step(self) -> int:
        """Optimiser steps done, counted once a step however many optimisers there are."""
        return self.batches // self.accumulate

    @property
    def last_of_step(self) -> bool:
        """Whether the present batch completes an optimiser step."""
        return (self.batches + 1) % self.accumulate == 0

    def compile_network(self) -> None:
        """Compiles what is trained."""
        self.get_submodule(self.network).compile()

    def _step(self, optimizer: Any, minimised: str, losses: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """One optimiser's share of a batch where there are several; its weights move once the batch is complete.

        The losses are computed with the other optimisers' weights switched off: they would gather gradients otherwise.
        """
        with optimizer.toggle_model(sync_grad=self.last_of_step):
            values = losses()
            self.manual_backward(values[minimised] / self.accumulate)
            if self.last_of_step:
                optimizer.step()
                optimizer.zero_grad()
        return {name: value.detach() for name, value in values.items()}


def build_adam(parameters: Any, config: OptimConfig) -> torch.optim.Optimizer:
    """Adam, or AdamW where there is weight decay; fused, which is one pass over the weights on CPU and GPU alike."""
    kind = torch.optim.AdamW if config.weight_decay else torch.optim.Adam
    betas = (config.betas[0], config.betas[1])
    return kind(parameters, lr=config.lr, betas=betas, weight_decay=config.weight_decay, fused=True)


def scalars(outputs: Any) -> dict[str, Tensor]:
    """The one-element tensors of a step's output, detached."""
    if isinstance(outputs, Tensor):
        outputs = {"loss": outputs}
    return {k: v.detach() for k, v in (outputs or {}).items() if isinstance(v, Tensor) and v.numel() == 1}
