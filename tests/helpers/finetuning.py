"""A network to be tuned, pictures of its, and judges of them, small enough for a test."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facegen_core.config import OptimConfig
from facegen_core.encoders.base import Preprocessing
from facegen_core.methods.emotion_ldm.clip_finetune_config import ClipFinetuneConfig
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.finetune_losses import FinetuneLosses, Looker
from facegen_core.methods.emotion_ldm.first_stage import build_first_stage
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig
from facegen_core.types import PoolBatch
from lightning_modules.emotion_clip import EmotionClipModule

MODEL = DenoiserConfig(latent_pixels=4, channels=(8,), layers_per_block=1, heads=(1,), norm_groups=4, context_dim=6)
FIRST_STAGE = FirstStageConfig(
    pixels=8, channels=(8, 8), blocks=1, groups=4, attention=False, codes=2048, code_range=1.0
)  # fmt: skip
FINETUNE = ClipFinetuneConfig(
    target="happy", edit=EditConfig(steps=4, guidance=2.0), train_steps=2, guide="judge", directional_form="cosine"
)


class Projection(nn.Module):
    """A fixed linear map of the 2 x 2 picture that is left of a picture, gradients and all."""

    differentiable = True
    preprocessing = Preprocessing(8, framing="whole")

    def __init__(self, dim: int, seed: int) -> None:
        super().__init__()
        self.dim, self.name = dim, f"projection to {dim}"
        self.register_buffer("weights", torch.randn(12, dim, generator=torch.Generator().manual_seed(seed)))

    def forward(self, pictures: Tensor) -> Tensor:
        assert pictures.dtype == torch.float32, "changes are too small for half precision"
        return F.adaptive_avg_pool2d(pictures, 2).flatten(1) @ self.weights


def tuned_module(lr: float = 3e-3, **finetune: Any) -> EmotionClipModule:
    """The same each time; to be tuned along one direction from every emotion."""
    torch.manual_seed(0)
    directions = F.normalize(torch.randn(1, 5), dim=1).repeat(9, 1)
    losses = FinetuneLosses(Looker(Projection(5, 1), True, False), Looker(Projection(4, 2), True, True), directions)
    config = ClipFinetuneConfig(**vars(FINETUNE) | finetune)
    untuned = EmotionDenoiser(MODEL).eval().requires_grad_(False)
    first_stage = build_first_stage(FIRST_STAGE).eval().requires_grad_(False)
    return EmotionClipModule(MODEL, config, OptimConfig(lr, weight_decay=0.01), untuned, first_stage, losses)


def pool_batch(count: int = 4, seed: int = 0) -> PoolBatch:
    """Noise, and pictures that go with it in no way."""
    random = torch.Generator().manual_seed(seed)
    emotion = torch.arange(count) % 8
    return PoolBatch(
        latent=torch.randn(count, 3, 4, 4, generator=random),
        reference=torch.rand(count, 3, 8, 8, generator=random) * 2 - 1,
        emotion=emotion, identity=emotion, index=torch.arange(count),
    )  # fmt: skip
