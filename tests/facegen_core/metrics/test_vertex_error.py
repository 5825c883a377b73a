"""The vertex error against numpy, and its torchmetrics class."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from facegen_core.metrics.functional.vertex_error import vertex_error
from facegen_core.metrics.vertex_error import VertexError

VERTICES = 40


def _meshes(count: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 60, (count, VERTICES, 3)).astype(np.float32))


@pytest.fixture
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    target = _meshes(5)
    return target + _meshes(5, seed=1) * torch.tensor([0.01, 0.02, 0.05, 0.1, 0.4])[:, None, None], target


@pytest.fixture
def front() -> torch.Tensor:
    return torch.arange(VERTICES) % 3 == 0


def _distance(predicted: torch.Tensor, target: torch.Tensor) -> np.ndarray:
    difference = predicted.double().numpy() - target.double().numpy()
    return np.sqrt((difference**2).sum(-1)).mean(-1)


def test_error_is_the_mean_distance_of_vertices(pair):
    np.testing.assert_allclose(vertex_error(*pair), _distance(*pair), rtol=1e-5)


def test_shift_of_3_4_12_millimetres_is_an_error_of_13():
    target = _meshes(2)
    np.testing.assert_allclose(vertex_error(target + torch.tensor([3.0, 4.0, 12.0]), target), [13, 13], rtol=1e-5)


def test_mask_leaves_other_vertices_out(pair, front):
    predicted, target = pair
    spoilt = torch.where(front[:, None], predicted, predicted + 1000)
    np.testing.assert_allclose(
        vertex_error(spoilt, target, front), _distance(predicted[:, front], target[:, front]), rtol=1e-4
    )


def test_aligned_error_does_not_see_pose(pair):
    predicted, target = pair
    turn = torch.from_numpy(Rotation.random(5, random_state=0).as_matrix()).float()
    moved = predicted @ turn.transpose(1, 2) + 100 * torch.randn(5, 1, 3, generator=torch.Generator().manual_seed(0))
    expected = vertex_error(predicted, target, align=True)
    torch.testing.assert_close(vertex_error(moved, target, align=True), expected, rtol=1e-4, atol=1e-4)
    assert (vertex_error(moved, target) > 100).all()


def test_aligned_error_sees_size():
    """No scale is fitted: a mesh a tenth too large keeps a tenth of its mean radius as error."""
    target = _meshes(1)
    target = target - target.mean(1, keepdim=True)
    expected = 0.1 * target.norm(dim=-1).mean()
    assert float(vertex_error(1.1 * target, target, align=True)[0]) == pytest.approx(float(expected), rel=1e-5)


def test_alignment_is_fitted_on_the_masked_vertices(front):
    target = _meshes(1)
    turn = torch.from_numpy(Rotation.from_euler("y", 40, degrees=True).as_matrix()).float()
    moved = target @ turn.T + 30
    moved[:, ~front] += 500
    assert float(vertex_error(moved, target, front, align=True)[0]) < 1e-3


@pytest.mark.parametrize(("statistic", "numpy_statistic"), [("mean", np.mean), ("median", np.median)])
def test_statistic_over_meshes_does_not_depend_on_batches(pair, statistic, numpy_statistic):
    predicted, target = pair
    metric = VertexError(statistic)
    for part in (slice(0, 3), slice(3, 4), slice(4, 5)):  # a mean of the batches' means would differ
        metric.update(predicted[part], target[part])
    assert float(metric.compute()) == pytest.approx(numpy_statistic(_distance(predicted, target)), rel=1e-5)


def test_median_of_an_even_number_lies_between_the_middle_two():
    target = torch.zeros(4, VERTICES, 3)
    metric = VertexError("median")
    metric.update(target + torch.tensor([1.0, 2.0, 4.0, 9.0])[:, None, None] * torch.tensor([1.0, 0, 0]), target)
    assert float(metric.compute()) == pytest.approx(3)


def test_template_is_added_before_alignment(pair):
    """Displacements cannot be aligned: they are moved onto each other only where they stand on a face."""
    predicted, target = pair
    template = _meshes(1, seed=7)[0]
    metric = VertexError(align=True, template=template)
    metric.update(predicted - template, target - template)
    expected = vertex_error(predicted, target, align=True).mean()
    assert float(metric.compute()) == pytest.approx(float(expected), rel=1e-4)


def test_class_hands_on_its_mask(pair, front):
    metric = VertexError(mask=front)
    metric.update(*pair)
    assert float(metric.compute()) == pytest.approx(float(vertex_error(*pair, front).mean()), rel=1e-6)


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_no_mesh_gives_nan(statistic):
    assert VertexError(statistic).compute().isnan()


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_one_mesh_gives_its_own_error(statistic, pair):
    metric = VertexError(statistic)
    metric.update(pair[0][:1], pair[1][:1])
    assert float(metric.compute()) == pytest.approx(_distance(*pair)[0], rel=1e-5)


def test_reset_forgets(pair):
    metric = VertexError()
    metric.update(*pair)
    metric.reset()
    assert metric.compute().isnan()


def test_unknown_statistic_is_refused():
    with pytest.raises(ValueError, match="'mode'"):
        VertexError("mode")
