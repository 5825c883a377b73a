"""Pictures of held-out faces with other emotions, while training goes on."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from PIL.Image import Image
from torch import Tensor

from facegen_core.emotions import EMOTIONS
from facegen_core.images import from_signed
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.manipulation import EmotionModel, invert_emotion, reverse_emotion
from facegen_core.reporting.sheet import titled_sheet
from facegen_core.types import LatentBatch
from lightning_modules.emotion_ldm import EmotionLDMModule

TARGETS = (1, 2, 3, 4, 5, 6)
"""The six emotions of the paper's tables, happy to anger."""

PIXELS = 128
"""Side of a picture on the sheet at least, small ones enlarged pixel by pixel."""

Decode = Callable[[Tensor], Tensor]
"""Latents (B, C, h, w) -> pictures (B, 3, R, R), about [-1, 1]."""


class EditSheets(pl.Callback):
    """Logs a sheet a face: six emotions across, strengths and guidances down, the face unedited in front.

    Args:
        faces: held-out latents with the emotions they show, always the same.
        decode: the first stage's decoder; it brings its own device's network to the latents.
        strengths: times that edits go up to.
        guidances: of each strength.
        edit: all else about the edits.
        every: optimiser steps between sheets, counted at the validation passes, whose averaged weights are drawn.
        key: the pictures' name in the dashboard, numbered by face.
    """

    def __init__(
        self,
        faces: LatentBatch,
        decode: Decode,
        strengths: Sequence[int],
        guidances: Sequence[float],
        edit: EditConfig,
        every: int,
        key: str = "edits",
    ) -> None:
        self.faces, self.decode, self.every, self.key = faces, decode, every, key
        self.edits = [replace(edit, strength=s, guidance=g) for s in strengths for g in guidances]

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        """At the first batch: the averaged weights are in place until the pass ends."""
        assert isinstance(pl_module, EmotionLDMModule)
        if batch_idx or pl_module.step % self.every or not trainer.is_global_zero:
            return
        if hasattr(trainer.logger, "log_picture"):
            for number, sheet in enumerate(self.draw(pl_module)):
                trainer.logger.log_picture(f"{self.key}_{number}", sheet, step=pl_module.step)  # type: ignore[union-attr]

    def draw(self, module: EmotionLDMModule) -> list[Image]:
        """A sheet of each face."""
        return edit_sheets(module.denoiser, module.bars, self.faces, self.decode, self.edits)


@torch.no_grad()
def edit_sheets(
    model: EmotionModel, bars: Tensor, faces: LatentBatch, decode: Decode, edits: Sequence[EditConfig]
) -> list[Image]:
    """A sheet of each face: an edit a row, six emotions across, the face unedited in front.

    Args:
        model: predicts noise.
        bars: (T,) float64, see ``schedule.alpha_bars``; the latents go to its device.
        faces: what is edited.
        decode: the first stage's decoder.
        edits: how.
    """
    latents, source = faces["latent"].to(bars.device), faces["emotion"].to(bars.device)
    count, targets = len(latents), torch.tensor(TARGETS, device=bars.device)
    rows = []
    for edit in edits:
        noisy = invert_emotion(model, latents, source, edit, bars)
        made = reverse_emotion(
            model, noisy.repeat_interleave(len(targets), 0), targets.repeat(count), edit, bars,
            torch.Generator(bars.device).manual_seed(0),
        )  # fmt: skip
        rows.append(torch.cat([latents[:, None], made.unflatten(0, (count, -1))], dim=1))
    shown = torch.stack(rows, dim=1)  # face, edit, column
    pictures = from_signed(decode(shown.flatten(0, 2)).float()).cpu()
    pictures = F.interpolate(pictures, scale_factor=max(1, PIXELS // pictures.shape[-1])).unflatten(0, shown.shape[:3])
    down = [f"t0 {edit.strength}, guidance {edit.guidance:g}" for edit in edits]
    across = [EMOTIONS[target] for target in TARGETS]
    first = [f"{EMOTIONS[shows]} (source)" if shows >= 0 else "source" for shows in source.tolist()]
    return [
        titled_sheet([list(row) for row in face], down, [name, *across])
        for face, name in zip(pictures, first, strict=True)
    ]
