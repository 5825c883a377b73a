"""Polygons that pictures of places are made of, in picture units: x and y from -1 to 1, y up."""

from collections.abc import Sequence

import numpy as np

from facegen_core.population.portrait.scenery.canvas import Shape

Wall = tuple[float, float, float, float] | tuple[float, float, float, float, float, float]
"""A wall's place: (left, foot, right, top), or one that leads away: (left, foot, top, right, foot there, top there)."""

Profile = Sequence[tuple[float, float]]
"""Half the outline of something turned on a lathe: (half width, height) from foot to tip, both in [0, 1]."""


def box(left: float, foot: float, right: float, top: float) -> Shape:
    """An upright rectangle."""
    return np.array([(left, foot), (right, foot), (right, top), (left, top)], dtype=np.float64)


def disc(x: float, y: float, width: float, height: float | None = None, corners: int = 20) -> Shape:
    """An ellipse of half axes ``width`` and ``height``."""
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([x + width * np.cos(turn), y + (width if height is None else height) * np.sin(turn)], axis=1)


def bar(start: tuple[float, float], end: tuple[float, float], width: float) -> Shape:
    """A straight stroke."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    along = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
    across = np.array([-along[1], along[0]]) * width / 2
    return np.stack([a - across, b - across, b + across, a + across])


def stroke(points: Shape, width: float) -> list[Shape]:
    """A stroke along a line of points (N, 2)."""
    ends = [tuple(point) for point in points.tolist()]
    return [bar(a, b, width) for a, b in zip(ends[:-1], ends[1:], strict=True)]


def arch(x: float, foot: float, half: float, top: float, pointed: float = 0.0) -> Shape:
    """An opening with a round or, from 0 to 1, pointed head; ``half`` is half its width."""
    turn = np.linspace(0, np.pi, 13)
    rise = half * (1 + 0.7 * pointed)
    head = np.stack([np.cos(turn), np.sin(turn) * (1 + pointed * 0.35 * np.abs(np.sin(turn)) ** 3)], axis=1)
    head[:, 1] *= rise / head[:, 1].max()
    head[:, 0] *= half
    head += (x, max(top - rise, foot))
    return np.concatenate([[(x - half, foot), (x + half, foot)], head])


def turned(profile: Profile, x: float, foot: float, half: float, height: float) -> Shape:
    """The outline of something turned on a lathe that stands at (x, foot)."""
    side = np.asarray(profile, dtype=np.float64) * (half, height)
    return np.concatenate([side, side[::-1] * (-1, 1)]) + (x, foot)


def onto(wall: Wall, shapes: Sequence[Shape]) -> list[Shape]:
    """Shapes drawn on the unit square as they look on a wall, smaller where it is farther."""
    if len(wall) == 4:
        left, foot, right, top = wall
        return [shape * (right - left, top - foot) + (left, foot) for shape in shapes]
    left, foot, top, right, far_foot, far_top = wall
    near, far = 1 / (top - foot), 1 / (far_top - far_foot)  # depths

    def placed(shape: Shape) -> Shape:
        u, v = shape[:, 0], shape[:, 1]
        first, second = near * (1 - u), far * u
        depth = first + second
        x = (left * first + right * second) / depth
        low = (foot * first + far_foot * second) / depth
        return np.stack([x, low + v / depth], axis=1)

    return [placed(shape) for shape in shapes]


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
        return [_arched(left, right, low, low + height) for low, _ in up for left, right in across]
    return [box(left, low, right, high_) for low, high_ in up for left, right in across]


def _arched(left: float, right: float, foot: float, top: float) -> Shape:
    """A window with a rounded head whose rise is a third of its height, for walls of any proportion."""
    turn = np.linspace(0, np.pi, 9)
    rise = (top - foot) * 0.33
    head = np.stack([np.cos(turn) * (right - left) / 2 + (left + right) / 2, np.sin(turn) * rise + top - rise], axis=1)
    return np.concatenate([[(left, foot), (right, foot)], head])


def rough(outline: Sequence[tuple[float, float]], rng: np.random.Generator, strength: float, steps: int = 7) -> Shape:
    """An outline with midpoints moved up and down again and again, as ridges are; (N, 2)."""
    points = np.asarray(outline, dtype=np.float64)
    for _ in range(steps):
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
