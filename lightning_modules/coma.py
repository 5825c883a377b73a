"""Training stage of CoMA, the convolutional mesh auto-encoder that 3DFaceCAM is compared with."""

from typing import Any

import torch
from torch import Tensor

from facegen_core.config import as_config, to_plain
from facegen_core.methods.face3d.config import CoMAConfig, CoMAOptimConfig
from facegen_core.methods.face3d.mesh_convolution import MeshAutoencoder, coma_loss
from facegen_core.types import MeshBatch
from lightning_modules.base import FaceGenModule


class CoMAModule(FaceGenModule):
    """Minimises the mean L1 of standardised meshes and lowers the learning rate after each pass over the data.

    Args:
        model: sizes of the networks.
        optim: how they are trained.
        template: (V, 3), mm, see ``MeshAutoencoder`` for this and the next three.
        faces: (F, 3) triangles.
        mean: (V, 3), mm.
        std: (V, 3), mm.
        steps_per_epoch: optimiser steps after which the learning rate decays.
    """

    network = "model"

    def __init__(
        self,
        model: CoMAConfig | dict[str, Any],
        optim: CoMAOptimConfig | dict[str, Any],
        template: Tensor,
        faces: Tensor,
        mean: Tensor,
        std: Tensor,
        steps_per_epoch: int,
    ) -> None:
        super().__init__()
        self.config, self.descent = as_config(CoMAConfig, model), as_config(CoMAOptimConfig, optim)
        self.steps_per_epoch = steps_per_epoch
        self.save_hyperparameters(
            {
                "model": to_plain(self.config),
                "optim": to_plain(self.descent),
                "vertices": len(template),
                "steps_per_epoch": steps_per_epoch,
            }
        )
        self.model = MeshAutoencoder(self.config, template, faces, mean, std)

    def on_train_batch_start(self, batch: MeshBatch, batch_idx: int) -> None:
        """The learning rate is a function of settings and step alone; a resumed run follows its present settings."""
        (optimizer,) = self.trainer.optimizers
        rate = self.descent.lr * self.descent.lr_decay ** (self.step // self.steps_per_epoch)
        for group, decay in zip(optimizer.param_groups, (self.descent.weight_decay, 0.0), strict=True):
            group.update(lr=rate, weight_decay=decay)
            if "momentum" in group:
                group["momentum"] = self.descent.momentum

    def training_step(self, batch: MeshBatch, batch_idx: int) -> dict[str, Tensor]:
        return coma_loss(self.model, batch["displacement"])

    def validation_step(self, batch: MeshBatch, batch_idx: int) -> dict[str, Tensor]:
        return {"predicted": self.model(batch["displacement"]), "target": batch["displacement"]}

    def test_step(self, batch: MeshBatch, batch_idx: int) -> dict[str, Tensor]:
        return self.validation_step(batch, batch_idx)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        dense = self.model.dense_parameters()
        others = [p for p in self.model.parameters() if all(p is not d for d in dense)]
        groups: list[dict[str, Any]] = [
            {"params": dense, "weight_decay": self.descent.weight_decay},
            {"params": others},
        ]
        if self.descent.method == "adam":
            return torch.optim.AdamW(groups, lr=self.descent.lr, weight_decay=0.0)
        return torch.optim.SGD(groups, lr=self.descent.lr, momentum=self.descent.momentum)
