"""What is tied: the coil of a bun and the tail of a ponytail, behind the knot that other strands are combed to."""

import numpy as np

from facegen_core.geometry.mesh import Floats
from facegen_core.population.portrait import combing
from facegen_core.population.portrait.around_head import Space
from facegen_core.population.portrait.combing import Strands
from facegen_core.population.portrait.hairstyle import Hairstyle
from facegen_core.population.portrait.locks import trimmed, waved
from facegen_core.population.portrait.skin_normals import unit


def tied(style: Hairstyle, count: int, points: int, space: Space, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Middle lines (S, N, 3) of the strands behind a knot, and their layers (S,)."""
    strands = _sprouts(style, count, random)
    if style.cut == "bun":
        return _coil(style, strands, points - 1), strands.layer
    lines, away = _tail(style, strands, points, space)
    return waved(style, lines, away, random), strands.layer


def _sprouts(style: Hairstyle, count: int, random: np.random.Generator) -> Strands:
    """Strands of a bun or a tail, around their knot."""
    around = random.random((count, 3), np.float32)
    if style.cut == "ponytail":
        around = np.array([0.0, *style.knot], np.float32) + unit(random.normal(size=(count, 3))) * 8
    length = np.clip(style.knot[0] - style.ends, 120, 300) * random.uniform(0.75, 1.0, count)
    sway = random.standard_normal(count, np.float32)
    none = np.zeros(count, bool)
    layer = random.random(count, np.float32)
    return Strands(around.astype(np.float32), length.astype(np.float32), layer, sway, none, ~none)


def _coil(style: Hairstyle, strands: Strands, steps: int) -> Floats:
    """Strands wound around the knot: a bun, (S, steps + 1, 3)."""
    knot = np.array([0.0, *style.knot], np.float32)
    axis = unit(knot - np.array([0.0, 60.0, -80.0], np.float32))
    side = np.array([1.0, 0.0, 0.0], np.float32)
    up = np.cross(axis, side)
    radius = (24 + 6 * strands.layer)[:, None]
    around = np.linspace(0, 1, steps + 1)[None] * np.pi * 1.1 + 2 * np.pi * strands.start[:, :1]
    tilt = np.pi * (0.12 + 0.66 * strands.start[:, 1:2]) + 0.35 * np.sin(around + 6 * strands.start[:, 2:])
    ring = radius * np.sin(tilt)
    x, y, z = ring * np.cos(around), ring * np.sin(around), 0.75 * radius * np.cos(tilt)
    line = knot + 10 * axis + x[..., None] * side + y[..., None] * up + z[..., None] * axis
    return line.astype(np.float32)


def _tail(style: Hairstyle, strands: Strands, points: int, space: Space) -> tuple[Floats, Floats]:
    """Middle lines (S, N, 3) of a ponytail, and the way out of it."""
    lines = combing.grow(style, strands, space, 28)
    lines = trimmed(lines, np.ones(len(lines), np.float32), points)
    middle = lines.mean(0)
    t = np.linspace(0, 1, points, dtype=np.float32)[:, None]
    lines = middle + (lines - middle) * (1 + 2.0 * np.sin(np.pi * t**0.8))
    lines[..., 0] += (0.9 * style.part * t**1.5)[:, 0]  # it falls to one side
    return lines, unit(lines - middle + np.array([0, 0, -3.0], np.float32))
