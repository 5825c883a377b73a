"""Laying meshes out flat: exact where that is possible, without overlaps always, and to scale as far as it goes."""

import numpy as np
import pytest

from facegen_core.geometry.flatten import boundary_loops, flatten, stretches


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (P, 2) of a square grid and its triangles, counterclockwise."""
    y, x = np.divmod(np.arange(side * side), side)
    quads = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()[:, None]
    triangles = np.concatenate([quads + np.array(corners) for corners in ([0, 1, side], [1, side + 1, side])])
    return np.stack([x, y], axis=1).astype(np.float64), triangles


def _circle(count: int) -> np.ndarray:
    angle = 2 * np.pi * np.arange(count) / count - 3 * np.pi / 4
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _areas(plane: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b = (plane[triangles[:, k]] - plane[triangles[:, 0]] for k in (1, 2))
    return (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2


def test_loops_of_a_square_with_a_hole():
    points, triangles = _grid(6)
    middle = (points[triangles].mean(1) > 2).all(1) & (points[triangles].mean(1) < 3).all(1)
    outer, inner = sorted(boundary_loops(triangles[~middle]), key=len, reverse=True)
    assert len(outer) == 20
    assert outer[:6].tolist() == [0, 1, 2, 3, 4, 5]  # counterclockwise, as the triangles turn
    assert sorted(inner.tolist()) == [14, 15, 20, 21]


def test_what_is_flat_stays_as_it_is():
    """Mean value coordinates reproduce linear functions (Floater 2003): a flat mesh keeps its shape exactly."""
    points, triangles = _grid(9)
    random = np.random.default_rng(0)
    points[(points > 0).all(1) & (points < 8).all(1)] += random.uniform(-0.3, 0.3, (49, 2))
    (outline,) = boundary_loops(triangles)
    solid = np.concatenate([points, np.zeros((81, 1))], axis=1)
    plane = flatten(solid, triangles, outline, points[outline], np.ones(len(triangles)))
    np.testing.assert_allclose(plane, points, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_rough_ground_is_laid_out_without_overlaps(seed):
    points, triangles = _grid(15)
    random = np.random.default_rng(seed)
    solid = np.concatenate([points, random.normal(0, 3, (225, 1))], axis=1)
    (outline,) = boundary_loops(triangles)
    plane = flatten(solid, triangles, outline, _circle(len(outline)), random.uniform(0, 3, len(triangles)))
    areas = _areas(plane, triangles)
    assert areas.min() > 0
    assert areas.sum() == pytest.approx(len(outline) / 2 * np.sin(2 * np.pi / len(outline)))  # of the polygon


def test_what_is_asked_to_be_larger_becomes_larger():
    points, triangles = _grid(15)
    solid = np.concatenate([points, np.zeros((225, 1))], axis=1)
    (outline,) = boundary_loops(triangles)
    middle = (np.abs(points[triangles].mean(1) - 7) < 3).all(1)
    even = flatten(solid, triangles, outline, _circle(len(outline)), np.ones(len(triangles)))
    uneven = flatten(solid, triangles, outline, _circle(len(outline)), np.where(middle, 3.0, 1.0))
    assert _areas(uneven, triangles)[middle].sum() > 1.5 * _areas(even, triangles)[middle].sum()


def test_stretch_is_the_root_mean_square_of_the_singular_values():
    """A linear map from the plane into space, of singular values 2 and 0.5, turned any way."""
    random = np.random.default_rng(0)
    frame, _ = np.linalg.qr(random.normal(size=(3, 2)))
    turn, _ = np.linalg.qr(random.normal(size=(2, 2)))
    plane, triangles = _grid(4)
    solid = plane @ (frame @ np.diag([2.0, 0.5]) @ turn.T).T
    np.testing.assert_allclose(stretches(solid, plane, triangles), np.sqrt((2**2 + 0.5**2) / 2))
