"""Specificity against brute force, and its torchmetrics class."""

import numpy as np
import pytest
import torch
from helpers.ict_facescape import ict_file, ict_person

from facegen_core.metrics.functional import mesh_distance, specificity
from facegen_core.metrics.functional.specificity import (
    SpecificityIndex,
    distance_to_all,
    index_training,
    nearest_training_mesh,
)
from facegen_core.metrics.specificity import Specificity

VERTICES = 400


def _faces(count: int, seed: int, scale: float = 1.0) -> np.ndarray:
    """Meshes of a linear model whose shapes are smooth over a line of vertices."""
    place = np.linspace(0, 1, VERTICES)
    shapes = np.cos(np.pi * place[:, None] * np.arange(12)) / (1 + np.arange(12))  # (V, 12)
    random = np.random.default_rng(seed)
    codes = random.normal(0, 8 * scale, (count, 12, 3))
    return (np.einsum("vk,bkc->bvc", shapes, codes) + random.normal(0, 0.05, (count, VERTICES, 3))).astype(np.float32)


def _brute_force(samples: np.ndarray, training: np.ndarray) -> np.ndarray:
    return np.stack([np.linalg.norm(training.astype(np.float64) - s, axis=-1).mean(-1) for s in samples])


@pytest.fixture(scope="module")
def training() -> np.ndarray:
    return _faces(500, 0)


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return np.concatenate([_faces(20, 1), _faces(5, 2, scale=5.0), np.zeros((1, VERTICES, 3), np.float32)])


def _nearest(samples: np.ndarray, training: np.ndarray) -> specificity.Nearest:
    return nearest_training_mesh(torch.from_numpy(samples), training, index_training(training))


def test_nearest_is_that_of_brute_force(samples, training):
    expected = _brute_force(samples, training)
    found = _nearest(samples, training)
    np.testing.assert_array_equal(found.row, expected.argmin(1))
    np.testing.assert_allclose(found.distance, expected.min(1), rtol=1e-5)


def test_few_distances_are_measured(samples, training):
    found = _nearest(samples, training)
    assert len(samples) <= found.evaluations < 0.02 * len(samples) * len(training)


def test_bounds_are_below_the_distances(samples, training):
    """Coarse bounds below fine ones below distances, for every pair."""
    index = index_training(training)
    means = specificity._average(index.averaging, torch.from_numpy(samples))
    coarse = specificity._coarse_bounds(means, index.means, index.weights, index.parent)
    fine = coarse.clone()
    specificity._refine(fine, torch.full((len(samples),), torch.inf), means, index.means, index.weights)
    true = torch.from_numpy(_brute_force(samples, training))
    assert (coarse <= fine + 1e-4).all() and (fine <= true + 1e-4).all()
    assert (fine / true).median() > 0.95  # and not far below


