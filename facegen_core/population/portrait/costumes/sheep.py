"""A cute white sheep: a woolly hood with ears, and wool all over."""

import numpy as np

from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, Reals
from facegen_core.population.portrait.cloth import under_jaw
from facegen_core.population.portrait.costumes.fur import along_neckline, boa, coat, spots, tufts
from facegen_core.population.portrait.costumes.headwear import HOOD_CENTRE, Hood, scattered
from facegen_core.population.portrait.everyday import Line
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.shapes import Part, join, sheet, tube

LINE = Line(84, 62, 14, 2.0)
TUFT_MM, APART_MM = 16.0, 21.0
WOOL, EAR, INNER_EAR = np.array([0.94, 0.92, 0.87]), np.array([0.90, 0.84, 0.75]), np.array([0.94, 0.66, 0.66])


def sheep(random: np.random.Generator, head: Reals, body: Body, anatomy: Anatomy) -> list[Piece]:
    """The costume's pieces for a head (H, 3) in its own frame and a body in the world's."""
    wool = WOOL * random.uniform(0.97, 1.03)
    hood = Hood(head, anatomy)
    towards = scattered(430)
    away, turn = np.arccos(towards[:, 2]), np.arctan2(towards[:, 0], towards[:, 1])
    on = (away > hood.brim(turn) + 0.14) & (away < np.radians(145)) & (towards[:, 1] > -0.8)
    woolly = [hood.shell(wool * 0.62), _tufts_on(random, hood, hood.at(away[on], turn[on], 1.0), TUFT_MM, wool)]
    woolly.append(_tufts_on(random, hood, hood.rim(84, 2.0)[::1], 10.5, wool))
    forelock = hood.at(np.radians([50, 54, 54, 60, 60, 64]), np.radians([0, 20, -20, 10, -10, 0]), 9.0)
    woolly.append(_tufts_on(random, hood, forelock, 17.0, wool * 1.02))
    ears = [part for side in (-1.0, 1.0) for part in _ear(hood, side)]
    at = spots(anatomy, LINE, APART_MM)
    fleece = tufts(random, body.vertices[at] + 8 * body.normals[at], body.normals[at], TUFT_MM, wool)
    around = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    collar = under_jaw(along_neckline(anatomy, body, LINE, 8.0, around), body.head, anatomy, 26.0)
    under = coat(anatomy, body, LINE, 8.0, wool * 0.62, int(random.integers(2**31)))
    return [
        join(woolly, "wool", "head"),
        join(ears, "wool", "head", thin=True),
        join([*under, fleece, *boa(random, collar, 18.0, 90, wool)], "wool"),
    ]


def _tufts_on(random: np.random.Generator, hood: Hood, points: Reals, radius: float, colour: Reals) -> Part:
    out = points - HOOD_CENTRE
    return tufts(random, points, out / np.linalg.norm(out, axis=1, keepdims=True), radius, colour)


def _ear(hood: Hood, side: float) -> list[Part]:
    """A drooping ear, pink inside."""
    root = hood.at(np.radians(84), side * np.radians(62), 8.0)
    along, across = np.linspace(0, 1, 9)[:, None, None], np.linspace(-1, 1, 7)[None, :, None]
    width = 21 * np.sin(np.pi * np.clip(0.18 + 0.8 * along, 0, 1)) ** 0.8
    out, down, front = np.array([side, 0, 0]), np.array([0.0, -1, 0]), np.array([0.0, 0, 1])
    spine = 74 * along * out + 46 * along**1.8 * down + 10 * np.sin(np.pi * along) * front
    points = root + spine + across * width * np.array([0.2 * side, 0.95, 0.0]) + 9 * across**2 * front
    share = np.clip(1.25 * (1 - np.abs(across)), 0, 1) * np.clip(2.5 * along, 0, 1)
    edge = np.concatenate([points[:, 0], points[-1, 1:-1], points[::-1, -1], points[0, -2:0:-1]])
    return [
        sheet(points + 2.5 * front, EAR * (1 - share) + INNER_EAR * share),
        sheet(points - 2.5 * front, EAR * 0.95),
        tube(edge, 3.6, EAR, sides=6, closed=True),
    ]
