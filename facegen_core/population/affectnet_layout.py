"""Writes pictures of embedded people as AffectNet was first handed out, with boxes, landmarks and eight labels."""

import csv
import hashlib
import io
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from facegen_core.emotions import EMOTIONS
from facegen_core.files import settle_text
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.emotions import FAINT as FAINT_STRENGTH
from facegen_core.population.identity import Person
from facegen_core.population.picture_writing import Photo, draw_photo, picture_layout, write_photos
from facegen_core.population.portrait.shot import Crop
from facegen_core.population.truth import ANOTHER, FAINT, read_truths
from facegen_core.population.writing import write_population
from facegen_core.seeding import numpy_generator

_CROP, _LABEL = 110, 111

NEUTRAL, HAPPY = EMOTIONS.index("neutral"), EMOTIONS.index("happy")
PICTURES = "Manually_Annotated_Images"
LISTS = "Manually_Annotated_file_lists"
COLUMNS = ("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks", "expression",
           "valence", "arousal")  # fmt: skip
HELD_OUT = 10
"""Every tenth person is in the validation list, which has no header, as the real one may not."""
MARGIN = (1.35, 1.8)
"""Side of a picture against that of the box around the landmarks."""
BOX_MARGIN = 1.1
FEELINGS = {
    "neutral": (0.0, 0.0), "happy": (0.8, 0.3), "sad": (-0.7, -0.3), "surprise": (0.2, 0.8), "fear": (-0.5, 0.8),
    "disgust": (-0.7, 0.4), "anger": (-0.6, 0.7), "contempt": (-0.5, 0.2),
}  # fmt: skip
"""Valence and arousal, after the circumplex of Russell (1980)."""
COUNTERFACTUALS_OF = 2
"""So many pictures of each person held out are also taken with every other emotion."""


def write_affectnet(out: Path, people: int, seed: int, pixels: int = 128, pictures: int = 20, faint: int = 0) -> None:
    """Writes pictures of people in AffectNet's first layout, and what is true of each.

    ``Manually_Annotated_Images/<n>/<hash>.jpg``, ``Manually_Annotated_file_lists/{training,validation}.csv``; besides,
    ``truth/<person>.json``, ``masks/<hash>.png``, and for people held out ``counterfactuals/<hash>-<emotion>.png``: the
    same person, light, pose and place with another emotion. See
    :func:`facegen_core.population.picture_writing.write_photos`.

    Args:
        out: folder to write to.
        people: how many.
        seed: which population.
        pixels: side of the pictures, 16 to 1024.
        pictures: of each person.
        faint: further pictures of each person, in turn a smile hardly to be seen and a face at rest.
    """
    name = f"affectnet, {faint} faint" if faint else "affectnet"
    layout = picture_layout(name, partial(_write_person, pictures, faint), pictures + faint, _write_lists)
    write_population(out, layout, people, seed, pixels)


def _write_person(pictures: int, faint: int, out: Path, person: Person, shared: Anatomy, pixels: int) -> None:
    photos = []
    for k in range(pictures):
        photo = _photo(person, k)
        photos.append(photo)
        if person.number % HELD_OUT == HELD_OUT - 1 and k < COUNTERFACTUALS_OF:
            photos += _counterfactuals(person, k, photo)
    photos += [_faint(person, pictures + k, HAPPY if k % 2 == 0 else NEUTRAL) for k in range(faint)]
    write_photos(out, person, photos, shared, pixels)


def _photo(person: Person, k: int) -> Photo:
    file, crop = _frame(person, k)
    return draw_photo(file, person, k, _emotion(person, k), crop)


def _faint(person: Person, k: int, emotion: int) -> Photo:
    file, crop = _frame(person, k)
    return draw_photo(file, person, k, emotion, crop, FAINT_STRENGTH)._replace(more={FAINT: True})


def _frame(person: Person, k: int) -> tuple[str, Crop]:
    """Name and crop of a person's picture."""
    random = numpy_generator(person.seed, _CROP, person.number, k)
    crop = Crop("box", random.uniform(*MARGIN), tuple(random.normal(0, 0.05, 2).tolist()))
    name = hashlib.md5(f"{person.seed} {person.number} {k}".encode(), usedforsecurity=False).hexdigest()
    ending = "png" if random.random() < 0.1 else "jpg"
    return f"{PICTURES}/{person.number + 1}/{name}.{ending}", crop


def _emotion(person: Person, k: int) -> int:
    """All eight in turn, in an order of the person's own."""
    order = numpy_generator(person.seed, _LABEL, person.number, k // len(EMOTIONS)).permutation(len(EMOTIONS))
    return int(order[k % len(EMOTIONS)])


def _counterfactuals(person: Person, k: int, source: Photo) -> list[Photo]:
    """The same picture with each other emotion."""
    photos = []
    for emotion, name in enumerate(EMOTIONS):
        if emotion != source.emotion:
            file = f"counterfactuals/{Path(source.file).stem}-{name}.png"
            photo = draw_photo(file, person, k, emotion, source.shot.crop)
            photos.append(photo._replace(more={ANOTHER: source.file}))
    return photos


def _write_lists(out: Path) -> None:
    """The lists of pictures, from what is true of them."""
    rows: dict[str, list[list[Any]]] = {"training": [list(COLUMNS)], "validation": []}
    for truth in read_truths(out):
        split = "validation" if truth["person"] % HELD_OUT == HELD_OUT - 1 else "training"
        rows[split] += [_row(picture) for picture in truth["pictures"] if picture["file"].startswith(PICTURES)]
    for split, lines in rows.items():
        table = io.StringIO()
        csv.writer(table).writerows(lines)
        settle_text(out / LISTS / f"{split}.csv", table.getvalue())


def _row(picture: dict[str, Any]) -> list[Any]:
    points = np.array(picture["landmarks"])
    low, high = points.min(0), points.max(0)
    side = BOX_MARGIN * float((high - low).max())
    x, y = ((low + high - side) / 2).round().astype(int).tolist()
    landmarks = ";".join(f"{value:.2f}" for value in points.ravel())
    valence, arousal = FEELINGS[EMOTIONS[picture["emotion"]]]
    path = picture["file"].removeprefix(f"{PICTURES}/")
    return [path, x, y, round(side), round(side), landmarks, picture["emotion"], valence, arousal]
