"""How wrong predicted noise is: the loss, and its value on held-out samples, comparable from step to step."""

import itertools
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from facegen_core.seeding import torch_generator

_HELD_OUT = 50
_GOLDEN = (5**0.5 - 1) / 2


def noise_error(predicted: Tensor, noise: Tensor) -> Tensor:
    """Mean squared error of each sample's noise, (B,) float32; the loss is their mean (Ho et al. 2020, eq. 14).

    Args:
        predicted: (B, ...).
        noise: as ``predicted``, what was added.
    """
    return (predicted.float() - noise.float()).square().flatten(1).mean(1)


def held_out_times(index: Tensor, steps: int) -> Tensor:
    """The time at which each held-out sample is looked at, always the same, (B,) int64.

    Multiples of the golden ratio, modulo 1: the times of any run of samples lie evenly over the schedule.

    Args:
        index: (B,) int64, the samples' places.
        steps: times of the schedule.
    """
    # In float32 the times of far places would fall together: beyond 3 million some bands have none.
    return ((index.double() + 0.5) * _GOLDEN % 1 * steps).long()


def held_out_noise(index: Tensor, like: Tensor) -> Tensor:
    """The noise added to each held-out sample, always the same, whichever batch and process it is in.

    Args:
        index: (B,) int64, the samples' places.
        like: (B, ...), its shape, dtype and device are the noise's.
    """
    drawn = [torch.randn(like.shape[1:], generator=torch_generator(_HELD_OUT, place)) for place in index.tolist()]
    return torch.stack(drawn).to(like)


class TimedError(Metric):
    """Mean error of the samples looked at between two times; NaN if there were none.

    Args:
        first: the earliest time that counts.
        last: the latest.
    """

    higher_is_better = False
    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self, first: int, last: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first, self.last = first, last
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, error: Tensor, t: Tensor) -> None:
        """Takes in samples: errors (B,), and the times (B,) int64 they were looked at."""
        chosen = (t >= self.first) & (t <= self.last)
        self.total += error[chosen].double().sum()
        self.count += chosen.sum()

    def compute(self) -> Tensor:
        return self.total / self.count


def timed_errors(steps: int, bands: int) -> dict[str, tuple[Metric, tuple[str, ...]]]:
    """The loss over all times and over each of ``bands`` bands of them, as the Evaluator takes them.

    A step returns ``error`` and ``t``. Bands of 1000 times by ten are called ``loss_t000_099`` to ``loss_t900_999``.
    """
    edges = [band * steps // bands for band in range(bands + 1)]
    spans = {"loss": (0, steps - 1)}
    width = len(str(steps - 1))
    for first, after in itertools.pairwise(edges):
        spans[f"loss_t{first:0{width}d}_{after - 1:0{width}d}"] = (first, after - 1)
    return {name: (TimedError(*span), ("error", "t")) for name, span in spans.items()}
