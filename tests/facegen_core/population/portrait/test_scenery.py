"""Places behind portraits: all that the papers name, the same every time, and at every size."""

import numpy as np
import pytest
from PIL import Image

from facegen_core.errors import ConfigError
from facegen_core.population.portrait.scenery import SCENES, find_scene, paint_backdrop, paint_scene, place_for

NAMED_IN_PROMPTS = """
Amalienborg Palace, Antelope Canyon, Berlin Museum Island, Blue Mosque, Bodiam Castle, Borobudur Temple, Bran Castle,
Carnac, Chapel Bridge, Chartres Cathedral, Dead Sea, Dubrovnik City Walls, Eiffel Tower, Empire State Building,
Festung Hohensalzburg, Gamla Stan, Glacier Bay National Park, Golden Temple, Grand Bazaar, Great Geysir,
Guggenheim Museum, Kronborg Castle, Lake Baikal, Las Vegas, Louvre Museum, Madrid Palace, Mannekin-Pis,
Mezquita of Cordoba, Monte Fitz Roy, Monument Valley Navajo Tribal Park, Mount Etna, Mount Everest, Nyhavn,
Ollantaytambo, Oresund Bridge, Oriental Pearl Tower, Oslo Opera House, Pompeii, Pompidue Center, Pont D'Avignon,
Ponte Vecchio, Potala Palace, Rock-Hewn Churches, Sacre-Coeur Basilica, Santorini, St. Mark's Square Venice,
St. Paul's Cathedral, St. Peter's Basilica, Sydney Harbor Bridge, Tate Modern, Terracotta Warriors, Torre De Belém,
Trolltunga, Uluru, University, Yosemite National Park
"""
PLAIN = (
    "beach, forest, dark forest at night, street, park, office, living room, library, kitchen, cafe, garden, snow, "
    "stage, meadow"
)


PIXELS = 48


@pytest.fixture(scope="module")
def painted() -> np.ndarray:
    """(2, places, PIXELS, PIXELS, 3): every place for two seeds."""
    return np.stack([[paint_scene(name, seed, PIXELS) for name in SCENES] for seed in (1, 2)])


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.replace("\n", " ").split(",")]


def _reduced(picture: np.ndarray, pixels: int) -> np.ndarray:
    share = picture.shape[0] // pixels
    return picture.reshape(pixels, share, pixels, share, 3).mean(axis=(1, 3))


def _reduced_all(pictures: np.ndarray) -> np.ndarray:
    """(places, values) a coarse look at each picture, its mean brightness taken away."""
    coarse = np.stack([_reduced(picture, 16) for picture in pictures])
    return (coarse - coarse.mean(axis=(1, 2, 3), keepdims=True)).reshape(len(pictures), -1)


def test_every_place_of_the_papers_prompts_is_there():
    named = _names(NAMED_IN_PROMPTS)
    assert len(named) == 56
    assert set(named) <= set(SCENES)


def test_plain_places_are_there():
    assert set(_names(PLAIN)) <= set(SCENES)


@pytest.mark.parametrize("name", SCENES)
def test_scene_goes_by_its_name_and_ends_a_sentence(name):
    scene = SCENES[name]
    assert scene.name == name
    assert scene.caption.split()[0] in {"in", "at", "on", "among", "below", "inside"}
    assert len(scene.caption.split()) > 1


@pytest.mark.parametrize("name", SCENES)
def test_light_of_a_scene_can_light_a_head(name):
    light = SCENES[name].light
    assert np.linalg.norm(light.direction) == pytest.approx(1, abs=1e-3)
    assert light.direction[2] > 0
    assert all(0 < value < 1.5 for value in (*light.ambient, *light.key))


@pytest.mark.parametrize("name", [*list(SCENES)[::4], "Nyhavn"])
def test_large_picture_made_smaller_looks_like_a_small_one(name):
    large, small = (paint_scene(name, 3, pixels) for pixels in (256, 64))
    off = np.abs(_reduced(large, 64) - small)
    assert off.mean() < 0.016
    assert np.quantile(off, 0.99) < 0.08


