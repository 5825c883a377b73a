"""Writes pictures of embedded people as FFHQ is handed out, one or more a person."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from facegen_core.emotions import EMOTIONS
from facegen_core.files import settle_text
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.identity import Person
from facegen_core.population.picture_writing import Photo, draw_photo, picture_layout, write_photos
from facegen_core.population.portrait.shot import Crop
from facegen_core.population.truth import read_truths
from facegen_core.population.writing import write_population
from facegen_core.seeding import numpy_generator

_EMOTION = 112

IMAGES, THUMBNAILS, TABLE = "images1024x1024", "thumbnails128x128", "ffhq-dataset-v2.json"
THUMBNAIL_PIXELS = 128
A_FOLDER = 1000
TRAINED_ON = 6 / 7
"""FFHQ's first 60,000 of 70,000 pictures are for training; here, that share of the people."""
SMILES = 0.5
"""Share of people who smile into the camera; a third of the others look neutral."""


def write_ffhq(out: Path, people: int, seed: int, pixels: int = 256, pictures: int = 1) -> None:
    """Writes pictures of people in FFHQ's layout, and what is true of each.

    ``images1024x1024/00000/00000.png`` (the name stays whatever the size), ``thumbnails128x128/00000/00000.png``,
    ``ffhq-dataset-v2.json``, and ``truth/`` and ``masks/`` as
    :func:`facegen_core.population.picture_writing.write_photos` writes them.

    Args:
        out: folder to write to.
        people: how many.
        seed: which population.
        pixels: side of the pictures, 16 to 1024.
        pictures: of each person.
    """
    layout = picture_layout("ffhq", partial(_write_person, pictures), pictures, _write_table)
    write_population(out, layout, people, seed, pixels)


def _write_person(pictures: int, out: Path, person: Person, shared: Anatomy, pixels: int) -> None:
    photos = [_photo(person, k, person.number * pictures + k) for k in range(pictures)]
    write_photos(out, person, photos, shared, pixels)
    for photo in photos:
        with Image.open(out / photo.file) as image:
            small = image.resize((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS), Image.Resampling.LANCZOS)
        path = out / photo.file.replace(IMAGES, THUMBNAILS)
        path.parent.mkdir(parents=True, exist_ok=True)
        small.save(path)


def _photo(person: Person, k: int, number: int) -> Photo:
    random = numpy_generator(person.seed, _EMOTION, person.number, k)
    smiles, plain, other = random.random() < SMILES, random.random() < 1 / 3, int(random.integers(len(EMOTIONS)))
    emotion = EMOTIONS.index("happy") if smiles else EMOTIONS.index("neutral") if plain else other
    file = f"{IMAGES}/{number // A_FOLDER * A_FOLDER:05d}/{number:05d}.png"
    return draw_photo(file, person, k, emotion, Crop("ffhq"))


def _write_table(out: Path) -> None:
    """``ffhq-dataset-v2.json``, from what is true of the pictures."""
    truths = read_truths(out)
    trained_on = round(TRAINED_ON * len(truths))
    table: dict[str, Any] = {}
    for person, truth in enumerate(truths):
        category = "training" if person < trained_on else "validation"
        for picture in truth["pictures"]:
            table[str(len(table))] = _entry(out, picture, category)
    settle_text(out / TABLE, json.dumps(table))


def _entry(out: Path, picture: dict[str, Any], category: str) -> dict[str, Any]:
    return {
        "category": category,
        "metadata": {"license": "CC0", "author": "no real person"},
        "image": _file(out, picture["file"]) | {"face_landmarks": picture["landmarks"]},
        "thumbnail": _file(out, picture["file"].replace(IMAGES, THUMBNAILS)),
    }


def _file(out: Path, file: str) -> dict[str, Any]:
    path = out / file
    with Image.open(path) as image:
        size = list(image.size)
    return {"file_path": file, "file_size": path.stat().st_size, "pixel_size": size}
