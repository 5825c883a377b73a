"""Everyday clothes as geometry: layers of cloth with hems, collars, lapels, a tie, a hood."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, Reals, bust_model
from facegen_core.population.portrait.cloth import (
    NECK_Z, Layer, around_neck, below_edge, cut, drape, front, hem, level_line, neckline, split, under_jaw, whole,
)  # fmt: skip
from facegen_core.population.portrait.outfits import Colour, Kind, Outfit
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.shapes import Part, balls, join, sheet, tube
from facegen_core.seeding import numpy_generator

UP = np.array([0.0, 0.97, 0.24])
"""Along the neck."""
STRIPE_MM, CHECK_MM = 58.0, 56.0
"""Width of a pair of stripes, of a check and its gap."""


class Line(NamedTuple):
    """A neckline: see :func:`.cloth.neckline`."""

    width: float
    before: float
    behind: float
    power: float


LINES = {
    "crew": Line(74, 68, 10, 2.0),
    "v neck": Line(80, 118, 12, 1.12),
    "shirt": Line(66, 64, 6, 1.4),
    "hoodie": Line(78, 80, 6, 1.5),
    "suit": Line(80, 214, 8, 1.0),
    "dress": Line(116, 92, 28, 2.7),
    "sleeveless": Line(88, 105, 30, 2.2),
}
ROLL_ENDS = Line(66, 58, 8, 2.0)
TURTLENECK_MM = 15.0
"""How far below the head's edge a turtleneck begins."""
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
COLLAR_COLUMNS = 61
BANDS = {"crew": 17.0, "v neck": 13.0, "dress": 6.0, "sleeveless": 7.0, "hoodie": 12.0}
"""Width of the band along the neckline, mm."""


def clothes(outfit: Outfit, body: Body, anatomy: Anatomy) -> list[Piece]:
    """What somebody wears, in the world frame."""
    if outfit.kind == "suit":
        return _suit(outfit, body, anatomy)
    if outfit.kind == "shirt":
        return [join(_shirt(outfit, body, anatomy, outfit.colour), "cloth", thin=True)]
    if outfit.kind == "turtleneck":
        return [join(_turtleneck(outfit, body, anatomy), "cloth", thin=True)]
    parts = _knit(outfit, body, anatomy)
    if outfit.kind == "hoodie":
        parts += _hood(outfit, body, anatomy)
    return [join(parts, "cloth", thin=True)]


def under_cloth(kind: Kind, points: Reals) -> Reals:
    """How far points (n, 3) of the average bust lie under the clothes' edge, mm: negative where skin is bare."""
    if kind == "turtleneck":
        return below_edge(points) - TURTLENECK_MM
    under = neckline(points, *LINES["shirt" if kind == "suit" else kind])
    return np.minimum(under, _from_armhole(points)) if kind == "sleeveless" else under


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


