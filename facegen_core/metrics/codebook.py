"""How much of a codebook is used."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


def perplexity(counts: Tensor) -> Tensor:
    """The number of codes that would be as hard to guess if all were used equally often: exp of the entropy.

    Args:
        counts: (K,) how often each was used.
    """
    shares = counts.double() / counts.sum()
    return torch.special.entr(shares).sum().exp()


class _CodeMetric(Metric):
    """Counts codes (...) int64 over all batches and processes.

    Args:
        codes: entries of the codebook.
    """

    is_differentiable = False
    full_state_update = False
    counts: Tensor

    def __init__(self, codes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("counts", torch.zeros(codes, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, codes: Tensor) -> None:
        """Takes in codes of any shape."""
        self.counts += torch.bincount(codes.flatten(), minlength=len(self.counts))


class CodebookPerplexity(_CodeMetric):
    """Perplexity of the codes, from 1 (always the same) to as many as there are."""

    def compute(self) -> Tensor:
        return perplexity(self.counts)


class CodebookUsage(_CodeMetric):
    """Share of the codes that were used at all."""

    def compute(self) -> Tensor:
        return (self.counts > 0).double().mean()
