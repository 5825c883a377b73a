"""Fur and wool: many small balls on a line or on cloth."""

import functools

import numpy as np
import numpy.typing as npt

from facegen_core.geometry.mesh import Indices
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, Reals, bust_model, mesh_normals
from facegen_core.population.portrait.cloth import ENDS, Layer, cut, drape, hem, level_line, neckline, whole
from facegen_core.population.portrait.everyday import Line, folds
from facegen_core.population.portrait.shapes import Part, dome_faces, dome_heights, domes, tube

SHADES, UNEVEN = 0.025, 0.07
"""Standard deviations of the brightness of tufts, and of their radii from vertex to vertex."""
DEEP = 0.62
"""Brightness between tufts, where little light comes."""


def tufts(random: np.random.Generator, centres: Reals, normals: Reals, radius: float, colour: npt.ArrayLike) -> Part:
    """Uneven little domes around centres (K, 3) of a surface with normals (K, 3), darker where they meet."""
    radii = radius * random.uniform(0.8, 1.2, (len(centres), 1))
    vertices = domes(centres, normals, radii, random, UNEVEN)
    heights = dome_heights()
    shade = DEEP + (1 - DEEP) * np.clip((heights + 0.5) / 1.1, 0, 1) ** 0.8
    shades = shade[:, None] * (1 + SHADES * random.standard_normal((len(centres), 1, 1)))
    return Part(vertices.reshape(-1, 3), dome_faces(len(centres)), (shades * np.asarray(colour)).reshape(-1, 3))


def boa(
    random: np.random.Generator, path: Reals, thickness: float, count: int, colour: npt.ArrayLike, closed: bool = True
) -> list[Part]:
    """A roll of fur along a path (M, 3): ``thickness`` is its radius, mm, ``count`` the number of its tufts."""
    core = tube(path, thickness * 0.75, np.asarray(colour) * DEEP, sides=10, closed=closed)
    around = core.vertices.reshape(len(path), 10, 3)
    step = (np.linspace(0, len(path), count, endpoint=False) + random.uniform(0, 0.5, count)).astype(int) % len(path)
    side = (np.arange(count) * 3 + random.integers(0, 2, count)) % 10
    normals = (around[step, side] - path[step]) / (thickness * 0.75)
    centres = path[step] + 0.72 * thickness * normals + random.normal(0, 0.05 * thickness, (count, 3))
    return [core, tufts(random, centres, normals, 0.5 * thickness, colour)]


@functools.cache
def coat_layer(anatomy: Anatomy, line: Line) -> Layer:
    """Cloth below a neckline."""
    layer = whole(anatomy)
    return cut(layer, neckline(layer.template, *line))


def coat(
    anatomy: Anatomy, body: Body, line: Line, thickness: float, colour: npt.ArrayLike, seed: int, depth: float = 2.5
) -> list[Part]:
    """A thick garment below a neckline, with folds ``depth`` mm deep; ``colour`` is (3,) or one a vertex of it."""
    layer = coat_layer(anatomy, line)
    fold = folds(layer.template, seed)
    colours = np.broadcast_to(np.asarray(colour), layer.template.shape) * (1 + 0.07 * fold)[:, None]
    points = drape(layer, body, thickness + depth * fold)
    return [Part(points, layer.faces, colours), hem(layer, body, points, colours)]


def along_neckline(anatomy: Anatomy, body: Body, line: Line, off: float, angles: Reals) -> Reals:
    """(K, 3) a line around the neck on the body, ``off`` mm above the skin, at angles (K,)."""
    rows = _along(anatomy, line, tuple(angles.tolist()))
    return np.asarray(rows @ body.vertices + off * (rows @ body.normals))


@functools.cache
def _along(anatomy: Anatomy, line: Line, angles: tuple[float, ...]):  # type: ignore[no-untyped-def]
    return level_line(anatomy, neckline(bust_model(anatomy).template, *line), np.array(angles))


@functools.cache
def spots(anatomy: Anatomy, line: Line, apart: float) -> Indices:
    """Vertices of the bust below a neckline that portraits show, each at least ``apart`` mm from the others."""
    model = bust_model(anatomy)
    points, normals = model.template, mesh_normals(model.template, model.faces)
    left = (neckline(points, *line) > 0) & (points[:, 1] > ENDS + 15)
    left &= (normals[:, 2] > -0.25) | (points[:, 1] > -160)
    chosen = []
    far = np.where(left, np.inf, 0.0)
    while far.max() > apart:
        chosen.append(int(far.argmax()))
        far = np.minimum(far, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.array(chosen, dtype=np.int64)