def test_any_partition_gives_the_same_answer(samples, training):
    """Exactness does not rest on good clusters: vertices dealt out at random only cost more measuring."""
    labels = np.random.default_rng(0).integers(0, 8, VERTICES)
    sizes = np.bincount(labels)
    averaging = specificity.csr_array((1 / sizes[labels], (labels, np.arange(VERTICES))), dtype=np.float32)
    means = specificity._average(averaging, torch.from_numpy(training))
    index = SpecificityIndex(averaging, torch.arange(8) // 2, torch.from_numpy(sizes / VERTICES).float(), means)
    found = nearest_training_mesh(torch.from_numpy(samples), training, index)
    expected = _brute_force(samples, training)
    np.testing.assert_allclose(found.distance, expected.min(1), rtol=1e-5)
    assert found.evaluations > _nearest(samples, training).evaluations


def test_bounds_that_equal_the_distance_lose_nothing_to_rounding():
    """Shifted copies: every bound is the distance itself, so rounding alone could rule the nearest out."""
    face = _faces(1, 3)[0] + 150
    shifts = np.random.default_rng(0).normal(0, 1, (300, 1, 3)).astype(np.float32)
    training, samples = face + shifts, face + np.random.default_rng(1).normal(0, 1, (40, 1, 3)).astype(np.float32)
    expected = _brute_force(samples, training)
    np.testing.assert_allclose(_nearest(samples, training).distance, expected.min(1), atol=2e-5)


def test_training_meshes_are_at_distance_zero(training):
    found = _nearest(training[[3, 77]], training)
    np.testing.assert_array_equal(found.row, [3, 77])
    assert (found.distance == 0).all()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_small_training_sets(count, samples):
    training = _faces(count, 9)
    np.testing.assert_allclose(_nearest(samples, training).distance, _brute_force(samples, training).min(1), rtol=1e-5)


def test_repeated_training_meshes(samples):
    training = np.repeat(_faces(2, 9), 50, axis=0)
    np.testing.assert_allclose(_nearest(samples, training).distance, _brute_force(samples, training).min(1), rtol=1e-5)


def test_meshes_of_fewer_vertices_than_clusters(samples, training):
    found = _nearest(samples[:, :5], training[:, :5])
    np.testing.assert_allclose(found.distance, _brute_force(samples[:, :5], training[:, :5]).min(1), rtol=1e-5)


def test_sample_that_is_not_finite_gives_nan(training):
    samples = _faces(3, 4)
    samples[1, 0] = np.nan
    distance = _nearest(samples, training).distance
    assert distance.isnan().tolist() == [False, True, False]


def test_empty_training_set_is_refused():
    with pytest.raises(ValueError, match="at least one training mesh"):
        index_training(np.empty((0, 5, 3), np.float32))


def test_distance_to_all_is_the_mean_over_the_training_set(samples, training, monkeypatch):
    monkeypatch.setattr(mesh_distance, "ROWS_AT_A_TIME", 7)  # 500 is no multiple of it
    found = distance_to_all(torch.from_numpy(samples), training)
    np.testing.assert_allclose(found, _brute_force(samples, training).mean(1), rtol=1e-5)


@pytest.mark.parametrize(("distance_to", "over"), [("nearest", np.min), ("all", np.mean)])
def test_class_is_the_mean_over_samples(distance_to, over, samples, training):
    metric = Specificity(training, distance_to)
    for part in (slice(0, 20), slice(20, 21), slice(21, 21), slice(21, None)):
        metric.update(torch.from_numpy(samples[part]))
    assert float(metric.compute()) == pytest.approx(over(_brute_force(samples, training), axis=1).mean(), rel=1e-5)


def test_function_is_the_same_mean(samples, training):
    expected = _brute_force(samples, training).min(1).mean()
    assert specificity.specificity(torch.from_numpy(samples), training) == pytest.approx(expected, rel=1e-5)


def test_no_sample_gives_nan(training):
    assert Specificity(training).compute().isnan()
    assert np.isnan(specificity.specificity(torch.empty(0, VERTICES, 3), training))


def test_reset_forgets_samples_and_keeps_the_training_set(samples, training, monkeypatch):
    metric = Specificity(training)
    metric.update(torch.from_numpy(samples[:3]))
    metric.reset()
    monkeypatch.setattr("facegen_core.metrics.specificity.index_training", lambda _: pytest.fail("read again"))
    metric.update(torch.from_numpy(samples[3:4]))
    assert float(metric.compute()) == pytest.approx(_brute_force(samples[3:4], training).min(), rel=1e-5)


def test_unknown_definition_is_refused(training):
    with pytest.raises(ValueError, match="'some'"):
        Specificity(training, "some")


@pytest.mark.real
def test_nearest_of_real_faces_is_that_of_brute_force(real):
    """The ICT model at full size: 200 training meshes of 10 people, samples of people not among them."""
    training = np.concatenate([ict_person(ict_file(real), 0, person) for person in range(10)])
    samples = np.stack([ict_person(ict_file(real), 1, person)[3 * person] for person in range(5)])
    found = _nearest(samples, training)
    expected = _brute_force(samples, training)
    np.testing.assert_allclose(found.distance, expected.min(1), atol=1e-5)
    assert found.evaluations < 0.05 * expected.size
