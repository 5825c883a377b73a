"""Crops: where each pixel of them comes from, by a picture whose colours are its coordinates."""

import math
from pathlib import Path

import numpy as np
import pytest
from helpers.raw_pictures import picture, points, save
from PIL import Image

from datamodules.prepare import aligned, framing
from datamodules.prepare.aligned import Align
from datamodules.prepare.framing import AsIs, Box, cut
from datamodules.prepare.picture_file import BAD_LANDMARKS, PictureFile
from datamodules.prepare.pictures import BadPictureError, Picture, read_picture
from facegen_core.geometry.squares import level_square, square_around

SIDE = 200
Y, X = np.mgrid[0:SIDE, 0:SIDE]
PLACES = np.stack([X, Y, np.zeros_like(X)], axis=-1).astype(np.uint8)
"""Red is a pixel's column, green its row."""


def whole() -> Picture:
    return Picture(Image.fromarray(PLACES))


def places(crop: Image.Image) -> np.ndarray:
    """(R, R, 2): from which column and row of PLACES each pixel comes."""
    return np.asarray(crop)[..., :2].astype(float)


def expected(corners: np.ndarray, pixels: int) -> np.ndarray:
    """Columns and rows at the middles of the crop's pixels; a pixel's middle is half a pixel from its edge."""
    along = (np.arange(pixels) + 0.5) / pixels
    across, down = corners[3] - corners[0], corners[1] - corners[0]
    return corners[0] + along[None, :, None] * across + along[:, None, None] * down - 0.5


# Where pixels come from


@pytest.mark.parametrize("pixels", [16, 40, 80])
@pytest.mark.parametrize("box", [(60, 50, 140, 130), (60.5, 50.25, 100.5, 110.25), (20, 90, 180, 100)])
def test_box_is_made_square_by_its_longer_side(box, pixels):
    corners = square_around(*box)
    left, top, right, bottom = box
    half = max(right - left, bottom - top) / 2
    assert corners.mean(axis=0).tolist() == [(left + right) / 2, (top + bottom) / 2]
    assert (np.ptp(corners, axis=0) == 2 * half).all()
    crop = Box()(Path(), whole(), PictureFile("a", box=box), pixels)
    inner = slice(2, -2)  # the filter reaches over the border of the crop's own region
    assert np.abs(places(crop) - expected(corners, pixels))[inner, inner].max() <= 1


@pytest.mark.parametrize("angle", [-0.7, -0.2, 0.1, 0.5, math.pi / 2, math.pi])
@pytest.mark.parametrize("pixels", [16, 48, 100])
def test_turned_square_is_sampled_where_it_lies(angle, pixels):
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    corners = (square_around(70, 70, 130, 130) - 100) @ turn + 100
    assert np.abs(places(cut(whole(), corners, pixels)) - expected(corners, pixels))[2:-2, 2:-2].max() <= 1.5


@pytest.mark.parametrize("box", [(-30, 20, 50, 100), (150, 150, 230, 230), (-40, -40, 240, 240), (60, -20, 140, 60)])
def test_beyond_the_border_the_picture_is_reflected(box):
    """At one crop pixel a picture pixel nothing is resized: it is numpy's own reflection, to a level."""
    left, top, right, bottom = box
    found = whole()
    crop = cut(found, square_around(*box), right - left)
    reflected = np.pad(PLACES, ((60, 60), (60, 60), (0, 0)), mode="reflect")
    wanted = reflected[top + 60 : bottom + 60, left + 60 : right + 60].astype(int)
    assert np.abs(np.asarray(crop).astype(int) - wanted).max() <= 1
    assert framing.REFLECTED in found.notes


def test_large_picture_is_reduced_with_antialiasing():
    """Stripes finer than a pixel of the crop become their mean, upright and turned."""
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 200
    picture = Picture(Image.fromarray(stripes))
    for corners in (square_around(100, 100, 300, 300), level_square(points(400, 400, 0.3))):
        assert np.abs(np.asarray(cut(picture, corners, 10)).astype(float) - 100).max() <= 6
    assert np.abs(np.asarray(AsIs()(Path(), picture, PictureFile("a"), 10)).astype(float) - 100).max() <= 6


def test_as_is_squeezes_the_whole_picture(tmp_path):
    pixels = picture(3, 96, 64)
    crop = AsIs()(Path(), Picture(Image.fromarray(pixels)), PictureFile("a"), 32)
    expected = Image.fromarray(pixels).resize((32, 32), Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(crop).astype(int) - np.asarray(expected)).max() <= 2


