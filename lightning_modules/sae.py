"""Training stage of 3DFaceCAM's supervised shape auto-encoder."""

from typing import Any

import torch
from torch import Tensor

from facegen_core.config import OptimConfig, as_config, to_plain
from facegen_core.methods.face3d.autoencoder import ShapeAutoencoder, sae_loss
from facegen_core.methods.face3d.config import MeshSizes, SAEConfig
from facegen_core.types import MeshBatch
from lightning_modules.base import FaceGenModule, build_adam


class SAEModule(FaceGenModule):
    """Minimises mean L1 + identity CE + expression loss [P eq. 1].

    Args:
        model: the networks and loss weights.
        sizes: what the data decide about the networks.
        optim: Adam's settings.
    """

    network = "model"
    optim: OptimConfig

    def __init__(
        self, model: SAEConfig | dict[str, Any], sizes: MeshSizes | dict[str, Any], optim: OptimConfig | dict[str, Any]
    ) -> None:
        super().__init__()
        self.config, self.optim = as_config(SAEConfig, model), as_config(OptimConfig, optim)
        self.sizes = as_config(MeshSizes, sizes)
        self.save_hyperparameters(
            {"model": to_plain(self.config), "sizes": to_plain(self.sizes), "optim": to_plain(self.optim)}
        )
        self.model = ShapeAutoencoder(self.config, self.sizes)

    def training_step(self, batch: MeshBatch, batch_idx: int) -> dict[str, Tensor]:
        return sae_loss(self.model(batch["displacement"]), batch, self.config)

    def validation_step(self, batch: MeshBatch, batch_idx: int) -> dict[str, Tensor]:
        """Reconstruction and logits of held-out meshes; their identities were never trained on, so no loss of them."""
        output = self.model(batch["displacement"])
        return {
            "predicted": output.reconstruction,
            "target": batch["displacement"],
            "expression_logits": output.expression_logits,
            "expression": batch["expression"],
        }

    def test_step(self, batch: MeshBatch, batch_idx: int) -> dict[str, Tensor]:
        return self.validation_step(batch, batch_idx)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return build_adam(self.model.parameters(), self.optim)
