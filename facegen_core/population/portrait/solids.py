"""Small solids that costumes are made of: balls, sheets, tubes; and how parts are joined to a piece."""

import functools
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.geometry.mesh import Indices
from facegen_core.population.portrait.pieces import Material, Piece

Reals = npt.NDArray[np.float64]


class Part(NamedTuple):
    """Triangles with colours that become a piece together with others.

    Attributes:
        vertices: (V, 3) mm.
        faces: (F, 3).
        colours: (V, 3) sRGB in [0, 1].
    """

    vertices: Reals
    faces: Indices
    colours: Reals


def join(
    parts: Sequence[Part], material: Material, follows: Literal["head", "body"] = "body", thin: bool = False
) -> Piece:
    """One piece of several parts."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Piece(
        vertices=np.concatenate([part.vertices for part in parts]).astype(np.float32),
        faces=np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)]),
        colours=np.concatenate([part.colours for part in parts]).clip(0, 1).astype(np.float32),
        material=material,
        follows=follows,
        thin=thin,
    )


def balls(centres: Reals, radii: npt.ArrayLike, colours: npt.ArrayLike, fineness: int = 1) -> Part:
    """Round or stretched balls.

    Args:
        centres: (K, 3).
        radii: along the axes, mm: one number, (3,), (K, 1) or (K, 3).
        colours: (K, 3) or (3,).
        fineness: 0 is 12 vertices a ball, 1 is 42, 2 is 162.
    """
    unit, triangles = _icosphere(fineness)
    radii = np.broadcast_to(np.asarray(radii, dtype=np.float64), centres.shape)
    vertices = centres[:, None] + unit * radii[:, None]
    faces = triangles + len(unit) * np.arange(len(centres))[:, None, None]
    painted = np.broadcast_to(np.asarray(colours, dtype=np.float64), centres.shape)
    return Part(vertices.reshape(-1, 3), faces.reshape(-1, 3), np.repeat(painted, len(unit), axis=0))


def sheet(points: Reals, colours: npt.ArrayLike, closed: bool = False) -> Part:
    """A surface through rows of points.

    Args:
        points: (R, M, 3). Seen from outside, the next row is above and the next column to the right.
        colours: (R, M, 3), (R, 1, 3) or (3,).
        closed: the last column is joined to the first.
    """
    rows, columns = points.shape[:2]
    painted = np.broadcast_to(np.asarray(colours, dtype=np.float64), points.shape)
    return Part(points.reshape(-1, 3), grid(rows, columns, closed), painted.reshape(-1, 3))


def tube(path: Reals, radii: npt.ArrayLike, colours: npt.ArrayLike, sides: int = 8, closed: bool = False) -> Part:
    """A round tube along a path.

    Args:
        path: (M, 3).
        radii: (M,) or one for all.
        colours: (3,) or (M, 3).
        sides: corners of a cross-section.
        closed: the path returns to its beginning.
    """
    across, third = across_path(path, closed)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)[:, None, None]
    radius = np.broadcast_to(np.asarray(radii, dtype=np.float64), len(path))[:, None]
    points = path + radius * (np.cos(angle) * across + np.sin(angle) * third)  # (sides, M, 3)
    painted = np.broadcast_to(np.asarray(colours, dtype=np.float64), path.shape)
    ring = sheet(points.transpose(1, 0, 2), np.repeat(painted[:, None], sides, axis=1), closed=True)
    if not closed:
        return ring
    last = (len(path) - 1) * sides
    lower, upper = np.arange(sides) + last, np.arange(sides)
    join_up = _strip(lower, upper, np.roll(lower, -1), np.roll(upper, -1))
    return ring._replace(faces=np.concatenate([ring.faces, join_up]))


def across_path(path: Reals, closed: bool) -> tuple[Reals, Reals]:
    """Two directions across a path (M, 3) at each of its points, (M, 3) of length 1, at right angles."""
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    across = np.cross(ahead, np.eye(3)[np.abs(ahead).max(0).argmin()])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return across, np.cross(ahead, across)


def grid(rows: int, columns: int, closed: bool = False) -> Indices:
    """Triangles (F, 3) between points that are numbered row by row, as :func:`sheet` has them."""
    place = np.arange(rows * columns).reshape(rows, columns)
    here, right = (place, np.roll(place, -1, 1)) if closed else (place[:, :-1], place[:, 1:])
    return _strip(here[:-1].ravel(), here[1:].ravel(), right[:-1].ravel(), right[1:].ravel())


def _strip(low: Indices, high: Indices, low_right: Indices, high_right: Indices) -> Indices:
    """Two triangles for each four corners."""
    first, second = np.stack([low, low_right, high_right], 1), np.stack([low, high_right, high], 1)
    return np.concatenate([first, second]).astype(np.int64)


@functools.cache
def _icosphere(fineness: int) -> tuple[Reals, Indices]:
    """A regular icosahedron whose triangles are split in four, ``fineness`` times: (V, 3) of length 1 and (F, 3)."""
    golden = (1 + 5**0.5) / 2
    corners = [(a, b * golden, 0.0) for a in (-1.0, 1.0) for b in (-1.0, 1.0)]
    points = np.array([np.roll(corner, k) for corner in corners for k in range(3)])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    near = points @ points.T > 0.4
    trios = [(i, j, k) for i in range(12) for j in range(i) for k in range(j)]
    faces = np.array([(i, j, k) for i, j, k in trios if near[i, j] and near[j, k] and near[i, k]])
    for _ in range(fineness):
        sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        edges, edge = np.unique(sides, axis=0, return_inverse=True)
        (a, b, c), (ab, bc, ca) = faces.T, len(points) + edge.reshape(-1, 3).T
        faces = np.concatenate([np.stack(trio, 1) for trio in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
        points = np.concatenate([points, points[edges].mean(1)])
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    a, b, c = points[faces].transpose(1, 0, 2)
    inward = (np.cross(b - a, c - a) * a).sum(1) < 0
    faces[inward] = faces[inward][:, ::-1]
    return points, faces.astype(np.int64)
