"""The one head of all people: its frame, its size, its symmetry, and the shapes and actions that move it."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from facegen_core.population.anatomy import LEAST_MOVE_MM, Anatomy, anatomy

OPPOSITE = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)


@pytest.fixture(scope="module")
def shared() -> Anatomy:
    return anatomy()


def _average(shared: Anatomy) -> torch.Tensor:
    """Phenotypes (1, 6) of the average young adult."""
    return torch.tensor([[{"age": 2 / 3}.get(name, 0.5) for name in shared.model.phenotype_labels]])


def _place(shared: Anatomy, action: str) -> torch.Tensor:
    """(3,) where on the template an action moves most."""
    moved = shared.actions[shared.action_names.index(action)].norm(dim=-1)
    return shared.template[moved > 0.5 * moved.max()].mean(0)


def test_mesh_is_annys_head(shared):
    assert (len(shared.template), len(shared.faces)) == (4538, 9014)
    assert np.unique(shared.faces).tolist() == list(range(4538))
    assert shared.faces_uv.shape == shared.faces.shape
    assert np.unique(shared.faces_uv).tolist() == list(range(len(shared.uv)))
    assert 0 <= shared.uv.min() < shared.uv.max() <= 1


def test_triangles_face_outwards(shared):
    """Sum of tetrahedra to the origin: the volume enclosed is positive, and that of an adult's head and neck, 3-8 l."""
    corners = shared.template.numpy()[shared.faces]
    volume = np.einsum("fi,fi->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert 3e6 < volume < 8e6


def test_template_is_centred(shared):
    np.testing.assert_allclose(shared.template.mean(0), 0, atol=1e-9)


def test_tip_of_the_nose_is_in_front_in_the_middle(shared):
    tip = shared.template[shared.template[:, 2].argmax()]
    mouth, left_eye = _place(shared, "mouthPucker"), _place(shared, "eyeBlinkLeft")
    assert abs(float(tip[0])) < 1
    assert mouth[1] < tip[1] < left_eye[1]


def test_y_is_up(shared):
    heights = [float(_place(shared, name)[1]) for name in ("jawOpen", "mouthPucker", "eyeBlinkLeft", "browInnerUp")]
    assert heights == sorted(heights)


def test_left_is_at_positive_x(shared):
    for name in shared.action_names:
        if name.endswith("Left") and name not in ("jawLeft", "mouthLeft"):
            right = name.removesuffix("Left") + "Right"
            assert _place(shared, name)[0] > 5 > -5 > _place(shared, right)[0], name


def test_template_has_the_size_of_a_human_head(shared):
    """Adults measure 140-165 mm across, ears add 20; 180-205 in length without nose; 210-250 from chin to crown."""
    head = shared.template[shared.head]
    breadth, height, depth = (head.amax(0) - head.amin(0)).tolist()
    assert 140 < breadth < 190
    assert 200 < height < 260
    assert 180 < depth < 240


def test_head_is_what_lies_above_the_chin(shared):
    """The neck is left out of the alignment, all of the face is in it."""
    assert not shared.head[shared.template[:, 1].argmin()]
    for name in ("eyeBlinkLeft", "mouthPucker", "browInnerUp", "cheekPuff"):
        moved = shared.actions[shared.action_names.index(name)].norm(dim=-1) > 1
        assert shared.head[moved].all(), name


def test_template_is_symmetric(shared):
    opposite = shared.template[shared.mirror] * OPPOSITE
    distance = (shared.template - opposite).norm(dim=-1)
    assert distance.median() < 1
    assert distance.max() < 5
    assert (shared.mirror[shared.mirror] == torch.arange(len(shared.mirror))).double().mean() > 0.95


def test_actions_leave_the_back_of_the_head_alone(shared):
    back = (shared.template[:, 1] > 0) & (shared.template[:, 2] < -30)
    assert back.sum() > 100
    assert shared.actions[:, back].norm(dim=-1).max() < 1
    assert (shared.actions.norm(dim=-1).amax(1) > 2).all()  # and each moves something


def test_paired_actions_are_each_others_mirror(shared):
    for name in shared.action_names:
        if name.endswith("Left"):
            left = shared.actions[shared.action_names.index(name)]
            right = shared.actions[shared.action_names.index(name.removesuffix("Left") + "Right")]
            difference = (left[shared.mirror] * OPPOSITE - right).norm(dim=-1)
            assert difference.mean() < 0.25 * right.norm(dim=-1)[right.norm(dim=-1) > 0.1].mean(), name


def test_every_shape_chosen_moves_the_head(shared):
    """Each is put on the average head alone, and what a rigid motion explains, by scipy's fit, is taken off."""
    target = shared.template[shared.head].numpy()
    heads = shared.neutral(_average(shared).expand(len(shared.shapes), -1), torch.eye(len(shared.shapes)))
    for name, said, head in zip(shared.shape_names, shared.shape_moves, heads[:, shared.head].numpy(), strict=True):
        centre = head.mean(0)
        rotation, _ = Rotation.align_vectors(target - target.mean(0), head - centre)
        moved = np.linalg.norm(rotation.apply(head - centre) + target.mean(0) - target, axis=1).max()
        assert moved > LEAST_MOVE_MM, name
        assert moved == pytest.approx(float(said), abs=1e-3), name


def test_shapes_of_the_body_are_left_out(shared):
    assert len(shared.shapes) == len(set(shared.shapes.tolist())) == len(shared.shape_names)
    words = ("hip", "foot", "hand", "leg", "breast", "stomach", "pelvis", "upperarm", "lowerarm")
    assert not [name for name in shared.shape_names if any(word in name for word in words)]
    assert any("nose" in name for name in shared.shape_names)
    assert any("chin" in name for name in shared.shape_names)


def test_sideways_shapes_are_those_that_push_to_one_side(shared):
    """Their two mirrored halves do not cancel: the mean of what they move goes along x."""
    found = {name for name, odd in zip(shared.shape_names, shared.sideways.tolist(), strict=True) if odd}
    assert "nose-trans-out" in found
    assert not [name for name in found if name.startswith(("l-", "r-"))]
    sideways = torch.eye(len(shared.shapes))[shared.sideways]
    moved = shared.neutral(_average(shared).expand(len(sideways), -1), sideways) - shared.template
    along = moved.abs().mean(1)
    assert (along[:, 0] > along[:, 1:].amax(1)).all()


def test_posture_and_height_of_the_body_do_not_move_the_head(shared):
    """Tall and short, slim and heavy: no rotation or shift is left that scipy's fit finds."""
    random = np.random.default_rng(0)
    phenotypes = torch.from_numpy(random.uniform(0.3, 0.9, (16, len(shared.model.phenotype_labels))))
    heads = shared.neutral(phenotypes, torch.zeros(16, len(shared.shapes)))
    target = shared.template[shared.head].numpy()
    for head in heads[:, shared.head].numpy():
        np.testing.assert_allclose(head.mean(0), target.mean(0), atol=1e-6)
        rotation, _ = Rotation.align_vectors(target - target.mean(0), head - head.mean(0))
        assert rotation.magnitude() < 1e-6


def test_average_head_is_the_template(shared):
    head = shared.neutral(_average(shared), torch.zeros(1, len(shared.shapes)))[0]
    torch.testing.assert_close(head, shared.template, atol=1e-3, rtol=0)


def test_expressed_head_is_the_neutral_plus_weighted_actions(shared):
    random = np.random.default_rng(0)
    neutral, strengths = random.normal(size=(2, 4538, 3)), random.normal(size=(2, len(shared.actions)))
    expected = neutral + (strengths @ shared.actions.numpy().reshape(len(shared.actions), -1)).reshape(2, -1, 3)
    got = shared.express(torch.from_numpy(neutral), torch.from_numpy(strengths))
    np.testing.assert_allclose(got, expected, atol=1e-9)
