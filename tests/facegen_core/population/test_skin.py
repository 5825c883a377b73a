"""Painted textures: the person's own, the expression's own, the same every time and at every size."""

import hashlib

import numpy as np
import pytest
import torch
from PIL import Image

from facegen_core.geometry.uv import crop_face
from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.canvas import Surface, surface
from facegen_core.population.expressions import FACESCAPE, personal_strengths, strengths
from facegen_core.population.hair import beard
from facegen_core.population.identity import Identity, draw_identity
from facegen_core.population.skin import paint

APPEARANCES_SHA256 = "2cc232500fee799cb1110e3fab7e7550dd34657426fd0318c3c25e660aa03218"
PIXELS = 128


@pytest.fixture(scope="module")
def shared() -> Anatomy:
    return anatomy()


@pytest.fixture(scope="module")
def people(shared) -> list[Identity]:
    return [draw_identity(0, person, shared) for person in range(24)]


def _paint(shared: Anatomy, identity: Identity, name: str, intensity: float = 1.0, pixels: int = PIXELS) -> np.ndarray:
    texture = paint(identity, strengths(name, shared.action_names, intensity), shared, pixels)
    return texture.astype(np.float64)


def _near(shared: Anatomy, x: float, y: float, radius: float = 9.0) -> np.ndarray:
    """(R, R) bool: skin within so many mm of a place on the template, seen from the front."""
    return _near_on(surface(shared, PIXELS), x, y, radius)


def _near_on(ground: Surface, x: float, y: float, radius: float = 9.0) -> np.ndarray:
    return ground.on("skin") & (ground.z > 0) & (np.hypot(ground.x - x, ground.y - y) < radius)


def test_appearances_of_people_have_not_changed(shared):
    digest = hashlib.sha256()
    for seed, person in ((0, 0), (0, 1), (0, 199), (7, 0), (12345, 846)):
        for factor in draw_identity(seed, person, shared).appearance:
            digest.update(np.atleast_1d(np.asarray(factor, dtype="<f8")).round(9).tobytes())
    assert digest.hexdigest() == APPEARANCES_SHA256


def test_texture_is_a_function_of_its_arguments(shared, people):
    first = _paint(shared, people[0], "smile")
    for other in people[1:4]:
        _paint(shared, other, "anger")
    assert np.array_equal(_paint(shared, people[0], "smile"), first)


@pytest.mark.parametrize(("fine", "coarse"), [(1024, 256), (256, 64)])
def test_fine_texture_made_smaller_looks_like_a_coarse_one(shared, people, fine, coarse):
    for identity in people[:2]:
        large = _paint(shared, identity, "smile", pixels=fine).astype(np.uint8)
        small = np.asarray(Image.fromarray(large).resize((coarse, coarse), Image.Resampling.BOX), dtype=np.float64)
        painted = _paint(shared, identity, "smile", pixels=coarse)
        faces = [crop_face(torch.from_numpy(values).permute(2, 0, 1)).numpy() for values in (small, painted)]
        assert np.abs(faces[0] - faces[1]).mean() < 4
        assert np.corrcoef(faces[0].ravel(), faces[1].ravel())[0, 1] > 0.97


@pytest.mark.parametrize("pixels", [16, 17, 1024])
def test_any_size_within_the_limits_is_painted(shared, people, pixels):
    texture = paint(people[0], np.zeros(52), shared, pixels)
    assert texture.shape == (pixels, pixels, 3)
    assert texture.dtype == np.uint8
    assert texture.std() > 10


def test_bad_sizes_and_strengths_are_refused(shared, people):
    for pixels in (15, 1025):
        with pytest.raises(ValueError, match="16 to 1024"):
            paint(people[0], np.zeros(52), shared, pixels)
    with pytest.raises(ValueError, match="52 strengths"):
        paint(people[0], np.zeros(51), shared, 64)


def test_skin_has_the_persons_tone(shared, people):
    cheeks = _near(shared, 38, -20) | _near(shared, -38, -20)
    painted = np.stack([np.median(_paint(shared, identity, "neutral")[cheeks], axis=0) for identity in people]) / 255
    tones = np.stack([identity.tone for identity in people])
    beardless = np.array([identity.appearance.cheek_beard == 0 for identity in people])
    assert beardless.sum() > 8
    for channel in range(3):
        assert np.corrcoef(painted[beardless, channel], tones[beardless, channel])[0, 1] > 0.9
    assert np.abs(painted - tones)[beardless].mean() < 0.12


def test_lips_are_redder_than_the_skin_around(shared, people):
    for identity in people:
        texture = _paint(shared, identity, "neutral")
        red = texture[..., 0] / texture.sum(-1)
        assert red[_near(shared, 0, -50, 2.5)].mean() > red[_near(shared, 45, -30, 6)].mean() + 0.01


