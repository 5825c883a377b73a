"""EmotionLDM's denoiser: a U-Net that is told an emotion [P 3.2, eq. 12]."""

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn

from facegen_core.emotions import EMOTIONS
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.single_token import use_single_token

NULL = -1
"""The label of no emotion."""


class EmotionDenoiser(nn.Module):
    """Predicts the noise in latents of a face that shows an emotion, or any, by the learnt null embedding.

    Args:
        config: its sizes. The published ones give a U-Net of 156,760,483 parameters, the original release's; the
            embeddings add 4,608.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        levels = len(config.channels)
        self.unet = UNet2DConditionModel(
            sample_size=config.latent_pixels,
            in_channels=config.latent_channels,
            out_channels=config.latent_channels,
            block_out_channels=tuple(config.channels),
            layers_per_block=config.layers_per_block,
            down_block_types=("CrossAttnDownBlock2D",) * levels,
            up_block_types=("CrossAttnUpBlock2D",) * levels,
            cross_attention_dim=config.context_dim,
            attention_head_dim=tuple(config.heads),  # diffusers' name for how many there are
            norm_num_groups=config.norm_groups,
        )
        use_single_token(self.unet)
        self.emotions = nn.Embedding(len(EMOTIONS), config.context_dim)
        self.null = nn.Parameter(torch.randn(1, config.context_dim))

    def context(self, emotion: Tensor) -> Tensor:
        """The token that says an emotion, (B, 1, context_dim).

        Args:
            emotion: (B,) int64, 0 to 7, see ``facegen_core/emotions.py``; -1 for none.
        """
        named = self.emotions(emotion.clamp(min=0))
        return torch.where((emotion == NULL)[:, None], self.null, named)[:, None]

    def forward(self, latents: Tensor, t: Tensor, context: Tensor) -> Tensor:
        """Predicted noise, (B, C, h, w).

        Args:
            latents: (B, C, h, w), noised.
            t: (B,) int64, steps of the schedule, counted from 0.
            context: (B, 1, context_dim), of :meth:`context`.
        """
        return self.unet(latents, t, context, return_dict=False)[0]
