"""Pictures of held-out faces edited before and after tuning, while training goes on."""

from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from facegen_core.emotions import EMOTIONS
from facegen_core.images import from_signed
from facegen_core.methods.emotion_ldm.manipulation import EmotionModel
from facegen_core.reporting.sheet import titled_sheet
from facegen_core.types import PoolBatch
from lightning_modules.emotion_clip import EmotionClipModule

PIXELS = 128
"""Side of a picture on the sheet at least, small ones enlarged pixel by pixel."""


class TuningSheets(pl.Callback):
    """Logs a sheet of the same faces at every validation: the source, edited before tuning, edited by now.

    Args:
        faces: inverted, always the same.
        key: the sheet's name in the dashboard.
    """

    def __init__(self, faces: PoolBatch, key: str = "tuning") -> None:
        self.faces, self.key = faces, key
        self.before: Tensor | None = None

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        """At the first batch."""
        if batch_idx == 0 and trainer.is_global_zero and hasattr(trainer.logger, "log_picture"):
            assert isinstance(pl_module, EmotionClipModule)
            trainer.logger.log_picture(self.key, self.draw(pl_module), step=pl_module.step)  # type: ignore[union-attr]

    @torch.no_grad()
    def draw(self, module: EmotionClipModule) -> Image.Image:
        """The sheet by now; what was before tuning is computed once."""
        if self.before is None:
            self.before = self._edited(module, module.untuned.to(module.device))
            module.untuned.cpu()
        after = self._edited(module, module.denoiser)
        larger = max(1, PIXELS // after.shape[-1])
        rows = (from_signed(self.faces["reference"]), self.before, after)
        shown = [EMOTIONS[label] if label >= 0 else "unknown" for label in self.faces["emotion"].tolist()]
        titles = ("source", f"{module.finetune.target}, untuned", f"{module.finetune.target}, tuned")
        return titled_sheet([list(F.interpolate(row, scale_factor=larger)) for row in rows], titles, shown)

    def _edited(self, module: EmotionClipModule, model: EmotionModel) -> Tensor:
        latents = self.faces["latent"].to(module.device)
        return from_signed(module.edited(model, latents, module.finetune.edit.steps)).cpu()
