"""Whether two pictures show one person, by the embeddings of a recognition network."""

import torch.nn.functional as F
from torch import Tensor

from facegen_core.metrics.functional.auc import exact_auc

GROUP_FLOOR = 1e-6
"""A group of pictures counts only if its mean cosine is above this [C Celeb Basis, evaluation/clip_eval.py]."""


def pair_cosine(first: Tensor, second: Tensor) -> Tensor:
    """Cosines (B,) of embeddings (B, D) and (B, D), which need not have norm 1."""
    return F.cosine_similarity(first.double(), second.double(), dim=1)


def id_cosine(first: Tensor, second: Tensor) -> float:
    """Mean cosine of embeddings (B, D) and (B, D), pair by pair; NaN without pairs."""
    return float(pair_cosine(first, second).mean())


def mean_of_groups(total: Tensor, count: Tensor) -> tuple[Tensor, int]:
    """Mean over groups of each group's mean, as Celeb Basis and Cross Initialization score a person with a prompt.

    Args:
        total: (G,) sums of cosines.
        count: (G,) how many.

    Returns:
        The mean, NaN where no group counts; and how many groups count: those not empty, with a mean above 1e-6.
    """
    means = total.double() / count
    counted = means[means > GROUP_FLOOR]
    return counted.mean(), len(counted)


def id_rank1(gallery: Tensor, gallery_identity: Tensor, queries: Tensor, query_identity: Tensor) -> float:
    """Share of queries whose nearest gallery embedding by cosine is of the same person.

    Args:
        gallery: (G, D).
        gallery_identity: (G,).
        queries: (Q, D).
        query_identity: (Q,).

    Returns:
        In [0, 1]; NaN without queries or gallery.
    """
    if len(gallery) == 0 or len(queries) == 0:
        return float("nan")
    cosine = F.normalize(queries.double(), dim=1) @ F.normalize(gallery.double(), dim=1).T
    return float((gallery_identity[cosine.argmax(dim=1)] == query_identity).double().mean())


def verification_scores(
    first: Tensor, first_identity: Tensor, second: Tensor, second_identity: Tensor
) -> tuple[Tensor, Tensor]:
    """Cosines of all pairs of one embedding of each set.

    Args:
        first: (N, D), such as neutral pictures.
        first_identity: (N,).
        second: (M, D), such as smiling ones; no picture of ``first`` again.
        second_identity: (M,).

    Returns:
        Those of one person, (P,), and those of two, (N M - P,); float64.
    """
    cosine = F.normalize(first.double(), dim=1) @ F.normalize(second.double(), dim=1).T
    same = first_identity[:, None] == second_identity[None, :]
    return cosine[same], cosine[~same]


def verification_auc(first: Tensor, first_identity: Tensor, second: Tensor, second_identity: Tensor) -> float:
    """Probability that two pictures of one person are more alike than two of two; see :func:`verification_scores`."""
    return exact_auc(*verification_scores(first, first_identity, second, second_identity))
