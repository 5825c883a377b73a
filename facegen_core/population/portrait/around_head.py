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
from facegen_core.population.portrait.bust import bust_model, mesh_normals
from facegen_core.population.portrait.cloth import below_edge
from facegen_core.population.portrait.roots import skin
from facegen_core.population.portrait.skin_normals import unit

LOW, HIGH = np.array([-176.0, -280.0, -272.0]), np.array([176.0, 264.0, 152.0])
"""Corners of the space, mm on the template; points outside it count as on its border."""
FINE_MM, COARSE_MM = 8.0, 24.0
"""Between the points where distances, and where moves are known."""
STILL_MM = 0.5
"""Vertices that no facial action at strength 1 moves further than this carry the space around the head."""
CARRIERS = 12
CLOTH_MM = 8.0
"""How far hair stays away from the skin of neck, shoulders and chest, for the clothes on them."""


@dataclass(frozen=True, eq=False)
class Space:
    """Lattices around the template.

    Attributes:
        field: (X * Y * Z, 4) distance from head and clothes, mm, below 0 inside, and the way away from them.
        nearest: (X * Y * Z,) the nearest row of :func:`.roots.skin`.
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
    soil, points = skin(anatomy), _lattice(FINE_MM)
    nearest = cKDTree(soil.at).query(points)[1]
    above = np.einsum("pc,pc->p", points - soil.at[nearest], soil.away[nearest])
    distance = np.minimum(above, _from_body(points, anatomy) - CLOTH_MM).reshape(_shape(FINE_MM))
    smooth = gaussian_filter(distance, 0.7)
    slope = np.stack(np.gradient(gaussian_filter(distance, 1.2)), axis=-1).reshape(-1, 3)
    field = np.concatenate([smooth.reshape(-1, 1), unit(slope)], axis=1).astype(np.float32)
    return Space(field, nearest, _carried(anatomy))


def _carried(anatomy: Anatomy) -> csr_array:
    """Shepard's interpolation, in its local form, from vertices that expressions leave alone."""
    template, outer = anatomy.template.numpy(), np.unique(anatomy.faces[anatomy.parts["skin"]])
    still = outer[np.abs(anatomy.actions.numpy()[:, outer]).max((0, 2)) < STILL_MM]
    nodes = _lattice(COARSE_MM)
    far, near = cKDTree(template[still]).query(nodes, k=CARRIERS + 1)
    weight = (1 / (far[:, :-1] + 1) - 1 / (far[:, -1:] + 1.001)) ** 2
    weight /= weight.sum(1, keepdims=True)
    starts = np.arange(0, weight.size + 1, CARRIERS)
    columns = still[near[:, :-1]].ravel()
    return csr_array((weight.ravel().astype(np.float32), columns, starts), shape=(len(nodes), len(template)))


def _from_body(points: npt.NDArray[np.float64], anatomy: Anatomy) -> npt.NDArray[np.float64]:
    """Distance (P,) of points (P, 3) from the skin of the average bust, below 0 inside; it is open at the neck."""
    body = bust_model(anatomy)
    away, nearest = cKDTree(body.template).query(points)
    normals = mesh_normals(body.template, body.faces)[nearest]
    off = np.einsum("pc,pc->p", points - body.template[nearest], normals)
    return np.where(below_edge(points) > 0, off, away)


def _shape(spacing: float) -> tuple[int, int, int]:
    x, y, z = (int(n) + 1 for n in np.ceil((HIGH - LOW) / spacing))
    return x, y, z


def _lattice(spacing: float) -> npt.NDArray[np.float64]:
    axes = [low + spacing * np.arange(n) for low, n in zip(LOW, _shape(spacing), strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
