"""Lips, teeth, tongue, and the dark behind them."""

import functools

import numpy as np
from scipy.spatial import cKDTree

from facegen_core.geometry.mesh import Floats
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.canvas import Surface
from facegen_core.population.hair import blend
from facegen_core.population.noise import noise, step

LIP_LINE = -45.0
UPPER_LIP = ((0, 6.6), (2, 6.4), (5.5, 8.0), (10, 6.9), (17, 4.3), (25.5, 0.0))
LOWER_LIP = ((0, 10.2), (6, 10.0), (13, 8.2), (20, 4.6), (25.5, 0.0))
"""Height of the red of the usual lips above and below the line between them, by distance from the middle, mm."""
GUMS, TONGUE, SOCKET = (0.50, 0.22, 0.21), (0.58, 0.32, 0.30), (0.50, 0.26, 0.23)
TEETH = (0.86, 0.82, 0.74)
TOOTH_MM = 7.5


def lip_cover(look: Appearance, ground: Surface, action: dict[str, float]) -> Floats:
    """Where the lips are red, (R, R): less of them is seen when they are rolled in or pressed."""
    press = 0.5 * (action["mouthPressLeft"] + action["mouthPressRight"])
    flare = 0.14 * action["mouthFunnel"] - 0.15 * press - 0.06 * action["mouthSmileLeft"]
    upper = look.lip_fullness * (1 + flare - 0.75 * min(action["mouthRollUpper"], 1))
    lower = look.lip_fullness * (1 + flare - 0.75 * min(action["mouthRollLower"], 1))
    pixels = len(ground.x)
    x = np.abs(ground.x) + 0.3 * noise(look.grain, 942, 60, pixels)
    y = ground.y - LIP_LINE + 0.4 * noise(look.grain, 943, 60, pixels)
    soft = np.hypot(1.1, 0.8 * ground.texel)
    above = step(upper * np.interp(x, *np.array(UPPER_LIP).T) - y, soft)
    below = step(y + lower * np.interp(x, *np.array(LOWER_LIP).T), soft)
    cover = above * below * step(26 - x, 2) * (ground.z > 10)
    return np.where(ground.on("skin"), cover, 0).astype(np.float32)


def paint_mouth(colours: Floats, look: Appearance, ground: Surface, anatomy: Anatomy) -> None:
    """Paints what lies inside: mouth, teeth, tongue, eye sockets and the backs of the eyes."""
    rows, columns, inside = _inside(anatomy, len(ground.x))
    colours[rows, columns] = inside * (0.97 + 0.03 * look.tone[0])
    blend(colours, ground.on("back of eyes").astype(np.float32), (0.85, 0.82, 0.79))


@functools.lru_cache(maxsize=4)
def _inside(anatomy: Anatomy, pixels: int) -> tuple[Floats, Floats, Floats]:
    """Rows, columns and colours (N, 3) of what lies inside; everybody's is alike."""
    from facegen_core.population.canvas import surface

    ground = surface(anatomy, pixels)
    rows, columns = np.nonzero(ground.on("mouth", "tongue", "left socket", "right socket"))
    x, y, z = (values[rows, columns] for values in (ground.x, ground.y, ground.z))
    names = np.array(ground.names)[ground.part[rows, columns]]
    colour = np.where((names == "tongue")[:, None], TONGUE, np.where((names == "mouth")[:, None], GUMS, SOCKET))
    skin, mouth = (anatomy.faces[anatomy.parts[name]] for name in ("skin", "mouth"))
    lips = anatomy.template.numpy()[np.intersect1d(skin, mouth)]
    behind = cKDTree(lips).query(np.stack([x, y, z], axis=1))[0]
    upper = (names == "mouth") & (y > LIP_LINE) & (z > 34)
    tooth = step(behind - 1.5, 1.0) * step(11 - behind, 1.5) * (np.abs(x) < 24) * (z > 30) * (names == "mouth")
    gaps = np.exp(-((((x / TOOTH_MM) - np.round(x / TOOTH_MM)) * TOOTH_MM / 0.5) ** 2))
    tooth = tooth * (1 - 0.35 * gaps) * np.where(upper, 1.0, 0.9)
    colour = colour + tooth[:, None] * (np.array(TEETH) - colour)
    dark = np.where(names == "mouth", np.clip((behind - 10) / 18, 0, 1), np.clip((38 - z) / 32, 0.1, 0.95))
    dark = np.where(np.char.find(names, "socket") >= 0, 0.15, dark)
    return rows, columns, (colour * (1 - 0.85 * dark[:, None])).astype(np.float32)
