"""Area under the ROC curve."""

import torch
from torch import Tensor


def exact_auc(positives: Tensor, negatives: Tensor) -> float:
    """Probability that a positive scores higher than a negative; a tie counts half (Mann and Whitney 1947).

    Exact: every pair is counted, in O(N log N), and no thresholds are binned.

    Args:
        positives: (P,) scores.
        negatives: (N,) scores.

    Returns:
        In [0, 1]; NaN where either is empty.

    Raises:
        ValueError: a score is NaN, which is neither higher nor lower.
    """
    positives, negatives = positives.double().flatten(), negatives.double().flatten().sort().values
    if positives.isnan().any() or negatives.isnan().any():
        raise ValueError("a score is NaN")
    if len(positives) == 0 or len(negatives) == 0:
        return float("nan")
    below = torch.searchsorted(negatives, positives, right=False)
    not_above = torch.searchsorted(negatives, positives, right=True)
    return int((below + not_above).sum()) / (2 * len(positives) * len(negatives))
