"""The space around the head: how far each point lies from it, and where it goes on another person's head."""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population.anatomy import Anatomy

LOW, HIGH = np.array([-176.0, -280.0, -272.0]), np.array([176.0, 264.0, 152.0])
"""Corners of the space, mm on the template; points outside it count as on its border."""
FINE_MM, COARSE_MM = 8.0, 24.0
"""Between the points where distances, and where moves are known."""
STILL_MM = 0.5
"""Vertices that no facial action at strength 1 moves further than this carry the space around the head."""
CARRIERS = 12
SHOULDERS, SHOULDERS_MM = np.array([0.0, -262.0, -55.0]), np.array([215.0, 118.0, 95.0])
"""Centre and half axes of the ellipsoid that stands for a body's shoulders, which hair does not enter."""


def normals(points: npt.NDArray[np.floating], faces: Indices) -> Floats:
    """(V, 3) smooth normals of length 1 of vertices (V, 3); triangles count by their areas."""
    points = points.astype(np.float32, copy=False)
    a, b, c = (points[corner] for corner in faces.T)
    weighted = np.cross(b - a, c - a)
    corners = faces.T.ravel()
    total = np.stack([np.bincount(corners, np.tile(w, 3), len(points)) for w in weighted.T], axis=1)
    return unit(total.astype(np.float32))


def unit(vectors: npt.NDArray[np.floating]) -> Floats:
    """Vectors (..., 3) made to be of length 1."""
    length = np.sqrt(np.einsum("...c,...c->...", vectors, vectors))[..., None]
    return (vectors / np.maximum(length, 1e-9)).astype(np.float32, copy=False)


@dataclass(frozen=True, eq=False)
class Space:
    """Lattices around the template.

    Attributes:
        field: (X * Y * Z, 4) distance from head and shoulders, mm, below 0 inside, and the way away from them.
        nearest: (X * Y * Z,) the nearest vertex of the skin.
        carried: (N, V) how the coarse lattice follows the vertices.
    """

    field: Floats
    nearest: Indices
    carried: csr_array

    def look_up(self, points: Floats) -> tuple[Floats, Floats]:
        """Distances (P,) of points (P, 3) and the ways (P, 3), of length 1, that lead away from the head."""
        at, share = cells(points, FINE_MM)
        found = np.einsum("pk,pkc->pc", share, self.field[at])
        return found[:, 0], unit(found[:, 1:])


def cells(points: npt.NDArray[np.floating], spacing: float) -> tuple[Indices, Floats]:
    """The eight lattice points around each of (P, 3), and their shares in it, both (P, 8)."""
    shape = _shape(spacing)
    place = np.clip((points - LOW.astype(np.float32)) / np.float32(spacing), 0, np.array(shape, np.float32) - 1.001)
    base = place.astype(np.int64)
    over = (place - base).astype(np.float32)
    x, y, z = np.stack([1 - over, over], axis=1).transpose(2, 0, 1)
    share = x[:, :, None, None] * y[:, None, :, None] * z[:, None, None, :]
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    corner = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    return (base @ strides)[:, None] + corner @ strides, share.reshape(-1, 8)


@functools.lru_cache(maxsize=1)
def space(anatomy: Anatomy) -> Space:
    """The space around an anatomy's template; worked out in about half a second and kept."""
    template = anatomy.template.numpy().astype(np.float32)
    skin = np.unique(anatomy.faces[anatomy.parts["skin"]])
    outward = normals(template, anatomy.faces[anatomy.parts["skin"]])
    points = _lattice(FINE_MM)
    far, near = cKDTree(template[skin]).query(points, k=3)
    vertex = skin[near]
    share = 1 / (far + 0.5) ** 2
    share /= share.sum(1, keepdims=True)
    away = np.einsum("pkc,pkc->pk", points[:, None] - template[vertex], outward[vertex])
    distance = np.minimum(np.einsum("pk,pk->p", share, away), _from_shoulders(points)).reshape(_shape(FINE_MM))
    smooth = gaussian_filter(distance, 0.7)
    slope = np.stack(np.gradient(gaussian_filter(distance, 1.2)), axis=-1).reshape(-1, 3)
    field = np.concatenate([smooth.reshape(-1, 1), unit(slope)], axis=1).astype(np.float32)
    return Space(field, vertex[:, 0], _carried(anatomy, skin, template))


def _carried(anatomy: Anatomy, skin: Indices, template: Floats) -> csr_array:
    """Shepard's interpolation, in its local form, from vertices that expressions leave alone."""
    still = skin[np.abs(anatomy.actions.numpy()[:, skin]).max((0, 2)) < STILL_MM]
    nodes = _lattice(COARSE_MM)
    far, near = cKDTree(template[still]).query(nodes, k=CARRIERS + 1)
    weight = (1 / (far[:, :-1] + 1) - 1 / (far[:, -1:] + 1.001)) ** 2
    weight /= weight.sum(1, keepdims=True)
    starts = np.arange(0, weight.size + 1, CARRIERS)
    columns = still[near[:, :-1]].ravel()
    return csr_array((weight.ravel().astype(np.float32), columns, starts), shape=(len(nodes), len(template)))


def _from_shoulders(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Distance from their ellipsoid, roughly."""
    scaled = (points - SHOULDERS) / SHOULDERS_MM
    size = np.linalg.norm(scaled, axis=1)
    return size * (size - 1) / np.maximum(np.linalg.norm(scaled / SHOULDERS_MM, axis=1), 1e-6)


def _shape(spacing: float) -> tuple[int, int, int]:
    x, y, z = (int(n) + 1 for n in np.ceil((HIGH - LOW) / spacing))
    return x, y, z


def _lattice(spacing: float) -> npt.NDArray[np.float64]:
    axes = [low + spacing * np.arange(n) for low, n in zip(LOW, _shape(spacing), strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
