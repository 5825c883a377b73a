"""One step of Loop subdivision, as weights: a finer, smoother mesh is a weighted sum of a coarse one's vertices."""

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from facegen_core.geometry.mesh import Indices


def subdivide(
    faces: Indices, count: int, fixed: Indices, wanted: npt.NDArray[np.bool_] | None = None
) -> tuple[csr_array, Indices]:
    """Loop's scheme (1987, with Warren's weights), with a border that keeps its place where it has to.

    Args:
        faces: (F, 3) triangles.
        count: V, how many vertices they have.
        fixed: (L,) vertices that stay where they are; an edge between two of them on the border is not halved. The rest
            of the border becomes a smooth curve.
        wanted: (F,) triangles to be made finer; those around them are split only where they touch. None is all.

    Returns:
        (N, V) weights, the first V rows for the vertices there were and one for each edge that was halved; the
        triangles of the finer mesh.
    """
    corners = np.stack([faces, np.roll(faces, -1, 1)], axis=-1).reshape(-1, 2)
    edges, edge, uses = np.unique(np.sort(corners, axis=1), axis=0, return_inverse=True, return_counts=True)
    edge, border = edge.reshape(-1, 3), uses == 1
    halved = np.ones(len(edges), dtype=bool)
    if wanted is not None:
        halved[:] = False
        halved[edge[wanted]] = True
    halved &= ~(border & np.isin(edges, fixed).all(1))
    weights = _weights(edges, edge.reshape(-1), np.roll(faces, -2, 1).reshape(-1), border, count, fixed)
    kept = np.concatenate([np.ones(count, dtype=bool), halved])
    number = np.cumsum(kept) - 1
    return csr_array(weights[kept]), _split(faces, np.where(halved, number[count:], -1)[edge])


def _weights(
    edges: Indices, edge: Indices, opposite: Indices, border: npt.NDArray[np.bool_], count: int, fixed: Indices
) -> csr_array:
    """(V + E, V): where the vertices go, and the middles of all edges; ``edge`` (3 F,) of each corner."""
    triples: list[tuple[Indices, Indices, npt.NDArray[np.float64]]] = []

    def add(row: Indices, column: Indices, weight: npt.ArrayLike) -> None:
        triples.append((row, column, np.broadcast_to(np.asarray(weight, dtype=np.float64), row.shape)))

    middle = count + np.arange(len(edges))
    for k in range(2):
        add(middle, edges[:, k], np.where(border, 0.5, 0.375))
    inner = ~border[edge]
    add(middle[edge[inner]], opposite[inner], 0.125)
    at_border, moves = np.zeros(count, dtype=bool), np.ones(count, dtype=bool)
    at_border[edges[border]] = True
    moves[fixed] = False
    degree = np.bincount(edges.ravel(), minlength=count)
    around = np.where(degree == 3, 3 / 16, 3 / (8 * np.maximum(degree, 1)))
    own = np.where(at_border, 0.75, 1 - degree * around)
    add(np.arange(count), np.arange(count), np.where(moves, own, 1))
    for a, b in (edges.T, edges.T[::-1]):
        free = moves[a] & ~at_border[a]
        add(a[free], b[free], around[a[free]])
        free = moves[a] & border
        add(a[free], b[free], 0.125)
    rows, columns, values = (np.concatenate(column) for column in zip(*triples, strict=True))
    return csr_array(coo_array((values, (rows, columns)), (count + len(edges), count)))


def _split(faces: Indices, middle: Indices) -> Indices:
    """Triangles (F, 3) split at the middles (F, 3) of their edges ab, bc, ca; -1 where an edge stays whole."""
    there = middle >= 0
    count = there.sum(1)
    first = np.select([count == 1, count == 2], [there.argmax(1), (~there).argmax(1)], 0)
    order = (first[:, None] + np.arange(3)) % 3
    (a, b, c), (ab, bc, ca) = np.take_along_axis(faces, order, 1).T, np.take_along_axis(middle, order, 1).T
    none, one, two, three = (count == k for k in range(4))
    trios = [
        (none, (a, b, c)),
        *((one, trio) for trio in ((a, ab, c), (ab, b, c))),
        *((two, trio) for trio in ((a, b, bc), (a, bc, ca), (ca, bc, c))),  # ab is whole
        *((three, trio) for trio in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))),
    ]
    return np.concatenate([np.stack(trio, axis=1)[which] for which, trio in trios])
