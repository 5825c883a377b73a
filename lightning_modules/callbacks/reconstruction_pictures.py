"""Pictures of reconstructions, while training goes on."""

from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from facegen_core.images import from_signed
from facegen_core.reporting.sheet import titled_sheet
from lightning_modules.vqgan import VQGANModule

PIXELS = 128
"""Side of a picture on the sheet at least, small ones enlarged pixel by pixel."""


class ReconstructionPictures(pl.Callback):
    """Logs a sheet of the same pictures and their reconstructions at every validation.

    Args:
        pictures: (B, 3, R, R) in [-1, 1].
        key: the sheet's name in the dashboard.
    """

    def __init__(self, pictures: Tensor, key: str = "reconstructions") -> None:
        self.pictures, self.key = pictures, key

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        """At the first batch: averaged weights, if there are any, are in place until the pass ends."""
        if batch_idx == 0 and trainer.is_global_zero and hasattr(trainer.logger, "log_picture"):
            assert isinstance(pl_module, VQGANModule)
            sheet = reconstruction_sheet(pl_module, self.pictures)
            trainer.logger.log_picture(self.key, sheet, step=pl_module.step)  # type: ignore[union-attr]


def reconstruction_sheet(module: VQGANModule, pictures: Tensor) -> Image.Image:
    """Pictures (B, 3, R, R) in [-1, 1] above their reconstructions."""
    with torch.no_grad():
        made = module.reconstruct(pictures.to(module.device)).pictures.cpu()
    larger = max(1, PIXELS // pictures.shape[-1])
    rows = [list(F.interpolate(from_signed(row), scale_factor=larger)) for row in (pictures, made)]
    return titled_sheet(rows, rows=("picture", "reconstruction"))