def hang(
    layer: Layer, body: Body, thickness: npt.ArrayLike, colour: npt.ArrayLike, fold: Reals, hems: bool = True
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


@functools.cache
def _between(
    anatomy: Anatomy, kind: str, least: float, most: float, pattern: str
) -> tuple[Layer, npt.NDArray[np.bool_]]:
    """Cloth between two distances from a neckline, split by its pattern."""
    layer = whole(anatomy)
    distance = functools.partial(_distance, kind)
    layer = cut(layer, distance(layer.template) - least)
    if most < np.inf:
        layer = cut(layer, most - distance(layer.template))
    x, y, _ = layer.template.T
    stripes = np.cos(2 * np.pi * (y + 341) / STRIPE_MM)
    if pattern == "striped":
        return split(layer, stripes)
    return layer, np.ones(len(x), dtype=bool)


def _distance(kind: str, points: Reals) -> Reals:
    under = neckline(points, *LINES[kind])
    return np.minimum(under, _from_armhole(points)) if kind == "sleeveless" else under


def _from_armhole(points: Reals) -> Reals:
    """Distance (n,) inside the armholes of a sleeveless top, mm."""
    edge = np.interp(-points[:, 1], [140, 200, 250, 285, 300], [136, 130, 140, 158, 161])
    return np.asarray(edge - np.abs(points[:, 0]))


def _fold(layer: Layer, outfit: Outfit) -> Reals:
    return FOLDS[outfit.kind] * folds(layer.template, outfit.folds)


def _knit(outfit: Outfit, body: Body, anatomy: Anatomy) -> list[Part]:
    """T-shirts, tops and dresses: cloth with a band along the neckline."""
    thickness, width = THICKNESS[outfit.kind], BANDS[outfit.kind]
    main, first = _between(anatomy, outfit.kind, width, np.inf, outfit.pattern)
    band, _ = _between(anatomy, outfit.kind, 0.0, width + 1.5, "plain")
    colour = np.where(first[:, None], outfit.colour, outfit.second)
    parts = hang(main, body, thickness, colour, _fold(main, outfit), hems=False)
    ribs = np.cos(90 * around_neck(band.template))[:, None] if width > 10 else 0
    return parts + hang(
        band, body, thickness + 1.2, np.array(outfit.colour) * (0.95 + 0.03 * ribs), _fold(band, outfit)
    )


def _turtleneck(outfit: Outfit, body: Body, anatomy: Anatomy) -> list[Part]:
    """A sweater with a rolled collar around the neck."""
    main, first = _between(anatomy, "shirt", -6.0, np.inf, outfit.pattern)
    colour = np.where(first[:, None], outfit.colour, outfit.second)
    parts = hang(main, body, THICKNESS["turtleneck"], colour, _fold(main, outfit), hems=False)
    upper, lower, angles = _roll_lines(anatomy, 96)
    top, foot = (line @ body.vertices for line in (upper, lower))
    out = _outward(angles)
    rows = []
    for share, off in (
        (0.25, 0.5),
        (0.0, 2.5),
        (-0.05, 6),
        (0.05, 9.5),
        (0.3, 12),
        (0.6, 13),
        (0.85, 12),
        (1.0, 9),
        (1.05, 5),
    ):
        rows.append((1 - share) * top + share * foot + off * out)
    ribs = 1 + 0.05 * np.cos(24 * angles)[:, None]
    shade = np.array([0.5, 0.75, 1, 1, 1, 1, 0.97, 0.85, 0.6])[:, None, None]
    rolled = under_jaw(np.stack(rows) + 0.5 * np.cos(24 * angles)[:, None] * out, body.head, anatomy)
    return [*parts, sheet(rolled[::-1], (np.array(outfit.colour) * ribs * shade)[::-1], closed=True)]


@functools.cache
def _roll_lines(anatomy: Anatomy, columns: int) -> tuple[csr_array, csr_array, Reals]:
    """Where a rolled collar begins below the head's edge, where it ends on the shoulders, and its columns' angles."""
    points = bust_model(anatomy).template
    angles = 2 * np.pi * np.arange(columns) / columns
    upper = level_line(anatomy, below_edge(points) - TURTLENECK_MM, angles)
    return upper, level_line(anatomy, neckline(points, *ROLL_ENDS), angles), angles


def _outward(angles: Reals) -> Reals:
    """(K, 3) away from the neck's axis."""
    return np.stack([np.sin(angles), np.zeros_like(angles), np.cos(angles)], axis=1)


@functools.cache
def _collar_lines(anatomy: Anatomy, columns: int) -> tuple[csr_array, csr_array, Reals]:
    """Of a shirt's collar: where it stands on the body, where its lower edge lies, and the angles of its columns."""
    points = bust_model(anatomy).template
    share = np.linspace(0, 1, columns)
    angles = np.radians(7) + share * (2 * np.pi - np.radians(14))
    tip = np.radians(27) * np.exp(-((share / 0.09) ** 2))
    low = angles + tip - tip[::-1]
    from_front = np.degrees(np.pi - np.abs(around_neck(points) - np.pi))
    reach = 30 + 22 * np.exp(-(((from_front - 32) / 26) ** 2))
    stand = neckline(points, *LINES["shirt"])
    return level_line(anatomy, stand, angles), level_line(anatomy, stand - reach, low), angles


def _collar(body: Body, anatomy: Anatomy, colour: npt.ArrayLike, lift: float) -> list[Part]:
    """A shirt's collar: a stand around the neck and, folded over it, a leaf with two points."""
    foot, edge, angles = _collar_lines(anatomy, COLLAR_COLUMNS)
    base, low = foot @ body.vertices, edge @ body.vertices + (lift + 5) * (edge @ body.normals)
    outward = _outward(angles)
    height = 17 - 5 * np.cos(angles)
    top = base + height[:, None] * UP + 3 * outward
    rows = [base + 2 * outward - 4 * UP, base + 0.6 * height[:, None] * UP + 3 * outward, top + 1.5 * UP]
    for share in (0.12, 0.35, 0.6, 0.8, 1.0):
        bulge = 5 * np.sin(np.pi * share) * outward
        rows.append((1 - share) * (top + 3 * outward) + share * low + bulge)
    rows.append(low - 3.5 * (edge @ body.normals))
    shade = np.array([0.8, 0.9, 1.03, 1.03, 1.0, 1.0, 1.0, 1.0, 0.75])[:, None, None]
    surface = sheet(
        under_jaw(np.stack(rows), body.head, anatomy)[::-1],
        (np.asarray(colour) * shade)[::-1].repeat(COLLAR_COLUMNS, 1),
    )
    return [surface]


def _shirt(outfit: Outfit, body: Body, anatomy: Anatomy, colour: Colour) -> list[Part]:
    """A shirt with collar, placket and buttons."""
    layer, _ = _between(anatomy, "shirt", 0.0, np.inf, "plain")
    painted = np.broadcast_to(np.array(colour), layer.template.shape)
    if outfit.pattern == "checked" and outfit.kind == "shirt":
        layer, painted = _checked(anatomy, colour, outfit.second)
    placket = _placket(anatomy)
    parts = hang(layer, body, THICKNESS["shirt"], painted, _fold(layer, outfit), hems=False)
    parts += hang(placket, body, THICKNESS["shirt"] + 1.5, colour, _fold(placket, outfit))
    at = front_line(anatomy, -195.0, -345.0, 3)
    places = at @ body.vertices + 7.0 * (at @ body.normals)
    parts.append(balls(places, np.array([5.0, 5.0, 2.2]) * np.ones((3, 1)), np.array(colour) * 0.35 + 0.5))
    return parts + _collar(body, anatomy, colour, THICKNESS["shirt"])


@functools.cache
def _placket(anatomy: Anatomy) -> Layer:
    layer, _ = _between(anatomy, "shirt", 0.0, np.inf, "plain")
    x, _, z = layer.template.T
    return cut(layer, np.minimum(15 - np.abs(x), z - NECK_Z))


@functools.cache
def _checks(anatomy: Anatomy) -> tuple[Layer, Reals]:
    """A shirt split into checks, and how much of the second colour each vertex has."""
    layer, _ = _between(anatomy, "shirt", 0.0, np.inf, "plain")
    layer, level = split(layer, np.cos(2 * np.pi * (layer.template[:, 1] + 341) / CHECK_MM))
    return layer, level.astype(np.float64)


def _checked(anatomy: Anatomy, colour: Colour, second: Colour) -> tuple[Layer, Reals]:
    layer, level = _checks(anatomy)
    upright = 0.5 + 0.5 * np.tanh(4 * np.cos(2 * np.pi * layer.template[:, 0] / CHECK_MM))
    share = (0.5 * level + 0.5 * upright)[:, None]
    return layer, np.array(colour) * share + np.array(second) * (1 - share)


@functools.cache
def front_line(anatomy: Anatomy, top: float, bottom: float, count: int) -> csr_array:
    """Points down the middle of the chest: (count, N) weights."""
    down = np.linspace(top, bottom, count)
    return front(bust_model(anatomy), np.stack([np.full(count, 0.4), down], axis=1))


def _suit(outfit: Outfit, body: Body, anatomy: Anatomy) -> list[Piece]:
    """A jacket with lapels over a shirt with a tie."""
    jacket, lapels, shirt = _suit_layers(anatomy)
    parts = hang(jacket, body, THICKNESS["suit"], outfit.colour, _fold(jacket, outfit))
    parts += hang(lapels, body, THICKNESS["suit"] + 4, np.array(outfit.colour) * 1.1, _fold(lapels, outfit))
    linen = hang(shirt, body, THICKNESS["shirt"], outfit.second, _fold(shirt, outfit) * 0.7, hems=False)
    linen += _collar(body, anatomy, outfit.second, THICKNESS["shirt"])
    return [
        join(parts, "cloth", thin=True),
        join(linen, "cloth", thin=True),
        join([_tie(body, anatomy, outfit.tie)], "cloth"),
    ]


@functools.cache
def _suit_layers(anatomy: Anatomy) -> tuple[Layer, Layer, Layer]:
    """Jacket, lapels with the collar, and what of the shirt can be seen."""
    jacket, _ = _between(anatomy, "suit", 0.0, np.inf, "plain")
    x, y, z = np.abs(jacket.template[:, 0]), jacket.template[:, 1], jacket.template[:, 2]
    inside = neckline(jacket.template, *LINES["suit"])
    width = np.where(z > -100, np.interp(-y, [120, 190, 235, 340], [34, 50, 54, 10]), 34)
    notch = np.maximum(np.abs(y + 196 - 0.25 * (x - 70)) - 3.0, 24 - inside)
    lapels = cut(jacket, np.minimum(width - inside, np.where(z > -100, notch, 50)))
    shirt, _ = _between(anatomy, "shirt", 0.0, np.inf, "plain")
    return jacket, lapels, cut(shirt, 18 - neckline(shirt.template, *LINES["suit"]))


def _tie(body: Body, anatomy: Anatomy, colour: Colour) -> Part:
    """A tie with its knot, down the middle of the shirt."""
    down = np.array([-168, -171, -181, -192, -196, -205, -225, -250, -280, -315, -350])
    half = np.array([11, 16.5, 15.5, 12, 11.5, 14, 18, 22, 26, 30, 33])
    rise = np.array([9, 15, 17, 14, 8, 7, 7, 7, 7, 7, 7])
    across = np.array([-1, -0.96, -0.5, 0, 0.5, 0.96, 1])
    at = _tie_points(anatomy, tuple(down.tolist()), tuple(half.tolist()), tuple(across.tolist()))
    points, normals = (at @ body.vertices).reshape(11, 7, 3), (at @ body.normals).reshape(11, 7, 3)
    bulge = np.array([0.3, 0.75, 0.95, 1, 0.95, 0.75, 0.3])
    lifted = points + (rise[:, None] * bulge)[..., None] * normals + np.array([0, 0, 3.0])
    shade = np.array([0.9, 1.05, 1.0, 0.85, 0.6, 0.95, 1, 1, 1, 1, 1])[:, None, None]
    return sheet(lifted[::-1], (np.array(colour) * shade)[::-1].repeat(7, 1))


@functools.cache
def _tie_points(
    anatomy: Anatomy, down: tuple[float, ...], half: tuple[float, ...], across: tuple[float, ...]
) -> csr_array:
    x = np.multiply.outer(np.array(half), np.array(across))
    y = np.broadcast_to(np.array(down)[:, None], x.shape)
    return front(bust_model(anatomy), np.stack([x.ravel() + 0.3, y.ravel()], axis=1))


def _hood(outfit: Outfit, body: Body, anatomy: Anatomy) -> list[Part]:
    """A hood that lies on the shoulders and back, and its cords."""
    line, angles = _hood_line(anatomy, 49)
    outward = _outward(angles)
    behind = (0.5 - 0.5 * np.cos(angles))[:, None]
    size = 9 + 17 * behind**0.8
    base = line @ body.vertices + (8 + 0.35 * size) * (line @ body.normals)
    turn = np.linspace(0, 2 * np.pi, 13)[:, None, None]
    out, up = size * (1.0 + 0.5 * behind) * outward, size * UP * (0.9 + 0.2 * behind)
    rows = base + (0.5 + 0.9 * np.cos(turn)) * out + np.sin(turn) * up
    fold = 1 + 0.05 * np.cos(5 * turn + 9 * angles[:, None])
    inside = np.where(np.cos(turn) < -0.35, 0.62, 1.0)
    surface = sheet(under_jaw(rows, body.head, anatomy), np.array(outfit.colour) * fold * inside)
    cords = []
    for side in (-1.0, 1.0):
        at = _cord_points(anatomy, side)
        path = at @ body.vertices + 13.5 * (at @ body.normals)
        cords.append(tube(path, np.append(np.full(len(path) - 1, 2.3), 3.4), outfit.second, sides=6))
    return [surface, *cords]


@functools.cache
def _hood_line(anatomy: Anatomy, columns: int) -> tuple[csr_array, Reals]:
    angles = np.radians(np.linspace(6, 354, columns))
    return level_line(anatomy, neckline(bust_model(anatomy).template, *LINES["hoodie"]) - 4, angles), angles


@functools.cache
def _cord_points(anatomy: Anatomy, side: float) -> csr_array:
    down = np.linspace(-193, -285, 9)
    x = side * (20 + 6 * np.sin(np.linspace(0, 3, 9)))
    return front(bust_model(anatomy), np.stack([x, down], axis=1))
