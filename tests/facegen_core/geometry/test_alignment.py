import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from facegen_core.geometry.alignment import rigid_align


def _moved(points: np.ndarray, seed: int) -> np.ndarray:
    rotation = Rotation.random(random_state=seed).as_matrix()
    return points @ rotation.T + np.random.default_rng(seed).normal(size=3) * 100


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(50, 3)) * [60, 90, 40]


def test_rigid_motion_is_undone_exactly(points):
    moved = np.stack([_moved(points, seed) for seed in range(4)])
    aligned = rigid_align(torch.from_numpy(moved), torch.from_numpy(points))
    np.testing.assert_allclose(aligned.numpy(), np.broadcast_to(points, moved.shape), atol=1e-10)


def test_weighted_fit_equals_scipy(points):
    random = np.random.default_rng(1)
    target = _moved(points, 3) + random.normal(size=points.shape) * 5
    weights = random.uniform(0.1, 1, len(points))
    centre, goal = np.average(points, 0, weights), np.average(target, 0, weights)
    rotation, _ = Rotation.align_vectors(target - goal, points - centre, weights=weights)
    aligned = rigid_align(torch.from_numpy(points)[None], torch.from_numpy(target), weights=torch.from_numpy(weights))
    np.testing.assert_allclose(aligned[0].numpy(), rotation.apply(points - centre) + goal, atol=1e-9)


def test_mask_decides_what_is_fitted_and_all_vertices_move(points):
    target = _moved(points, 5)
    spoilt = target.copy()
    spoilt[:10] += 500
    mask = torch.arange(len(points)) >= 10
    aligned = rigid_align(torch.from_numpy(points)[None], torch.from_numpy(spoilt), mask)
    np.testing.assert_allclose(aligned[0].numpy(), target, atol=1e-9)


def test_size_and_handedness_are_kept(points):
    mirrored_and_bigger = torch.from_numpy(points * [-1.3, 1.3, 1.3])
    aligned = rigid_align(torch.from_numpy(points)[None], mirrored_and_bigger)[0].numpy()
    before, after = points - points.mean(0), aligned - aligned.mean(0)
    rotation = np.linalg.lstsq(before, after, rcond=None)[0]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-10)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_flat_points_do_not_mirror(points):
    flat = points * [1, 1, 0]
    aligned = rigid_align(torch.from_numpy(_moved(flat, 7))[None], torch.from_numpy(flat))
    np.testing.assert_allclose(aligned[0].numpy(), flat, atol=1e-9)


def test_float32_in_float32_out_to_a_micrometre(points):
    moved = torch.from_numpy(_moved(points, 2)).float()
    aligned = rigid_align(moved[None], torch.from_numpy(points).float())
    assert aligned.dtype == torch.float32
    np.testing.assert_allclose(aligned[0].numpy(), points, atol=1e-4)


def test_empty_mask_is_refused(points):
    with pytest.raises(ValueError, match="no vertex"):
        rigid_align(
            torch.from_numpy(points)[None], torch.from_numpy(points), torch.zeros(len(points), dtype=torch.bool)
        )


def test_other_vertex_counts_are_refused(points):
    with pytest.raises(ValueError, match="source"):
        rigid_align(torch.from_numpy(points)[None], torch.from_numpy(points[:-1]))
