"""Polygons that pictures of places are made of, in picture units: x and y from -1 to 1, y up."""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from facegen_core.population.portrait.scenery.canvas import Shape

Wall = tuple[float, float, float, float] | tuple[float, float, float, float, float, float]
"""A wall's place: (left, foot, right, top), or one that leads away: (left, foot, top, right, foot there, top there)."""

Profile = Sequence[tuple[float, float]]
"""Half the outline of something turned on a lathe: (half width, height) from foot to tip, both in [0, 1]."""


def box(left: float, foot: float, right: float, top: float) -> Shape:
    """An upright rectangle."""
    return np.array([(left, foot), (right, foot), (right, top), (left, top)], dtype=np.float64)


def path(points: str | Sequence[tuple[float, float]]) -> Shape:
    """Corners (N, 2), written as SVG writes them, "x,y x,y x,y", or given as pairs."""
    pairs = [point.split(",") for point in points.split()] if isinstance(points, str) else points
    return np.array([(float(x), float(y)) for x, y in pairs])


@lru_cache
def _circle(corners: int) -> Shape:
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def disc(x: float, y: float, width: float, height: float | None = None, corners: int = 20) -> Shape:
    """An ellipse of half axes ``width`` and ``height``."""
    return _circle(corners) * (width, width if height is None else height) + (x, y)


def discs(places: Shape, sizes: Shape | float, corners: int = 9, flat: float = 1.0) -> Shape:
    """Many discs at once: (N, corners, 2) for places (N, 2) and half widths (N,); ``flat`` is height over width."""
    reach = np.broadcast_to(np.asarray(sizes, dtype=np.float64), len(places))[:, None, None]
    return places[:, None, :] + _circle(corners) * (1, flat) * reach


def bar(start: Sequence[float], end: Sequence[float], width: float) -> Shape:
    """A straight stroke."""
    (x0, y0), (x1, y1) = start, end
    half = 0.5 * width / max(math.hypot(x1 - x0, y1 - y0), 1e-9)
    u, v = (y0 - y1) * half, (x1 - x0) * half
    return np.array([(x0 - u, y0 - v), (x1 - u, y1 - v), (x1 + u, y1 + v), (x0 + u, y0 + v)])


def stroke(points: Shape, width: float) -> list[Shape]:
    """A stroke along a line of points (N, 2)."""
    ends = points.tolist()
    return [bar(a, b, width) for a, b in pairwise(ends)]


def arch(x: float, foot: float, half: float, top: float, rise: float | None = None) -> Shape:
    """An opening ``2 * half`` wide whose head is half a circle, or half an ellipse that rises so much."""
    rise = half if rise is None else rise
    head = _circle(24)[:13] * (half, rise) + (x, max(top - rise, foot))
    return np.concatenate([[(x - half, foot), (x + half, foot)], head])


def turned(profile: Profile, x: float, foot: float, half: float, height: float) -> Shape:
    """The outline of something turned on a lathe that stands at (x, foot)."""
    side = np.asarray(profile, dtype=np.float64) * (half, height)
    return np.concatenate([side, side[::-1] * (-1, 1)]) + np.array((x, foot))


def onto(wall: Wall, shapes: Sequence[Shape] | Shape) -> list[Shape]:
    """Shapes drawn on the unit square as they look on a wall, smaller where it is farther."""
    if not len(shapes):
        return []
    u, v = np.concatenate(shapes).T
    if len(wall) == 4:
        left, foot, right, top = wall
        points = np.stack([left + u * (right - left), foot + v * (top - foot)], axis=1)
    else:
        left, foot, top, right, far_foot, far_top = wall
        first, second = (1 - u) / (top - foot), u / (far_top - far_foot)
        depth = first + second
        x, low = (left * first + right * second) / depth, (foot * first + far_foot * second) / depth
        points = np.stack([x, low + v / depth], axis=1)
    ends = np.cumsum([len(shape) for shape in shapes]).tolist()
    return [points[end - len(shape) : end] for shape, end in zip(shapes, ends, strict=True)]


def proportion(wall: Wall) -> float:
    """How many times as wide as high a wall is, at its left edge."""
    return (
        abs(wall[2] - wall[0]) / (wall[3] - wall[1]) if len(wall) == 4 else abs(wall[3] - wall[0]) / (wall[2] - wall[1])
    )


def spread(count: int, share: float = 0.5, start: float = 0.0, end: float = 1.0) -> list[tuple[float, float]]:
    """Places of so many equal openings side by side: (left, right) of each; they take up this share."""
    pitch = (end - start) / count
    gap = pitch * (1 - share) / 2
    return [(start + i * pitch + gap, start + (i + 1) * pitch - gap) for i in range(count)]


def panes(columns: int, rows: int, wide: float = 0.5, high: float = 0.6, arched: bool = False) -> list[Shape]:
    """Windows on the unit square, row by row from the foot."""
    across, up = spread(columns, wide), spread(rows, high)
    if arched:
        height = up[0][1] - up[0][0]
        return [arch((a + b) / 2, low, (b - a) / 2, top, height / 3) for low, top in up for a, b in across]
    return [box(left, low, right, top) for low, top in up for left, right in across]


def rough(outline: str | Sequence[tuple[float, float]], rng: np.random.Generator, strength: float) -> Shape:
    """An outline with midpoints moved up and down again and again, as ridges are; (N, 2)."""
    points = path(outline)
    for _ in range(7):
        length = np.hypot(*np.diff(points, axis=0).T)
        if length.max() < 0.015:
            break
        middle = (points[1:] + points[:-1]) / 2
        middle[:, 1] += rng.uniform(-1, 1, len(middle)) * strength * length
        woven = np.empty((len(points) + len(middle), 2))
        woven[0::2], woven[1::2] = points, middle
        points = woven
    return points


def below(outline: Shape, foot: float) -> Shape:
    """What lies between an outline and a height under it."""
    return np.concatenate([outline, [(outline[-1, 0], foot), (outline[0, 0], foot)]])
