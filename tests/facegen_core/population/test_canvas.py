"""Texels that know their triangle, noise that does not depend on the resolution, and the gains of actions."""

import numpy as np
import pytest
from PIL import Image

from facegen_core.population.anatomy import anatomy
from facegen_core.population.canvas import drivers, rasterise, surface, window_around
from facegen_core.population.noise import Layer, clouds, noise, step

SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)


def test_weights_give_back_the_place_of_each_texel():
    grid = rasterise(SQUARE, np.array([[0, 1, 2], [0, 2, 3]]), 7)
    assert grid.covered.all()
    place = np.einsum("rck,rckd->rcd", grid.weights, SQUARE[np.array([[0, 1, 2], [0, 2, 3]])[grid.triangle]])
    column, row = np.meshgrid((np.arange(7) + 0.5) / 7, (np.arange(7) + 0.5) / 7)
    np.testing.assert_allclose(place[..., 0], column, atol=1e-6)
    np.testing.assert_allclose(place[..., 1], 1 - row, atol=1e-6)  # row 0 on top, v from the bottom


def test_texels_outside_stand_for_the_nearest_inside():
    grid = rasterise(SQUARE / 2, np.array([[0, 1, 2], [0, 2, 3]]), 8)
    assert grid.covered[4:, :4].all()
    assert grid.covered.sum() == 16
    np.testing.assert_array_equal(grid.weights[0, 0], grid.weights[4, 0])
    np.testing.assert_array_equal(grid.weights[7, 7], grid.weights[7, 3])


@pytest.mark.parametrize("pixels", [32, 100])
def test_surface_lies_on_the_template(pixels):
    """Against the mesh looked up texel by texel: the triangle that holds it on the map, found by testing them all."""
    shared = anatomy()
    ground = surface(shared, pixels)
    corners = shared.uv[shared.faces_uv].astype(np.float64)
    random = np.random.default_rng(0)
    for row, column in random.integers(0, pixels, (60, 2)).tolist():
        if ground.covered[row, column]:
            point = np.array([(column + 0.5) / pixels, 1 - (row + 0.5) / pixels])
            matrix = np.concatenate([corners.transpose(0, 2, 1), np.ones((len(corners), 1, 3))], axis=1)
            weights = np.linalg.solve(matrix, np.broadcast_to(np.append(point, 1)[:, None], (len(corners), 3, 1)))[
                ..., 0
            ]
            held = weights.min(1).argmax()
            expected = weights[held] @ shared.template.numpy()[shared.faces[held]]
            found = [ground.x[row, column], ground.y[row, column], ground.z[row, column]]
            np.testing.assert_allclose(found, expected, atol=1e-3)


def test_noise_has_unit_variance_and_no_mean():
    values = clouds(3, Layer.BLOOD, [16, 32, 64], 256)
    assert abs(values.mean()) < 0.1
    assert 0.6 < values.std() < 1.2


def test_fine_noise_made_smaller_is_coarse_noise():
    fine = Image.fromarray(noise(3, Layer.BLOOD, 100, 512)).resize((64, 64), Image.Resampling.BOX)
    coarse = noise(3, Layer.BLOOD, 100, 64)
    assert np.corrcoef(np.asarray(fine).ravel(), coarse.ravel())[0, 1] > 0.9


def test_noises_of_other_seeds_and_layers_are_others():
    for other in (noise(4, Layer.BLOOD, 40, 64), noise(3, Layer.PORES, 40, 64)):
        assert abs(np.corrcoef(noise(3, Layer.BLOOD, 40, 64).ravel(), other.ravel())[0, 1]) < 0.1


def test_step_rises_over_its_width():
    np.testing.assert_allclose(step(np.array([-100.0, -2, 0, 2, 100]), 2), [0, 0.018, 0.5, 0.982, 1], atol=1e-3)


def test_window_is_the_smallest_around_what_is_wanted():
    wanted = np.zeros((8, 9), dtype=bool)
    assert window_around(wanted) is None
    wanted[2, 3] = wanted[5, 4] = True
    assert window_around(wanted) == (slice(2, 6), slice(3, 5))


def test_gains_are_put_on_ones_own_side():
    names = ["jawOpen", "jawLeft", "jawRight", "mouthSmileLeft", "mouthSmileRight"]
    gains = {"jawOpen": 1.0, "mouthSmile": 2.0, "jawToward": 3.0, "jawAway": 4.0}
    assert drivers(gains, "Left", names).tolist() == [1, 3, 4, 2, 0]
    assert drivers(gains, "Right", names).tolist() == [1, 4, 3, 0, 2]


def test_unknown_actions_are_refused():
    with pytest.raises(ValueError, match="earWiggle"):
        drivers({"earWiggle": 1.0}, "Left", ["jawOpen"])
