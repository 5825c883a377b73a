"""Training stage of the embedded judges: who it is, and what the face does, from the same pictures."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from facegen_core.config import OptimConfig, as_config, to_plain
from facegen_core.methods.face_judge.augment import augmented
from facegen_core.methods.face_judge.config import FaceJudgeConfig
from facegen_core.methods.face_judge.framing import EMOTION_WINDOW, IDENTITY_WINDOW, Misalignment, windowed
from facegen_core.methods.face_judge.losses import margin_softmax, supervised_contrastive
from facegen_core.methods.face_judge.networks import EmotionReading, FaceJudges
from facegen_core.types import JudgeBatch
from lightning_modules.base import FaceGenModule, build_adam

WEAKEST = 0.1
"""Strength of augmentation at the first step."""


class FaceJudgeModule(FaceGenModule):
    """Both judges learn from each picture, seen through windows and augmentation of their own.

    Several processes each compare the people of their own share of a batch.

    Args:
        model: networks, losses and augmentation.
        people: how many are trained on.
        unit_names: of the action units; so that a checkpoint can be used without its data.
        optim: AdamW's settings; the learning rate is its highest.
        steps: of the whole run, over which augmentation grows and the learning rate falls.
    """

    optim: OptimConfig
    network = "judges"

    def __init__(
        self,
        model: FaceJudgeConfig | dict[str, Any],
        people: int,
        unit_names: list[str],
        optim: OptimConfig | dict[str, Any],
        steps: int,
    ) -> None:
        super().__init__()
        self.config, self.optim = as_config(FaceJudgeConfig, model), as_config(OptimConfig, optim)
        self.save_hyperparameters(
            {
                "model": to_plain(self.config),
                "people": people,
                "unit_names": unit_names,
                "optim": to_plain(self.optim),
                "steps": steps,
            }
        )
        self.unit_names, self.steps = unit_names, steps
        self.judges = FaceJudges(self.config, len(unit_names))
        self.centres = nn.Parameter(F.normalize(torch.randn(people, self.config.embedding), dim=1))

    def training_step(self, batch: JudgeBatch, batch_idx: int) -> dict[str, Tensor]:
        strength = self._strength()
        with torch.no_grad(), self._exact():
            wide, misalignment = batch["image"].float() / 255, Misalignment()
            faces = windowed(wide, IDENTITY_WINDOW, misalignment, strength)
            faces = augmented(faces, self.config.identity_augment, strength)
            closer = windowed(wide, EMOTION_WINDOW, misalignment, strength)
            closer = augmented(closer, self.config.emotion_augment, strength)
        embeddings, reading = self.judges(faces, closer)
        with self._exact():
            who = batch["identity"]
            contrast = supervised_contrastive(embeddings, who, self.config.temperature)
            cosines = embeddings @ F.normalize(self.centres, dim=1).T
            people = margin_softmax(cosines, who, self.config.scale, self.config.margin)
            emotion = F.cross_entropy(reading.logits, batch["emotion"])
            units = F.mse_loss(reading.units, batch["units"])
            identity = contrast + self.config.softmax_weight * people
            loss = identity + emotion + self.config.units_weight * units
        return {"loss": loss, "contrast": contrast, "people": people, "emotion": emotion, "units": units}

    def validation_step(self, batch: JudgeBatch, batch_idx: int) -> dict[str, Tensor]:
        """Pictures as they are."""
        embeddings, reading = self.read(batch["image"])
        return {
            "embedding": embeddings,
            "identity": batch["identity"],
            "emotion_logits": reading.logits,
            "emotion": batch["emotion"],
            "unit_strengths": reading.units.contiguous(),
            "units": batch["units"],
        }

    def read(self, image: Tensor) -> tuple[Tensor, EmotionReading]:
        """Embeddings and readings of wide crops (B, 3, R, R) uint8."""
        with self._exact():
            wide = image.float() / 255
            windows = windowed(wide, IDENTITY_WINDOW), windowed(wide, EMOTION_WINDOW)
        read: tuple[Tensor, EmotionReading] = self.judges(*windows)
        return read

    def configure_optimizers(self) -> Any:
        optimizer = build_adam(self.parameters(), self.optim)
        schedule = LambdaLR(optimizer, self._share_of_rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _share_of_rate(self, step: int) -> float:
        falling = (1 + math.cos(math.pi * min(1.0, step / self.steps))) / 2
        return min(1.0, (step + 1) / self.config.warmup_steps) * falling

    def _strength(self) -> float:
        ramp = self.config.ramp * self.steps
        return min(1.0, WEAKEST + (1 - WEAKEST) * self.step / ramp) if ramp else 1.0

    def _exact(self) -> Any:
        """Without autocast: places of pixels and sums of exponentials need their digits."""
        return torch.autocast(self.device.type, enabled=False)
