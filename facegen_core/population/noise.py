"""Noise on the map that is the same at every resolution, and soft shapes to paint with."""

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import map_coordinates

from facegen_core.geometry.mesh import Floats
from facegen_core.seeding import numpy_generator


def noise(seed: int, layer: int, cells: int, pixels: int) -> Floats:
    """Smooth noise of about unit variance.

    The random numbers stand on a lattice that does not depend on the resolution; a map too coarse to show it gets its
    average, so that a fine map made smaller looks like a coarse one.

    Args:
        seed: of the person's details.
        layer: which noise: others are independent.
        cells: lattice points across the map.
        pixels: side of the map.

    Returns:
        (pixels, pixels) float32.
    """
    lattice = numpy_generator(seed, layer).standard_normal((cells, cells), dtype=np.float32)
    return np.asarray(Image.fromarray(lattice).resize((pixels, pixels), Image.Resampling.BICUBIC))


def clouds(seed: int, layer: int, cells: list[int], pixels: int) -> Floats:
    """A sum of noises, coarse to fine, each weaker in proportion to its cells; about unit variance."""
    weights = np.array([cells[0] / n for n in cells]) ** 0.5
    weights /= np.linalg.norm(weights)
    layers = (w * noise(seed, 16 * layer + i, n, pixels) for i, (n, w) in enumerate(zip(cells, weights, strict=True)))
    return sum(layers, start=np.float32(0))


def strands(seed: int, layer: int, along: Floats, across: Floats) -> Floats:
    """Noise that is long in one direction and fine in the other, as hair is.

    Args:
        seed: of the person's details.
        layer: which noise.
        along: coordinate in strand lengths.
        across: coordinate in strand widths, of the same shape.
    """
    lattice = numpy_generator(seed, layer).standard_normal((64, 1024), dtype=np.float32)
    return map_coordinates(lattice, [along, across], order=1, mode="grid-wrap", output=np.float32)


def step(values: npt.NDArray[np.floating], width: float) -> Floats:
    """A soft edge: 0 well below zero, 1 well above, rising over about ``width``."""
    width = float(width)  # a numpy scalar would make the map float64
    return 1 / (1 + np.exp((-4 / width) * np.clip(values, -8 * width, 8 * width)))


def bump(x: Floats, y: Floats, width: float, height: float) -> Floats:
    """A soft spot around the origin: exp(-(x / width)^2 - (y / height)^2)."""
    return np.exp(-((x / width) ** 2) - (y / height) ** 2)


def shown(width: float, texel: float) -> float:
    """How much of a detail of some width a texel shows, from 0 to 1; both in mm."""
    return min(max(1.5 * width / texel - 0.25, 0.0), 1.0)
