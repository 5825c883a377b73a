"""Rows of numbers that a metric keeps until those of all processes are together.

They are kept flat and in the metric's own dtype: torchmetrics gathers what differs in its length alone, and stands in
with an empty vector of that dtype for a process that has nothing.
"""

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


def keep_rows(metric: Metric, *names: str) -> None:
    """Gives a metric states of these names, for rows of one width."""
    for name in names:
        metric.add_state(name, default=[], dist_reduce_fx="cat")
    metric.add_state("width", torch.zeros((), dtype=torch.int64), dist_reduce_fx="max")


def add_rows(metric: Metric, name: str, rows: Tensor) -> None:
    """Adds rows (N, W) to a state."""
    getattr(metric, name).append(rows.to(metric.dtype).flatten())
    metric.width = torch.full_like(torch.as_tensor(metric.width), rows.shape[1])


def all_rows(metric: Metric, name: str) -> Tensor:
    """The rows (N, W) of a state, those of all processes once they have shared theirs; (0, 1) if there are none."""
    kept = getattr(metric, name)
    return (dim_zero_cat(kept) if len(kept) else torch.empty(0)).view(-1, max(1, int(torch.as_tensor(metric.width))))
