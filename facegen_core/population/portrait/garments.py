"""What everyday clothes have in common: necklines, thickness, folds, patterns."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, Reals
from facegen_core.population.portrait.cloth import (
    RIDGE_Z,
    Layer,
    below_edge,
    cut,
    drape,
    hem,
    neckline,
    split,
    whole,
)
from facegen_core.population.portrait.outfits import Kind, Outfit, Pattern
from facegen_core.population.portrait.solids import Part
from facegen_core.seeding import numpy_generator

STRIPE_MM, CHECK_MM = 58.0, 56.0
"""Width of a pair of stripes, of a check and its gap."""


class Line(NamedTuple):
    """A neckline: see :func:`.cloth.neckline`."""

    width: float
    before: float
    behind: float
    power: float


LINES: dict[Kind, Line] = {
    "crew": Line(74, 68, 10, 2.0),
    "v neck": Line(80, 118, 12, 1.12),
    "shirt": Line(66, 64, 6, 1.4),
    "hoodie": Line(78, 80, 6, 1.5),
    "suit": Line(80, 214, 8, 1.0),
    "dress": Line(116, 92, 28, 2.7),
    "sleeveless": Line(88, 105, 30, 2.2),
}
THICKNESS = {
    "crew": 5.5, "v neck": 5.5, "shirt": 5.0, "turtleneck": 6.0, "hoodie": 10.0, "suit": 11.0, "dress": 4.5,
    "sleeveless": 4.5,
}  # fmt: skip
"""Of the cloth and the air below it, mm."""
FOLDS = {
    "crew": 2.4, "v neck": 2.4, "shirt": 2.2, "turtleneck": 2.4, "hoodie": 3.6, "suit": 1.6, "dress": 1.8,
    "sleeveless": 1.4,
}  # fmt: skip
"""Depth of their folds, mm."""
BANDS = {"crew": 17.0, "v neck": 13.0, "dress": 6.0, "sleeveless": 7.0, "hoodie": 12.0}
"""Width of the band along the neckline, mm."""
TURTLENECK_MM = 15.0
"""How far below the head's edge a turtleneck begins."""


def under_cloth(kind: Kind, points: Reals) -> Reals:
    """How far points (n, 3) of the average bust lie under the clothes' edge, mm: negative where skin is bare."""
    if kind == "turtleneck":
        return below_edge(points) - TURTLENECK_MM
    return _distance("shirt" if kind == "suit" else kind, points)


def hang(
    layer: Layer, body: Body, thickness: Reals | float, colour: npt.ArrayLike, fold: Reals, hems: bool = True
) -> list[Part]:
    """A layer with folds and its hems.

    Args:
        layer: the cloth.
        body: that wears it.
        thickness: (n,) mm off the skin, or one for all.
        colour: (3,) or (n, 3).
        fold: (n,) mm that folds add.
        hems: whether its edges are to look thick.
    """
    colours = np.broadcast_to(np.asarray(colour), layer.template.shape) * (1 + 0.05 * np.tanh(fold))[:, None]
    points = drape(layer, body, thickness + fold)
    parts = [Part(points, layer.faces, colours)]
    return [*parts, hem(layer, body, points, colours)] if hems else parts


def folds(points: Reals, seed: int) -> Reals:
    """Folds of cloth (n,), from about -1 to 1: they fan out from shoulders and neck and wander a little."""
    random = numpy_generator(seed, 1)
    x, y, z = points.T
    total = np.zeros(len(points))
    for centre, strength in (((150.0, -150.0), 1.0), ((-150.0, -150.0), 1.0), ((0.0, -95.0), 0.7)):
        across, up = x - centre[0], y - centre[1]
        turn, far = np.arctan2(across, -up), np.hypot(across, up)
        waves, phases = random.uniform(5, 17, 4), random.uniform(0, 2 * np.pi, 4)
        fan = np.cos(np.multiply.outer(turn + 0.004 * z, waves) + phases + 0.01 * far[:, None]).sum(1) / 2
        total += strength * fan * np.exp(-(((far - 115) / 65) ** 2))
    length, lean = random.uniform(35, 100, 6), random.normal(0, 0.7, 6)
    waves = 2 * np.pi / length * np.stack([np.cos(lean), np.sin(lean), 0.3 * random.normal(size=6)])
    total += 0.5 * np.cos(points @ waves + random.uniform(0, 2 * np.pi, 6)).sum(1) / 2
    return np.asarray(np.tanh(1.2 * total))


def folded(layer: Layer, outfit: Outfit) -> Reals:
    """(n,) mm that an outfit's folds add to a layer's distance from the skin."""
    return FOLDS[outfit.kind] * folds(layer.template, outfit.folds)


@functools.cache
def between(
    anatomy: Anatomy, kind: Kind, least: float, most: float, pattern: Pattern
) -> tuple[Layer, npt.NDArray[np.bool_]]:
    """Cloth between two distances from a neckline, mm, with a hem at the first; and what (n,) has the first colour."""
    layer = whole(anatomy)
    distance = functools.partial(_distance, kind)
    layer = cut(layer, distance(layer.template) - least)
    if most < np.inf:
        layer = cut(layer, most - distance(layer.template))
        inner = distance(layer.template) < most - 0.5
        layer = layer._replace(cut=layer.cut[inner[layer.cut].all(1)])
    if pattern == "striped":
        return split(layer, bands(layer, STRIPE_MM))
    return layer, np.ones(len(layer.template), dtype=bool)


def bands(layer: Layer, width: float) -> Reals:
    """(n,) positive in every second band; the back, which portraits do not show, has none and stays cheap."""
    _, y, z = layer.template.T
    return np.where(z < RIDGE_Z - 20, 1.0, np.cos(2 * np.pi * (y + 341) / width))


def _distance(kind: Kind, points: Reals) -> Reals:
    under = neckline(points, *LINES[kind])
    return np.minimum(under, _from_armhole(points)) if kind == "sleeveless" else under


def _from_armhole(points: Reals) -> Reals:
    """Distance (n,) inside the armholes of a sleeveless top, mm."""
    edge = np.interp(-points[:, 1], [140, 200, 250, 285, 300], [136, 130, 140, 158, 161])
    return np.asarray(edge - np.abs(points[:, 0]))
