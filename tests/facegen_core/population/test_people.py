"""The embedded people: repeatable, human in size, in one frame, and doing what their expressions say."""

import hashlib

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.expressions import FACESCAPE, personal_strengths, strengths
from facegen_core.population.identity import Identity, draw_identity, neutral_heads

PEOPLE = 24


@pytest.fixture(scope="module")
def shared() -> Anatomy:
    return anatomy()


@pytest.fixture(scope="module")
def people(shared) -> list[Identity]:
    return [draw_identity(0, person, shared) for person in range(PEOPLE)]


@pytest.fixture(scope="module")
def heads(people, shared) -> torch.Tensor:
    return neutral_heads(people, shared)


def _show(shared: Anatomy, expression: str, intensity: float = 1.0) -> torch.Tensor:
    """Displacement (V, 3) that an expression gives the template."""
    values = torch.from_numpy(strengths(expression, shared.action_names, intensity))
    return shared.express(shared.template[None], values[None])[0] - shared.template


def _moved_by(shared: Anatomy, action: str, least: float = 0.5) -> torch.Tensor:
    """(V,) bool: the vertices that one facial action moves by at least this share of its furthest."""
    distance = shared.actions[shared.action_names.index(action)].norm(dim=-1)
    return distance > least * distance.max()


def test_person_is_a_function_of_seed_and_number(shared, people):
    again = draw_identity(0, 3, shared)
    for value, repeated in zip(people[3], again, strict=True):
        np.testing.assert_array_equal(value, repeated)
    assert not np.array_equal(draw_identity(1, 3, shared).shapes, again.shapes)


def test_head_does_not_depend_on_who_else_is_made(shared, people, heads):
    alone = neutral_heads(people[5:6], shared)
    torch.testing.assert_close(alone[0], heads[5], atol=1e-9, rtol=0)


def test_factors_and_vertices_have_not_changed(shared, people, heads):
    """A population is named by its seed: if the same seed gives other people, raise Population.version."""
    factors = hashlib.sha256()
    for person, identity in enumerate(people[:4]):
        factors.update(np.concatenate([identity.phenotypes, identity.shapes, identity.tone]).round(9).tobytes())
        for name in FACESCAPE:
            factors.update(personal_strengths(0, person, name, shared.action_names).round(9).tobytes())
    tenths = (heads[:4] * 10).round().to(torch.int32)  # a tenth of a millimetre, so that other CPUs agree
    assert (factors.hexdigest()[:16], hashlib.sha256(tenths.numpy().tobytes()).hexdigest()[:16]) == (
        "04f15bfbd2ad9304",
        "8b5cc002549cea80",
    )


def test_heads_are_of_human_size(heads, shared):
    """Millimetres, and heads of adults: breadth at the widest without ears 130-180, chin to crown 180-280."""
    skull = heads[:, shared.template[:, 1] > shared.template[:, 1].quantile(0.75)]
    breadth = skull[..., 0].amax(1) - skull[..., 0].amin(1)
    height = heads[:, shared.head, 1].amax(1) - heads[:, shared.head, 1].amin(1)
    assert ((breadth > 120) & (breadth < 200)).all(), breadth
    assert ((height > 170) & (height < 300)).all(), height


def test_faces_look_along_z_with_y_up(shared):
    """Eyes above mouth, nose in front of ears, and what is called left is on the side of +x."""
    lids, lips = _moved_by(shared, "eyeBlinkLeft"), _moved_by(shared, "mouthPucker")
    assert shared.template[lids, 1].mean() > shared.template[lips, 1].mean()
    assert shared.template[lips, 2].mean() > shared.template[:, 2].mean()
    assert shared.template[lids, 0].mean() > 0


def test_no_pose_is_left_in_the_heads(heads, shared):
    """An independent fit finds no rotation and no translation between a neutral head and the template."""
    target = shared.template[shared.head].numpy()
    for head in heads[:, shared.head].numpy():
        assert np.linalg.norm(head.mean(0) - target.mean(0)) < 1e-6
        rotation, _ = Rotation.align_vectors(target - target.mean(0), head - head.mean(0))
        assert rotation.magnitude() < 1e-6


def test_size_of_people_is_kept(heads, shared):
    size = (heads[:, shared.head] - heads[:, shared.head].mean(1, keepdim=True)).norm(dim=-1).mean(1)
    assert 0.01 < float(size.std() / size.mean()) < 0.12


