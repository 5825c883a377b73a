"""Writes pairs of pictures that differ in one thing alone, as MCDM's generated pairs are laid out."""

import json
from pathlib import Path
from typing import Any

from facegen_core.emotions import EMOTIONS
from facegen_core.files import settle_text
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.emotions import draw_units
from facegen_core.population.identity import Person
from facegen_core.population.picture_writing import Photo, picture_layout, write_photos
from facegen_core.population.portrait.captions import noun
from facegen_core.population.portrait.draws import draw_shot
from facegen_core.population.portrait.shot import Crop, Shot
from facegen_core.population.portrait.wardrobe import CAPTIONS
from facegen_core.population.truth import read_truths
from facegen_core.population.writing import write_population

EXPRESSIONS: dict[str, tuple[int, dict[str, float]]] = {
    "angry": (EMOTIONS.index("anger"), {"AU04": 1.0, "AU05": 0.4, "AU07": 0.7, "AU10": 0.5, "AU23": 0.6, "AU25": 0.5}),
    "shocked": (EMOTIONS.index("surprise"), {"AU01": 1.0, "AU02": 1.0, "AU05": 0.9, "AU25": 0.5, "AU26": 1.3}),
    "laughing": (EMOTIONS.index("happy"), {"AU06": 1.0, "AU12": 1.1, "AU25": 1.0, "AU26": 0.9}),
    "crying": (EMOTIONS.index("sad"), {"AU01": 1.0, "AU04": 0.6, "AU15": 1.0, "AU17": 0.6, "AU20": 0.3, "AU43": 0.45}),
}
"""The four directions of expression [S 2.3] as action units."""
NEUTRAL = EMOTIONS.index("neutral")
MARGIN = 2.3
"""Side of a picture against that of the box around the landmarks: costumes are seen."""


def write_pairs(out: Path, people: int, seed: int, pixels: int = 256) -> None:
    """Writes, of each person, a pair for each costume and each expression: the same pose, light and place.

    So every pair is also a counterfactual: its target is the true picture of its source with something else worn or
    shown.

    ``train/condition/<id>.png`` and ``train/gt/<id>.png`` with ``train/prompts.jsonl``: source, target, prompt and
    source_prompt of each, as in the released sample; pairs of expressions are drawn as cartoons, as the paper's are.
    Besides, ``truth/`` and ``masks/``.

    Args:
        out: folder to write to.
        people: how many.
        seed: which population.
        pixels: side of the pictures, 16 to 1024.
    """
    pairs = len(CAPTIONS) - 1 + len(EXPRESSIONS)
    write_population(out, picture_layout("pairs", _write_person, 2 * pairs, _write_prompts), people, seed, pixels)


def _write_person(out: Path, person: Person, shared: Anatomy, pixels: int) -> None:
    who = noun(person.identity.appearance)
    photos: list[Photo] = []
    for name, words in CAPTIONS.items():
        if name != "normal":
            source = _shot(person, len(photos))
            prompts = f"a {who}, normal costume", f"a {who}, {words}"
            photos += _pair(person, name, source, source._replace(costume=name), NEUTRAL, prompts)
    for name, (emotion, units) in EXPRESSIONS.items():
        source = _shot(person, len(photos))._replace(style="cartoon")
        prompts = f"a {who}, neutral expression", f"a {who}, {name}"
        photos += _pair(person, name, source, source._replace(units=units), emotion, prompts)
    write_photos(out, person, photos, shared, pixels)


def _shot(person: Person, k: int) -> Shot:
    units = draw_units(person.seed, person.number, k, "neutral")
    return draw_shot(person.seed, person.number, k, units, Crop("box", MARGIN))


def _pair(person: Person, name: str, source: Shot, target: Shot, emotion: int, prompts: tuple[str, str]) -> list[Photo]:
    """The two pictures of a pair: before, in normal clothes and with a neutral face, and after."""
    pair = f"{person.number:05d}-{name}"
    before, after = (f"train/{side}/{pair}.png" for side in ("condition", "gt"))
    more: dict[str, Any] = {"direction": name, "source": before, "prompt": prompts[1], "source_prompt": prompts[0]}
    return [
        Photo(before, NEUTRAL, source, prompts[0], {"direction": name}),
        Photo(after, emotion, target, prompts[1], more),
    ]


def _write_prompts(out: Path) -> None:
    """``train/prompts.jsonl``, a line a pair."""
    lines = []
    for truth in read_truths(out):
        for picture in truth["pictures"]:
            if "source" in picture:
                keys = {key: picture[key] for key in ("source", "prompt", "source_prompt", "direction")}
                lines.append(json.dumps(keys | {"target": picture["file"]}))
    settle_text(out / "train" / "prompts.jsonl", "\n".join(lines) + "\n")
