"""Pictures of a person as files, and beside them the truth about each."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from facegen_core.emotions import EMOTIONS
from facegen_core.images import to_uint8
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.emotions import UNIT_NAMES, USUAL, draw_units, unit_labels
from facegen_core.population.identity import Person
from facegen_core.population.portrait.captions import caption
from facegen_core.population.portrait.draws import draw_shot
from facegen_core.population.portrait.portrait import Picture, photograph
from facegen_core.population.portrait.shot import Crop, Shot
from facegen_core.population.truth import MASKS, TRUTH
from facegen_core.population.writing import JPEG_QUALITY, Layout


class Photo(NamedTuple):
    """One picture to be taken.

    Attributes:
        file: where it goes, below the data set's folder.
        emotion: 0 to 7, what the shot's action units show.
        shot: everything but who is in it.
        caption: what is in it.
        more: further facts, kept as they are; None for none.
    """

    file: str
    emotion: int
    shot: Shot
    caption: str
    more: dict[str, Any] | None = None


def picture_layout(
    name: str, write_person: Callable[[Path, Person, Anatomy, int], None], pictures: int, finish: Callable[[Path], None]
) -> Layout:
    """A layout of pictures, whose people are named 00000, 00001, ...

    Args:
        name: of the layout.
        write_person: writes a person's files, the last by :func:`write_photos`; see :class:`.writing.Layout`.
        pictures: of each person.
        finish: writes what lists all pictures, from :func:`read_truths`.
    """
    return Layout(name, TRUTH, _names, write_person, pictures, finish=finish)


def _names(seed: int, people: int) -> list[str]:
    return [f"{person:05d}" for person in range(people)]


def draw_photo(
    file: str, person: Person, k: int, emotion: int, crop: Crop, strength: tuple[float, float] = USUAL
) -> Photo:
    """A person's picture number ``k`` with an emotion, 0 to 7; all but the face is the same whatever the emotion."""
    units = draw_units(person.seed, person.number, k, EMOTIONS[emotion], strength)
    shot = draw_shot(person.seed, person.number, k, units, crop)
    return Photo(file, emotion, shot, caption(person, shot, emotion))


def write_photos(out: Path, person: Person, photos: Iterable[Photo], shared: Anatomy, pixels: int) -> None:
    """Takes pictures of a person and writes them, the masks of their faces and ``truth/<person>.json``.

    The truth has, of each picture: its file and mask, emotion, action units (a strength each of
    :data:`~facegen_core.population.emotions.UNIT_NAMES`), 68 landmarks in pixels, pose and gaze in degrees, place,
    costume, style, caption.
    """
    records = []
    for photo in photos:
        picture = photograph(person, photo.shot, shared, pixels)
        save_picture(picture, out / photo.file)
        mask = f"{MASKS}/{Path(photo.file).stem}.png"
        (out / mask).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((255 * picture.mask.numpy()).round().astype(np.uint8)).save(out / mask)
        records.append(_record(photo, picture, mask))
    look = person.identity.appearance
    facts = {"person": person.number, "female": look.female > 0.5, "years": round(look.years), "pictures": records}
    path = out / TRUTH.format(person.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts))


def save_picture(picture: Picture, path: Path) -> None:
    """Writes a picture as its name says: .png without loss, .jpg at high quality."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"quality": JPEG_QUALITY} if path.suffix == ".jpg" else {"compress_level": 1}
    Image.fromarray(to_uint8(picture.image)).save(path, **options)


def _record(photo: Photo, picture: Picture, mask: str) -> dict[str, Any]:
    units = dict(zip(UNIT_NAMES, unit_labels(photo.shot.units).round(3).tolist(), strict=True))
    return {
        "file": photo.file,
        "mask": mask,
        "emotion": photo.emotion,
        "action_units": {name: strength for name, strength in units.items() if strength},
        "landmarks": picture.landmarks.round(2).tolist(),
        "pose": [round(angle, 2) for angle in photo.shot.pose],
        "gaze": [round(angle, 2) for angle in photo.shot.gaze],
        "place": photo.shot.scene,
        "costume": photo.shot.costume,
        "style": photo.shot.style,
        "caption": photo.caption,
        **(photo.more or {}),
    }
