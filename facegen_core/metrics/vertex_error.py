"""Vertex error of reconstructed meshes as a torchmetrics class."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from facegen_core.metrics.functional.vertex_error import vertex_error


class VertexError(Metric):
    """Mean or median over meshes of the mean vertex distance, in mm: E_avg of 3DFaceCAM's table 2.

    Args:
        statistic: "mean" or "median" over meshes.
        mask: (V,) bool, the vertices that count; all if None.
        align: move each prediction rigidly onto its target first; needs ``template``.
        template: (V, 3), added to both sides where they are displacements from it.

    ``compute`` gives NaN when no mesh was seen.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    errors: list[Tensor]
    mask: Tensor | None
    template: Tensor | None

    def __init__(
        self,
        statistic: str = "mean",
        mask: Tensor | None = None,
        align: bool = False,
        template: Tensor | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if statistic not in ("mean", "median"):
            raise ValueError(f"statistic must be 'mean' or 'median', got {statistic!r}")
        self.statistic, self.align = statistic, align
        self.register_buffer("mask", mask, persistent=False)
        self.register_buffer("template", template, persistent=False)
        self.add_state("errors", default=[], dist_reduce_fx="cat")

    def update(self, predicted: Tensor, target: Tensor) -> None:
        """Takes in meshes, (B, V, 3) each, mm."""
        if self.template is not None:
            predicted, target = predicted + self.template, target + self.template
        # The metric's own dtype: what torchmetrics stands in with for a process that saw no mesh.
        self.errors.append(vertex_error(predicted.float(), target.float(), self.mask, self.align).to(self.dtype))

    def compute(self) -> Tensor:
        errors = dim_zero_cat(self.errors) if len(self.errors) else torch.empty(0)
        if errors.numel() == 0:
            return torch.tensor(float("nan"))
        return errors.double().mean() if self.statistic == "mean" else errors.double().quantile(0.5)
