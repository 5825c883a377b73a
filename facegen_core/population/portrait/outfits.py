"""What people wear on an ordinary day: drawn, and in words."""

from typing import Literal, NamedTuple

import numpy as np

from facegen_core.population.wording import with_article
from facegen_core.seeding import numpy_generator

_OUTFIT = 140
Colour = tuple[float, float, float]
Kind = Literal["crew", "v neck", "shirt", "turtleneck", "hoodie", "suit", "dress", "sleeveless"]
Pattern = Literal["plain", "striped", "checked"]

COLOURS: dict[str, Colour] = {
    "white": (0.90, 0.90, 0.89),
    "black": (0.09, 0.09, 0.10),
    "grey": (0.48, 0.49, 0.50),
    "navy": (0.12, 0.16, 0.30),
    "blue": (0.20, 0.36, 0.66),
    "light blue": (0.56, 0.71, 0.86),
    "teal": (0.10, 0.44, 0.45),
    "green": (0.18, 0.42, 0.25),
    "olive": (0.38, 0.38, 0.22),
    "yellow": (0.89, 0.74, 0.28),
    "orange": (0.83, 0.43, 0.17),
    "red": (0.70, 0.14, 0.15),
    "burgundy": (0.40, 0.10, 0.16),
    "pink": (0.90, 0.62, 0.68),
    "purple": (0.42, 0.26, 0.50),
    "beige": (0.80, 0.71, 0.58),
    "brown": (0.38, 0.26, 0.18),
}
"""Of cloth, sRGB; what is drawn lies around one of them."""
SUITS, SHIRTS = ("navy", "grey", "black", "brown"), ("white", "light blue", "pink", "white")
MEN: dict[Kind, float] = {"crew": 5, "v neck": 3, "shirt": 4, "turtleneck": 1.5, "hoodie": 3, "suit": 3}
WOMEN: dict[Kind, float] = {
    "crew": 4, "v neck": 3, "shirt": 2.5, "turtleneck": 2, "hoodie": 1.5, "suit": 1, "dress": 3.5, "sleeveless": 2.5,
}  # fmt: skip
"""How often which clothes are worn, up to a common factor."""
NAMES: dict[Kind, str] = {
    "crew": "T-shirt", "v neck": "V-neck T-shirt", "shirt": "shirt", "turtleneck": "turtleneck sweater",
    "hoodie": "hoodie", "suit": "suit", "dress": "dress", "sleeveless": "sleeveless top",
}  # fmt: skip
PATTERNED: dict[Kind, tuple[Pattern, float]] = {
    "crew": ("striped", 0.3), "turtleneck": ("striped", 0.2), "dress": ("striped", 0.15), "shirt": ("checked", 0.3),
    "sleeveless": ("striped", 0.25),
}  # fmt: skip
"""Which clothes come with a pattern, and how often."""


class Outfit(NamedTuple):
    """Everyday clothes.

    Attributes:
        kind: what it is.
        colour: sRGB.
        second: of the pattern's other part, of the shirt under a suit, of a hood's cords.
        tie: its colour.
        pattern: how the two colours are arranged.
        folds: seed of the folds.
        words: for captions: "a blue shirt".
    """

    kind: Kind
    colour: Colour
    second: Colour
    tie: Colour
    pattern: Pattern
    folds: int
    words: str


def draw_outfit(seed: int, *keys: int, female: bool) -> Outfit:
    """Everyday clothes as a function of what names a picture.

    Args:
        seed: of the population.
        keys: non-negative integers, such as (person, picture).
        female: dresses and sleeveless tops are worn by women, suits more often by men.
    """
    random = numpy_generator(seed, _OUTFIT, *keys)
    kinds = WOMEN if female else MEN
    weights = np.array(list(kinds.values()))
    kind = list(kinds)[random.choice(len(kinds), p=weights / weights.sum())]
    pattern, often = PATTERNED.get(kind, ("plain", 0.0))
    pattern = pattern if random.random() < often else "plain"
    first = str(random.choice(SUITS if kind == "suit" else list(COLOURS)))
    others = [name for name in COLOURS if _far(COLOURS[name], COLOURS[first])]
    second = str(random.choice(SHIRTS if kind == "suit" else others))
    tie = str(random.choice([name for name in COLOURS if _far(COLOURS[name], COLOURS[second])]))
    return Outfit(
        kind=kind,
        colour=_vary(random, first),
        second=_vary(random, second),
        tie=_vary(random, tie),
        pattern=pattern,
        folds=int(random.integers(2**31)),
        words=_words(kind, pattern, first, second, tie),
    )


def _words(kind: Kind, pattern: Pattern, first: str, second: str, tie: str) -> str:
    if kind == "suit":
        return f"{with_article(first)} suit with {with_article(second)} shirt and {with_article(tie)} tie"
    if pattern == "plain":
        return f"{with_article(first)} {NAMES[kind]}"
    return f"{with_article(first)} and {second} {pattern} {NAMES[kind]}"


def _far(a: Colour, b: Colour) -> bool:
    """Whether two colours can be told apart on a small picture."""
    return float(np.linalg.norm(np.subtract(a, b))) > 0.35


def _vary(random: np.random.Generator, name: str) -> Colour:
    varied = np.array(COLOURS[name]) * random.normal(1, 0.06) + random.normal(0, 0.012, 3)
    red, green, blue = np.clip(varied, 0.03, 0.96)
    return float(red), float(green), float(blue)
