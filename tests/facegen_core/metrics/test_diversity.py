"""Diversity against sums over all pairs, and its torchmetrics class."""

import itertools

import numpy as np
import pytest
import torch

from facegen_core.metrics.diversity import Diversity
from facegen_core.metrics.functional.diversity import (
    draw_pairs,
    mean_pair_distance,
    read_pairs,
    training_diversity,
)

IDENTITY = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 3])
EXPRESSION = torch.tensor([0, 1, 1, 0, 2, 0, 1, 2, 2, 4])
ALLOWED = {
    "anything": lambda i, j: i != j,
    "identity": lambda i, j: EXPRESSION[i] == EXPRESSION[j] and IDENTITY[i] != IDENTITY[j],
    "expression": lambda i, j: IDENTITY[i] == IDENTITY[j] and EXPRESSION[i] != EXPRESSION[j],
}


def _meshes(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 10, (count, 30, 3)).astype(np.float32)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a.astype(np.float64) - b, axis=-1).mean(-1)


@pytest.mark.parametrize("differ", ALLOWED)
def test_pairs_are_uniform_over_those_allowed(differ):
    """Every allowed pair and no other, each as often: Pearson's statistic within five deviations of its mean."""
    allowed = {pair for pair in itertools.product(range(10), repeat=2) if ALLOWED[differ](*pair)}
    draws = 20_000
    pairs, counts = np.unique(draw_pairs(draws, differ, IDENTITY, EXPRESSION), axis=0, return_counts=True)
    assert {tuple(pair) for pair in pairs.tolist()} == allowed
    expected = draws / len(allowed)
    statistic, freedom = ((counts - expected) ** 2 / expected).sum(), len(allowed) - 1
    assert abs(statistic - freedom) < 5 * np.sqrt(2 * freedom)


def test_pairs_are_a_function_of_the_seed():
    first = draw_pairs(50, "identity", IDENTITY, EXPRESSION, seed=3)
    assert (first == draw_pairs(50, "identity", IDENTITY, EXPRESSION, seed=3)).all()
    assert (first != draw_pairs(50, "identity", IDENTITY, EXPRESSION, seed=4)).any()


@pytest.mark.parametrize("differ", ALLOWED)
def test_action_units_are_one_expression_if_all_agree(differ):
    """Units that stand for the classes one to one give the same pairs as the classes."""
    units = torch.tensor([[0, 0, -1], [0, 1, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1]])[EXPRESSION]
    found = {tuple(p) for p in draw_pairs(5000, differ, IDENTITY, units).tolist()}
    assert found == {pair for pair in itertools.product(range(10), repeat=2) if ALLOWED[differ](*pair)}


@pytest.mark.parametrize(
    ("differ", "identity", "expression"),
    [("anything", [0], [0]), ("identity", [0, 1], [0, 1]), ("expression", [0, 1], [0, 1]), ("anything", [], [])],
)
def test_a_set_without_such_pairs_gives_none(differ, identity, expression):
    labels = (torch.tensor(x, dtype=torch.int64) for x in (identity, expression))
    assert draw_pairs(10, differ, *labels).shape == (0, 2)


def test_training_diversity_is_the_mean_over_all_pairs():
    """20,000 draws of a few dozen pairs: within five standard errors of the exact mean."""
    meshes = _meshes(10) + 30 * _meshes(4, 1)[IDENTITY] + 10 * _meshes(5, 2)[EXPRESSION]
    found = training_diversity(meshes, IDENTITY, EXPRESSION, pairs=20_000)
    names = {"diversity": "anything", "diversity_id": "identity", "diversity_exp": "expression"}
    assert set(found) == set(names)
    for name, differ in names.items():
        pairs = [p for p in itertools.product(range(10), repeat=2) if ALLOWED[differ](*p)]
        distances = np.array([_distance(meshes[i], meshes[j]) for i, j in pairs])
        assert found[name] == pytest.approx(distances.mean(), abs=5 * distances.std() / np.sqrt(20_000) + 1e-4)


def test_chunks_do_not_change_the_mean():
    meshes = _meshes(10)
    pairs = draw_pairs(70, "anything", IDENTITY, EXPRESSION)  # more than two chunks
    expected = _distance(meshes[pairs[:, 0]], meshes[pairs[:, 1]]).mean()
    assert mean_pair_distance(read_pairs(meshes, pairs)) == pytest.approx(expected, rel=1e-6)


def test_no_pair_gives_nan():
    assert np.isnan(mean_pair_distance([]))
    assert Diversity().compute().isnan()


def test_class_divides_by_the_training_value():
    a, b = (torch.from_numpy(_meshes(5, seed)) for seed in (0, 1))
    metric = Diversity(training_mm=4.0)
    metric.update(a[:3], b[:3])
    metric.update(a[3:], b[3:])
    metric.update(a[:0], b[:0])
    assert float(metric.compute()) == pytest.approx(_distance(a.numpy(), b.numpy()).mean() / 4, rel=1e-6)


def test_one_pair_gives_its_distance():
    a, b = torch.zeros(1, 6, 3), torch.tensor([3.0, 4.0, 12.0]).expand(1, 6, 3)
    metric = Diversity()
    metric.update(a, b)
    assert float(metric.compute()) == pytest.approx(13)


def test_sum_is_kept_in_float64():
    """A million small distances after a large one would each be lost in a float32 sum of 1e9."""
    metric = Diversity()
    metric.update(torch.full((1, 1, 3), 1e9), torch.zeros(1, 1, 3))
    before = metric.total_mm.clone()
    metric.update(torch.tensor([[[1.0, 0, 0]]]), torch.zeros(1, 1, 3))
    assert float(metric.total_mm - before) == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_training_value_that_nothing_can_be_divided_by_is_refused(value):
    with pytest.raises(ValueError, match="training_mm"):
        Diversity(training_mm=value)
