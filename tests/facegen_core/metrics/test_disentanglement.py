"""Measures of what codes tell, on codes whose answer is known in advance."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from facegen_core.metrics.functional.disentanglement import (
    linear_probe,
    retrieval_rank1,
    silhouette,
    split_within_groups,
)


def _labels(classes: int, each: int) -> torch.Tensor:
    return torch.arange(classes).repeat_interleave(each)


def _noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_probe_reads_a_label_that_is_in_the_code():
    labels = _labels(5, 20)
    train, test = (torch.eye(5)[labels] + 0.05 * _noise(100, 5, seed=seed) for seed in (0, 1))
    assert linear_probe(train, labels, test, labels) == 1


def test_probe_of_an_independent_code_is_at_chance():
    """400 guesses at 1 in 4: the standard error is 0.022."""
    labels = _labels(4, 100)
    accuracy = linear_probe(_noise(400, 6, seed=0), labels, _noise(400, 6, seed=1), labels)
    assert accuracy == pytest.approx(0.25, abs=4 * 0.022)


def test_probe_is_linear():
    """Exclusive or is in the code, and no plane finds it."""
    corners = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]).repeat(50, 1)
    labels = (corners[:, 0] * corners[:, 1] > 0).long()
    codes = corners + 0.1 * _noise(200, 2)
    assert linear_probe(codes, labels, codes, labels) < 0.8


def test_scale_of_a_code_does_not_matter_to_the_probe():
    labels = _labels(3, 30)
    train, test = (torch.eye(3)[labels] + 0.4 * _noise(90, 3, seed=seed) for seed in (0, 1))
    scale, shift = torch.tensor([1e-3, 1.0, 1e3]), torch.tensor([5.0, -1.0, 1e3])
    plain = linear_probe(train, labels, test, labels)
    assert linear_probe(train * scale + shift, labels, test * scale + shift, labels) == plain


def test_probe_is_scored_on_the_test_part():
    labels = _labels(2, 20)
    codes = torch.eye(2)[labels] + 0.05 * _noise(40, 2)
    assert linear_probe(codes, labels, codes, 1 - labels) == 0


@pytest.mark.parametrize(
    ("train", "test"), [(torch.zeros(10), 5), (torch.arange(10) % 2, 0)], ids=["one class", "no test"]
)
def test_probe_without_an_answer_is_nan(train, test):
    assert np.isnan(linear_probe(_noise(10, 3), train.long(), _noise(test, 3), torch.zeros(test, dtype=torch.long)))


def test_groups_are_halved_each():
    groups = torch.tensor([3] * 4 + [7] * 5 + [1] + [9] * 2)
    train = split_within_groups(groups, seed=0)
    assert {group: int(train[groups == group].sum()) for group in (3, 7, 1, 9)} == {3: 2, 7: 3, 1: 1, 9: 1}


def test_halving_is_random_and_repeatable():
    groups = _labels(4, 20)
    first = split_within_groups(groups, 0)
    assert torch.equal(first, split_within_groups(groups, 0))
    assert not torch.equal(first, split_within_groups(groups, 1))
    assert not torch.equal(first[:20], first[20:40])  # not the same places in each group


def test_silhouette_of_two_pairs_is_its_closed_form():
    """On a line at 0, 1, 10, 11, within distance a = 1 and to the others b = 10.5 or 9.5: s = 1 - a / b."""
    codes = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
    expected = (2 * (1 - 1 / 10.5) + 2 * (1 - 1 / 9.5)) / 4
    assert silhouette(codes, torch.tensor([0, 0, 1, 1])) == pytest.approx(expected)


def test_silhouette_of_an_independent_code_is_near_zero():
    assert abs(silhouette(_noise(400, 8), _labels(2, 200))) < 0.02


@pytest.mark.parametrize("labels", [torch.zeros(4), torch.arange(4)], ids=["one group", "groups of one"])
def test_silhouette_without_an_answer_is_nan(labels):
    assert np.isnan(silhouette(_noise(4, 2), labels.long()))


def test_retrieval_equals_a_nearest_neighbour_classifier():
    gallery, queries = _noise(30, 5, seed=0), _noise(200, 5, seed=1)
    labels, wanted = torch.arange(30) % 10, torch.arange(200) % 10
    expected = KNeighborsClassifier(1).fit(gallery.numpy(), labels.numpy()).score(queries.numpy(), wanted.numpy())
    assert retrieval_rank1(gallery, labels, queries, wanted) == pytest.approx(expected)


def test_retrieval_counts_the_share_found():
    gallery, labels = torch.tensor([[0.0], [10.0]]), torch.tensor([4, 8])
    queries, wanted = torch.tensor([[1.0], [2.0], [9.0], [4.9]]), torch.tensor([4, 4, 8, 8])
    assert retrieval_rank1(gallery, labels, queries, wanted) == 0.75


def test_retrieval_tells_close_codes_far_from_the_origin():
    """In float32 the distances of these would come out alike."""
    gallery = torch.tensor([[1e4, 0.0], [1e4, 0.01]])
    assert retrieval_rank1(gallery, torch.tensor([0, 1]), gallery, torch.tensor([0, 1])) == 1


def test_retrieval_without_gallery_or_queries_is_nan():
    some, none = (_noise(3, 2), torch.arange(3)), (_noise(0, 2), torch.arange(0))
    assert np.isnan(retrieval_rank1(*none, *some))
    assert np.isnan(retrieval_rank1(*some, *none))
