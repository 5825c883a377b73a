"""Sheets of edits: which picture stands where, and when they are drawn."""

import numpy as np
import torch
from helpers.manipulation import manipulate
from PIL import Image
from torch import Tensor

from facegen_core.diffusion.schedule import ScheduleConfig, alpha_bars
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.types import LatentBatch
from lightning_modules.callbacks.edit_sheets import PIXELS, EditSheets, edit_sheets

BARS = alpha_bars(ScheduleConfig("scaled_linear", 0.0015, 0.0205))
EDITS = [EditConfig(strength=s, steps=3, guidance=g) for s in (300, 700) for g in (1.0, 3.0)]
FACES = LatentBatch(
    latent=torch.linspace(-0.5, 0.5, 6).view(2, 3, 1, 1).expand(-1, -1, 4, 4).contiguous(),
    emotion=torch.tensor([0, 4]),
    identity=torch.zeros(2).long(),
    index=torch.arange(2),
)


class Painter:
    """Sees in each emotion noise of a strength of its own."""

    def context(self, emotion: Tensor) -> Tensor:
        return 0.05 * emotion[:, None, None].float()

    def __call__(self, latents: Tensor, t: Tensor, context: Tensor) -> Tensor:
        return context[:, :, :, None] + 0.1 * latents


def colour(sheet: Image.Image, row: int, column: int) -> np.ndarray:
    """Of the picture in a place, counted from the lower right corner, where there are no titles."""
    x, y = sheet.width - (7 - column) * PIXELS + PIXELS // 2, sheet.height - (len(EDITS) - row) * PIXELS + PIXELS // 2
    return np.asarray(sheet)[y, x].astype(float)


def shown(latent: Tensor) -> np.ndarray:
    return ((latent[:, 0, 0].clamp(-1, 1) + 1) / 2 * 255).numpy()


def test_face_stands_first_and_each_edit_of_it_in_its_row_under_its_emotion():
    sheets = edit_sheets(Painter(), BARS, FACES, lambda latents: latents, EDITS)
    assert len(sheets) == 2
    for face, sheet in enumerate(sheets):
        one = FACES["latent"][face : face + 1]
        for row, edit in enumerate(EDITS):
            np.testing.assert_allclose(colour(sheet, row, 0), shown(one[0]), atol=1)
            for column, emotion in enumerate((1, 2, 3, 4, 5, 6), start=1):
                source, target = FACES["emotion"][face : face + 1], torch.tensor([emotion])
                made = manipulate(Painter(), one, source, target, edit, BARS)
                np.testing.assert_allclose(colour(sheet, row, column), shown(made[0]), atol=1)
    assert not np.array_equal(colour(sheets[0], 0, 1), colour(sheets[0], 0, 6)), "or the test shows nothing"


def test_small_pictures_are_enlarged_and_large_ones_left():
    for side, factor in ((4, 32), (PIXELS, 1), (200, 1)):
        faces = {key: value[:1] for key, value in FACES.items()}
        (sheet,) = edit_sheets(
            Painter(), BARS, faces, lambda z, side=side: z.new_zeros(len(z), 3, side, side), EDITS[:1]
        )
        assert sheet.width > 7 * side * factor
        assert sheet.height < 2 * side * factor


class Trainer:
    """As much of Lightning's as the callback asks for."""

    is_global_zero = True

    def __init__(self) -> None:
        self.logger, self.pictures = self, []

    def log_picture(self, key: str, image: Image.Image, step: int) -> None:
        self.pictures.append((key, step))


def test_sheets_are_drawn_at_the_first_batch_of_every_so_many_steps():
    from facegen_core.config import OptimConfig
    from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
    from lightning_modules.emotion_ldm import EmotionLDMModule

    tiny = DenoiserConfig(latent_pixels=4, channels=(4,), layers_per_block=1, heads=(1,), norm_groups=4, context_dim=2)
    model, trainer = EmotionLDMModule(tiny, OptimConfig()), Trainer()
    sheets = EditSheets(FACES, lambda latents: latents, [500], [1.0], EditConfig(steps=2), every=20)
    for step in (10, 20, 30, 40):
        model.batches = step
        for batch_idx in (0, 1):
            sheets.on_validation_batch_end(trainer, model, None, None, batch_idx)
    assert trainer.pictures == [("edits_0", 20), ("edits_1", 20), ("edits_0", 40), ("edits_1", 40)]
    trainer.is_global_zero = False
    sheets.on_validation_batch_end(trainer, model, None, None, 0)
    assert len(trainer.pictures) == 4, "other processes draw nothing"
