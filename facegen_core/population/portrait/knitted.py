"""Clothes that are pulled over the head: T-shirts, tops, dresses, sweaters, hoodies."""

import functools

import numpy as np
from scipy.sparse import csr_array

from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, Reals, bust_model
from facegen_core.population.portrait.cloth import (
    UP,
    around_neck,
    below_edge,
    front,
    level_line,
    neckline,
    outward,
    round_neck,
)
from facegen_core.population.portrait.garments import (
    BANDS,
    LINES,
    THICKNESS,
    TURTLENECK_MM,
    Line,
    between,
    folded,
    hang,
)
from facegen_core.population.portrait.outfits import Outfit
from facegen_core.population.portrait.solids import Part, sheet, tube

ROLL = ((0.25, 0.5), (0, 2.5), (-0.05, 6), (0.05, 9.5), (0.3, 12), (0.6, 13), (0.85, 12), (1, 9), (1.05, 5))
"""Profile of a rolled collar: how far down from its top to its foot, and mm off the line between."""
ROLL_ENDS = Line(66, 58, 8, 2.0)


def knit(outfit: Outfit, body: Body, anatomy: Anatomy) -> list[Part]:
    """T-shirts, tops and dresses: cloth with a band along the neckline."""
    thickness, width = THICKNESS[outfit.kind], BANDS[outfit.kind]
    main, first = between(anatomy, outfit.kind, width, np.inf, outfit.pattern)
    band, _ = between(anatomy, outfit.kind, 0.0, width + 1.5, "plain")
    colour = np.where(first[:, None], outfit.colour, outfit.second)
    parts = hang(main, body, thickness, colour, folded(main, outfit), hems=False)
    ribs = np.cos(90 * around_neck(band.template))[:, None] if width > 10 else 0
    colour = np.array(outfit.colour) * (0.95 + 0.03 * ribs)
    return parts + hang(band, body, thickness + 1.7, colour, folded(band, outfit))


def turtleneck(outfit: Outfit, body: Body, anatomy: Anatomy) -> list[Part]:
    """A sweater with a rolled collar around the neck."""
    main, first = between(anatomy, "shirt", -6.0, np.inf, outfit.pattern)
    colour = np.where(first[:, None], outfit.colour, outfit.second)
    parts = hang(main, body, THICKNESS["turtleneck"], colour, folded(main, outfit), hems=False)
    upper, lower, angles = _roll_lines(anatomy, 96)
    top, foot = (line @ body.vertices for line in (upper, lower))
    out = outward(angles)
    rows = [(1 - down) * top + down * foot + off * out for down, off in ROLL]
    ribs = 1 + 0.05 * np.cos(24 * angles)[:, None]
    shade = np.array([0.5, 0.75, 1, 1, 1, 1, 0.97, 0.85, 0.6])[:, None, None]
    rolled = round_neck(np.stack(rows) + 0.5 * np.cos(24 * angles)[:, None] * out, body, anatomy)
    return [*parts, sheet(rolled[::-1], (np.array(outfit.colour) * ribs * shade)[::-1], closed=True)]


@functools.cache
def _roll_lines(anatomy: Anatomy, columns: int) -> tuple[csr_array, csr_array, Reals]:
    """Where a rolled collar begins below the head's edge, where it ends on the shoulders, and its columns' angles."""
    points = bust_model(anatomy).template
    angles = 2 * np.pi * np.arange(columns) / columns
    upper = level_line(anatomy, below_edge(points) - TURTLENECK_MM, angles)
    return upper, level_line(anatomy, neckline(points, *ROLL_ENDS), angles), angles


def hoodie(outfit: Outfit, body: Body, anatomy: Anatomy) -> list[Part]:
    """A sweater with a hood that lies on the shoulders and back, and its cords."""
    line, angles = _hood_line(anatomy, 49)
    behind = (0.5 - 0.5 * np.cos(angles))[:, None]
    size = 9 + 17 * behind**0.8
    base = line @ body.vertices + (8 + 0.35 * size) * (line @ body.normals)
    turn = np.linspace(0, 2 * np.pi, 13)[:, None, None]
    out, up = size * (1 + 0.5 * behind) * outward(angles), size * UP * (0.9 + 0.2 * behind)
    rows = base + (0.5 + 0.9 * np.cos(turn)) * out + np.sin(turn) * up
    fold = 1 + 0.05 * np.cos(5 * turn + 9 * angles[:, None])
    inside = np.where(np.cos(turn) < -0.35, 0.62, 1.0)
    surface = sheet(round_neck(rows, body, anatomy), np.array(outfit.colour) * fold * inside)
    cords = []
    for side in (-1.0, 1.0):
        at = _cord_points(anatomy, side)
        path = at @ body.vertices + 13.5 * (at @ body.normals)
        cords.append(tube(path, np.append(np.full(len(path) - 1, 2.3), 3.4), outfit.second, sides=6))
    return [*knit(outfit, body, anatomy), surface, *cords]


@functools.cache
def _hood_line(anatomy: Anatomy, columns: int) -> tuple[csr_array, Reals]:
    angles = np.radians(np.linspace(6, 354, columns))
    return level_line(anatomy, neckline(bust_model(anatomy).template, *LINES["hoodie"]) - 4, angles), angles


@functools.cache
def _cord_points(anatomy: Anatomy, side: float) -> csr_array:
    down = np.linspace(-193, -285, 9)
    x = side * (20 + 6 * np.sin(np.linspace(0, 3, 9)))
    return front(bust_model(anatomy), np.stack([x, down], axis=1))
