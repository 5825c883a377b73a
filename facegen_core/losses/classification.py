"""Classification losses over labels that may be unknown."""

import torch.nn.functional as F
from torch import Tensor

from facegen_core.types import UNKNOWN


def masked_bce(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy over multi-hot labels, averaged over the known ones.

    Args:
        logits: (B, A).
        labels: (B, A) with 0 absent, 1 present, -1 unknown.

    Returns:
        Scalar; 0 (with a gradient of 0) when no label is known.
    """
    known = (labels != UNKNOWN).to(logits.dtype)
    losses = F.binary_cross_entropy_with_logits(logits, labels.clamp(min=0).to(logits.dtype), reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy for classes (B,), binary cross-entropy over the known ones for action units (B, A)."""
    return F.cross_entropy(logits, labels) if labels.ndim == 1 else masked_bce(logits, labels)
