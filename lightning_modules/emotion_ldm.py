"""Training stage of EmotionLDM's denoiser, on cached latents."""

from typing import Any

import torch
from torch import Tensor

from facegen_core.config import OptimConfig, as_config, to_plain
from facegen_core.diffusion.loss import held_out_noise, held_out_times, noise_error
from facegen_core.diffusion.schedule import alpha_bars, noised
from facegen_core.methods.emotion_ldm.denoiser import NULL, EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.types import LatentBatch
from lightning_modules.base import FaceGenModule, build_adam


class EmotionLDMModule(FaceGenModule):
    """The denoiser learns the noise in latents at random times, told their emotion most of the times.

    The average of weights is of the U-Net alone, not of the embeddings [A].

    Args:
        model: the network, the noise's schedule, and how often labels are withheld.
        optim: AdamW's settings, of the U-Net and the embeddings alike [A].
    """

    optim: OptimConfig
    network = "denoiser.unet"
    bars: Tensor

    def __init__(self, model: DenoiserConfig | dict[str, Any], optim: OptimConfig | dict[str, Any]) -> None:
        super().__init__()
        self.config, self.optim = as_config(DenoiserConfig, model), as_config(OptimConfig, optim)
        self.save_hyperparameters({"model": to_plain(self.config), "optim": to_plain(self.optim)})
        self.denoiser = EmotionDenoiser(self.config)
        self.register_buffer("bars", alpha_bars(self.config.schedule), persistent=False)

    def training_step(self, batch: LatentBatch, batch_idx: int) -> dict[str, Tensor]:
        latents, emotion = batch["latent"], self._withheld(batch["emotion"])
        t = torch.randint(self.config.schedule.steps, (len(latents),), device=self.device)
        return {"loss": self._error(latents, emotion, t, torch.randn_like(latents)).mean()}

    def validation_step(self, batch: LatentBatch, batch_idx: int) -> dict[str, Tensor]:
        """With all labels, and for each latent always the same time and noise."""
        latents, index = batch["latent"], batch["index"]
        t = held_out_times(index, self.config.schedule.steps)
        return {"error": self._error(latents, batch["emotion"], t, held_out_noise(index, latents)), "t": t}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return build_adam([weight for weight in self.denoiser.parameters() if weight.requires_grad], self.optim)

    def _error(self, latents: Tensor, emotion: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """(B,), see ``loss.noise_error``."""
        noisy = noised(latents, noise, t, self.bars)
        return noise_error(self.denoiser(noisy, t, self.denoiser.context(emotion)), noise)

    def _withheld(self, emotion: Tensor) -> Tensor:
        """Labels, some of them or all of the batch replaced by that of no emotion."""
        draws = 1 if self.config.label_drop_per == "batch" else len(emotion)
        dropped = torch.rand(draws, device=self.device) < self.config.label_drop
        return torch.where(dropped, NULL, emotion)
