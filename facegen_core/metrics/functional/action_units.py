"""How well scores of action units agree with what was coded."""

import torch
from scipy.stats import spearmanr
from torch import Tensor

from facegen_core.types import UNKNOWN


def unit_f1(logits: Tensor, units: Tensor) -> Tensor:
    """F1 of each unit, present where its logit is above 0, over the frames where it is known.

    F1 and not accuracy is what the field reports: most units are absent in most frames.

    Args:
        logits: (N, A).
        units: (N, A) with 0 absent, 1 present, -1 unknown.

    Returns:
        (A,) float64 in [0, 1]; NaN for a unit that is never known to be present.
    """
    known, present = units != UNKNOWN, units == 1
    said = (logits > 0) & known
    right = (said & present).sum(0).double()
    f1 = 2 * right / (said.sum(0) + present.sum(0)).clamp(min=1)
    return torch.where(present.any(0), f1, torch.nan)


def intensity_correlation(scores: Tensor, intensity: Tensor) -> Tensor:
    """Spearman's rank correlation of each unit's score with its coded intensity, over the frames where it is known.

    Args:
        scores: (N, U), such as logits.
        intensity: (N, U), 0 to 5, or -1 unknown.

    Returns:
        (U,) float64 in [-1, 1]; NaN for a unit whose score or intensity does not vary.
    """
    columns = []
    for score, coded in zip(scores.double().T, intensity.T, strict=True):
        known = coded != UNKNOWN
        score, coded = score[known], coded[known]
        varies = len(score.unique()) > 1 and len(coded.unique()) > 1
        columns.append(float(spearmanr(score.numpy(), coded.numpy()).statistic) if varies else float("nan"))
    return torch.tensor(columns, dtype=torch.float64)