@pytest.mark.parametrize("name", ["Eiffel Tower", "Carnac", "library"])
def test_picture_is_a_function_of_its_name_and_seed(name):
    first = paint_scene(name, 7, 96)
    paint_scene("Nyhavn", 8, 64)
    assert np.array_equal(paint_scene(name, 7, 96), first)


def test_every_scene_is_a_picture_with_something_in_it(painted):
    for picture in painted.reshape(-1, PIXELS, PIXELS, 3):
        assert picture.dtype == np.float32
        assert 0 <= picture.min() <= picture.max() <= 1
        assert picture.std() > 0.06


def test_same_place_is_never_the_same_picture(painted):
    assert np.abs(painted[0] - painted[1]).mean(axis=(1, 2, 3)).min() > 0.01


def test_place_is_recognised_in_other_weather_by_its_colours_and_shapes(painted):
    known, asked = (_reduced_all(pictures) for pictures in painted)
    distances = np.linalg.norm(asked[:, None] - known[None], axis=2)
    assert np.mean(distances.argmin(axis=1) == np.arange(len(SCENES))) > 0.9


def test_blur_takes_detail_away_and_keeps_the_colours():
    sharp, soft = (paint_scene("Nyhavn", 0, 256, blur) for blur in (0.0, 0.02))
    detail = [np.abs(np.diff(picture, axis=1)).mean() for picture in (sharp, soft)]
    assert detail[1] < 0.5 * detail[0]
    assert sharp.mean(axis=(0, 1)) == pytest.approx(soft.mean(axis=(0, 1)), abs=0.03)


def test_unknown_place_names_the_nearest():
    with pytest.raises(ConfigError, match=r"'Eifel Towr': no such scene.*Eiffel Tower"):
        paint_scene("Eifel Towr", 0, 32)


def test_case_of_a_name_does_not_matter():
    assert find_scene("eiffel tower") is SCENES["Eiffel Tower"]


def test_places_for_seeds_are_many_and_the_same_every_time():
    places = [place_for(seed) for seed in range(300)]
    assert places == [place_for(seed) for seed in range(300)]
    assert len(set(places)) > 60


def test_backdrops_are_plain_and_differ():
    backdrops = [paint_backdrop(seed, 64) for seed in range(24)]
    assert np.array_equal(paint_backdrop(5, 64), backdrops[5])
    means = np.array([backdrop.mean(axis=(0, 1)) for backdrop in backdrops])
    assert means.std(axis=0).min() > 0.1
    for backdrop in backdrops:
        assert backdrop.shape == (64, 64, 3)
        assert backdrop.dtype == np.float32
        assert 0 <= backdrop.min() <= backdrop.max() <= 1
        assert np.abs(np.diff(backdrop, axis=1)).mean() < 0.02  # smooth: nothing to look at


def test_large_backdrop_made_smaller_looks_like_a_small_one():
    for seed in range(12):
        large, small = paint_backdrop(seed, 256), paint_backdrop(seed, 64)
        assert np.abs(_reduced(large, 64) - small).mean() < 0.01


def test_head_is_lit_from_the_side_where_the_sky_is_bright():
    for name in ("Eiffel Tower", "Uluru"):
        side = SCENES[name].light.direction[0]
        sky = np.mean([paint_scene(name, seed, 32, blur=0.05)[:6].mean(axis=(0, 2)) for seed in range(12)], axis=0)
        left, right = sky[:16].mean(), sky[16:].mean()
        assert (right - left) * side > -0.02


def test_picture_can_be_saved(tmp_path):
    picture = (paint_scene("Uluru", 0, 40) * 255).round().astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "uluru.png")
    with Image.open(tmp_path / "uluru.png") as image:
        assert image.size == (40, 40)
