import numpy as np
import pytest
import torch

from facegen_core.population.anatomy import anatomy
from facegen_core.population.portrait.eyeballs import eyeballs, look_actions
from facegen_core.population.portrait.framing import as_ffhq, camera, cropped, project, turn
from facegen_core.population.portrait.landmarks import five_points, landmarks
from facegen_core.population.portrait.occlusion import head_openness
from facegen_core.population.portrait.spirals import over_sphere
from facegen_core.population.portrait.teeth import teeth


@pytest.fixture(scope="module")
def shared():
    return anatomy()


@pytest.fixture(scope="module")
def template(shared):
    return shared.template.numpy()


def actions(shared, **strengths):
    values = np.zeros(len(shared.action_names))
    for name, strength in strengths.items():
        values[shared.action_names.index(name)] = strength
    return values


def head(shared, values):
    return shared.express(shared.template[None], torch.from_numpy(values)[None])[0].numpy()


MIRRORED = [
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), *range(45, 41, -1), 47, 46,
    *range(39, 35, -1), 41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
]  # fmt: skip


def test_landmarks_are_symmetric_as_ibug_orders_them(shared, template):
    points = landmarks(shared).on(template)
    assert np.abs(points[MIRRORED] * [-1, 1, 1] - points).max() < 2.0, "mm"


def test_landmarks_stand_where_their_names_say(shared, template):
    points = landmarks(shared).on(template)
    assert points[8, 1] == points[:, 1].min(), "the chin is the lowest"
    assert points[30, 2] == points[:, 2].max(), "the tip of the nose stands out furthest"
    assert (points[17:22, 0] < 0).all() and (points[22:27, 0] > 0).all(), "the person's right brow comes first"
    upper, lower = points[[37, 38, 43, 44], 1], points[[41, 40, 47, 46], 1]
    assert (upper > lower + 4).all(), "upper lids above lower ones"
    assert (points[61:64, 1] >= points[67:64:-1, 1]).all(), "inner edge of the upper lip above that of the lower"


def test_landmarks_follow_the_jaw_and_the_lids(shared, template):
    relaxed = landmarks(shared).on(template)
    opened = landmarks(shared).on(head(shared, actions(shared, jawOpen=0.6)))
    assert (relaxed - opened)[8, 1] > 10 and np.abs(relaxed - opened)[27:31].max() < 1
    closed = landmarks(shared).on(head(shared, actions(shared, eyeBlinkLeft=1.0, eyeBlinkRight=1.0)))
    assert np.abs(closed[[37, 38], 1] - closed[[41, 40], 1]).max() < 3


def test_five_points_are_those_of_the_arcface_template(shared, template):
    right, left, nose, *mouth = five_points(landmarks(shared).on(template))
    assert right[0] < nose[0] < left[0] and mouth[0][0] < mouth[1][0]
    assert min(right[1], left[1]) > nose[1] > max(mouth[0][1], mouth[1][1])


def test_lower_teeth_follow_the_jaw_alone(shared, template):
    closed = teeth(template, actions(shared), 0.2, shared)
    opened = teeth(template, actions(shared, jawOpen=0.5), 0.2, shared)
    smiling = teeth(template, actions(shared, mouthSmileLeft=1.0, mouthLowerDownLeft=1.0), 0.2, shared)
    upper, lower = (np.linalg.norm(opened[i].vertices - closed[i].vertices, axis=1) for i in (0, 1))
    assert upper.max() == 0 and lower.min() > 8 and lower.max() < 25
    distances = [
        np.linalg.norm(piece.vertices[:, None] - piece.vertices[None, :50], axis=2) for piece in (closed[1], opened[1])
    ]
    assert np.abs(distances[0] - distances[1]).max() < 1e-3, "bone does not bend"
    assert all((smiling[i].vertices == closed[i].vertices).all() for i in (0, 1))


def test_teeth_lie_behind_closed_lips(shared, template):
    lips = landmarks(shared).on(template)
    for row in teeth(template, actions(shared), 0.0, shared):
        front = row.vertices[np.abs(row.vertices[:, 0]) < 8]
        assert front[:, 2].max() < lips[[62, 66], 2].min()


