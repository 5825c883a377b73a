"""The directional loss (Gal et al. 2022): a picture should change the way that words, or other pictures, point."""

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.emotions import EMOTIONS
from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm.clip_finetune_config import DirectionalForm

FLOOR = 1e-7
"""Added to the length that a picture's change is divided by [A]."""
LEAST = 1e-6
"""Of what the logarithm is taken of: it ends at a change in the opposite direction."""


def direction_cosine(made: Tensor, before: Tensor, wanted: Tensor) -> Tensor:
    """How well pictures changed in the direction wanted, (B,) in [-1, 1].

    Args:
        made: (B, D) features of the pictures.
        before: (B, D) features of what they were.
        wanted: (B, D) directions of length 1.
    """
    change = made - before
    return (change / (change.norm(dim=1, keepdim=True) + FLOOR) * wanted).sum(1)


def directional_loss(cosine: Tensor, form: DirectionalForm) -> Tensor:
    """The loss () of a batch.

    Args:
        cosine: (B,), or () their mean, of :func:`direction_cosine`.
        form: "cosine": ``1 - cos`` [P]. "log": ``-log((1 + cos) / 2)`` of the mean [A, as DiffusionCLIP].
    """
    mean = cosine.mean()
    return 1 - mean if form == "cosine" else -((1 + mean) / 2).clamp_min(LEAST).log()


def mean_directions(features: Tensor, emotion: Tensor, target: int) -> Tensor:
    """From the mean picture of each emotion to the target's, in the space of a network that judges emotions.

    Stands where ``prompts.text_directions`` does. As there, the direction from a face that shows the target's emotion,
    or an unknown one, is that from a face of no emotion in particular: the mean of all emotions' means.

    Args:
        features: (N, D) of pictures.
        emotion: (N,) int64 that they show; -1 where that is not known, which are not used.
        target: the emotion wanted.

    Returns:
        (9, D) of length 1, by the emotion shown; the last row is for a face whose emotion is not known.

    Raises:
        ConfigError: no picture shows the target.
    """
    shown = emotion.unique().tolist()
    if target not in shown:
        raise ConfigError(
            f"target = {EMOTIONS[target]}: none of the {len(emotion)} pictures of the pool shows it. Draw more of them "
            "(pool.size, pool.per_class)."
        )
    means = {e: features[emotion == e].mean(0) for e in shown if e >= 0}
    anyone = torch.stack(list(means.values())).mean(0)
    sources = [means.get(e, anyone) if e != target else anyone for e in (*range(len(EMOTIONS)), -1)]
    return F.normalize(torch.stack([means[target] - source for source in sources]), dim=1)
