"""A cute flower: the face is its middle, petals stand around it, and leaves lie on the shoulders."""

import functools
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, vstack

from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, Reals, bust_model
from facegen_core.population.portrait.cloth import level_line, neckline, under_jaw
from facegen_core.population.portrait.costumes.fur import boa, coat
from facegen_core.population.portrait.costumes.headwear import Hood
from facegen_core.population.portrait.garments import Line
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.solids import Part, join, sheet

LINE = Line(82, 62, 14, 2.0)
PETALS = {
    "pink": ((0.95, 0.48, 0.62), (0.99, 0.82, 0.86)),
    "yellow": ((0.96, 0.66, 0.12), (0.99, 0.86, 0.34)),
    "white": ((0.93, 0.84, 0.60), (0.97, 0.96, 0.94)),
    "violet": ((0.50, 0.30, 0.68), (0.76, 0.62, 0.90)),
    "red": ((0.66, 0.07, 0.14), (0.92, 0.28, 0.27)),
}
"""Colours at the foot and at the tip of petals."""
POLLEN, GREEN = np.array([0.98, 0.80, 0.22]), np.array([0.30, 0.56, 0.22])
COUNT, LEAVES = 13, 11
LEAF_MM = 92.0


class Size(NamedTuple):
    """Of petals: length and width, mm, and how far behind the hood's brim they stand, radians."""

    length: float
    width: float
    behind: float


FRONT, BACK = Size(78.0, 44.0, 0.10), Size(92.0, 48.0, 0.26)


def flower(random: np.random.Generator, head: Reals, body: Body, anatomy: Anatomy) -> list[Piece]:
    """The costume's pieces for a head (H, 3) in its own frame and a body in the world's."""
    foot, tip = (np.array(colour) for colour in PETALS[str(random.choice(list(PETALS)))])
    hood = Hood(head, anatomy)
    petals = [
        *(_petal(random, hood, turn, FRONT, foot, tip) for turn in _turns(0.0)),
        *(_petal(random, hood, turn, BACK, foot * 0.93, tip * 0.95) for turn in _turns(0.5)),
    ]
    rim = hood.rim(64, 4.0)
    middle = boa(rim, 11.0, POLLEN)
    green = GREEN * random.uniform(0.92, 1.08)
    suit = coat(anatomy, body, LINE, 6.0, green * 0.82, int(random.integers(2**31)), 2.0)
    return [
        join([hood.shell(green)], "cloth", "head", thin=True),
        join(petals, "petal", "head", thin=True),
        join([middle], "wool", "head"),
        join(suit, "cloth", thin=True),
        join(_leaves(random, body, anatomy, green), "petal", thin=True),
    ]


def _turns(shift: float) -> Reals:
    return 2 * np.pi * (np.arange(COUNT) + shift) / COUNT


def _petal(random: np.random.Generator, hood: Hood, turn: float, size: Size, foot: Reals, tip: Reals) -> Part:
    """A petal whose foot stands on the hood, with its colours at foot and tip."""
    length, width, behind = size
    turn += random.normal(0, 0.02)
    away = float(hood.brim(turn)) + behind
    root = under_jaw(hood.at(away, turn, -4.0)[None], hood.head, hood.anatomy, 6.0)[0]
    out = np.array([np.sin(turn), np.cos(turn), 0.0])
    out *= np.array([1.0, 1.0 if np.cos(turn) > 0 else 0.8, 1])
    sideways, ahead = np.array([np.cos(turn), -np.sin(turn), 0.0]), np.array([0.0, 0, 1])
    along, across = np.sin(np.linspace(0, np.pi / 2, 11))[:, None, None], np.linspace(-1, 1, 9)[None, :, None]
    half = 0.5 * width * (0.45 + 1.0 * along) * np.sqrt(np.clip(1 - along**4, 0, 1)) + 0.3
    reach = length * random.uniform(0.94, 1.06) * (along - 0.03 * np.cos(2 * np.pi * across) * along**2)
    bend = 20 * np.sin(0.55 * np.pi * along) - 26 * along**2.5 + 9 * across**2 * along + random.normal(0, 2) * along
    points = root + reach * out + half * across * sideways + bend * ahead
    share = np.clip(along * 1.25, 0, 1) ** 0.8 - 0.12 * (1 - np.abs(across)) * (1 - along)
    vein = 1 - 0.05 * np.cos(3 * np.pi * across) * (1 - along)
    return sheet(points[::-1], ((foot * (1 - share) + tip * share) * vein)[::-1])


def _leaves(random: np.random.Generator, body: Body, anatomy: Anatomy, green: Reals) -> list[Part]:
    """Pointed leaves from the neck over the shoulders."""
    rows, levels = _leaf_rows(anatomy)
    normals = rows @ body.normals
    points, normals = ((values).reshape(levels, LEAVES, 5, 3) for values in (rows @ body.vertices, normals))
    along, across = np.linspace(0, 1, levels)[:, None, None], np.linspace(-1, 1, 5)[None, :, None]
    parts = []
    for k in range(LEAVES):
        lift = 10 + 9 * np.sin(np.pi * along) + 5 * along + 4 * np.abs(across) + (k % 2) * 3
        shade = (0.85 + 0.35 * along) * (1 - 0.18 * (np.abs(across) < 0.1)) * random.uniform(0.93, 1.07)
        surface = under_jaw(points[:, k] + lift * normals[:, k], body.head, anatomy)
        parts.append(sheet(surface[::-1], (green * shade)[::-1]))
    return parts


@functools.cache
def _leaf_rows(anatomy: Anatomy) -> tuple[csr_array, int]:
    """Weights of the leaves' points, (levels x leaves x 5, N), and the number of levels."""
    template, levels = bust_model(anatomy).template, 8
    under = neckline(template, *LINE)
    lines = []
    for along in np.linspace(0, 1, levels):
        half = np.radians(21) * np.sin(np.pi * (0.22 + 0.78 * along)) ** 0.9 + np.radians(0.2)
        angles = np.add.outer(2 * np.pi * (np.arange(LEAVES) + 0.5) / LEAVES, half * np.linspace(-1, 1, 5))
        lines.append(level_line(anatomy, under + 6 - LEAF_MM * along, angles.ravel() % (2 * np.pi)))
    return csr_array(vstack(lines, format="csr")), levels
