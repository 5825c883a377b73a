"""Specificity of generated faces as a torchmetrics class."""

from typing import Any, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from facegen_core.metrics.functional.mesh_distance import MeshRows
from facegen_core.metrics.functional.specificity import (
    SpecificityIndex,
    distance_to_all,
    index_training,
    nearest_training_mesh,
)


class Specificity(Metric):
    """Mean distance of samples to the training set, mm: SP of 3DFaceCAM's table 1.

    Large updates are cheaper than small ones: each reads training meshes from disk.

    Args:
        training: (M, V, 3) training meshes, mm; an array, a memory map or a data set read by rows. It is read once at
            the first update, and a few rows of it at each.
        distance_to: "nearest" training mesh, the usual definition; or the mean distance to "all", the paper's wording.

    ``compute`` gives NaN when no sample was seen.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    total_mm: Tensor
    samples: Tensor

    def __init__(self, training: MeshRows, distance_to: Literal["nearest", "all"] = "nearest", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if distance_to not in ("nearest", "all"):
            raise ValueError(f"distance_to must be 'nearest' or 'all', got {distance_to!r}")
        self.meshes, self.distance_to = training, distance_to
        self._index: SpecificityIndex | None = None
        self.add_state("total_mm", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("samples", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, samples: Tensor) -> None:
        """Takes in generated meshes, (B, V, 3), mm, measured from the same place as the training meshes."""
        if len(samples):
            self.total_mm += self._distances(samples.float()).double().sum()
            self.samples += len(samples)

    def compute(self) -> Tensor:
        return self.total_mm / self.samples

    def _distances(self, samples: Tensor) -> Tensor:
        if self.distance_to == "all":
            return distance_to_all(samples, self.meshes)
        if self._index is None:
            self._index = index_training(self.meshes)
        return nearest_training_mesh(samples, self.meshes, self._index).distance
