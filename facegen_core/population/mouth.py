"""Lips, teeth, tongue, and the dark behind them."""

import functools
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.canvas import Surface, surface, window_around
from facegen_core.population.noise import Layer, noise, step

LIP_LINE = -45.0
UPPER_LIP = ((0, 6.6), (2, 6.4), (5.5, 8.0), (10, 6.9), (17, 4.3), (25.5, 0.0))
LOWER_LIP = ((0, 10.2), (6, 10.0), (13, 8.2), (20, 4.6), (25.5, 0.0))
"""Height of the red of the usual lips above and below the line between them, by distance from the middle, mm."""
COLOURS = {
    "mouth": (0.50, 0.22, 0.21),
    "tongue": (0.58, 0.32, 0.30),
    "left socket": (0.50, 0.26, 0.23),
    "right socket": (0.50, 0.26, 0.23),
    "back of eyes": (0.85, 0.82, 0.79),
}
TEETH = (0.86, 0.82, 0.74)
TOOTH_MM = 7.5


class Lips(NamedTuple):
    """A person's lips on the map, in a window.

    Attributes:
        window: where the lips are.
        across, above: distance from the middle and height over the line between the lips, mm, with the person's own
            unevenness.
        skin: what is lip at most.
        furrows: fine lines across the lips.
        line: the shade between the lips.
        soft: mm over which the red fades.
    """

    window: tuple[slice, slice]
    across: Floats
    above: Floats
    skin: Floats
    furrows: Floats
    line: Floats
    soft: float


def lips(look: Appearance, ground: Surface) -> Lips | None:
    """The lips of a person; None on a map too coarse to show them."""
    pixels = ground.pixels
    near = ground.on("skin") & (np.abs(ground.x) < 28) & (np.abs(ground.y - LIP_LINE) < 16) & (ground.z > 10)
    window = window_around(near)
    if window is None:
        return None
    across = np.abs(ground.x) + 0.3 * noise(look.grain, Layer.LIPS_ACROSS, 60, pixels)
    above = ground.y - LIP_LINE + 0.4 * noise(look.grain, Layer.LIPS_UP, 60, pixels)
    skin = near * step(26 - across, 2)
    between = float(np.hypot(1.0, 0.6 * ground.texel))
    line = near * np.exp(-(((ground.y - LIP_LINE + 0.2) / between) ** 2)) * step(26 - np.abs(ground.x), 3) / between
    furrows = np.abs(noise(look.grain, Layer.LIP_FURROWS, 160, pixels))
    return Lips(
        window,
        across=across[window],
        above=above[window],
        skin=skin[window],
        furrows=furrows[window],
        line=line[window],
        soft=float(np.hypot(1.1, 0.8 * ground.texel)),
    )


def lip_cover(drawn: Lips, look: Appearance, action: dict[str, float]) -> Floats:
    """How red each texel of the lips' window is, in [0, 1]: less of them is seen when they are rolled in or pressed."""
    press = 0.5 * (action["mouthPressLeft"] + action["mouthPressRight"])
    flare = 0.14 * action["mouthFunnel"] - 0.15 * press - 0.03 * (action["mouthSmileLeft"] + action["mouthSmileRight"])
    upper = look.lip_fullness * (1 + flare - 0.75 * min(action["mouthRollUpper"], 1))
    lower = look.lip_fullness * (1 + flare - 0.75 * min(action["mouthRollLower"], 1))
    top = step(upper * np.interp(drawn.across, *np.array(UPPER_LIP).T).astype(np.float32) - drawn.above, drawn.soft)
    bottom = step(drawn.above + lower * np.interp(drawn.across, *np.array(LOWER_LIP).T).astype(np.float32), drawn.soft)
    return top * bottom * drawn.skin


def paint_mouth(colours: Floats, ground: Surface, anatomy: Anatomy) -> None:
    """Paints what lies inside: mouth, teeth, tongue, eye sockets and the backs of the eyes."""
    rows, columns, inside = _inside(anatomy, ground.pixels)
    colours[rows, columns] = inside


@functools.lru_cache(maxsize=4)
def _inside(anatomy: Anatomy, pixels: int) -> tuple[Indices, Indices, Floats]:
    """Rows, columns and colours (N, 3) of what lies inside; everybody's is alike."""
    ground = surface(anatomy, pixels)
    rows, columns = np.nonzero(ground.on(*COLOURS))
    x, y, z = (values[rows, columns] for values in (ground.x, ground.y, ground.z))
    names = np.array(ground.names)[ground.part[rows, columns]]
    colour = np.array([COLOURS.get(name, (0, 0, 0)) for name in ground.names])[ground.part[rows, columns]]
    skin, mouth = (anatomy.faces[anatomy.parts[name]] for name in ("skin", "mouth"))
    lips = anatomy.template.numpy()[np.intersect1d(skin, mouth)]
    behind = cKDTree(lips).query(np.stack([x, y, z], axis=1))[0]
    upper = (names == "mouth") & (y > LIP_LINE) & (z > 34)
    tooth = step(behind - 1.5, 1.0) * step(11 - behind, 1.5) * (np.abs(x) < 24) * (z > 30) * (names == "mouth")
    gaps = np.exp(-((((x / TOOTH_MM) - np.round(x / TOOTH_MM)) * TOOTH_MM / 0.5) ** 2))
    tooth = tooth * (1 - 0.35 * gaps) * np.where(upper, 1.0, 0.9)
    colour = colour + tooth[:, None] * (np.array(TEETH) - colour)
    dark = np.where(names == "mouth", np.clip((behind - 10) / 18, 0, 1), np.clip((38 - z) / 32, 0.1, 0.95))
    dark = np.where(np.isin(names, ("mouth", "tongue")), dark, 0.1)
    return rows, columns, (colour * (1 - 0.85 * dark[:, None])).astype(np.float32)
