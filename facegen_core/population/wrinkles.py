"""Lines of the face: where they run, which facial actions fold them, and how deep age leaves them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.geometry.mesh import Floats
from facegen_core.population.appearance import Appearance
from facegen_core.population.canvas import Patch, Surface, drivers, window_around
from facegen_core.population.noise import Layer, noise, step

WANDER_MM = 1.6
"""How far a person's lines lie from where they usually run, one standard deviation."""
DEEPEST = 1.6
LONGEST_REACH = 3.0
"""A line is drawn out to so many of its widths."""


class Line(NamedTuple):
    """A line on the person's left side; the right side has its mirror image.

    Attributes:
        path: points (x, y) it passes, mm on the template.
        width: of the valley, mm.
        folded_by: how deep each facial action folds it at strength 1; names as :func:`.canvas.drivers` reads them.
        aged: how deep age leaves it.
        through: whether it runs on to its mirror image at its first point.
    """

    path: tuple[tuple[float, float], ...]
    width: float
    folded_by: dict[str, float]
    aged: float = 0.0
    through: bool = False


_RAISED = {"browInnerUp": 0.55, "browOuterUp": 0.55, "browDown": -0.3}
_SQUINTED = {"cheekSquint": 0.75, "eyeSquint": 0.55, "mouthSmile": 0.25, "eyeBlink": 0.15, "noseSneer": 0.1}
_PURSED = {"mouthPucker": 0.5, "mouthFunnel": 0.2, "mouthRollUpper": 0.35, "mouthPress": 0.1}

LINES = (
    *(
        Line(((0, y), (20, y + 2), (40, y - 3)), 1.9, _RAISED, 0.42, through=True)
        for y in (62.0, 71.0, 80.0, 89.0)
    ),  # across the forehead
    Line(((6, 38), (6.5, 47), (8, 56)), 1.7, {"browDown": 1.0, "noseSneer": 0.25, "browInnerUp": 0.25}, 0.4),
    Line(((2.5, 40), (2.5, 50)), 1.5, {"browDown": 0.5}),
    Line(((0, 31), (6, 31.5), (11, 33)), 1.5, {"browDown": 0.8, "noseSneer": 0.4}, 0.25, through=True),
    Line(((10, 58), (20, 64), (30, 61)), 2.0, {"browInnerUp": 0.5, "browOuterUp": -0.4}),  # of grief
    Line(((3, 21), (8, 18), (13, 11)), 1.3, {"noseSneer": 1.0}),
    Line(((3, 26), (8, 24), (14, 18)), 1.3, {"noseSneer": 0.9, "browDown": 0.2}),
    Line(((49, 30), (57, 36), (63, 39)), 1.4, _SQUINTED, 0.5),  # crow's feet
    Line(((49, 27.5), (58, 28.5), (65, 28)), 1.4, _SQUINTED, 0.6),
    Line(((48, 25), (56, 20), (62, 14)), 1.4, _SQUINTED, 0.5),
    Line(((22, 19), (32, 15.5), (45, 19)), 1.5, {"cheekSquint": 0.6, "eyeSquint": 0.8, "eyeBlink": 0.1}, 0.5),
    Line(((21, 15), (31, 9), (43, 10)), 2.2, {"cheekSquint": 0.5, "mouthSmile": 0.15}, 0.6),
    Line(
        ((19, -6), (24, -15), (30, -28), (34, -44)),
        2.4,
        {"mouthSmile": 0.95, "noseSneer": 0.55, "mouthUpperUp": 0.6, "mouthStretch": 0.35, "mouthDimple": 0.3,
         "mouthToward": 0.6, "mouthAway": -0.5, "cheekPuff": -0.9, "jawOpen": -0.2, "mouthPucker": -0.25,
         "mouthFrown": 0.3, "jawToward": 0.35, "jawAway": -0.3},
        0.6,
    ),  # from the nose round the mouth
    Line(
        ((41, -26), (45, -42), (41, -58)),
        3.2,
        {"mouthSmile": 0.3, "mouthDimple": 0.6, "mouthStretch": 0.7, "mouthToward": 0.55, "jawOpen": 0.35,
         "cheekPuff": -0.6},
        0.15,
    ),
    Line(((31, -40), (32, -46), (31, -52)), 2.2, {"mouthDimple": 1.3, "mouthPress": 0.5, "mouthSmile": 0.2}),
    Line(
        ((28, -49), (31, -58), (29, -72)),
        2.0,
        {"mouthFrown": 1.0, "mouthShrugLower": 0.45, "mouthLowerDown": 0.35, "mouthToward": 0.4, "jawToward": 0.7,
         "jawAway": -0.3, "mouthStretch": 0.3, "cheekPuff": -0.4},
        0.5,
    ),
    Line(
        ((0, -59), (11, -59.5), (19, -57)),
        2.2,
        {"mouthShrugLower": 0.9, "mouthRollLower": 0.8, "mouthFrown": 0.4, "mouthPress": 0.35, "mouthPucker": 0.4,
         "jawForward": -0.5, "jawOpen": -0.4},
        0.25,
        through=True,
    ),
    *(Line(((x, -37), (x * 1.15, -30)), 1.4, _PURSED, 0.2) for x in (3.5, 8.5, 13.5)),
    *(Line(((x, -56), (x * 1.1, -63)), 1.4, _PURSED, 0.1) for x in (3.0, 8.0)),
    Line(((7, -66), (9.5, -72), (9, -78)), 2.2, {"jawToward": 0.8, "jawForward": 0.3, "mouthShrugLower": 0.4}),
)  # fmt: skip


