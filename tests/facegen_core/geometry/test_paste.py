"""Changes of crops put back: where they land, what they leave alone, and how near they come to the truth."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.portraits import plain_shot, somebody
from PIL import Image
from skimage.transform import SimilarityTransform
from skimage.transform import warp as skimage_warp

from facegen_core.geometry import paste
from facegen_core.geometry.paste import gone, paste_change
from facegen_core.geometry.squares import Corners, cut_square, level_square, matrix_of, square_around
from facegen_core.images import from_uint8, to_uint8
from facegen_core.metrics.functional.psnr import psnr
from facegen_core.population.anatomy import anatomy
from facegen_core.population.emotions import draw_units
from facegen_core.population.portrait.portrait import photograph

HEIGHT, WIDTH = 120, 160
PLACES = {
    "upright": (80, 60, 50, 0),
    "turned": (80, 60, 50, 0.5),
    "upside down": (70, 55, 60, 3.0),
    "smaller than the crop": (80, 60, 20, -0.3),
    "over the border": (10, 100, 60, 0.2),
}
"""Middle x and y, side, and angle of squares."""


def square(x: float, y: float, side: float, angle: float) -> Corners:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return square_around(-side / 2, -side / 2, side / 2, side / 2) @ turn + [x, y]


def noise(seed: int = 0) -> np.ndarray:
    """Grey levels that differ from pixel to pixel (HEIGHT, WIDTH, 3)."""
    return np.random.default_rng(seed).integers(60, 150, (HEIGHT, WIDTH, 3), np.uint8)


def cut(pixels: np.ndarray, corners: Corners, size: int) -> torch.Tensor:
    return from_uint8(np.asarray(cut_square(Image.fromarray(pixels), corners, size)))


def in_crop(corners: Corners) -> np.ndarray:
    """(HEIGHT, WIDTH, 2): where the centre of each pixel lies in the square, from 0 to 1, by hand."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    across, down = corners[3] - corners[0], corners[1] - corners[0]
    away = np.stack([x, y], -1) - corners[0]
    return np.stack([away @ across, away @ down], -1) / (across @ across)


def core(corners: Corners) -> np.ndarray:
    """(HEIGHT, WIDTH): the middle of the face, where all of the change is to be seen."""
    across, down = np.moveaxis(in_crop(corners), -1, 0)
    return (down > 0.31) & (np.hypot(2 * across - 1, (down - 0.3) / 0.7) < 0.45)


@pytest.mark.parametrize("place", PLACES)
def test_crop_that_was_not_edited_leaves_every_bit(place):
    corners, pixels = square(*PLACES[place]), noise()
    crop = cut(pixels, corners, 32)
    assert np.array_equal(paste_change(pixels, crop, crop, corners), pixels)


@pytest.mark.parametrize("place", PLACES)
def test_outside_the_square_every_bit_stays_and_inside_almost_all_changes(place):
    corners, pixels = square(*PLACES[place]), noise()
    kept = pixels.copy()
    crop = cut(pixels, corners, 32)
    changed = (paste_change(pixels, crop, 1 - crop, corners) != pixels).any(-1)
    there = in_crop(corners)
    inside = ((there > 0) & (there < 1)).all(-1)
    assert not changed[~inside].any()
    assert changed[core(corners)].mean() > 0.9
    assert np.array_equal(pixels, kept), "the photograph given is not written to"


@pytest.mark.parametrize("place", PLACES)
def test_spot_of_the_crop_lands_where_it_was_cut_out(place):
    corners, grey = square(*PLACES[place]), np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    before = torch.full((3, 64, 64), 100 / 255)
    spot = torch.zeros(64, 64)
    spot[36:43, 34:41] = 0.3  # its middle at (37, 39) of pixels from 0 on
    light = paste_change(grey, before, before + spot, corners).astype(float)[..., 0] - 100
    light[light < 0.15 * 255] = 0
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    found = np.array([(light * x).sum(), (light * y).sum()]) / light.sum()
    wanted = corners[0] + (37.5 * (corners[3] - corners[0]) + 39.5 * (corners[1] - corners[0])) / 64
    assert np.abs(found - wanted).max() < 0.35 and light.max() > 60
    area = 49 / 64**2 * np.linalg.norm(corners[3] - corners[0]) ** 2
    assert (light > 0).sum() == pytest.approx(area, rel=0.2, abs=2)


def test_smooth_change_is_scikit_images_bicubic_warp_of_it():
    corners = square(80, 60, 100, 0.4)
    rows = torch.linspace(0, np.pi, 24)
    change = 0.2 * rows.sin()[:, None] * (2 * rows).sin()
    grey = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    before = torch.full((3, 24, 24), 128 / 255)
    ours = paste_change(grey, before, before + change, corners).astype(float)[..., 0] - 128
    to_crop = SimilarityTransform(matrix=np.vstack([matrix_of(corners, 24)[0].numpy(), [0, 0, 1]]))
    theirs = 255 * skimage_warp(change.numpy(), to_crop, output_shape=(HEIGHT, WIDTH), order=3, mode="symmetric")
    inner = core(corners)
    assert np.abs(ours - theirs)[inner].max() < 1.5 and np.abs(theirs[inner]).max() > 40


def test_change_of_brightness_keeps_all_detail():
    """Noise that the crop does not have stays on the brighter face as it was."""
    corners, pixels = square(80, 60, 100, 0.2), noise()
    crop = cut(pixels, corners, 16)
    brighter = paste_change(pixels, crop, crop + 40 / 255, corners).astype(int)
    inner = core(corners)
    assert np.abs(brighter[inner] - pixels[inner] - 40).max() <= 1


