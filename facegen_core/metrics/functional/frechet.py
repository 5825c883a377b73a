"""Fréchet distance of two sets of features (Heusel et al., NeurIPS 2017), in float64."""

from typing import NamedTuple

import torch
from torch import Tensor


class Moments(NamedTuple):
    """Sums from which mean and covariance follow. Those of two sets add up to those of both together.

    Attributes:
        number: () int64, how many.
        sums: (D,) float64.
        products: (D, D) float64, sum of outer products.
    """

    number: Tensor
    sums: Tensor
    products: Tensor


def moments(features: Tensor) -> Moments:
    """Of features (B, D)."""
    x = features.double()
    return Moments(torch.tensor(len(x), device=x.device), x.sum(dim=0), x.T @ x)


def mean_and_covariance(known: Moments) -> tuple[Tensor, Tensor]:
    """(D,) and (D, D), divided by n - 1; NaN for fewer than two features."""
    mean = known.sums / known.number
    covariance = (known.products - known.number * torch.outer(mean, mean)) / (known.number - 1)
    return mean, covariance


def frechet_distance(first: Moments, second: Moments) -> Tensor:
    """``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2)``.

    With ``S = F F'`` from the eigenvalues of each, the trace of the root is the sum of the singular values of
    ``F1' F2``. No root is taken of a number that should be zero and is rounding, so features fewer than their
    dimension do no harm beyond their bias.

    Returns:
        () float64, at least 0; NaN where either set has fewer than two features.
    """
    if min(int(first.number), int(second.number)) < 2:
        return first.sums.new_full((), torch.nan)
    (mean1, covariance1), (mean2, covariance2) = mean_and_covariance(first), mean_and_covariance(second)
    root = torch.linalg.svdvals(_factor(covariance1).T @ _factor(covariance2)).sum()
    distance = (mean1 - mean2).square().sum() + covariance1.trace() + covariance2.trace() - 2 * root
    return distance.clamp(min=0)


def _factor(covariance: Tensor) -> Tensor:
    """F with covariance = F F', (D, D)."""
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp(min=0).sqrt()
