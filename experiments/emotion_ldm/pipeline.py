"""Changes the emotion of a face, as a pipeline of diffusers.

This file is copied into every exported folder and needs torch and diffusers alone, so that the folder works where
facegen is not installed. It gives the pictures that facegen gives; facegen's tests keep that.
"""

from itertools import pairwise
from typing import Any

import torch
from diffusers import DDIMScheduler, DiffusionPipeline, ImagePipelineOutput, UNet2DConditionModel, VQModel
from diffusers.image_processor import PipelineImageInput, VaeImageProcessor
from torch import Tensor


class EmotionEditPipeline(DiffusionPipeline):  # type: ignore[misc]
    """DDIM inversion under the emotion that a face shows, and back under the one that is wanted.

    "Photorealistic and Identity-Preserving Image-Based Emotion Manipulation with Latent Diffusion Models", Pikoulis,
    Filntisis and Maragos 2023.

    Args:
        vqvae: pictures to latents and back.
        unet: predicts noise, told an emotion as one token.
        emotions: the tokens, an ``EmotionTokens``.
        scheduler: whose variances of the noise are used; its steps are not, they cannot end at ``strength``.
    """

    model_cpu_offload_seq = "emotions->unet->vqvae"

    def __init__(self, vqvae: VQModel, unet: UNet2DConditionModel, emotions: Any, scheduler: DDIMScheduler) -> None:
        super().__init__()
        self.register_modules(vqvae=vqvae, unet=unet, emotions=emotions, scheduler=scheduler)
        shrunk = 2 ** (len(vqvae.config.block_out_channels) - 1)
        self.image_processor = VaeImageProcessor(vae_scale_factor=shrunk, resample="bilinear")

    @torch.no_grad()
    def __call__(
        self,
        image: PipelineImageInput,
        target: str | list[str],
        source: str | list[str] = "neutral",
        strength: int = 500,
        num_inference_steps: int = 40,
        guidance_scale: float = 5.0,
        guide_inversion: bool = True,
        output_type: str = "pil",
        return_dict: bool = True,
    ) -> ImagePipelineOutput | tuple[Any]:
        """Edits pictures of upright faces that fill the picture, as it was trained on.

        Args:
            image: a picture, a list of them, or a tensor (B, 3, R, R) in [0, 1]; brought to the network's size.
            target: the emotion wanted, one for all or one for each; those known are in ``emotions.config.names``.
            source: the emotion shown, likewise.
            strength: how far the picture goes towards noise, of the schedule's 1000 times.
            num_inference_steps: stops on the way, the same both ways.
            guidance_scale: 1 is none; more is a stronger emotion and a less faithful face.
            guide_inversion: whether the way to noise is guided too, as the paper's code does.
            output_type: "pil", "np" or "pt".
            return_dict: False gives a plain tuple.
        """
        side = self.vqvae.config.sample_size
        pictures = self.image_processor.preprocess(image, height=side, width=side)
        pictures = pictures.to(self._execution_device, self.vqvae.dtype)
        latents = self.vqvae.encode(pictures).latents
        times = self._times(strength, num_inference_steps)
        latents = self._along(latents, times, source, guidance_scale if guide_inversion else 1.0)
        latents = self._along(latents, times[::-1], target, guidance_scale)
        made = self.image_processor.postprocess(self.vqvae.decode(latents).sample, output_type)
        self.maybe_free_model_hooks()
        return ImagePipelineOutput(images=made) if return_dict else (made,)

    def _times(self, strength: int, count: int) -> list[int]:
        """0 and the stops: ``floor(linspace(0, 1, count) * strength)``, the first of them made 1."""
        if not 1 < count <= strength // 2 + 1 or strength >= self.scheduler.config.num_train_timesteps:
            last = self.scheduler.config.num_train_timesteps - 1
            raise ValueError(
                f"strength {strength} in {count} steps: strength goes up to {last}, steps from 2 to half of it"
            )
        return [0, 1, *(i * strength // (count - 1) for i in range(1, count))]

    def _along(self, latents: Tensor, times: list[int], emotion: str | list[str], scale: float) -> Tensor:
        """From the first time to the last. The network is told the noisier end of each step."""
        bars = (1 - self.scheduler.betas.double()).cumprod(0).tolist()
        named = self.emotions([emotion] * len(latents) if isinstance(emotion, str) else emotion)
        tokens = named if scale == 1 else torch.cat([self.emotions([None] * len(latents)), named])
        for here, there in pairwise(times):
            noise = self.unet(latents if scale == 1 else torch.cat([latents] * 2), max(here, there), tokens).sample
            if scale != 1:
                without, noise = noise.chunk(2)
                noise = without + scale * (noise - without)
            clean = (latents - (1 - bars[here]) ** 0.5 * noise) / bars[here] ** 0.5
            latents = bars[there] ** 0.5 * clean + (1 - bars[there]) ** 0.5 * noise
        return latents
