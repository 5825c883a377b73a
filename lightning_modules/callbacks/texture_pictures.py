"""Pictures of generated textures, while training goes on."""

from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F

from facegen_core.reporting.sheet import titled_sheet
from facegen_core.seeding import torch_generator
from lightning_modules.texture_progan import TextureProGANModule

PIXELS = 128
"""Side of a picture on the sheet, small ones enlarged pixel by pixel."""

_CODES = 41


class TexturePictures(pl.Callback):
    """Logs a sheet of the same new people, one a row, with the same expressions, one a column, at every validation.

    Args:
        people: how many people.
        shown: how many expressions, spread over all.
        key: the pictures' name in the dashboard.
    """

    def __init__(self, people: int = 4, shown: int = 6, key: str = "textures") -> None:
        self.people, self.shown, self.key = people, shown, key

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        """At the first batch: the averaged weights are in place until the pass ends."""
        if batch_idx == 0 and trainer.is_global_zero and hasattr(trainer.logger, "log_picture"):
            assert isinstance(pl_module, TextureProGANModule)
            generator = torch_generator(_CODES)
            identity = pl_module.identity_codes.sample(self.people, generator)
            noise = torch.randn(self.people, pl_module.config.noise_dim, generator=generator)
            names = pl_module.expression_names
            shown = torch.linspace(0, len(names) - 1, min(self.shown, len(names))).round().long()
            codes = torch.eye(len(names))[shown]
            rows = [
                list(
                    F.interpolate(pl_module.pictures(n.expand(len(codes), -1), z.expand(len(codes), -1), codes), PIXELS)
                )
                for n, z in zip(noise, identity, strict=True)
            ]
            sheet = titled_sheet(rows, columns=[names[i] for i in shown])
            trainer.logger.log_picture(self.key, sheet, step=pl_module.step)  # type: ignore[union-attr]
