"""Pictures of aligned faces edited from end to end: first stage, manipulation of the latents, first stage."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers.models.autoencoders.vq_model import VQModel
from torch import Tensor

from facegen_core.diffusion.schedule import ScheduleConfig, alpha_bars
from facegen_core.images import from_signed
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.first_stage import decode, encode
from facegen_core.methods.emotion_ldm.manipulation import EmotionModel, invert_emotion, reverse_emotion
from facegen_core.seeding import torch_generator

AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class LatentEditor:
    """Changes the emotion of faces: latents are inverted under the one shown and brought back under another.

    Attributes:
        first_stage: pictures to latents and back.
        there: predicts the noise in latents that are inverted; on the same device.
        back: in those that are brought back: the same network, or one tuned towards the target.
        schedule: of that noise.
        pixels: side R of the pictures.
        config: of the edit.
    """

    first_stage: VQModel
    there: EmotionModel
    back: EmotionModel
    schedule: ScheduleConfig
    pixels: int
    config: EditConfig

    @torch.no_grad()
    def reconstruct(self, crops: Tensor) -> Tensor:
        """Crops (B, 3, R, R) in [0, 1] as the first stage gives them back, on the CPU.

        What an edit changed is the difference to these: an edited crop has lost all that the first stage cannot keep.
        """
        return torch.cat([self._pictures(self._latents(some)) for some in crops.split(AT_ONCE)])

    @torch.no_grad()
    def edit_crops(self, crops: Tensor, source: Tensor, targets: Sequence[int]) -> Tensor:
        """Crops that show other emotions; each is inverted once.

        Args:
            crops: (B, 3, R, R) in [0, 1].
            source: (B,) int64, the emotions shown.
            targets: (T) emotions wanted.

        Returns:
            (T, B, 3, R, R) in [0, 1], on the CPU.

        Raises:
            ConfigError: the edit does not fit the schedule.
        """
        bars = alpha_bars(self.schedule)
        random = torch_generator(0)  # read if eta is above 0; the same for every call of the same faces and targets
        inverted = torch.cat(
            [
                invert_emotion(self.there, self._latents(some), self._placed(shown), self.config, bars)
                for some, shown in zip(crops.split(AT_ONCE), source.split(AT_ONCE), strict=True)
            ]
        )
        each, wanted = inverted.repeat(len(targets), 1, 1, 1), torch.tensor(targets).repeat_interleave(len(crops))
        edited = [
            self._pictures(reverse_emotion(self.back, some, self._placed(target), self.config, bars, random))
            for some, target in zip(each.split(AT_ONCE), wanted.split(AT_ONCE), strict=True)
        ]
        return torch.cat(edited).unflatten(0, (len(targets), len(crops)))

    def _latents(self, crops: Tensor) -> Tensor:
        return encode(self.first_stage, self._placed(crops) * 2 - 1)

    def _pictures(self, latents: Tensor) -> Tensor:
        return from_signed(decode(self.first_stage, latents)).cpu()

    def _placed(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.first_stage.device)
