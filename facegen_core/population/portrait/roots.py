"""Where hair grows: places on the skin that move along with it."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.canvas import Surface, surface
from facegen_core.population.portrait.skin_normals import normals, unit

PIXELS = 256
"""Side of the map on which places are chosen: a texel is 1 mm of the face and 2 mm of the scalp."""


class Places(NamedTuple):
    """Points on the skin, or some way above it.

    Attributes:
        corners: (P, 3) vertices around each.
        shares: (P, 3) of each corner in it.
        height: (P,) over the skin, mm.
        beside: (P, 3) what is left to the point on the template, less than a texel, mm.
    """

    corners: Indices
    shares: Floats
    height: Floats
    beside: Floats

    def on(self, head: Floats, normal: Floats) -> Floats:
        """The points (P, 3) on a head (V, 3) with normals (V, 3)."""
        at = np.einsum("pk,pkc->pc", self.shares, head[self.corners])
        return at + self.height[:, None] * self.normals(normal) + self.beside

    def normals(self, normal: Floats) -> Floats:
        """(P, 3) those of the skin, of a length near 1, between normals (V, 3) of its vertices."""
        return np.einsum("pk,pkc->pc", self.shares, normal[self.corners])


class Skin(NamedTuple):
    """The template's skin as texels of its map, row after row of their Z-order: neighbours in it lie close together.

    Attributes:
        texel: (T,) where each lies in the flattened map.
        corners: (T, 3) vertices of the triangle around each.
        shares: (T, 3) of each corner in it.
        area: (T,) mm^2.
        at: (T, 3) on the template, mm.
        away: (T, 3) the normal there.
    """

    texel: Indices
    corners: Indices
    shares: Floats
    area: Floats
    at: Floats
    away: Floats

    def places(self, rows: Indices) -> Places:
        """The middles of some texels."""
        return Places(
            self.corners[rows],
            self.shares[rows],
            np.zeros(len(rows), np.float32),
            np.zeros((len(rows), 3), np.float32),
        )


def ground(anatomy: Anatomy) -> Surface:
    """The map that covers of hair are painted on."""
    return surface(anatomy, PIXELS)


@functools.lru_cache(maxsize=1)
def skin(anatomy: Anatomy) -> Skin:
    """The template's skin; kept."""
    on = ground(anatomy)
    rows, columns = np.nonzero(on.covered & on.on("skin"))
    order = np.argsort(_spread_bits(rows) << 1 | _spread_bits(columns))
    texel = (rows * PIXELS + columns)[order]
    corners = on.between.indices.reshape(-1, 3)[texel].astype(np.int64)
    shares = on.between.data.reshape(-1, 3)[texel].astype(np.float32)
    template = anatomy.template.numpy().astype(np.float32)
    away = normals(template, anatomy)
    a, b, c = (template[corner] for corner in corners.T)
    twice = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    _, same, count = np.unique(np.sort(corners, axis=1), axis=0, return_inverse=True, return_counts=True)
    at, normal = (np.einsum("pk,pkc->pc", shares, values[corners]) for values in (template, away))
    return Skin(texel, corners, shares, (twice / 2 / count[same.ravel()]).astype(np.float32), at, unit(normal))


def sow(cover: Floats, count: int, random: np.random.Generator, anatomy: Anatomy) -> Indices:
    """Rows of :func:`skin` at which hair grows: as dense as it covers a map (R, R), and evenly spread; in Z-order.

    Args:
        cover: how thick hair lies.
        count: how many roots; none if nothing is covered.
        random: jitters them.
        anatomy: whose skin.
    """
    weight = np.cumsum(skin(anatomy).area * cover.ravel()[skin(anatomy).texel], dtype=np.float64)
    if not count or weight[-1] <= 0:
        return np.zeros(0, dtype=np.int64)
    steps = (np.arange(count) + random.random(count)) * (weight[-1] / count)
    return np.searchsorted(weight, steps, side="right").clip(max=len(weight) - 1).astype(np.int64)


def _spread_bits(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A zero between each two of the lowest 16 bits."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        numbers = (numbers | numbers << shift) & mask
    return numbers
