"""Meshes made finer, and layers cut out of them, against areas that are known."""

import numpy as np
import pytest

from facegen_core.geometry.flatten import boundary_loops
from facegen_core.population.anatomy import anatomy
from facegen_core.population.portrait.bust import bust_model
from facegen_core.population.portrait.cloth import around_neck, cut, front, level_line, neckline, split, whole
from facegen_core.population.portrait.subdivide import subdivide


def _plane(side: int) -> tuple[np.ndarray, np.ndarray]:
    """A square of side 1 in (side + 1)^2 points, two triangles a cell."""
    points = np.stack(np.meshgrid(*[np.linspace(0, 1, side + 1)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    corner = np.arange((side + 1) ** 2).reshape(side + 1, -1)
    a, b, c, d = corner[:-1, :-1].ravel(), corner[1:, :-1].ravel(), corner[1:, 1:].ravel(), corner[:-1, 1:].ravel()
    return np.column_stack([points, np.zeros(len(points))]), np.concatenate(
        [np.stack([a, b, c], 1), np.stack([a, c, d], 1)]
    )


def _areas(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = points[faces].transpose(1, 0, 2)
    return np.cross(b - a, c - a)[:, 2] / 2


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_finer_plane_is_the_same_plane_without_gaps(share):
    points, faces = _plane(9)
    (outline,) = boundary_loops(faces)
    weights, finer = subdivide(faces, len(points), outline, points[faces].mean(1)[:, 0] < share)
    made = weights @ points
    assert np.allclose(np.asarray(weights.sum(1)), 1)
    assert np.allclose(made[outline], points[outline])
    assert _areas(made, finer).min() > 0
    assert _areas(made, finer).sum() == pytest.approx(1)
    assert len(boundary_loops(finer)) == 1  # a triangle left whole beside a split one would open a hole
    assert len(boundary_loops(finer)[0]) == len(outline)


def test_finer_ball_is_smoother():
    """Loop's surface of an octahedron has a known vertex: of degree 4, 1 - 4 * 3 / 32 of itself."""
    points = np.concatenate([np.eye(3), -np.eye(3)])
    faces = np.array([[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]])
    weights, finer = subdivide(faces, 6, np.array([], dtype=np.int64))
    made = weights @ points
    assert len(finer) == 32
    assert np.allclose(np.linalg.norm(made[:6], axis=1), 1 - 4 * 3 / 32)
    assert np.allclose(np.linalg.norm(made[6:], axis=1), np.hypot(0.375, 0.375))


def test_cut_cloth_has_its_edge_where_the_number_is_zero():
    shared = anatomy()
    layer = whole(shared)
    low = cut(layer, -200 - layer.template[:, 1])
    assert low.template[:, 1].max() < -200 + 1e-6
    assert np.allclose(low.template[np.unique(low.cut), 1], -200)
    assert np.allclose(np.asarray(low.rows.sum(1)), 1)
    both = cut(low, low.template[:, 1] + 250)
    assert np.ptp(both.template[:, 1]) == pytest.approx(50)


def test_split_cloth_keeps_its_area_and_has_each_colour_on_its_side():
    layer = whole(anatomy())
    values = np.cos(layer.template[:, 1] / 9)
    made, first = split(layer, values)

    def area(layer: object) -> float:
        a, b, c = layer.template[layer.faces].transpose(1, 0, 2)
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())

    assert area(made) == pytest.approx(area(layer))
    assert (first[made.faces].all(1) | ~first[made.faces].any(1)).all()
    assert len(made.cut) == len(layer.cut) == 0


def test_lines_around_the_neck_lie_where_they_should():
    shared = anatomy()
    template = bust_model(shared).template
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    points = level_line(shared, neckline(template, 80, 90, 20), angles) @ template
    assert np.abs(neckline(points, 80, 90, 20)).max() < 1.5
    turned = around_neck(points) - angles
    assert np.abs((turned + np.pi) % (2 * np.pi) - np.pi).max() < 0.05
    assert points[6, 0] == pytest.approx(80, abs=1)  # at the left the line passes the shoulder's ridge


def test_points_of_the_chest_are_found_from_the_front():
    model = bust_model(anatomy())
    wanted = np.array([[0.3, -250.0], [40.0, -300.0], [-60.0, -220.0]])
    found = front(model, wanted) @ model.template
    assert np.allclose(found[:, :2], wanted, atol=1e-6)
    assert found[:, 2].min() > -40