def test_fades_in_without_a_step():
    corners, pixels = square(80, 60, 100, 0.0), np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    before = torch.full((3, 50, 50), 100 / 255)
    row = paste_change(pixels, before, before + 0.4, corners)[60, :, 0].astype(int) - 100
    assert row[30] <= 1 and row[60:100].min() == 102 and np.diff(row).max() < 12


def test_what_lies_beside_the_jaw_stays_and_brows_change():
    corners, pixels = square(80, 60, 100, 0.0), np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    before = torch.full((3, 50, 50), 100 / 255)
    spots = before.clone()
    for row, column in ((3, 15), (45, 3), (45, 46)):  # a brow, and both corners below the jaw
        spots[:, row - 1 : row + 2, column - 1 : column + 2] = 0.8
    added = paste_change(pixels, before, spots, corners).astype(int)[..., 0] - 100
    assert added[10:20, 56:66].max() > 70 and added[90:110, 30:45].max() == added[90:110, 115:130].max() == 0


def test_old_lips_do_not_stay_on_the_new_ones():
    """Stripes that turn by a right angle: nothing of the old ones is left, though the crop shows neither sharply."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    old, new = (np.repeat((100 + 60 * np.sign(np.sin(2 * np.pi * axis / 12)))[..., None], 3, 2).astype(np.uint8)
                for axis in (x, y))  # fmt: skip
    corners = square(80, 60, 96, 0.0)
    before, after = cut(old, corners, 48), cut(new, corners, 48)
    assert gone(before, after)[10:-10, 10:-10].min() > 0.99
    pasted = paste_change(old, before, after, corners)[35:85, 55:105].astype(float)
    assert np.abs(np.diff(pasted.mean(0), axis=0)).max() < 4, "old stripes"
    assert np.abs(pasted - new[35:85, 55:105]).mean() < 24


def test_structure_is_gone_where_it_is_not_found_again():
    crop = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)) / 2
    other = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1)) / 2
    stays = {"same": crop, "brighter": crop + 0.3, "fainter": crop * 0.6, "stronger": crop * 1.8}
    for name, after in stays.items():
        assert gone(crop, after).max() < 1e-3, name
    assert gone(torch.full_like(crop, 0.5), other).max() < 1e-3, "on even skin there was none"
    for after in (crop.flip(2), other, torch.full_like(crop, 0.5)):
        assert gone(crop, after)[:, :12].mean() > 0.95


@pytest.mark.parametrize("feature", ["happy", "surprise"])
def test_true_pictures_are_nearer_than_by_pasting_the_crop_or_all_of_the_change(feature, monkeypatch):
    """The same person relaxed and with an expression, four times as fine as the crop, which loses some detail."""
    units = draw_units(0, 1, 0, feature)
    relaxed, shown = (photograph(somebody(1), plain_shot(units=some), anatomy(), 256) for some in ({}, units))
    corners = level_square(np.asarray(relaxed.landmarks, np.float64))
    old, new = to_uint8(relaxed.image), to_uint8(shown.image)

    def network(crop: torch.Tensor) -> torch.Tensor:
        return F.interpolate(F.avg_pool2d(crop[None], 2), scale_factor=2, mode="bicubic")[0].clamp(0, 1)

    before, after = (network(cut(pixels, corners, 64)) for pixels in (old, new))

    def nearness() -> float:
        middle, half = corners.mean(axis=0), 0.37 * np.ptp(corners, axis=0).max()
        (left, top), (right, bottom) = (middle - half).astype(int), (middle + half).astype(int)
        pasted = paste_change(old, before, after, corners)
        one, other = (from_uint8(picture[top:bottom, left:right])[None] for picture in (pasted, new))
        return float(psnr(one, other))

    ours = nearness()
    monkeypatch.setattr(paste, "gone", lambda one, _: torch.ones_like(one[0]))
    crop = nearness()
    monkeypatch.setattr(paste, "gone", lambda one, _: torch.zeros_like(one[0]))
    change = nearness()
    assert ours > crop + 0.1 and ours > change + 0.1


def test_photographs_of_any_size_are_worked_on_in_parts(monkeypatch):
    corners, pixels = square(80, 60, 90, 0.3), noise()
    crop, other = cut(pixels, corners, 32), cut(noise(1), corners, 32)
    whole = paste_change(pixels, crop, other, corners)
    monkeypatch.setattr(paste, "_PIXELS_AT_ONCE", 700)
    assert np.abs(paste_change(pixels, crop, other, corners).astype(int) - whole).max() <= 1


@pytest.mark.parametrize("shapes", [((3, 16, 16), (3, 17, 17)), ((1, 3, 16, 16),) * 2, ((3, 16, 12),) * 2])
def test_crops_that_are_no_pair_of_squares_are_refused(shapes):
    before, after = map(torch.zeros, shapes)
    with pytest.raises(ValueError, match="need two crops"):
        paste_change(noise(), before, after, square(80, 60, 50, 0))


def test_matrix_of_a_square_is_where_it_is_cut():
    corners = square(70, 50, 40, 0.7)
    matrix = matrix_of(corners, 20)[0].numpy()
    for u, v in ((0, 0), (19, 0), (7, 13)):
        point = corners[0] + ((u + 0.5) * (corners[3] - corners[0]) + (v + 0.5) * (corners[1] - corners[0])) / 20 - 0.5
        np.testing.assert_allclose(matrix[:, :2] @ point + matrix[:, 2], (u, v), atol=1e-9)
