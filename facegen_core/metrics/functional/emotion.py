"""Which emotion pictures show, by a classifier of AffectNet's eight."""

from typing import NamedTuple

import torch
from torch import Tensor

from facegen_core.emotions import EMOTIONS

CLASSES = len(EMOTIONS)
UNKNOWN_SOURCE = NO_FACE = CLASSES
"""The last row of sources, and the last column of predictions."""


class EmotionReport(NamedTuple):
    """What a classifier says of pictures that each should show a target emotion. NaN where there are no pictures.

    Attributes:
        accuracy: share of all pictures predicted as their target; one without a face is not.
        share: (8,) share of all pictures predicted as each class; below 1 in sum by the pictures without a face.
        no_face: share of all pictures without a face.
        by_target: (8, 8) confusion: row = target, column = prediction, shares of the row's pictures.
        by_source: (8, 8) the same with the emotion that a picture showed before it was edited as row.
        accuracy_by_source: (8,) share of the pictures of each source predicted as their target.
    """

    accuracy: float
    share: Tensor
    no_face: float
    by_target: Tensor
    by_source: Tensor
    accuracy_by_source: Tensor


def predict_emotion(logits: Tensor) -> Tensor:
    """The class (B,) of the highest logit.

    Args:
        logits: (B, 8) in AffectNet's order; -inf for classes that a classifier does not know, such as contempt.

    Raises:
        ValueError: not eight classes, or NaN among them.
    """
    if logits.ndim != 2 or logits.shape[1] != CLASSES:
        raise ValueError(f"expected logits (B, {CLASSES}) for {', '.join(EMOTIONS)}, got {tuple(logits.shape)}")
    if logits.isnan().any():
        raise ValueError("a logit is NaN")
    return logits.argmax(dim=1)


def emotion_counts(predicted: Tensor, target: Tensor, source: Tensor | None = None) -> Tensor:
    """How many pictures of each kind were predicted as what.

    Args:
        predicted: (B,) int64, 0 to 7, or 8 where there is no face.
        target: (B,) int64, 0 to 7, what each picture should show.
        source: (B,) int64, 0 to 7, what it showed before, or -1 where that is unknown; unknown for all if None.

    Returns:
        (9, 8, 9) int64: source (8 = unknown), target, prediction (8 = no face).

    Raises:
        ValueError: labels out of range.
    """
    source = torch.full_like(target, -1) if source is None else source
    if len(target) and not (int(target.min()) >= 0 and int(target.max()) < CLASSES):
        raise ValueError(f"targets must be 0 to {CLASSES - 1}, got {int(target.min())} to {int(target.max())}")
    if len(source) and not (int(source.min()) >= -1 and int(source.max()) < CLASSES):
        raise ValueError(f"sources must be -1 to {CLASSES - 1}, got {int(source.min())} to {int(source.max())}")
    known = torch.where(source < 0, UNKNOWN_SOURCE, source)
    shape = (CLASSES + 1, CLASSES, CLASSES + 1)
    cell = (known * shape[1] + target) * shape[2] + predicted
    return torch.bincount(cell, minlength=shape[0] * shape[1] * shape[2]).view(shape)


def emotion_report(counts: Tensor) -> EmotionReport:
    """Shares of what :func:`emotion_counts` counted, (9, 8, 9)."""
    counts = counts.double()
    total = counts.sum()
    hits = counts[..., :CLASSES].diagonal(dim1=1, dim2=2).sum(dim=1)  # (9,) by source
    by_source, by_target = counts.sum(dim=1)[:CLASSES], counts.sum(dim=0)
    share = counts.sum(dim=(0, 1)) / total
    return EmotionReport(
        accuracy=float(hits.sum() / total),
        share=share[:CLASSES],
        no_face=float(share[NO_FACE]),
        by_target=(by_target / by_target.sum(dim=1, keepdim=True))[:, :CLASSES],
        by_source=(by_source / by_source.sum(dim=1, keepdim=True))[:, :CLASSES],
        accuracy_by_source=hits[:CLASSES] / by_source.sum(dim=1),
    )
