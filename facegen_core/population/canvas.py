"""The map of the head as a grid of texels that know which point of the surface they are."""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_array

from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population.anatomy import Anatomy

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Canvas:
    """A square map of R x R texels, row 0 on top.

    A texel outside all triangles stands for the nearest point of the surface, so that paint runs over every edge and no
    seam shows when the map is read between texels.

    Attributes:
        triangle: (R, R) int64 which triangle each texel is in.
        weights: (R, R, 3) float32 where in it, as barycentric coordinates.
        covered: (R, R) bool whether it really is in one.
    """

    triangle: Indices
    weights: Floats
    covered: Bools


class Patch(NamedTuple):
    """Something on the map that facial actions make stronger: a fold, a blush.

    Attributes:
        window: where on the map it is.
        profile: what it adds there at amount 1.
        drivers: (A,) the amount that each facial action adds at strength 1.
        resting: the amount of the relaxed face.
    """

    window: tuple[slice, slice]
    profile: Floats
    drivers: npt.NDArray[np.float64]
    resting: float

    def amount(self, strengths: npt.NDArray[np.float64]) -> float:
        """How strong it is under facial actions of some strengths (A,)."""
        return float(self.resting + self.drivers @ strengths)


def window_around(wanted: Bools) -> tuple[slice, slice] | None:
    """The smallest window of a map (R, R) that holds all that is wanted; None if that is nothing."""
    rows, columns = (np.flatnonzero(wanted.any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def drivers(gains: dict[str, float], side: str, action_names: list[str]) -> npt.NDArray[np.float64]:
    """How much each facial action adds, (A,).

    Args:
        gains: by action. A name without Left or Right stands for the action of one's own side where there are two;
            Toward and Away, at its end, for one's own side and the other.
        side: Left or Right.
        action_names: the actions, in order.
    """
    other = "Right" if side == "Left" else "Left"
    found = np.zeros(len(action_names))
    for name, gain in gains.items():
        name = name.replace("Toward", side).replace("Away", other)
        found[action_names.index(name if name in action_names else f"{name}{side}")] += gain
    return found


def rasterise(uv: Floats, faces_uv: Indices, pixels: int) -> Canvas:
    """Finds for the centre of each texel the triangle it lies in.

    Args:
        uv: (T, 2) texture coordinates in [0, 1], origin bottom left.
        faces_uv: (F, 3) triangles that do not overlap.
        pixels: side of the map.
    """
    places = uv.astype(np.float64) * [pixels, -pixels] + [-0.5, pixels - 0.5]  # columns and rows of texel centres
    corners = places[faces_uv]
    triangle = np.full((pixels, pixels), -1, dtype=np.int64)
    weights = np.zeros((pixels, pixels, 3), dtype=np.float32)
    first = np.ceil(corners.min(1) - 1e-9).clip(0).astype(int)
    last = np.floor(corners.max(1) + 1e-9).clip(max=pixels - 1).astype(int)
    for i in np.flatnonzero((first <= last).all(1)):
        (left, top), (right, bottom) = first[i], last[i]
        a, b, c = corners[i]
        x, y = np.arange(left, right + 1)[None] - c[0], np.arange(top, bottom + 1)[:, None] - c[1]
        twice = (a[0] - c[0]) * (b[1] - c[1]) - (b[0] - c[0]) * (a[1] - c[1])
        wa = (x * (b[1] - c[1]) - y * (b[0] - c[0])) / twice
        wb = (y * (a[0] - c[0]) - x * (a[1] - c[1])) / twice
        inside = (wa >= -1e-9) & (wb >= -1e-9) & (wa + wb <= 1 + 1e-9)
        triangle[top : bottom + 1, left : right + 1][inside] = i
        weights[top : bottom + 1, left : right + 1][inside] = np.stack([wa, wb, 1 - wa - wb], axis=-1)[inside]
    covered = triangle >= 0
    row, column = distance_transform_edt(~covered, return_distances=False, return_indices=True)
    return Canvas(triangle[row, column], weights[row, column], covered)


@dataclass(frozen=True, eq=False)
class Surface:
    """The template's head on a canvas: what the painter measures its strokes on.

    Attributes:
        between: (R * R, V) what each texel takes from each vertex.
        x, y, z: (R, R) where each texel lies on the template, mm.
        covered: (R, R) whether it lies inside a triangle at all; others stand for the nearest point.
        part: (R, R) index into ``names``.
        names: parts of the head.
        texel: side of a texel of the face on the skin, mm.
    """

    between: csr_array
    x: Floats
    y: Floats
    z: Floats
    covered: Bools
    part: Indices
    names: list[str]
    texel: float

    @property
    def pixels(self) -> int:
        """Side of the map."""
        return len(self.x)

    def spread(self, values: npt.NDArray[np.floating]) -> Floats:
        """Values of the vertices, (V,), between them on the map, (R, R) float32."""
        return (self.between @ values.astype(np.float32)).reshape(self.x.shape)

    def on(self, *names: str) -> Bools:
        """(R, R) bool: the texels of some parts."""
        return np.isin(self.part, [self.names.index(name) for name in names])


@functools.lru_cache(maxsize=4)
def surface(anatomy: Anatomy, pixels: int) -> Surface:
    """The template's head on a canvas of a size; kept for the next texture."""
    grid = rasterise(anatomy.uv, anatomy.faces_uv, pixels)
    template = anatomy.template.numpy()
    corners = anatomy.faces[grid.triangle].reshape(-1)
    starts = np.arange(0, len(corners) + 1, 3)
    between = csr_array((grid.weights.ravel(), corners, starts), shape=(pixels**2, len(template)))
    x, y, z = np.ascontiguousarray((between @ template.astype(np.float32)).T).reshape(3, pixels, pixels)
    names = list(anatomy.parts)
    front = anatomy.parts["skin"][template[anatomy.faces[anatomy.parts["skin"]]].mean(1)[:, 2] > 0]
    return Surface(
        between, x, y, z, grid.covered, anatomy.part_of()[grid.triangle], names, _texel(anatomy, front) / pixels
    )


def _texel(anatomy: Anatomy, triangles: Indices) -> float:
    """How many mm on the template lie along the width of the map, as the median of some triangles."""
    p, q = anatomy.template.numpy()[anatomy.faces[triangles]], anatomy.uv[anatomy.faces_uv[triangles]]
    on_skin = np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)
    a, b = q[:, 1] - q[:, 0], q[:, 2] - q[:, 0]
    return float(np.median(np.sqrt(on_skin / np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]))))
