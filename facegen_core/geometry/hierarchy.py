"""Coarser and coarser versions of a mesh, and how values on vertices move between them."""

from typing import NamedTuple

import fast_simplification
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from facegen_core.errors import FacegenError
from facegen_core.geometry.mesh import Floats, Indices

SPARE = 0.6
"""Share of the triangles wanted to which a mesh is simplified, so that there are collapses enough to stop early."""


class Coarsening(NamedTuple):
    """One step from a fine mesh of V vertices to a coarse one of C.

    Attributes:
        kept: (C,) int64, the fine vertices that stay; values go down by picking theirs.
        corners: (V, 3) int64, the coarse triangle below each fine vertex.
        weights: (V, 3) float32, barycentric coordinates in it: 0 or more, of sum 1; values go up by mixing theirs.
        faces: (F, 3) int64 triangles of the coarse mesh.
    """

    kept: Indices
    corners: Indices
    weights: Floats
    faces: Indices


def coarsen(vertices: npt.NDArray[np.floating], faces: Indices, factor: int) -> Coarsening:
    """Keeps about one vertex in ``factor``, by collapsing the edges of least quadric error (Garland and Heckbert 1997).

    Of the vertices merged into one, the nearest to where the quadrics put it is kept, so that coarse vertices are fine
    ones. Every other vertex is projected onto the coarse triangles near the one it was merged into: nearness along the
    surface keeps lips that touch apart.

    Args:
        vertices: (V, 3), any unit.
        faces: (F, 3) triangles.
        factor: above 1.

    Raises:
        FacegenError: the mesh is too small to leave a triangle.
    """
    count, wanted = len(vertices), -(-len(vertices) // factor)
    points, triangles = vertices.astype(np.float32), faces.astype(np.int32)
    least = max(1, round(SPARE * len(faces) / factor))
    *_, collapses = fast_simplification.simplify(points, triangles, target_count=least, return_collapses=True)
    placed, coarse_faces, merged = fast_simplification.replay_simplification(
        points, triangles, collapses[: count - wanted]
    )
    if len(placed) >= count or len(coarse_faces) == 0:
        raise FacegenError(f"a mesh of {count} vertices and {len(faces)} triangles is too small to keep 1 in {factor}")
    merged, coarse_faces = merged.astype(np.int64), coarse_faces.astype(np.int64)
    moved = np.linalg.norm(vertices - placed[merged], axis=1)
    order = np.lexsort((moved, merged))
    kept = order[np.unique(merged[order], return_index=True)[1]]
    corners, weights = _project(vertices, vertices[kept], coarse_faces, merged)
    corners[kept] = np.arange(len(kept))[:, None]
    weights[kept] = (1, 0, 0)
    return Coarsening(kept, corners, weights.astype(np.float32), coarse_faces)


def scaled_laplacian(faces: Indices, count: int) -> sp.csr_array:
    """The normalised graph Laplacian of a mesh's edges less the identity, ``-D^-1/2 A D^-1/2``, float32.

    Its eigenvalues lie in [-1, 1], as Chebyshev polynomials ask: the Laplacian's own lie in [0, 2].

    Args:
        faces: (F, 3) triangles.
        count: number of vertices; those in no triangle get empty rows.
    """
    start, end = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).T
    edges = sp.coo_array((np.ones(len(start)), (start, end)), shape=(count, count)).tocsr()
    adjacency = ((edges + edges.T) > 0).astype(np.float64)
    degree = np.maximum(adjacency.sum(axis=1), 1)
    scale = sp.dia_array((degree[None] ** -0.5, [0]), shape=(count, count))
    return (-(scale @ adjacency @ scale)).tocsr().astype(np.float32)


def _project(
    points: npt.NDArray[np.floating], vertices: npt.NDArray[np.floating], faces: Indices, owner: Indices
) -> tuple[Indices, npt.NDArray[np.float64]]:
    """The nearest triangle (V, 3) to each point and its coordinates there, among those around the point's owner.

    Args:
        points: (V, 3).
        vertices: (C, 3).
        faces: (F, 3).
        owner: (V,) coarse vertex; triangles that touch it or a neighbour of it are looked at.
    """
    count = len(vertices)
    incidence = sp.coo_array(
        (np.ones(faces.size, bool), (faces.ravel(), np.repeat(np.arange(len(faces)), 3))), shape=(count, len(faces))
    ).tocsr()
    around = (incidence @ incidence.T @ incidence).tocsr()[owner]
    alone = np.diff(around.indptr) == 0  # a vertex that no triangle is left around stays with its owner
    point = np.repeat(np.arange(len(points)), np.diff(around.indptr))
    triangle = around.indices
    weights = _nearest_in_triangle(points[point].astype(np.float64), vertices[faces[triangle]].astype(np.float64))
    distance = np.linalg.norm(np.einsum("pk,pkc->pc", weights, vertices[faces[triangle]]) - points[point], axis=1)
    order = np.lexsort((triangle, distance, point))
    best = order[np.unique(point[order], return_index=True)[1]]
    corners = np.repeat(owner[:, None], 3, axis=1)
    coordinates = np.tile([1.0, 0.0, 0.0], (len(points), 1))
    corners[~alone], coordinates[~alone] = faces[triangle[best]], weights[best]
    return corners, coordinates


def _nearest_in_triangle(point: npt.NDArray[np.float64], triangle: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Barycentric coordinates (P, 3) of the point of each triangle (P, 3, 3) nearest to each point (P, 3)."""
    a, ab, ac = triangle[:, 0], triangle[:, 1] - triangle[:, 0], triangle[:, 2] - triangle[:, 0]
    ap = point - a
    gram = np.einsum("pic,pjc->pij", np.stack([ab, ac], 1), np.stack([ab, ac], 1))
    right = np.einsum("pic,pc->pi", np.stack([ab, ac], 1), ap)
    area = np.maximum(np.linalg.det(gram), 1e-30)
    v = (gram[:, 1, 1] * right[:, 0] - gram[:, 0, 1] * right[:, 1]) / area
    w = (gram[:, 0, 0] * right[:, 1] - gram[:, 0, 1] * right[:, 0]) / area
    best = np.stack([1 - v - w, v, w], 1)
    outside = (best < 0).any(1)
    nearest = np.where(outside, np.inf, 0.0)
    for one, two in ((0, 1), (1, 2), (2, 0)):  # outside, the nearest point lies on an edge
        edge = triangle[:, two] - triangle[:, one]
        length = np.maximum((edge**2).sum(1), 1e-30)
        along = np.clip(((point - triangle[:, one]) * edge).sum(1) / length, 0, 1)
        distance = ((triangle[:, one] + along[:, None] * edge - point) ** 2).sum(1)
        closer = distance < nearest
        nearest[closer] = distance[closer]
        best[closer] = 0
        best[closer, one], best[closer, two] = 1 - along[closer], along[closer]
    return best
