"""How far two expressions are apart, by the embeddings of an expression network."""

import torch.nn.functional as F
from torch import Tensor


def expression_distance(first: Tensor, second: Tensor) -> Tensor:
    """Mean squared difference of each pair of embeddings, brought to norm 1: ``2 (1 - cosine) / D``.

    It falls with the size of the embedding, so only figures of one judge compare.

    Args:
        first: (B, D).
        second: (B, D).

    Returns:
        (B,) float64.
    """
    return (F.normalize(first.double(), dim=1) - F.normalize(second.double(), dim=1)).square().mean(dim=1)
