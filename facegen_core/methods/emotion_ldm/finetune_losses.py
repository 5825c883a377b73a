"""What fine-tuning towards an emotion minimises, by frozen networks that look at the pictures [A 6.1, 6.2]."""

from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics import Metric

from facegen_core.encoders.base import Encoder, TorchEncoder
from facegen_core.encoders.clip import clip_encoder, clip_weights
from facegen_core.encoders.emotion import EMBEDDED, expression_encoder
from facegen_core.encoders.framing import AlignedFramer
from facegen_core.encoders.identity import identity_encoder
from facegen_core.errors import ConfigError, WeightsNotFoundError
from facegen_core.images import from_signed
from facegen_core.methods.emotion_ldm.clip_finetune_config import ClipFinetuneConfig
from facegen_core.methods.emotion_ldm.directional import direction_cosine, directional_loss
from facegen_core.weights import resolve_weights


class Terms(NamedTuple):
    """What is said of each picture, (B,) each.

    Attributes:
        direction: cosine of its change and the direction wanted.
        identity: 1 minus the cosine of what the recognition network sees of it and its source.
        l2: mean squared difference to the source, in [-1, 1].
    """

    direction: Tensor
    identity: Tensor
    l2: Tensor


class Looker(nn.Module):
    """A frozen network and how it is shown aligned pictures.

    Args:
        encoder: the network.
        whole: it is shown the pictures as they are.
        clamped: what lies outside [-1, 1] is cut off first.
    """

    def __init__(self, encoder: Encoder, whole: bool, clamped: bool) -> None:
        super().__init__()
        self.encoder, self.clamped, self.name = encoder, clamped, encoder.name
        self.framer = None if whole else AlignedFramer(encoder.preprocessing)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, R, R) in [-1, 1] to features (B, D), in float32 whatever surrounds it.

        What changes in a picture is a small difference of two features; half precision would lose it.
        """
        with torch.autocast(pictures.device.type, enabled=False):
            seen = from_signed(pictures.float()) if self.clamped else (pictures.float() + 1) / 2
            framed = seen if self.framer is None else self.framer(seen).pictures
            return self.encoder(framed)


class FinetuneLosses(nn.Module):
    """The losses of pictures beside the reconstructions they are edits of.

    Args:
        guide: features in which the direction is compared.
        identity: features of length 1 of who it is.
        directions: (9, D), by the emotion shown, the last for one not known.
    """

    directions: Tensor

    def __init__(self, guide: Looker, identity: Looker, directions: Tensor) -> None:
        super().__init__()
        self.guide, self.identity = guide, identity
        self.register_buffer("directions", directions)
        self.requires_grad_(False).eval()

    def forward(self, made: Tensor, reference: Tensor, emotion: Tensor) -> Terms:
        """The terms of pictures.

        Args:
            made: (B, 3, R, R), about [-1, 1], not clamped.
            reference: (B, 3, R, R) in [-1, 1], what they are edits of.
            emotion: (B,) int64 that the references show, -1 where unknown.
        """
        with torch.no_grad():
            before, who = self.guide(reference), self.identity(reference)
        direction = direction_cosine(self.guide(made), before, self.directions[emotion])  # -1 is the last row
        return Terms(
            direction,
            1 - F.cosine_similarity(self.identity(made), who),
            (made.float() - reference).square().flatten(1).mean(1),
        )

    def train(self, mode: bool = True) -> "FinetuneLosses":
        """Stays in evaluation mode: the networks are frozen."""
        return super().train(False)


def total(config: ClipFinetuneConfig, terms: Terms) -> dict[str, Tensor]:
    """The loss of a batch, its parts and the cosine of its direction, each (), by the names they are logged under.

    Args:
        config: weights and form.
        terms: of each picture, or their means.
    """
    cosine, identity, l2 = (term.mean() for term in terms)
    directional, name = directional_loss(cosine, config.directional_form), config.directional_name
    weighed = config.directional_weight * directional + config.identity_weight * identity + config.l2_weight * l2
    return {"loss": weighed, f"{name}_loss": directional, f"{name}_cosine": cosine,
            "identity_loss": identity, "l2_loss": l2}  # fmt: skip


class FinetuneFigure(Metric):
    """One of the figures that :func:`total` gives, of the mean terms of all that was seen.

    Args:
        config: weights and form.
        key: which.
    """

    full_state_update = False
    sums: Tensor
    count: Tensor

    def __init__(self, config: ClipFinetuneConfig, key: str) -> None:
        super().__init__()
        self.config, self.key = config, key
        self.add_state("sums", torch.zeros(len(Terms._fields), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, *terms: Tensor) -> None:
        """Takes in the terms of pictures, each (B,), in the order of :class:`Terms`."""
        self.sums += torch.stack([term.double().sum() for term in terms])
        self.count += len(terms[0])

    def compute(self) -> Tensor:
        return total(self.config, Terms(*(self.sums / self.count)))[self.key]


def finetune_figures(config: ClipFinetuneConfig) -> dict[str, tuple[Metric, tuple[str, ...]]]:
    """The loss, its parts and how far it came, as the Evaluator takes them; a step returns :class:`Terms` by name."""
    keys = total(config, Terms(*torch.zeros(len(Terms._fields), 1)))
    return {key: (FinetuneFigure(config, key), Terms._fields) for key in keys}


def check_weights(config: ClipFinetuneConfig) -> None:
    """Looks whether the networks' weights are there, before hours are spent on what comes before they are read.

    Raises:
        WeightsNotFoundError: they are not; the message says how to get them, and what else can be chosen.
    """
    try:
        if config.guide == "clip":
            clip_weights(config.clip)
    except WeightsNotFoundError as error:
        raise WeightsNotFoundError(without_clip(error)) from None
    try:
        if config.identity != EMBEDDED:
            resolve_weights(config.identity)
    except WeightsNotFoundError as error:
        raise WeightsNotFoundError(without_identity(config, error)) from None


def build_guide(config: ClipFinetuneConfig) -> Looker:
    """The network in whose space the direction is.

    Raises:
        WeightsNotFoundError: its weights are not there; the message says how to get them, and what else can be chosen.
    """
    if config.guide == "judge":
        return Looker(expression_encoder(EMBEDDED), whole=False, clamped=False)
    try:
        return Looker(clip_encoder(config.clip), whole=True, clamped=False)
    except WeightsNotFoundError as error:
        raise WeightsNotFoundError(without_clip(error)) from None


def build_identity(config: ClipFinetuneConfig) -> Looker:
    """The network that tells who it is.

    Raises:
        WeightsNotFoundError: its weights are not there; the message says what else can be chosen.
        ConfigError: no gradients pass it.
    """
    try:
        encoder = identity_encoder(config.identity)
    except WeightsNotFoundError as error:
        raise WeightsNotFoundError(without_identity(config, error)) from None
    if not encoder.differentiable:
        raise ConfigError(f"identity = {config.identity}: no gradients pass an ONNX network; take one of torch.")
    if config.framing == "whole" and isinstance(encoder, TorchEncoder):
        encoder.preprocessing = replace(encoder.preprocessing, framing="whole", resize="area")  # pooled to its size [A]
    return Looker(encoder, config.framing == "whole", clamped=True)


def without_clip(error: WeightsNotFoundError) -> str:
    """What to do where CLIP's weights are missing."""
    return f"guide = clip: {error} Or choose another guide: guide=judge (features of the embedded emotion judge)."


def without_identity(config: ClipFinetuneConfig, error: WeightsNotFoundError) -> str:
    """What to do where the recognition network's weights are missing."""
    return f"identity = {config.identity}: {error} Or choose another network: identity=judge (the embedded one)."
