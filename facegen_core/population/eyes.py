"""Eyes between their lids: iris, white, lashes, and how far the lids cover them."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.geometry.flatten import boundary_loops
from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.canvas import Surface
from facegen_core.population.noise import step

IRIS_MM, PUPIL_MM = 5.9, 2.0
"""Radii; anny's eyes are somewhat larger than a real one's 12 mm radius, and so is their iris."""
TOWARDS_LIDS = 0.65
"""How far the pupil lies from the front of the eye's ball towards the height halfway between the lids."""
UNDER_LID_MM = 1.2
"""An open lid may lie this much higher on a person than on the template: so far the eye is painted under it."""


class Lids(NamedTuple):
    """The edges of two lids as curves.

    Attributes:
        x: (N,) mm from corner to corner.
        upper, lower: (N,) heights, mm.
    """

    x: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]
    lower: npt.NDArray[np.float64]


@functools.lru_cache(maxsize=1)
def lid_loops(anatomy: Anatomy) -> tuple[Indices, Indices]:
    """The vertices on the edges of the left and of the right lids."""
    template = anatomy.template.numpy()
    inner = sorted(boundary_loops(anatomy.faces[anatomy.parts["skin"]]), key=len)[:2]
    right, left = sorted(inner, key=lambda loop: template[loop, 0].mean())
    return left, right


def lids(points: npt.NDArray[np.float64], loop: Indices) -> Lids:
    """The lids of a face (V, 3) along a loop of vertices."""
    edge = points[loop]
    start, end = edge[:, 0].argmin(), edge[:, 0].argmax()
    order = np.roll(np.arange(len(loop)), -start)
    turn = int((end - start) % len(loop))
    one, two = edge[order[: turn + 1]], edge[np.append(order[turn:], order[0])][::-1]
    upper, lower = (one, two) if one[:, 1].mean() > two[:, 1].mean() else (two, one)
    x = np.linspace(edge[start, 0], edge[end, 0], 40)
    return Lids(x, *(np.interp(x, np.maximum.accumulate(lid[:, 0]), lid[:, 1]) for lid in (upper, lower)))


def paint_eyes(
    colours: Floats, look: Appearance, surface: Surface, anatomy: Anatomy, moved: npt.NDArray[np.float64]
) -> None:
    """Paints both eyes as far as the lids leave them open, over skin that stands for the lids.

    Args:
        colours: (R, R, 3), painted over.
        look: whose eyes.
        surface: the canvas.
        anatomy: the head.
        moved: (V, 3) the template under the facial actions.
    """
    template = anatomy.template.numpy()
    for name, loop in zip(("left eye", "right eye"), lid_loops(anatomy), strict=True):
        rows, columns = np.nonzero(surface.on(name))
        if not len(rows):
            continue  # a map too coarse to show it
        ball = template[np.unique(anatomy.faces[anatomy.parts[name]])]
        pupil = ball[ball[:, 2].argmax()]
        relaxed = lids(template, loop)
        between = float((relaxed.upper + relaxed.lower)[10:30].mean()) / 2
        pupil[1] += TOWARDS_LIDS * (between - pupil[1])
        x, y = surface.x[rows, columns], surface.y[rows, columns]
        white_and_iris = _with_glint(x - pupil[0], y - pupil[1], look, surface.texel)
        skin = 0.93 * colours[rows, columns]
        colours[rows, columns] = _cover(white_and_iris, skin, x, y, lids(moved, loop), look, surface.texel)


def _cover(eye: Floats, skin: Floats, x: Floats, y: Floats, edge: Lids, look: Appearance, texel: float) -> Floats:
    """An eye (N, 3) under its lids' skin (N, 3), with their shadow and the lashes, at places x and y, mm."""
    upper, lower = np.interp(x, edge.x, edge.upper), np.interp(x, edge.x, edge.lower)
    spare = np.clip(0.35 * (upper - lower - 1), 0, UNDER_LID_MM)
    soft = max(0.8, 0.7 * texel)
    seen = step(upper + spare - y, soft) * step(y - lower + spare, soft) * step(upper - lower - 1.5, 1.5)
    seen *= step(x - edge.x[0] + 0.5, soft) * step(edge.x[-1] + 0.5 - x, soft)
    shadow = 0.45 * np.exp(-np.clip(upper - y, 0, None) / 1.8) + 0.1 * ((x - edge.x.mean()) / 13) ** 2
    lash = np.exp(-(((y - upper) / max(0.9, 0.6 * texel)) ** 2)) * (0.4 + 0.5 * look.lashes)
    lash = np.maximum(lash, 0.35 * np.exp(-(((y - lower) / max(0.8, 0.6 * texel)) ** 2)))
    shown = skin + seen[:, None] * (eye * (1 - shadow)[:, None] - skin)
    return shown * (1 - 0.75 * lash[:, None])


def _with_glint(x: Floats, y: Floats, look: Appearance, texel: float) -> Floats:
    """An eye that reflects a light, for what is drawn without reflections."""
    wide = max(0.9, 0.6 * texel)
    glint = 0.7 * np.exp(-(((x + 1.7) / wide) ** 2) - ((y - 1.2) / wide) ** 2)
    colour = eye_colours(x, y, look, texel)
    return np.clip(colour + glint[:, None] * (0.95 - colour), 0.01, 1)


def eye_colours(x: Floats, y: Floats, look: Appearance, texel: float) -> Floats:
    """Colours (N, 3), sRGB, of the white, iris and pupil of an eye.

    Args:
        x: (N,) mm from the middle of the pupil, to the person's left, along the ball.
        y: (N,) upwards.
        look: whose eye.
        texel: mm; finer details are left out.
    """
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    soft = max(0.5, 0.8 * texel)
    white = np.array([0.90, 0.87, 0.84]) - look.sclera * np.array([0.06, 0.10, 0.14])
    vein = 0.10 * (0.4 + look.sclera) * np.clip((np.abs(x) - 6) / 7, 0, 1)
    colour = white - vein[:, None] * np.array([0.3, 1.0, 0.9])
    fibres = 1 + 0.12 * np.sin(23 * angle + 3 * np.sin(7 * angle)) * (texel < 1.2)
    shades = (0.85 + 0.45 * np.exp(-(((radius - 3.0) / 1.2) ** 2))) * fibres
    iris = np.array(look.iris) * (shades * (1 - 0.55 * step(radius - IRIS_MM + 0.7, 0.8)))[:, None]
    iris *= (1 - 0.97 * step(PUPIL_MM - radius, soft))[:, None]
    return np.clip(colour + (iris - colour) * step(IRIS_MM - radius, soft)[:, None], 0.01, 1)