def test_left_and_right_differ_a_little(heads, shared):
    """The two halves of a face differ, by far less than two people do."""
    mutual = shared.mirror[shared.mirror] == torch.arange(len(shared.mirror))
    head = heads[:, shared.head & mutual]
    mirrored = (heads[:, shared.mirror] * torch.tensor([-1.0, 1, 1]))[:, shared.head & mutual]
    asymmetry = (head - mirrored).norm(dim=-1).mean()
    between = torch.stack([(head[i] - head[i + 1]).norm(dim=-1).mean() for i in range(PEOPLE - 1)]).mean()
    assert 0.05 < asymmetry < 2.5
    assert asymmetry < between / 3


def test_people_differ_as_real_people_do(heads, shared):
    """Mean distance between two people's neutral faces, on the head: about 5 mm on the ICT model of real scans."""
    head = heads[:, shared.head]
    pairs = [(i, j) for i in range(PEOPLE) for j in range(i)]
    distance = torch.stack([(head[i] - head[j]).norm(dim=-1).mean() for i, j in pairs]).mean()
    assert 4 < distance < 10


def test_expressions_are_facescapes(shared):
    assert len(FACESCAPE) == 20
    assert list(FACESCAPE)[:5] == ["neutral", "smile", "mouth_stretch", "anger", "jaw_left"]
    assert list(FACESCAPE)[-3:] == ["eye_closed", "brow_raiser", "brow_lower"]
    shown = torch.stack([_show(shared, name) for name in FACESCAPE])
    distance = torch.cdist(shown.flatten(1), shown.flatten(1)) + torch.eye(20) * 1e9
    assert distance.min() > 5  # no two expressions are the same


def test_neutral_face_does_not_move(shared):
    assert _show(shared, "neutral").abs().max() == 0


def test_intensity_scales_an_expression(shared):
    torch.testing.assert_close(_show(shared, "smile", 0.5), _show(shared, "smile") / 2)


@pytest.mark.parametrize(("expression", "sign"), [("jaw_left", 1), ("jaw_right", -1)])
def test_jaw_goes_to_the_persons_own_side(shared, expression, sign):
    chin = _moved_by(shared, "jawForward")
    assert sign * _show(shared, expression)[chin, 0].mean() > 2


def test_jaw_forward_goes_forward(shared):
    assert _show(shared, "jaw_forward")[_moved_by(shared, "jawForward"), 2].mean() > 2


def test_open_mouth_lowers_the_chin(shared):
    assert _show(shared, "mouth_stretch")[_moved_by(shared, "jawOpen"), 1].mean() < -10


def test_smile_widens_the_mouth_and_lifts_its_corners(shared):
    moved = _show(shared, "smile")
    left, right = _moved_by(shared, "mouthSmileLeft", 0.8), _moved_by(shared, "mouthSmileRight", 0.8)
    assert moved[left, 0].mean() > 1 > -1 > moved[right, 0].mean()
    assert moved[left | right, 1].mean() > 1


def test_closed_eyes_lower_the_lids_and_leave_the_mouth(shared):
    moved = _show(shared, "eye_closed")
    assert moved[_moved_by(shared, "eyeBlinkLeft", 0.8), 1].mean() < -4
    assert moved[_moved_by(shared, "mouthPucker")].norm(dim=-1).max() < 1


def test_brows_go_up_and_down(shared):
    brows = _moved_by(shared, "browInnerUp", 0.7)
    assert _show(shared, "brow_raiser")[brows, 1].mean() > 1
    assert _show(shared, "brow_lower")[brows, 1].mean() < -1


def test_people_smile_differently_but_each_always_the_same(shared):
    first, second = (personal_strengths(0, person, "smile", shared.action_names) for person in (0, 1))
    np.testing.assert_array_equal(first, personal_strengths(0, 0, "smile", shared.action_names))
    listed = strengths("smile", shared.action_names)
    assert not np.array_equal(first, second)
    assert np.abs(first - listed).max() < 0.5
    assert np.corrcoef(first, listed)[0, 1] > 0.9


def test_unknown_expression_is_refused(shared):
    with pytest.raises(KeyError):
        strengths("wink", shared.action_names)
