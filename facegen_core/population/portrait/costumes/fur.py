"""Fur and wool: surfaces that bulge into tufts, darker where these meet."""

import functools

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from facegen_core.geometry.mesh import Indices
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, Reals, bust_model, mesh_normals
from facegen_core.population.portrait.cloth import Layer, cut, drape, level_line, neckline, whole
from facegen_core.population.portrait.garments import Line, folds, hang
from facegen_core.population.portrait.shapes import Part, balls, sheet
from facegen_core.population.portrait.spirals import over_sphere
from facegen_core.population.portrait.subdivide import subdivide

DEEP = 0.58
"""Brightness between tufts, where little light comes."""
FLAT = 0.93
"""How far down its side a tuft can be seen at most, against its radius."""


STEP, SIDES, CORE, TUFT = 0.3, 16, 0.7, 0.62
"""Of a roll of fur, against its radius: mesh along it and around it, radius below the tufts, radius of these."""


def tufted(points: Reals, centres: Reals, radius: float) -> Reals:
    """How high (n,) tufts around centres (K, 3) rise above points (n, 3) of a surface, from 0 to about 1 radius."""
    far = cKDTree(centres).query(points)[0]
    deepest = np.sqrt(1 - FLAT**2)
    return np.asarray((np.sqrt(1 - np.minimum(far / radius, FLAT) ** 2) - deepest) / (1 - deepest))


def shaded(colour: npt.ArrayLike, height: Reals) -> Reals:
    """Colours (n, 3) of tufts of a height (n,), from 0 to 1."""
    return np.asarray(colour) * (DEEP + (1 - DEEP) * height**0.7)[..., None]


def boa(path: Reals, thickness: float, colour: npt.ArrayLike, closed: bool = True) -> Part:
    """A roll of fur along a path (M, 3), ``thickness`` mm in radius; a path that is not closed ends open."""
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    length = float(np.linalg.norm(ahead, axis=1).sum() / 2)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    across = np.cross(ahead, np.eye(3)[np.abs(ahead).max(0).argmin()])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    steps = max(4 * round(length / (4 * STEP * thickness)), 8)  # one of few numbers, so that their tufts can be kept
    at = np.linspace(0, len(path) if closed else len(path) - 1, steps, endpoint=not closed)
    path, across, ahead = (_between(values, at) for values in (path, across, ahead))
    angle = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)[:, None]
    outward = np.cos(angle) * across[:, None] + np.sin(angle) * np.cross(ahead, across)[:, None]
    height = _roll(steps)
    surface = path[:, None] + thickness * (CORE + (1.1 - CORE) * height[..., None]) * outward
    colours = shaded(colour, height)
    if closed:
        surface, colours = (np.concatenate([values, values[:1]]) for values in (surface, colours))
    return sheet(surface, colours, closed=True)


@functools.cache
def _roll(steps: int) -> Reals:
    """Heights of tufts (steps, SIDES) on a roll of radius 1, bent to a ring."""
    around, turn = np.meshgrid(*(2 * np.pi * np.arange(n) / n for n in (steps, SIDES)), indexing="ij")
    far = STEP * steps / (2 * np.pi) + CORE * np.cos(turn)
    points = np.stack([far * np.cos(around), far * np.sin(around), CORE * np.sin(turn)], axis=-1).reshape(-1, 3)
    centres = points[apart(points, TUFT, np.random.default_rng(steps))]
    return tufted(points, centres, TUFT).reshape(steps, SIDES)


def pompon(centre: Reals, radius: float, colour: npt.ArrayLike, count: int, fineness: int) -> Part:
    """A ball of so many tufts around a centre (3,); ``fineness`` as of :func:`.shapes.balls`."""
    ball = balls(centre[None], radius, colour, fineness)
    out = (ball.vertices - centre) / radius
    height = tufted(out, over_sphere(count), 2.2 / np.sqrt(count))
    return ball._replace(vertices=ball.vertices + 0.2 * radius * height[:, None] * out, colours=shaded(colour, height))


@functools.cache
def coat_layer(anatomy: Anatomy, line: Line) -> Layer:
    """Cloth below a neckline."""
    layer = whole(anatomy)
    return cut(layer, neckline(layer.template, *line))


def coat(
    anatomy: Anatomy, body: Body, line: Line, thickness: float, colour: npt.ArrayLike, seed: int, depth: float = 2.5
) -> list[Part]:
    """A thick garment below a neckline, with folds ``depth`` mm deep."""
    layer = coat_layer(anatomy, line)
    return hang(layer, body, thickness, colour, depth * folds(layer.template, seed))


def fleece(anatomy: Anatomy, body: Body, line: Line, radius: float, colour: npt.ArrayLike, thickness: float) -> Part:
    """A garment of wool below a neckline, with tufts of a radius, mm."""
    layer, height = _fleece(anatomy, line, radius)
    return Part(drape(layer, body, thickness + 0.8 * radius * height), layer.faces, shaded(colour, height))


@functools.cache
def _fleece(anatomy: Anatomy, line: Line, radius: float) -> tuple[Layer, Reals]:
    layer = coat_layer(anatomy, line)
    normals, middle = (
        mesh_normals(layer.template, layer.faces)[layer.faces].mean(1),
        layer.template[layer.faces].mean(1),
    )
    wanted = (normals[:, 2] > 0) & (middle[:, 1] > -330) | (middle[:, 1] > -140)
    finer, faces = subdivide(layer.faces, len(layer.template), np.unique(layer.cut), wanted)
    nothing = np.empty((0, 2), dtype=np.int64)
    layer = Layer(csr_array(finer @ layer.rows), faces, finer @ layer.template, finer @ layer.ease, nothing)
    centres = layer.template[apart(layer.template, 0.95 * radius, np.random.default_rng(0))]
    return layer, tufted(layer.template, centres, radius)


def along_neckline(anatomy: Anatomy, body: Body, line: Line, off: float, angles: Reals) -> Reals:
    """(K, 3) a line around the neck on the body, ``off`` mm above the skin, at angles (K,)."""
    rows = _along(anatomy, line, tuple(angles.tolist()))
    return np.asarray(rows @ body.vertices + off * (rows @ body.normals))


@functools.cache
def _along(anatomy: Anatomy, line: Line, angles: tuple[float, ...]) -> csr_array:
    return level_line(anatomy, neckline(bust_model(anatomy).template, *line), np.array(angles))


def apart(points: Reals, distance: float, random: np.random.Generator) -> Indices:
    """Some of the points (n, 3), none nearer to another than a distance: taken in random order."""
    near = cKDTree(points).query_ball_point(points, distance)
    free, chosen = np.ones(len(points), dtype=bool), []
    for one in random.permutation(len(points)).tolist():
        if free[one]:
            chosen.append(one)
            free[near[one]] = False
    return np.array(chosen, dtype=np.int64)


def _between(values: Reals, at: Reals) -> Reals:
    """Rows of values (M, 3), around in a circle, at places that lie between them."""
    before = np.floor(at).astype(int)
    share = (at - before)[:, None]
    return np.asarray(values[before % len(values)] * (1 - share) + values[(before + 1) % len(values)] * share)
