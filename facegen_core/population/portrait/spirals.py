"""Points spread evenly along spirals whose turns never line up: each is the golden angle further than the last."""

import numpy as np
import numpy.typing as npt

GOLDEN_ANGLE = 2.399963
"""Radians: what is left of a whole turn divided by the golden ratio, (3 - sqrt 5) pi."""


def over_sphere(count: int) -> npt.NDArray[np.float64]:
    """Directions (count, 3) spread evenly over a sphere, from the top down (Fibonacci's lattice)."""
    i = np.arange(count) + 0.5
    height, angle = 1 - 2 * i / count, GOLDEN_ANGLE * i
    out = np.sqrt(1 - height**2)
    return np.stack([out * np.cos(angle), height, out * np.sin(angle)], axis=1)