@pytest.mark.parametrize(("gaze", "axis", "sign"), [((20, 0), 0, 1), ((-20, 0), 0, -1), ((0, 10), 1, 1)])
def test_eyes_turn_to_where_they_look(shared, template, gaze, axis, sign):
    still = eyeballs(template, template, (0.0, 0.0), shared)
    moved = eyeballs(template, template, gaze, shared)
    for part in ("left eye", "right eye"):
        turned = np.arcsin(moved[part].axes[2][axis]) - np.arcsin(still[part].axes[2][axis])
        assert sign * np.degrees(turned) == pytest.approx(abs(gaze[axis]), abs=0.5)
        assert np.allclose(moved[part].axes @ moved[part].axes.T, np.eye(3))


def test_left_eye_looks_out_when_the_right_looks_in(shared):
    found = dict(zip(shared.action_names, look_actions((15.0, 0.0), shared.action_names), strict=True))
    assert found["eyeLookOutLeft"] == found["eyeLookInRight"] == 0.5
    assert sum(found.values()) == 1.0


def test_openness_is_least_in_hollows(shared, template):
    openness = head_openness(shared).numpy()
    assert openness[template[:, 2].argmax()] > 0.8, "tip of the nose"
    assert openness[template[:, 1].argmax()] > 0.95, "top of the head"
    mouth = np.unique(shared.faces[shared.parts["mouth"]])
    assert np.median(openness[mouth]) < 0.1


@pytest.mark.parametrize("count", [22, 64, 270])
def test_directions_over_a_sphere_are_as_far_apart_as_they_can_be(count):
    """Each has its share of the sphere, 4 pi / count; in a square lattice neighbours would be its root apart."""
    directions = over_sphere(count)
    assert np.allclose(np.linalg.norm(directions, axis=1), 1) and np.linalg.norm(directions.mean(0)) < 0.02
    cosines = directions @ directions.T - 2 * np.eye(count)
    nearest = np.arccos(cosines.max(1)) / np.sqrt(4 * np.pi / count)
    assert nearest.min() > 0.8 and nearest.max() < 1.1


def test_head_turned_left_shows_its_nose_on_the_right_of_the_picture():
    nose = turn(30.0, 0.0, 0.0) @ [0, 0, 1]
    assert nose[0] == pytest.approx(0.5) and nose[2] == pytest.approx(np.sqrt(0.75))
    assert (turn(0.0, 20.0, 0.0) @ [0, 0, 1])[1] < 0, "positive pitch looks down"


def test_ffhq_square_of_level_eyes():
    """Eyes 2 apart, mouth 2.2 below: side 8 (4 x 2 > 3.6 x 2.2), centre 0.22 below the eyes; turned with the face."""
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[48], points[54] = [-1, 1], [1, 1], [-0.6, -1.2], [0.6, -1.2]
    square = as_ffhq(points)
    assert (
        square.side == pytest.approx(8.0)
        and np.allclose(square.centre, [0, 0.78])
        and np.allclose(square.right, [1, 0])
    )
    angle = np.radians(20)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = as_ffhq(points @ rotation.T)
    assert np.allclose(turned.right, rotation @ [1, 0]) and np.allclose(turned.centre, rotation @ square.centre)


def test_cropped_camera_shows_the_square_and_no_more(shared, template):
    _, wide = camera(800.0)
    places = project(landmarks(shared).on(template), wide)
    square = as_ffhq(places)
    up = np.array([-square.right[1], square.right[0]])
    corner = square.centre + square.side / 2 * (square.right + up)
    matrix = cropped(wide, square)
    seen = project(landmarks(shared).on(template), matrix)
    assert np.allclose(seen, 2 / square.side * (places - square.centre) @ np.stack([square.right, up]).T)
    assert np.allclose(2 / square.side * (corner - square.centre) @ np.stack([square.right, up]).T, [1, 1])
