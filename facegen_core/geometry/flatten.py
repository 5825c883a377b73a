"""Lays a disk of triangles out flat, without overlaps and with each part near the size it should have."""

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array, eye_array
from scipy.sparse.linalg import spsolve

from facegen_core.geometry.mesh import Indices

Reals = npt.NDArray[np.float64]

ROUNDS, GAIN = 60, 0.2
"""How often the weights are changed at most (it ends when a change does not help), and the exponent of each change."""


def flatten(points: Reals, triangles: Indices, outline: Indices, on: Reals, size: Reals) -> Reals:
    """Positions in the plane of a mesh that is a disk.

    With its outline on a convex curve and each other point at a weighted mean of its neighbours, no two triangles
    overlap, whatever the weights as long as they are positive (Tutte 1963; Floater 2003). So one may start from weights
    that keep shapes, Floater's mean value coordinates, and loosen them around points whose triangles came out too
    small (Yoshizawa, Belyaev and Seidel 2004, "A fast and simple stretch-minimizing mesh parameterization").

    Args:
        points: (P, 3), any unit.
        triangles: (F, 3), all turning the same way.
        outline: (L,) the points of the boundary, in order.
        on: (L, 2) where they go: corners of a convex polygon.
        size: (F,) length wanted in the plane against length in space, up to a common factor; 0 does not care.

    Returns:
        (P, 2).
    """
    inner = np.setdiff1d(np.arange(len(points)), outline)
    first, second = (points[triangles[:, k]] - points[triangles[:, 0]] for k in (1, 2))
    area = np.linalg.norm(np.cross(first, second), axis=1)
    area[size == 0] = 0
    around = _gather(area, triangles, len(points))
    weights = _mean_value_weights(points, triangles)
    plane = np.zeros((len(points), 2))
    plane[outline] = on
    best, least = plane, np.inf
    for _ in range(ROUNDS):
        means = csr_array(weights.multiply(1 / weights.sum(1)[:, None]))
        system = eye_array(len(inner)) - means[inner][:, inner]
        plane[inner] = spsolve(system.tocsc(), means[inner][:, outline] @ on)
        stretch = np.where(size > 0, stretches(points, plane, triangles) * size, 0)
        total = float((area * stretch**2).sum())
        if not total < least:
            break
        best, least = plane.copy(), total
        mean = np.sqrt(_gather(area * stretch**2, triangles, len(points)) / np.maximum(around, 1e-12))
        mean[around == 0] = np.sqrt(total / area.sum())
        weights = csr_array(weights.multiply(mean[None] ** -GAIN))
    return best


def stretches(points: Reals, plane: Reals, triangles: Indices) -> Reals:
    """How far each triangle is stretched from the plane into space, (F,): the root mean square over all directions.

    Sander et al. 2001, "Texture mapping progressive meshes", the L2 stretch.
    """
    p, q = points[triangles], plane[triangles]
    twice = _cross(q[:, 1] - q[:, 0], q[:, 2] - q[:, 0])[:, None]
    du = (p * (np.roll(q, -1, 1) - np.roll(q, 1, 1))[..., 1:]).sum(1) / twice
    dv = (p * (np.roll(q, 1, 1) - np.roll(q, -1, 1))[..., :1]).sum(1) / twice
    return np.sqrt(((du**2).sum(1) + (dv**2).sum(1)) / 2)


def boundary_loops(triangles: Indices) -> list[Indices]:
    """The loops that bound a mesh (F, 3), each in the direction its triangles turn."""
    edges = {(a, b) for t in triangles.tolist() for a, b in zip(t, t[1:] + t[:1], strict=True)}
    after = {a: b for a, b in edges if (b, a) not in edges}
    loops = []
    while after:
        loop = [min(after)]
        while loop[-1] in after:
            loop.append(after.pop(loop[-1]))
        loops.append(np.array(loop[:-1], dtype=np.int64))
    return loops


def _mean_value_weights(points: Reals, triangles: Indices) -> csr_array:
    """Weights (P, P) of each point's neighbours (Floater 2003, "Mean value coordinates")."""
    rows, columns, values = [], [], []
    for k in range(3):
        here, *others = (triangles[:, (k + i) % 3] for i in range(3))
        sides = [points[other] - points[here] for other in others]
        lengths = [np.linalg.norm(side, axis=1) for side in sides]
        angle = np.arctan2(np.linalg.norm(np.cross(sides[0], sides[1]), axis=1), (sides[0] * sides[1]).sum(1))
        for other, length in zip(others, lengths, strict=True):
            rows.append(here)
            columns.append(other)
            values.append(np.tan(np.clip(angle, 0.02, np.pi - 0.02) / 2) / length)
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return coo_array(entries, (len(points),) * 2).tocsr()


def _gather(values: Reals, triangles: Indices, count: int) -> Reals:
    """Sums of the triangles' values around each point."""
    return np.bincount(triangles.ravel(), np.repeat(values, 3), count).astype(np.float64)


def _cross(a: Reals, b: Reals) -> Reals:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
