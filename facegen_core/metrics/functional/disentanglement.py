"""How much a code says about what it should, and about what it should not.

All of these are computed once on a finished test set, in one process, with scikit-learn; none is differentiable.
"""

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import silhouette_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor


def linear_probe(train_codes: Tensor, train_labels: Tensor, test_codes: Tensor, test_labels: Tensor) -> float:
    """Accuracy of a logistic regression from codes to labels: what can be read off a code by a linear map.

    Codes are standardised on the training part, so their scale does not matter.

    Args:
        train_codes: (N, D).
        train_labels: (N,) integer classes.
        test_codes: (M, D), not among the training codes.
        test_labels: (M,).

    Returns:
        Share of test labels found, in [0, 1]; NaN where the training labels are all the same or there is no test code.
    """
    if len(test_codes) == 0 or len(train_labels.unique()) < 2:
        return float("nan")
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, C=1.0))
    probe.fit(_array(train_codes), _array(train_labels))
    return float(probe.score(_array(test_codes), _array(test_labels)))


def split_within_groups(groups: Tensor, seed: int) -> Tensor:
    """Halves every group at random, for probes whose classes must be seen in both halves.

    Args:
        groups: (N,) integer labels.
        seed: of the halving.

    Returns:
        (N,) bool, True in the half to train on; of an odd group, the larger part trains.
    """
    generator = torch.Generator().manual_seed(seed)
    train = torch.zeros(len(groups), dtype=torch.bool)
    for group in groups.unique():
        members = (groups == group).nonzero().flatten()
        order = torch.randperm(len(members), generator=generator)
        train[members[order[: (len(members) + 1) // 2]]] = True
    return train


def silhouette(codes: Tensor, labels: Tensor) -> float:
    """Mean silhouette of codes (N, D) grouped by labels (N,), in [-1, 1]; NaN for fewer than two groups."""
    groups = len(labels.unique())
    if not 2 <= groups < len(labels):
        return float("nan")
    return float(silhouette_score(_array(codes), _array(labels)))


def retrieval_rank1(gallery: Tensor, gallery_labels: Tensor, queries: Tensor, query_labels: Tensor) -> float:
    """Share of queries whose nearest gallery code (Euclidean) is of the same label.

    Args:
        gallery: (G, D), such as the neutral mesh of each person.
        gallery_labels: (G,).
        queries: (Q, D).
        query_labels: (Q,).

    Returns:
        In [0, 1]; NaN without queries or gallery.
    """
    if len(gallery) == 0 or len(queries) == 0:
        return float("nan")
    nearest = torch.cdist(queries.double(), gallery.double()).argmin(dim=1)
    return float((gallery_labels[nearest] == query_labels).double().mean())


def _array(tensor: Tensor) -> npt.NDArray[np.generic]:
    return tensor.detach().cpu().numpy()
