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
    """Minimises the mean L1 of standardised meshes by gradient descent with momentum.

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
        self.config, self.optim = as_config(CoMAConfig, model), as_config(CoMAOptimConfig, optim)
        self.steps_per_epoch = steps_per_epoch
        self.save_hyperparameters(
            {
                "model": to_plain(self.config),
                "optim": to_plain(self.optim),
                "vertices": len(template),
                "steps_per_epoch": steps_per_epoch,
            }
        )
        self.model = MeshAutoencoder(self.config, template, faces, mean, std)

    def training_step(self, batch: MeshBatch, batch_idx: int) -> dict[str, Tensor]:
        return coma_loss(self.model, batch["displacement"])

    def validation_step(self, batch: MeshBatch, batch_idx: int) -> dict[str, Tensor]:
        return {"predicted": self.model(batch["displacement"]), "target": batch["displacement"]}

    def test_step(self, batch: MeshBatch, batch_idx: int) -> dict[str, Tensor]:
        return self.validation_step(batch, batch_idx)

    def configure_optimizers(self) -> Any:
        dense = self.model.dense_parameters()
        others = [p for p in self.model.parameters() if all(p is not d for d in dense)]
        groups: list[dict[str, Any]] = [{"params": dense, "weight_decay": self.optim.weight_decay}, {"params": others}]
        optimizer = torch.optim.SGD(groups, lr=self.optim.lr, momentum=self.optim.momentum)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, self.steps_per_epoch, self.optim.lr_decay)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