def test_brows_are_where_brows_are_and_eyes_have_the_persons_iris(shared, people):
    ground = surface(shared, 256)
    eye = ground.on("left eye")
    middle = np.hypot(ground.x - ground.x[eye].mean(), ground.y - 27.7)
    ring = eye & (middle > 2.8) & (middle < 4)
    for identity in people[:8]:
        texture = _paint(shared, identity, "neutral", pixels=256)
        iris = np.array(identity.appearance.iris)
        assert np.abs(np.median(texture[ring], axis=0) / 255 - iris).max() < 0.2
        grey = _paint(shared, identity, "neutral").mean(-1)
        if identity.appearance.brow_hair[0] < 0.8 * identity.tone[0]:
            brow = grey[_near(shared, 30, 47 + identity.appearance.brow_height, 5)].min()
            assert brow < grey[_near(shared, 30, 62, 4)].mean()


def test_beard_grows_around_the_chin_and_not_on_the_nape(shared, people):
    ground = surface(shared, 256)
    look = people[0].appearance._replace(moustache=1.0, chin_beard=1.0, cheek_beard=1.0)
    thick = beard(look, ground)
    assert thick[_near_on(ground, 0, -78)].min() > 0.4
    assert thick[ground.z < -62].max() < 0.01


def test_closed_eyes_are_covered_by_skin(shared, people):
    """Within the eye's place, what is whiter and darker than skin goes."""
    ground = surface(shared, 256)
    for identity in people[:8]:
        skin = np.median(_paint(shared, identity, "neutral", pixels=256)[ground.on("skin") & (ground.z > 20)], axis=0)
        inside = ground.on("left eye", "right eye") & (np.abs(ground.y - 28) < 4)
        far = [
            np.abs(_paint(shared, identity, name, pixels=256)[inside] - skin).mean()
            for name in ("neutral", "eye_closed")
        ]
        assert far[1] < 0.6 * far[0]


@pytest.mark.parametrize(
    ("name", "there", "elsewhere"),
    [
        ("brow_raiser", (10, 75), (40, -60)),
        ("brow_lower", (6, 46), (40, -60)),
        ("smile", (30, -30), (0, 85)),
        ("chin_raiser", (0, -74), (0, 85)),
        ("cheek_blowing", (40, -30), (0, 85)),
        ("lip_roll", (0, -50), (0, 85)),
    ],
)
def test_expression_shows_where_it_happens(shared, people, name, there, elsewhere):
    for identity in people[:6]:
        change = np.abs(_paint(shared, identity, name) - _paint(shared, identity, "neutral")).mean(-1)
        assert change[_near(shared, *there)].mean() > 2
        assert change[_near(shared, *there)].mean() > 3 * change[_near(shared, *elsewhere)].mean()


@pytest.mark.parametrize("name", ["jaw", "mouth"])
def test_moving_to_one_side_shows_on_that_side(shared, people, name):
    """The left expression folds the left half of the lower face more than the right one does."""
    left_half = _near(shared, 32, -45, 14)
    right_half = _near(shared, -32, -45, 14)
    for identity in people[:6]:
        neutral = _paint(shared, identity, "neutral").mean(-1)
        left, right = (
            np.abs(_paint(shared, identity, f"{name}_{side}").mean(-1) - neutral) for side in ("left", "right")
        )
        assert (left - right)[left_half].mean() > 0 > (left - right)[right_half].mean()


def test_change_grows_with_the_intensity(shared, people):
    neutral = _paint(shared, people[0], "smile", 0.0)
    change = [np.abs(_paint(shared, people[0], "smile", i) - neutral).mean() for i in (0.25, 0.5, 0.75, 1.0)]
    assert change == sorted(change)
    assert change[0] > 0


def test_expressions_of_new_people_are_recognised_by_what_they_change(shared):
    """Each texture minus its person's neutral one, against the means of other people: no learning but these means."""
    people, names = range(100, 124), list(FACESCAPE)[1:]
    faces = np.empty((len(people), 20, 3 * 32 * 32))
    for i, person in enumerate(people):
        identity = draw_identity(3, person, shared)
        for k, name in enumerate(FACESCAPE):
            texture = paint(identity, personal_strengths(3, person, name, shared.action_names), shared, 64)
            faces[i, k] = crop_face(torch.from_numpy(texture / 255.0).permute(2, 0, 1), 32).flatten().numpy()
    change = faces[:, 1:] - faces[:, :1]
    change /= np.linalg.norm(change, axis=-1, keepdims=True)
    known, new = change[:16].mean(0), change[16:]
    known /= np.linalg.norm(known, axis=-1, keepdims=True)
    right = (new @ known.T).argmax(-1) == np.arange(len(names))
    assert right.mean() > 0.75
    assert right.mean(0).min() > 0  # and there is none that nobody shows


def test_people_are_told_apart_whatever_they_do(shared, people):
    """The texture nearest to somebody's smile is their own relaxed one."""
    relaxed = np.stack([_paint(shared, identity, "neutral", pixels=64).ravel() for identity in people])
    for k, identity in enumerate(people[:8]):
        distance = np.linalg.norm(relaxed - _paint(shared, identity, "smile", pixels=64).ravel(), axis=1)
        assert distance.argmin() == k
