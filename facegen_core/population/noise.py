"""Noise on the map that is the same at every resolution, and soft shapes to paint with."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import map_coordinates

from facegen_core.geometry.mesh import Floats
from facegen_core.seeding import numpy_generator

Values = npt.NDArray[np.floating]


class Layer(IntEnum):
    """What noise is drawn for: each has random numbers of its own."""

    BLOOD = 0
    MELANIN = 1
    PORES = 2
    CHIN_PITS = 3
    LIP_FURROWS = 4
    LIPS_ACROSS = 5
    LIPS_UP = 6
    LINES_ACROSS = 7
    LINES_UP = 8
    LINES_BROKEN = 9
    BROWS = 10
    BROWS_THICK = 11
    LEFT_BROW = 12
    RIGHT_BROW = 13
    HAIRLINE = 14
    SCALP = 15
    SHEEN = 16
    TUFTS = 17
    BEARD = 18
    STUBBLE = 19


def noise(seed: int, layer: Layer, cells: int, pixels: int, octave: int = 0) -> Floats:
    """Smooth noise of about unit variance.

    The random numbers stand on a lattice that does not depend on the resolution; a map too coarse to show it gets its
    average, so that a fine map made smaller looks like a coarse one.

    Args:
        seed: of the person's details.
        layer: what it is for.
        cells: lattice points across the map.
        pixels: side of the map.
        octave: which of several for the same.

    Returns:
        (pixels, pixels) float32.
    """
    lattice = numpy_generator(seed, layer, octave).standard_normal((cells, cells), dtype=np.float32)
    return np.asarray(Image.fromarray(lattice).resize((pixels, pixels), Image.Resampling.BICUBIC))


def clouds(seed: int, layer: Layer, cells: list[int], pixels: int) -> Floats:
    """A sum of noises, coarse to fine, each weaker in proportion to its cells; about unit variance."""
    weights = np.array([cells[0] / n for n in cells]) ** 0.5
    weights /= np.linalg.norm(weights)
    total = np.zeros((pixels, pixels), dtype=np.float32)
    for i, (n, weight) in enumerate(zip(cells, weights.tolist(), strict=True)):
        total += weight * noise(seed, layer, n, pixels, octave=i)
    return total


def strands(seed: int, layer: Layer, along: Values, across: Values) -> Floats:
    """Noise that is long in one direction and fine in the other, as hair is.

    Args:
        seed: of the person's details.
        layer: what it is for.
        along: coordinate in strand lengths.
        across: coordinate in strand widths, of the same shape.
    """
    lattice = numpy_generator(seed, layer).standard_normal((64, 1024), dtype=np.float32)
    return map_coordinates(lattice, [along, across], order=1, mode="grid-wrap", output=np.float32)


def step(values: Values, width: float) -> Floats:
    """A soft edge: 0 well below zero, 1 well above, rising over about ``width``."""
    width = float(width)  # a numpy scalar would make the map float64
    return 1 / (1 + np.exp((-4 / width) * np.clip(values, -8 * width, 8 * width)))


def bump(x: Values, y: Values, width: float, height: float) -> Floats:
    """A soft spot around the origin: exp(-(x / width)^2 - (y / height)^2)."""
    return np.exp(-((x / width) ** 2) - (y / height) ** 2)


def shown(width: float, texel: float) -> float:
    """How much of a detail of some width a texel shows, from 0 to 1; both in mm."""
    return min(max(1.5 * width / texel - 0.25, 0.0), 1.0)
