import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from helpers.portraits import plain_shot, somebody

from facegen_core.images import to_uint8
from facegen_core.population.anatomy import anatomy
from facegen_core.population.portrait.hairstyle import draw_hairstyle
from facegen_core.population.portrait.landmarks import five_points
from facegen_core.population.portrait.portrait import photograph
from facegen_core.population.portrait.shot import Crop, Grade

PIXELS = 160


def picture(shot, person=0, pixels=PIXELS):
    return photograph(somebody(person), shot, anatomy(), pixels)


@pytest.fixture(scope="module")
def plain():
    return picture(plain_shot())


def test_same_shot_is_the_same_picture(plain):
    again = picture(plain_shot())
    assert torch.equal(plain.image, again.image) and np.array_equal(plain.landmarks, again.landmarks)


def test_pixels_and_mask_are_in_range(plain):
    assert plain.image.shape == (3, PIXELS, PIXELS) and plain.mask.shape == (PIXELS, PIXELS)
    assert plain.image.min() >= 0 and plain.image.max() <= 1 and plain.image.std() > 0.05
    assert plain.mask.min() == 0 and plain.mask.max() == pytest.approx(1)


def test_mask_holds_the_face_and_not_what_is_behind(plain):
    for x, y in five_points(plain.landmarks).astype(int):
        assert plain.mask[y, x] > 0.9
    assert plain.mask[:8].max() == 0 and 0.1 < plain.mask.mean() < 0.6


def test_mask_has_no_holes_where_teeth_and_brows_are(plain):
    laughing = picture(plain_shot(units={"AU12": 1.0, "AU25": 1.0, "AU26": 1.0}))
    for taken, points in ((plain, slice(17, 27)), (laughing, slice(60, 68))):
        left, top = taken.landmarks[points].min(0).astype(int)
        right, bottom = np.ceil(taken.landmarks[points].max(0)).astype(int)
        assert taken.mask[top:bottom, left:right].min() > 0.95


def test_bald_head_shows_skin():
    """The scalp of somebody who is bald is as light as the forehead below it, but for the fall of the light."""
    number = next(n for n in range(60) if _hair(n).cut == "bald")
    taken = picture(plain_shot(crop=Crop("box", margin=2.0)), person=number)
    x, brow, chin = (int(v) for v in (taken.landmarks[27, 0], taken.landmarks[19, 1], taken.landmarks[8, 1]))
    high = (chin - brow) / 2  # the forehead, and about as much of the scalp above it
    forehead, scalp = (
        taken.image[:, int(brow - b * high) : int(brow - a * high), x - 8 : x + 8].mean((1, 2))
        for a, b in ((0.2, 0.5), (0.75, 0.95))
    )
    assert (scalp / forehead).min() > 0.7


def _hair(number):
    return draw_hairstyle(5, number, somebody(number).identity.appearance)


@pytest.mark.parametrize("pose", [(0.0, 0.0, 0.0), (25.0, 0.0, 0.0), (-20.0, 8.0, 10.0)])
def test_detector_trained_on_photographs_finds_the_face_where_it_is(pose):
    """MTCNN's five points are those of the geometry within an eighth of the eyes' distance on average."""
    taken = picture(plain_shot(pose=pose), person=1)
    boxes, confidence, points = MTCNN(device="cpu", min_face_size=40).detect(to_uint8(taken.image), landmarks=True)
    assert len(boxes) == 1 and confidence[0] > 0.98
    true = five_points(taken.landmarks)
    apart = np.linalg.norm(true[1] - true[0])
    assert np.linalg.norm(np.asarray(points[0], dtype=float) - true, axis=1).mean() < apart / 8


