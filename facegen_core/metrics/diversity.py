"""Diversity of generated faces as a torchmetrics class."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from facegen_core.metrics.functional.mesh_distance import mesh_distance


class Diversity(Metric):
    """Mean distance of pairs of faces, as a share of the training set's: DIV, DIV-ID and DIV-EXP of table 1.

    Which of the three it is, the pairs decide: any two faces; two people with one expression; two expressions of one
    person.

    Args:
        training_mm: the training set's value, mm, see ``functional.diversity.training_diversity``; 1 keeps mm.

    ``compute`` gives NaN when no pair was seen.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    total_mm: Tensor
    pairs: Tensor

    def __init__(self, training_mm: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not training_mm > 0:
            raise ValueError(f"training_mm must be above 0, got {training_mm}")
        self.training_mm = training_mm
        self.add_state("total_mm", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("pairs", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, first: Tensor, second: Tensor) -> None:
        """Takes in pairs, (B, V, 3) each, mm."""
        if len(first):
            self.total_mm += mesh_distance(first.float(), second.float()).double().sum()
            self.pairs += len(first)

    def compute(self) -> Tensor:
        return self.total_mm / self.pairs / self.training_mm
