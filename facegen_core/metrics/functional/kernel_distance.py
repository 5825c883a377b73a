"""Kernel distance of two sets of features (Binkowski et al., ICLR 2018), in float64."""

import torch
from torch import Tensor

from facegen_core.seeding import numpy_generator

_SUBSETS = 42


def polynomial_mmd(first: Tensor, second: Tensor) -> Tensor:
    """Unbiased squared maximum mean discrepancy with the kernel ``(x . y / D + 1)^3``; it may be below 0.

    Args:
        first: (N, D).
        second: (M, D).

    Returns:
        () float64; NaN where either has fewer than two features.
    """
    x, y = first.double(), second.double()
    n, m = len(x), len(y)
    if min(n, m) < 2:
        return x.new_full((), torch.nan)
    within_x, within_y = _kernel(x, x), _kernel(y, y)
    return (
        (within_x.sum() - within_x.trace()) / (n * (n - 1))
        + (within_y.sum() - within_y.trace()) / (m * (m - 1))
        - 2 * _kernel(x, y).mean()
    )


def kernel_distances(first: Tensor, second: Tensor, subsets: int, size: int, seed: int) -> Tensor:
    """The discrepancy of random subsets, whose mean is the KID.

    Features are put in an order of their own before subsets are drawn, so that it does not matter in which order, or in
    how many processes, they were made.

    Args:
        first: (N, D).
        second: (M, D).
        subsets: how many.
        size: features of each set in a subset; a smaller set is taken whole.
        seed: of the subsets.

    Returns:
        (subsets,) float64, or (1,) where both sets are taken whole.
    """
    if size >= max(len(first), len(second)):
        return polynomial_mmd(first, second)[None]
    sets = [_ordered(features) for features in (first, second)]
    values = []
    for subset in range(subsets):
        random = numpy_generator(seed, _SUBSETS, subset)
        drawn = (torch.from_numpy(random.permutation(len(x))[:size]).to(x.device) for x in sets)
        values.append(polynomial_mmd(*(x[rows] for x, rows in zip(sets, drawn, strict=True))))
    return torch.stack(values)


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _ordered(features: Tensor) -> Tensor:
    """Rows in the order of their sums: it hangs on the rows alone, and not on their last digits."""
    return features[features.double().sum(1).argsort(stable=True)]
