"""FaceScape's expressions: named and ordered as published, and doing to the face what their names say."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse.csgraph
import torch

import experiments.face3d
from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.expressions import (
    FACESCAPE,
    RESTLESS_ACTIONS,
    STRENGTH_SPREAD,
    personal_strengths,
    strengths,
)

STRENGTHS_SHA256 = "e492dc9b88ac1d87fe09fa24f3fc8f100c17026592458b813309005243448ac1"


@pytest.fixture(scope="module")
def shared() -> Anatomy:
    return anatomy()


def _moved(shared: Anatomy, expression: str, intensity: float = 1.0) -> torch.Tensor:
    """Displacement (V, 3) that an expression gives the template."""
    values = torch.from_numpy(strengths(expression, shared.action_names, intensity))
    return shared.express(shared.template[None], values[None])[0] - shared.template


def _region(shared: Anatomy, action: str, least: float = 0.5) -> torch.Tensor:
    """(V,) bool: the vertices that one facial action moves by at least this share of its furthest."""
    distance = shared.actions[shared.action_names.index(action)].norm(dim=-1)
    return distance > least * distance.max()


def _skin(shared: Anatomy) -> torch.Tensor:
    """(V,) bool: the largest connected piece; eyes and teeth are pieces of their own."""
    a, b = shared.faces.ravel(), np.roll(shared.faces, 1, axis=1).ravel()
    edges = scipy.sparse.coo_array((np.ones(len(a)), (a, b)), (len(shared.template),) * 2)
    piece = scipy.sparse.csgraph.connected_components(edges, directed=False)[1]
    return torch.from_numpy(piece == np.bincount(piece).argmax())


def test_names_and_order_are_the_published_ones():
    path = Path(experiments.face3d.__file__).parent / "published" / "facescape_expressions.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(FACESCAPE) == [row["name"] for row in rows]
    assert [int(row["zero_based_label"]) for row in rows] == list(range(20))


def test_strengths_of_people_have_not_changed(shared):
    """As the factors of identities: the same seed, the same expressions."""
    digest = hashlib.sha256()
    for seed, person in ((0, 0), (0, 1), (7, 199)):
        for name in FACESCAPE:
            values = personal_strengths(seed, person, name, shared.action_names)
            digest.update(values.astype("<f8").round(9).tobytes())
    assert digest.hexdigest() == STRENGTHS_SHA256


def test_no_two_expressions_are_alike(shared):
    shown = torch.stack([_moved(shared, name).flatten() for name in FACESCAPE])
    distance = torch.cdist(shown, shown) / np.sqrt(len(shared.template))
    assert (distance + torch.eye(20) * 1e9).min() > 0.1  # root mean square over the whole head, mm


def test_neutral_does_not_move(shared):
    assert not _moved(shared, "neutral").any()


@pytest.mark.parametrize("name", list(FACESCAPE))
def test_displacement_is_linear_in_intensity(shared, name):
    for intensity in (0.0, 0.3, 1.7):
        torch.testing.assert_close(_moved(shared, name, intensity), intensity * _moved(shared, name))


@pytest.mark.parametrize(("expression", "side"), [("jaw_left", 1), ("jaw_right", -1)])
def test_jaw_moves_the_chin_to_the_persons_own_side(shared, expression, side):
    chin = _region(shared, "jawForward")
    assert side * _moved(shared, expression)[chin, 0].mean() > 2


@pytest.mark.parametrize(("expression", "side"), [("mouth_left", 1), ("mouth_right", -1)])
def test_mouth_moves_to_the_persons_own_side(shared, expression, side):
    lips = _region(shared, "mouthPucker")
    assert side * _moved(shared, expression)[lips, 0].mean() > 2


def test_jaw_forward_moves_the_chin_forward(shared):
    moved = _moved(shared, "jaw_forward")[_region(shared, "jawForward")].mean(0)
    assert moved[2] > 2
    assert moved[2] > moved[:2].abs().max()


def test_mouth_stretch_drops_the_chin_by_centimetres(shared):
    assert _moved(shared, "mouth_stretch")[_region(shared, "jawOpen"), 1].mean() < -10


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_closed_eyes_shut_the_gap_between_the_lids(shared, side):
    """In the middle of the eye, between the edge of the lid that blinking lowers and that of the one it leaves."""
    blink = shared.actions[shared.action_names.index(f"eyeBlink{side}")].norm(dim=-1)
    ball, (x, y, z) = _region(shared, f"eyeLookUp{side}"), shared.template.unbind(-1)
    front = _skin(shared) & ((x - x[ball].mean()).abs() < 6) & (z > z[ball].max() - 3)
    upper, lower = front & (blink > 5), front & (blink < 1) & (y < y[ball].mean())
    upper &= y < y[upper].min() + 1
    lower &= y > y[lower].max() - 1

    def gap(head: torch.Tensor) -> float:
        return float(head[upper, 1].mean() - head[lower, 1].mean())

    assert 5 < gap(shared.template) < 15
    assert abs(gap(shared.template + _moved(shared, "eye_closed"))) < gap(shared.template) / 2


def test_closed_eyes_leave_the_mouth_alone(shared):
    assert _moved(shared, "eye_closed")[_region(shared, "mouthPucker")].norm(dim=-1).max() < 0.5


def test_smile_pulls_the_corners_out_and_up(shared):
    moved = _moved(shared, "smile")
    left, right = _region(shared, "mouthSmileLeft", 0.8), _region(shared, "mouthSmileRight", 0.8)
    assert moved[left, 0].mean() > 1 > -1 > moved[right, 0].mean()
    assert moved[left | right, 1].mean() > 1


def test_sadness_pulls_the_corners_down(shared):
    corners = _region(shared, "mouthFrownLeft", 0.8) | _region(shared, "mouthFrownRight", 0.8)
    assert _moved(shared, "sadness")[corners, 1].mean() < -1


@pytest.mark.parametrize(("expression", "way"), [("brow_raiser", 1), ("brow_lower", -1), ("anger", -1)])
def test_brows_go_up_and_down(shared, expression, way):
    brows = _region(shared, "browInnerUp", 0.7)
    assert way * _moved(shared, expression)[brows, 1].mean() > 1


def test_pucker_narrows_the_mouth_and_pushes_it_forward(shared):
    corners = [_region(shared, f"mouthSmile{side}", 0.8) for side in ("Left", "Right")]
    moved = _moved(shared, "lip_puckerer")
    assert moved[corners[0], 0].mean() < -1 < 1 < moved[corners[1], 0].mean()
    assert moved[_region(shared, "mouthPucker"), 2].mean() > 0.5


def test_cheeks_blow_outwards(shared):
    cheeks = _region(shared, "cheekPuff")
    outwards = torch.sign(shared.template[cheeks, 0]) * _moved(shared, "cheek_blowing")[cheeks, 0]
    assert outwards.mean() > 1


def test_a_side_less_name_stands_for_both_sides():
    names = ["mouthSmileLeft", "mouthSmileRight", "cheekSquintRight", "cheekSquintLeft", "eyeSquintLeft"]
    names += ["eyeSquintRight", "mouthDimpleLeft", "mouthDimpleRight", "jawOpen"]
    expected = [0.85, 0.85, 0.5, 0.5, 0.2, 0.2, 0.2, 0.2, 0.0]
    np.testing.assert_allclose(strengths("smile", names), expected)


def test_everybody_does_an_expression_in_their_own_way(shared):
    """Apart from a few restless actions, strengths are the listed ones within twice the stated spread."""
    listed = strengths("grin", shared.action_names)
    shown = np.stack([personal_strengths(0, person, "grin", shared.action_names) for person in range(100)])
    asked, outside = listed > 0, np.abs(shown - listed) > 2 * STRENGTH_SPREAD * listed + 1e-12
    assert (outside.sum(1) <= RESTLESS_ACTIONS).all()
    assert (np.unique(shown[:, asked].round(6), axis=0).shape[0]) == 100
    relative = shown[:, asked] / listed[asked] - 1
    assert np.median(np.abs(relative)) == pytest.approx(0.6745 * STRENGTH_SPREAD, rel=0.15)
    assert shown.min() >= 0


def test_a_persons_expression_depends_on_seed_person_and_name_alone(shared):
    first = personal_strengths(3, 5, "smile", shared.action_names)
    np.testing.assert_array_equal(first, personal_strengths(3, 5, "smile", shared.action_names))
    for seed, person, name in ((4, 5, "smile"), (3, 6, "smile"), (3, 5, "grin")):
        assert not np.array_equal(first, personal_strengths(seed, person, name, shared.action_names))


def test_intensity_scales_what_is_done_and_not_the_restlessness(shared):
    """Three intensities lie on a line whose start is what fidgets in a neutral moment."""
    none, half, full = (personal_strengths(0, 0, "smile", shared.action_names, level) for level in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(half, (none + full) / 2, atol=1e-12)
    assert np.count_nonzero(none) <= RESTLESS_ACTIONS
    assert none.max() < 0.2


def test_unknown_expression_is_refused(shared):
    with pytest.raises(KeyError, match="wink"):
        strengths("wink", shared.action_names)


def test_action_the_anatomy_lacks_is_named():
    with pytest.raises(KeyError, match="jawOpen"):
        strengths("mouth_stretch", ["mouthLowerDownLeft", "mouthLowerDownRight", "eyeWideLeft", "eyeWideRight"])
