"""The map of the head as a grid of texels that know which point of the surface they are."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

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

    def spread(self, values: npt.NDArray[Any], faces: Indices) -> Floats:
        """Values of the vertices, (V,) or (V, C), between them on the map: (R, R) or (R, R, C) float32."""
        corners = faces[self.triangle]
        weights = self.weights if values.ndim == 1 else self.weights[..., None]
        values = values.astype(np.float32)
        return sum((values[corners[..., k]] * weights[:, :, k] for k in range(3)), start=np.float32(0))


@functools.lru_cache(maxsize=4)
def canvas(anatomy: Anatomy, pixels: int) -> Canvas:
    """The canvas of a size, kept for the next texture."""
    return rasterise(anatomy.uv, anatomy.faces_uv, pixels)


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
