"""A cute white sheep: a woolly hood with ears, and wool all over."""

import numpy as np

from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, Reals
from facegen_core.population.portrait.cloth import under_jaw
from facegen_core.population.portrait.costumes.fur import along_neckline, boa, fleece, pompon, shaded, tufted
from facegen_core.population.portrait.costumes.headwear import HOOD_CENTRE, Hood
from facegen_core.population.portrait.garments import Line
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.shapes import Part, join, sheet, tube
from facegen_core.population.portrait.spirals import over_sphere

LINE = Line(80, 58, 12, 2.0)
CURL_MM = 18.0
WOOL, EAR, INNER_EAR = np.array([0.97, 0.95, 0.91]), np.array([0.90, 0.84, 0.75]), np.array([0.94, 0.66, 0.66])


def sheep(random: np.random.Generator, head: Reals, body: Body, anatomy: Anatomy) -> list[Piece]:
    """The costume's pieces for a head (H, 3) in its own frame and a body in the world's."""
    wool = WOOL * random.uniform(0.97, 1.0)
    hood = Hood(head, anatomy)
    forelock = hood.at(np.radians([48, 53, 53, 62, 62, 66]), np.radians([0, 24, -24, 12, -12, 0]), 3.0)
    around = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    collar = under_jaw(along_neckline(anatomy, body, LINE, 10.0, around), body.head, anatomy, 28.0)
    locks = [pompon(place, random.uniform(14, 18), wool, 22, 2) for place in forelock]
    on_head = [_woolly(hood, wool), boa(hood.rim(64, 1.0), 12.5, wool), *locks]
    return [
        join(on_head, "wool", "head"),
        join([part for side in (-1.0, 1.0) for part in _ear(hood, side)], "wool", "head", thin=True),
        join([fleece(anatomy, body, LINE, CURL_MM, wool, 7.0), boa(collar, 23.0, wool)], "wool"),
    ]


def _woolly(hood: Hood, wool: Reals) -> Part:
    """The hood with curls all over."""
    shell = hood.shell(wool, rows=44, columns=110)
    out = shell.vertices - HOOD_CENTRE
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    towards = over_sphere(270)
    curls = hood.at(np.arccos(towards[:, 2]), np.arctan2(towards[:, 0], towards[:, 1]))
    height = tufted(shell.vertices, curls, CURL_MM)
    return shell._replace(vertices=shell.vertices + 0.9 * CURL_MM * height[:, None] * out, colours=shaded(wool, height))


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
