"""Clothes that are buttoned: shirts with collars, suits with ties."""

import functools

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, Reals, bust_model
from facegen_core.population.portrait.cloth import (
    NECK_Z,
    OFF_MIDDLE,
    UP,
    Layer,
    around_neck,
    cut,
    front,
    front_line,
    level_line,
    neckline,
    outward,
    round_neck,
    split,
)
from facegen_core.population.portrait.garments import (
    CHECK_MM,
    LINES,
    THICKNESS,
    bands,
    between,
    folded,
    hang,
)
from facegen_core.population.portrait.outfits import Colour, Outfit
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.solids import Part, balls, join, sheet

COLLAR_COLUMNS = 61
TIE = np.array([
    [-168, 11, 9, 0.9], [-171, 16.5, 15, 1.05], [-181, 15.5, 17, 1], [-192, 12, 14, 0.85], [-196, 11.5, 8, 0.6],
    [-205, 14, 7, 0.95], [-225, 18, 7, 1], [-250, 22, 7, 1], [-280, 26, 7, 1], [-315, 30, 7, 1], [-350, 33, 7, 1],
])  # fmt: skip
"""From the knot down: height on the average bust, half the width, distance from the skin (mm), and brightness."""
TIE_ACROSS = np.array([-1, -0.96, -0.5, 0, 0.5, 0.96, 1])


def shirt(outfit: Outfit, body: Body, anatomy: Anatomy) -> list[Part]:
    """A shirt with collar, placket and buttons."""
    colour = outfit.colour
    layer, _ = between(anatomy, "shirt", 0.0, np.inf, "plain")
    painted = np.broadcast_to(np.array(colour), layer.template.shape)
    if outfit.pattern == "checked":
        layer, painted = _checked(anatomy, colour, outfit.second)
    placket = _placket(anatomy)
    parts = hang(layer, body, THICKNESS["shirt"], painted, folded(layer, outfit), hems=False)
    parts += hang(placket, body, THICKNESS["shirt"] + 1.5, colour, folded(placket, outfit))
    at = front_line(anatomy, -195.0, -345.0, 3)
    places = at @ body.vertices + 7.0 * (at @ body.normals)
    parts.append(balls(places, np.array([5.0, 5.0, 2.2]), np.array(colour) * 0.35 + 0.5))
    return [*parts, _collar(body, anatomy, colour, THICKNESS["shirt"])]


@functools.cache
def _placket(anatomy: Anatomy) -> Layer:
    layer, _ = between(anatomy, "shirt", 0.0, np.inf, "plain")
    x, _, z = layer.template.T
    return cut(layer, np.minimum(15 - np.abs(x), z - NECK_Z))


@functools.cache
def _checks(anatomy: Anatomy) -> tuple[Layer, Reals]:
    """A shirt split into checks, and how much of the second colour each vertex has."""
    layer, _ = between(anatomy, "shirt", 0.0, np.inf, "plain")
    layer, level = split(layer, bands(layer, CHECK_MM))
    return layer, level.astype(np.float64)


def _checked(anatomy: Anatomy, colour: Colour, second: Colour) -> tuple[Layer, Reals]:
    layer, level = _checks(anatomy)
    upright = 0.5 + 0.5 * np.tanh(4 * np.cos(2 * np.pi * layer.template[:, 0] / CHECK_MM))
    share = (0.5 * level + 0.5 * upright)[:, None]
    return layer, np.array(colour) * share + np.array(second) * (1 - share)


def _collar(body: Body, anatomy: Anatomy, colour: npt.ArrayLike, lift: float) -> Part:
    """A shirt's collar: a stand around the neck and, folded over it, a leaf with two points."""
    foot, edge, angles = _collar_lines(anatomy, COLLAR_COLUMNS)
    base, low = foot @ body.vertices, edge @ body.vertices + (lift + 5) * (edge @ body.normals)
    out = outward(angles)
    height = 17 - 5 * np.cos(angles)
    top = base + height[:, None] * UP + 3 * out
    rows = [base + 1.5 * (foot @ body.normals), base + 0.6 * height[:, None] * UP + 3 * out, top + 1.5 * UP]
    for share in (0.12, 0.35, 0.6, 0.8, 1.0):
        bulge = 5 * np.sin(np.pi * share) * out
        rows.append((1 - share) * (top + 3 * out) + share * low + bulge)
    rows.append(low - 3.5 * (edge @ body.normals))
    shade = np.array([0.8, 0.9, 1.03, 1.03, 1.0, 1.0, 1.0, 1.0, 0.75])[:, None, None]
    return sheet(round_neck(np.stack(rows), body, anatomy)[::-1], (np.asarray(colour) * shade)[::-1])


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


def suit(outfit: Outfit, body: Body, anatomy: Anatomy) -> list[Piece]:
    """A jacket with lapels over a shirt with a tie."""
    jacket, lapels, shirt = _suit_layers(anatomy)
    parts = hang(jacket, body, THICKNESS["suit"], outfit.colour, folded(jacket, outfit), hems=False)
    parts += hang(lapels, body, THICKNESS["suit"] + 5, np.array(outfit.colour) * 1.13, folded(lapels, outfit))
    linen = hang(shirt, body, THICKNESS["shirt"], outfit.second, folded(shirt, outfit) * 0.7, hems=False)
    linen.append(_collar(body, anatomy, outfit.second, THICKNESS["shirt"]))
    tie = _tie(body, anatomy, outfit.tie)
    return [join(parts, "cloth", thin=True), join(linen, "cloth", thin=True), join([tie], "cloth")]


@functools.cache
def _suit_layers(anatomy: Anatomy) -> tuple[Layer, Layer, Layer]:
    """Jacket, lapels with the collar, and what of the shirt can be seen."""
    jacket, _ = between(anatomy, "suit", 0.0, np.inf, "plain")
    x, y, z = np.abs(jacket.template[:, 0]), jacket.template[:, 1], jacket.template[:, 2]
    inside = neckline(jacket.template, *LINES["suit"])
    width = np.where(z > -100, np.interp(-y, [120, 190, 235, 340], [34, 50, 54, 10]), 34)
    notch = np.maximum(np.abs(y + 196 - 0.25 * (x - 70)) - 3.0, 24 - inside)
    lapels = cut(jacket, np.minimum(width - inside, np.where(z > -100, notch, 50)))
    shirt, _ = between(anatomy, "shirt", 0.0, np.inf, "plain")
    return jacket, lapels, cut(shirt, 18 - neckline(shirt.template, *LINES["suit"]))


def _tie(body: Body, anatomy: Anatomy, colour: Colour) -> Part:
    """A tie with its knot, down the middle of the shirt."""
    at, (rows, columns) = _tie_points(anatomy), (len(TIE), len(TIE_ACROSS))
    points, normals = ((at @ values).reshape(rows, columns, 3) for values in (body.vertices, body.normals))
    bulge = 1 - 0.7 * np.abs(TIE_ACROSS) ** 6
    lifted = points + (TIE[:, 2:3] * bulge)[..., None] * normals + np.array([0, 0, 3.0])
    return sheet(lifted[::-1], (np.array(colour) * TIE[:, 3, None, None])[::-1])


@functools.cache
def _tie_points(anatomy: Anatomy) -> csr_array:
    x = np.multiply.outer(TIE[:, 1], TIE_ACROSS) + OFF_MIDDLE
    y = np.broadcast_to(TIE[:, :1], x.shape)
    return front(bust_model(anatomy), np.stack([x.ravel(), y.ravel()], axis=1))
