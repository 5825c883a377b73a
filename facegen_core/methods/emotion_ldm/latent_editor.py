"""Pictures of aligned faces edited from end to end: first stage, manipulation of the latents, first stage."""

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
        denoiser: predicts the noise in latents; on the same device.
        schedule: of that noise.
        pixels: side R of the pictures.
        config: of the edit.
        tuned: brings latents back instead of ``denoiser``, tuned towards the only target there is then.
    """

    first_stage: VQModel
    denoiser: EmotionModel
    schedule: ScheduleConfig
    pixels: int
    config: EditConfig
    tuned: EmotionModel | None = None

    @torch.no_grad()
    def reconstruct(self, crops: Tensor) -> Tensor:
        """Crops (B, 3, R, R) in [0, 1] as the first stage gives them back, on the CPU.

        What an edit changed is the difference to these: an edited crop has lost all that the first stage cannot keep.
        """
        return torch.cat([self._pictures(self._latents(some)) for some in crops.split(AT_ONCE)])

    @torch.no_grad()
    def edit_crops(self, crops: Tensor, source: Tensor, target: Tensor) -> Tensor:
        """Crops that show another emotion; one that comes with several targets is inverted once.

        Args:
            crops: (B, 3, R, R) in [0, 1].
            source: (B,) int64, the emotions shown.
            target: (B,) int64, the emotions wanted.

        Returns:
            (B, 3, R, R) in [0, 1], on the CPU.

        Raises:
            ConfigError: the edit does not fit the schedule.
        """
        bars = alpha_bars(self.schedule)
        random = torch_generator(0)  # read if eta is above 0; the same for every call, whatever else is edited
        first, which = _distinct(crops, source)
        inverted = torch.cat(
            [
                invert_emotion(self.denoiser, self._latents(crops[some]), self._there(source[some]), self.config, bars)
                for some in first.split(AT_ONCE)
            ]
        )
        back = self.tuned or self.denoiser
        edited = [
            reverse_emotion(back, inverted[self._there(some)], self._there(wanted), self.config, bars, random)
            for some, wanted in zip(which.split(AT_ONCE), target.split(AT_ONCE), strict=True)
        ]
        return torch.cat([self._pictures(latents) for latents in edited])

    def _latents(self, crops: Tensor) -> Tensor:
        return encode(self.first_stage, self._there(crops) * 2 - 1)

    def _pictures(self, latents: Tensor) -> Tensor:
        return from_signed(decode(self.first_stage, latents)).cpu()

    def _there(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.first_stage.device)


def _distinct(crops: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    """Places (D,) of crops that differ from those before, or in their emotion; and which of them each (B,) is."""
    flat = torch.cat([crops.flatten(1), source[:, None].to(crops)], 1)
    _, which = flat.unique(dim=0, return_inverse=True)
    first = torch.stack([(which == place).nonzero()[0, 0] for place in range(int(which.max()) + 1)])
    return first, which