@pytest.mark.parametrize("crop", [AsIs(), Box(), Align()])
def test_jpeg_decoded_smaller_gives_the_same_crop(tmp_path, crop):
    """Less than half a per cent of the range from the crop of the file decoded whole."""
    path = save(tmp_path / "a.jpg", picture(5, 1200, 900))
    file = PictureFile("a.jpg", box=(400, 200, 900, 700), landmarks=points(1200, 900, 0.2))
    quick = read_picture(path, lambda size: crop.share(file, size, 48))
    assert quick.scale > 1
    one, two = (np.asarray(crop(tmp_path, found, file, 48)).astype(float) for found in (quick, read_picture(path)))
    assert np.sqrt(((one - two) ** 2).mean()) < 0.005 * 255


# Eyes level


@pytest.mark.parametrize("angle", [-0.6, -0.1, 0.0, 0.3, 1.0])
def test_eyes_are_level_and_the_middle_between_them_stays(angle):
    """In the crop the eyes are on one row; the middle lies where it lay in the square around the turned points."""
    turned = points(SIDE, SIDE, angle)
    corners = level_square(turned)
    across, down = corners[3] - corners[0], corners[1] - corners[0]
    eyes = [(turned[eye].mean(axis=0) - corners[0]) @ np.stack([across, down], axis=1) / (across @ across)
            for eye in (slice(36, 42), slice(42, 48))]  # fmt: skip
    assert eyes[0][1] == pytest.approx(eyes[1][1], abs=1e-6)
    assert eyes[0][0] < eyes[1][0]
    square = square_around(*turned.min(axis=0), *turned.max(axis=0))
    middle = (turned[36:42].mean(axis=0) + turned[42:48].mean(axis=0)) / 2
    np.testing.assert_allclose((eyes[0] + eyes[1]) / 2, (middle - square[0]) / np.ptp(square, axis=0), atol=1e-6)
    assert np.linalg.norm(across) == pytest.approx(np.ptp(square[:, 0]))


def test_corners_of_an_aligned_crop_are_taken_as_they_are():
    """As Pillow's own sampling of a quadrilateral, which FFHQ was made with."""
    quad = [[70.0, 60.0], [60.0, 130.0], [130.0, 140.0], [140.0, 70.0]]
    crop = Align()(Path(), whole(), PictureFile("a", quad=quad, landmarks=points()), 64)
    own = Image.fromarray(PLACES).transform(
        (64, 64), Image.Transform.QUAD, np.array(quad).ravel().tolist(), Image.Resampling.BILINEAR
    )
    assert np.abs(places(crop) - places(own))[2:-2, 2:-2].max() <= 2


# What cannot be cropped

NAN = float("nan")
BAD_BOXES = [
    (10, 10, 10, 30),
    (30, 10, 10, 30),
    (300, 10, 340, 50),
    (-90, 10, -10, 50),
    (0, 0, 1e9, 1e9),
    (NAN, 0, 9, 9),
]


@pytest.mark.parametrize("box", BAD_BOXES)
def test_box_without_size_or_outside_is_named(box):
    with pytest.raises(BadPictureError, match=r"a\.jpg: box .*200 x 200") as caught:
        Box()(Path(), whole(), PictureFile("a.jpg", box=box), 16)
    assert caught.value.outcome == framing.BOX_OUTSIDE


def test_picture_without_box_or_landmarks_is_named():
    for crop, outcome in ((Box(), framing.NO_BOX), (Align(), aligned.NO_LANDMARKS)):
        with pytest.raises(BadPictureError, match=r"a\.jpg") as caught:
            crop(Path(), whole(), PictureFile("a.jpg"), 16)
        assert caught.value.outcome == outcome


@pytest.mark.parametrize("shift", [(300, 0), (0, -300), (-100, 0)])
def test_landmarks_outside_the_picture_are_named(shift):
    file = PictureFile("a.jpg", landmarks=points(SIDE, SIDE) + shift)
    with pytest.raises(BadPictureError, match=r"a\.jpg: \d+ of 68 landmarks .*200 x 200") as caught:
        Align()(Path(), whole(), file, 16)
    assert caught.value.outcome == aligned.LANDMARKS_OUTSIDE


def test_face_at_the_edge_is_used_and_noted():
    found = whole()
    Align()(Path(), found, PictureFile("a.jpg", landmarks=points(SIDE, SIDE) + np.array([0, 75])), 16)
    assert {aligned.SOME_OUTSIDE, framing.REFLECTED} <= set(found.notes)


@pytest.mark.parametrize("wrong", [np.zeros((67, 2)), np.full((68, 2), np.nan), np.empty(0), "there_is_none.npy"])
def test_landmarks_that_cannot_be_read_are_named(tmp_path, wrong):
    with pytest.raises(BadPictureError, match=r"a\.jpg") as caught:
        Align()(tmp_path, whole(), PictureFile("a.jpg", landmarks=wrong), 16)
    assert caught.value.outcome == BAD_LANDMARKS
