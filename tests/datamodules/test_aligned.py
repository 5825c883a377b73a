"""Faces that no data set points at: the detector finds them, and they are put where landmarks would put them."""

from pathlib import Path

import numpy as np
import pytest
from helpers.portraits import plain_shot, somebody
from helpers.raw_pictures import picture, save
from PIL import Image

from datamodules.prepare import aligned, picture_cache
from datamodules.prepare.aligned import Align, detected
from datamodules.prepare.picture_cache import build_picture_cache, choose_framing, open_picture_cache
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.picture_folder import PictureFolder
from datamodules.prepare.pictures import Picture
from facegen_core.errors import NoFaceError
from facegen_core.geometry.squares import Corners, level_square
from facegen_core.images import to_uint8
from facegen_core.population.anatomy import anatomy
from facegen_core.population.portrait.portrait import photograph

SIDE = 128


@pytest.fixture(scope="module")
def portrait() -> tuple[np.ndarray, np.ndarray]:
    """A rendered person (128, 128, 3) and the true 68 landmarks (68, 2)."""
    taken = photograph(somebody(), plain_shot(), anatomy(), SIDE)
    return to_uint8(taken.image), np.asarray(taken.landmarks, np.float64)


def lies(corners: Corners) -> tuple[np.ndarray, float, float]:
    """Middle, side, and angle in degrees of a square."""
    across = corners[3] - corners[0]
    return corners.mean(axis=0), float(np.linalg.norm(across)), float(np.degrees(np.arctan2(across[1], across[0])))


@pytest.mark.parametrize("angle", [-25, 0, 15])
def test_detected_square_turns_with_the_face_and_is_about_that_of_the_landmarks(portrait, angle):
    """Five points say a little less than 68 of where a face ends."""
    pixels, points = portrait
    image = Image.fromarray(pixels).rotate(-angle, Image.Resampling.BICUBIC, fillcolor=(128, 128, 128))
    radians = np.radians(angle)
    turn = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    found = Picture(image)
    middle, side, turned = lies(detected(Path("a.jpg"), found))
    true_middle, true_side, true_angle = lies((level_square(points) - SIDE / 2) @ turn + SIDE / 2)
    assert np.abs(middle - true_middle).max() < 0.1 * true_side
    assert side == pytest.approx(true_side, rel=0.15)
    assert abs(turned - true_angle) < 4
    assert found.notes == [aligned.DETECTED]


def test_place_does_not_depend_on_how_large_the_picture_is_or_how_it_was_decoded(portrait):
    """Ten times as many pixels are shrunk for the detector; a JPEG that was decoded at a half says so."""
    small = Picture(Image.fromarray(portrait[0]))
    large = Picture(small.image.resize((10 * SIDE, 10 * SIDE), Image.Resampling.BICUBIC))
    halved = Picture(small.image, scale=2)
    expected = detected(Path("a.jpg"), small)
    assert np.abs(detected(Path("a.jpg"), halved) / 2 - expected).max() < 1e-9
    assert np.abs(detected(Path("a.jpg"), large) / 10 - expected).max() < 0.03 * SIDE


def test_picture_without_a_face_is_named_with_its_size():
    with pytest.raises(NoFaceError, match=r"wall\.jpg: no face was found in its 160 x 96 pixels"):
        detected(Path("wall.jpg"), Picture(Image.new("RGB", (80, 48), "grey"), scale=2))


def test_largest_of_several_faces_is_taken(portrait):
    pixels, _ = portrait
    both = Image.new("RGB", (3 * SIDE, 2 * SIDE), (128, 128, 128))
    both.paste(Image.fromarray(pixels), (0, SIDE // 2))
    both.paste(Image.fromarray(pixels).resize((2 * SIDE, 2 * SIDE)), (SIDE, 0))
    found = Picture(both)
    middle, _, _ = lies(detected(Path("a.jpg"), found))
    assert middle[0] > SIDE and aligned.SEVERAL in found.notes


def test_folder_is_aligned_by_the_detector_and_pictures_without_a_face_are_counted(tmp_path, portrait):
    pixels, _ = portrait
    root = tmp_path / "data"
    save(root / "a.png", pixels)
    save(root / "b.png", picture(1))
    save(root / "c.png", pixels[:, ::-1])
    framing = choose_framing(PictureFolder(root), "align")
    cache = open_picture_cache(build_picture_cache(PictureFolder(root), 64, framing, tmp_path / "cache", "skip"))
    assert cache.outcomes[picture_cache.NO_FACE] == 1 and cache.outcomes[aligned.DETECTED] == 2
    assert [path for path, _ in cache.skipped] == ["b.png"]
    assert "b.png: no face was found in its 64 x 48 pixels" in cache.skipped[0][1]
    apart = [np.abs(cache.rows[0].astype(float) - other).mean() for other in (cache.rows[1][:, ::-1], cache.rows[1])]
    assert apart[0] < 0.75 * apart[1], "the mirrored picture's face lies at the mirrored place"


def test_files_with_landmarks_do_not_need_the_detector(monkeypatch, portrait):
    pixels, points = portrait
    monkeypatch.setattr(aligned, "detected", None)
    crops = [
        Align(detect=detect)(Path(), Picture(Image.fromarray(pixels)), PictureFile("a.png", landmarks=points), 32)
        for detect in (False, True)
    ]
    np.testing.assert_array_equal(*crops)
