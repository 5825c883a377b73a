"""Pictures of held-out meshes beside their reconstructions, while training goes on."""

from typing import Any

import lightning.pytorch as pl
from torch import Tensor

from facegen_core.reporting.mesh_figure import reconstruction_figure
from lightning_modules.base import FaceGenModule


class MeshPictures(pl.Callback):
    """Logs a sheet of input, reconstruction and error for meshes spread over the first validation batch.

    The loader's order is fixed, so the sheet shows the same meshes at every step.

    Args:
        template: (V, 3), mm, added to displacements.
        faces: (F, 3) int64.
        count: how many meshes.
        key: the pictures' name in the dashboard.
    """

    def __init__(self, template: Tensor, faces: Tensor, count: int = 4, key: str = "reconstruction") -> None:
        self.template, self.faces, self.count, self.key = template.cpu(), faces.cpu(), count, key
        self.pairs: tuple[Tensor, Tensor] | None = None

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        if batch_idx == 0 and trainer.is_global_zero and hasattr(trainer.logger, "log_picture"):
            stride = max(1, len(outputs["target"]) // self.count)
            chosen = slice(0, stride * self.count, stride)
            self.pairs = tuple(outputs[k][chosen].float().cpu() + self.template for k in ("target", "predicted"))

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, FaceGenModule)
        if self.pairs is not None:
            image = reconstruction_figure(*self.pairs, self.faces)
            trainer.logger.log_picture(self.key, image, step=pl_module.step)  # type: ignore[union-attr]
            self.pairs = None
