"""The ways in which the skin of a head faces."""

import functools

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population.anatomy import Anatomy


def normals(head: npt.NDArray[np.floating], anatomy: Anatomy) -> Floats:
    """(V, 3) smooth normals of the skin of a head (V, 3), of length 1, 0 elsewhere; triangles count by their areas."""
    triangles, around = _triangles(anatomy)
    head = head.astype(np.float32, copy=False)
    a, b, c = (head[corner] for corner in triangles.T)
    (x, y, z), (u, v, w) = (b - a).T, (c - a).T
    return unit(around @ np.stack([y * w - z * v, z * u - x * w, x * v - y * u], axis=1))


@functools.lru_cache(maxsize=1)
def _triangles(anatomy: Anatomy) -> tuple[Indices, csr_array]:
    """The skin's triangles (F, 3), and which of them lie around each vertex, (V, F)."""
    triangles = anatomy.faces[anatomy.parts["skin"]]
    column = np.arange(len(triangles)).repeat(3)
    shape = (len(anatomy.template), len(triangles))
    return triangles, csr_array((np.ones(triangles.size, np.float32), (triangles.ravel(), column)), shape=shape)


def unit(vectors: npt.NDArray[np.floating]) -> Floats:
    """Vectors (..., 3) made to be of length 1."""
    length = np.sqrt(np.einsum("...c,...c->...", vectors, vectors))[..., None]
    return (vectors / np.maximum(length, 1e-9)).astype(np.float32, copy=False)
