"""An edit of latents from end to end."""

import torch
from torch import Tensor

from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.manipulation import EmotionModel, invert_emotion, reverse_emotion


@torch.no_grad()
def manipulate(
    model: EmotionModel,
    latents: Tensor,
    source: Tensor,
    target: Tensor,
    config: EditConfig,
    bars: Tensor,
    random: torch.Generator | None = None,
) -> Tensor:
    """There and back, without a gradient; arguments are those of the two passes."""
    return reverse_emotion(model, invert_emotion(model, latents, source, config, bars), target, config, bars, random)