def folds(look: Appearance, surface: Surface, action_names: list[str]) -> list[Patch]:
    """All lines of a person, both sides, ready to be deepened."""
    pixels = len(surface.x)
    random = np.random.default_rng(look.grain)
    x = surface.x + WANDER_MM * noise(look.grain, Layer.LINES_ACROSS, 14, pixels)
    y = surface.y + WANDER_MM * noise(look.grain, Layer.LINES_UP, 14, pixels)
    front = surface.on("skin") & (surface.z > -25)
    broken = np.clip(0.8 + 0.3 * noise(look.grain, Layer.LINES_BROKEN, 48, pixels), 0.2, 1.4)
    drawn = []
    for line in LINES:
        keen, aged = random.lognormal(0, 0.25), random.lognormal(0, 0.5)
        for side, sign in (("Left", 1), ("Right", -1)):
            keen, aged = keen * random.lognormal(0, 0.1), aged * random.lognormal(0, 0.15)
            found = _draw(line, sign * x, y, front, surface.texel)
            if found is not None:
                found[1][:] *= broken[found[0]]
                folded_by = keen * look.creases * drivers(line.folded_by, side, action_names)
                drawn.append(Patch(*found, folded_by, line.aged * aged * look.lines))
    return drawn


def depth(fold: Patch, strengths: npt.NDArray[np.float64]) -> float:
    """How deep a fold is under facial actions of some strengths (A,): from 0, smooth, to 1.6."""
    return float(np.clip(fold.amount(strengths), 0, DEEPEST))


def _draw(
    line: Line, x: Floats, y: Floats, front: npt.NDArray[np.bool_], texel: float
) -> tuple[tuple[slice, slice], Floats] | None:
    """The window a line lies in and its profile there: a dark valley, 1 deep, between two faint ridges."""
    path = _smooth(np.array(line.path))
    half = step(x, 4) if line.through else 1.0  # each side draws its half, and they meet
    x = np.abs(x) if line.through else x
    reach = LONGEST_REACH * line.width + texel
    near = front & (half > 0.02) & (x > path[:, 0].min() - reach) & (x < path[:, 0].max() + reach)
    near &= (y > path[:, 1].min() - reach) & (y < path[:, 1].max() + reach)
    window = window_around(near)
    if window is None:
        return None
    distance, along = _to_path(path, x[window], y[window])
    shown = float(np.hypot(line.width, 0.6 * texel))  # no thinner than a texel, and as much fainter as it is wider
    taper = np.clip(along / 0.25 if not line.through else np.ones_like(along), 0, 1) * np.clip((1 - along) / 0.35, 0, 1)
    valley = np.exp(-((distance / shown) ** 2))
    ridges = np.exp(-(((distance - 1.9 * shown) / shown) ** 2))
    profile = (line.width / shown) * np.sqrt(taper) * (valley - 0.25 * ridges) * (near * half)[window]
    return window, profile.astype(np.float32)


def _smooth(points: npt.NDArray[np.float64], steps: int = 12) -> npt.NDArray[np.float64]:
    """A curve of straight pieces through points that are joined by a quadratic in their order."""
    t = np.linspace(0, len(points) - 1, steps)
    degree = min(2, len(points) - 1)
    order = np.arange(len(points))
    return np.stack([np.polyval(np.polyfit(order, points[:, k], degree), t) for k in range(2)], axis=1)


def _to_path(path: npt.NDArray[np.float64], x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Distance of points from a curve of straight pieces, and how far along it, in [0, 1], the nearest point is."""
    nearest = np.full(x.shape, np.inf, dtype=np.float32)
    along = np.zeros(x.shape, dtype=np.float32)
    pieces = len(path) - 1
    for i in range(pieces):
        (ax, ay), (bx, by) = path[i].tolist(), path[i + 1].tolist()
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        distance = np.hypot(x - ax - t * dx, y - ay - t * dy)
        closer = distance < nearest
        nearest = np.where(closer, distance, nearest)
        along = np.where(closer, (i + t) / pieces, along)
    return nearest, along
