"""True pictures with other emotions are cut as the picture is that they are the truth of."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datamodules.prepare.affectnet import find_affectnet
from datamodules.prepare.aligned import Align
from datamodules.prepare.counterfactuals import Counterfactuals
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.report import Tally
from facegen_core.emotions import EMOTIONS
from facegen_core.geometry.squares import cut_square, level_square
from facegen_core.population.affectnet_layout import write_affectnet

PIXELS = 64


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Two people, of whom the second is held out, with one picture each."""
    folder = tmp_path_factory.mktemp("people")
    write_affectnet(folder, people=2, seed=0, pixels=PIXELS, pictures=1)
    return folder


@pytest.fixture(scope="module")
def held_out(root) -> PictureFile:
    return next(file for file in find_affectnet(root, "manual").files(Tally(), "landmarks") if file.split == "val")


@pytest.fixture(scope="module")
def truths(root) -> Counterfactuals:
    return Counterfactuals(root, Align(detect=True), PIXELS)


def facts(root: Path, held_out: PictureFile) -> dict[str, dict]:
    """What is true of the picture and of those with other emotions, by their emotion's name."""
    pictures = json.loads((root / "truth" / "00001.json").read_text())["pictures"]
    return {EMOTIONS[picture["emotion"]]: picture for picture in pictures}


def test_every_emotion_is_cut_by_the_landmarks_of_the_source(root, held_out, truths):
    square = level_square(np.asarray(held_out.landmarks, dtype=np.float64))
    for name, fact in facts(root, held_out).items():
        by_hand = cut_square(Image.open(root / fact["file"]).convert("RGB"), square, PIXELS)
        assert np.array_equal(truths.crop(held_out, EMOTIONS.index(name)), np.asarray(by_hand)), name


def test_what_is_not_the_face_coincides(root, held_out, truths):
    """Cut by its own landmarks, which the jaw of a surprised face moves, a picture would be shifted all over."""
    square = level_square(np.asarray(held_out.landmarks, dtype=np.float64))
    known = facts(root, held_out)
    for name in ("happy", "surprise"):
        masks = [Image.open(root / known[one]["mask"]).convert("RGB") for one in ("neutral", name)]
        around = np.max([np.asarray(cut_square(mask, square, PIXELS))[..., 0] for mask in masks], axis=0) == 0
        neutral = truths.crop(held_out, 0).astype(int)
        assert around.sum() > 100
        error = np.abs(truths.crop(held_out, EMOTIONS.index(name)) - neutral)[around]
        assert error.max() <= 16, "the filter's reach into the face"
        own = level_square(np.array(known[name]["landmarks"]))
        shifted = np.asarray(cut_square(Image.open(root / known[name]["file"]).convert("RGB"), own, PIXELS))
        assert np.abs(shifted - neutral)[around].mean() > 3 * error.mean()


def test_the_emotion_that_is_shown_is_the_picture_itself(root, held_out, truths):
    square = level_square(np.asarray(held_out.landmarks, dtype=np.float64))
    itself = cut_square(Image.open(root / held_out.path).convert("RGB"), square, PIXELS)
    assert np.array_equal(truths.crop(held_out, held_out.emotion), np.asarray(itself))


def test_only_people_held_out_have_truths(root, truths):
    files = find_affectnet(root, "manual").files(Tally(), "landmarks")
    assert {file.split: truths.has(file.path) for file in files} == {"train": False, "val": True}


def test_landmarks_lie_in_the_crop_where_they_are_drawn(held_out):
    """The crop is the square around them, turned about the middle between the eyes: they fill it, eyes level."""
    places = Align().points_in_crop(Path(), held_out)
    eyes = places[36:42].mean(axis=0), places[42:48].mean(axis=0)
    assert eyes[0][1] == pytest.approx(eyes[1][1], abs=1e-6) and eyes[0][0] < eyes[1][0]
    assert np.ptp(places, axis=0).max() == pytest.approx(1, abs=0.1)