def test_another_expression_changes_the_face_alone(plain):
    smiling = picture(plain_shot(units={"AU06": 0.8, "AU12": 1.0, "AU25": 0.8}))
    changed = (smiling.image - plain.image).abs().amax(0)
    rows, columns = np.nonzero(changed.numpy() > 0.05)
    left, right, top, bottom = columns.min(), columns.max(), rows.min(), rows.max()
    points = plain.landmarks
    assert changed[int(points[48, 1]), int(points[48, 0]) - 2 : int(points[48, 0]) + 3].max() > 0.05, (
        "the mouth's corner"
    )
    assert points[:, 0].min() - 5 < left and right < points[:, 0].max() + 5
    assert points[19, 1] - 12 < top and bottom < points[8, 1] + 12
    assert smiling.landmarks[54, 0] - smiling.landmarks[48, 0] > points[54, 0] - points[48, 0] + 2, "the mouth widens"
    assert np.abs(smiling.landmarks[27:31] - points[27:31]).max() < 1.5, "the bridge of the nose stays"


def test_costume_changes_no_landmark():
    assert np.array_equal(picture(plain_shot(costume="santa")).landmarks, picture(plain_shot()).landmarks)


def test_light_from_the_left_brightens_the_left_of_the_face():
    def halves(side):
        light = plain_shot().light._replace(key=(side * 0.8, 0.2, 0.566), fill_colour=(0.0, 0.0, 0.0))
        taken = picture(plain_shot(light=light))
        grey, mask = taken.image.mean(0), taken.mask > 0.9
        middle = int(taken.landmarks[27, 0])
        mask_left, mask_right = mask.clone(), mask.clone()
        mask_left[:, middle:], mask_right[:, :middle] = False, False
        return float(grey[mask_left].mean()), float(grey[mask_right].mean())

    (left, right), (other_left, other_right) = halves(-1), halves(1)
    assert left > 1.2 * right and other_right > 1.2 * other_left


def test_large_picture_made_small_is_the_small_picture():
    small, large = (picture(plain_shot(), pixels=pixels) for pixels in (96, 192))
    reduced = torch.nn.functional.avg_pool2d(large.image[None], 2)[0]
    assert (reduced - small.image).abs().mean() < 0.03
    assert np.abs(large.landmarks / 2 - small.landmarks).max() < 1e-6


def test_exposure_brightens_and_grain_is_as_strong_as_said():
    grade = Grade(exposure=0.6)
    dark, bright = (picture(plain_shot(grade=g)).image for g in (grade, grade._replace(exposure=0.9)))
    assert (bright - dark).min() >= -1e-6 and (bright - dark).mean() > 0.05
    noisy = picture(plain_shot(grade=grade._replace(grain=0.02, seed=3))).image
    assert float((noisy - dark).std()) == pytest.approx(0.02, rel=0.1)


def test_box_crop_is_as_wide_as_asked():
    taken = picture(plain_shot(crop=Crop("box", margin=2.0)))
    assert np.ptp(taken.landmarks, axis=0).max() == pytest.approx(PIXELS / 2, rel=0.02)


@pytest.mark.parametrize("pixels", [64, 128, 256])
def test_cartoon_has_lines_at_every_size(pixels):
    """The edge of the jaw, seen before the neck: darker than both."""
    drawn = picture(plain_shot(style="cartoon"), pixels=pixels)
    x, chin = drawn.landmarks[8].astype(int)
    below = drawn.image[:, chin - pixels // 16 : chin + pixels // 16, x].mean(0)
    assert below.min() < 0.85 * min(below[0], below[-1])


def test_cartoon_has_fewer_tones_and_the_same_landmarks(plain):
    drawn = picture(plain_shot(style="cartoon"))
    assert np.array_equal(drawn.landmarks, plain.landmarks)
    cheek = [
        slice(int(plain.landmarks[30, 1]) - 8, int(plain.landmarks[30, 1]) + 4),
        slice(int(plain.landmarks[3, 0]) + 12, int(plain.landmarks[31, 0]) - 6),
    ]
    assert drawn.image[:, *cheek].std(dim=(1, 2)).mean() < plain.image[:, *cheek].std(dim=(1, 2)).mean()
