"""What is done to the middle lines of strands once they are grown: cut off, waved, gathered into locks."""

import numpy as np
from scipy.spatial import cKDTree

from facegen_core.geometry.mesh import Floats
from facegen_core.population.portrait.combing import Strands
from facegen_core.population.portrait.hairstyle import Hairstyle
from facegen_core.population.portrait.ribbons import tangents
from facegen_core.population.portrait.skin_normals import unit

LOCKS = 350
"""Most locks that strands gather into."""


def trimmed(lines: Floats, kept: Floats, points: int, closer: float = 1.0) -> Floats:
    """The first part of lines (S, M, 3), drawn with another number of points, closer to each other at the root."""
    last = lines.shape[1] - 1
    place = kept[:, None] * last * np.linspace(0, 1, points, dtype=np.float32) ** closer
    base = np.minimum(place.astype(np.int64), last - 1)
    over = (place - base)[..., None]
    strand = np.arange(len(lines))[:, None]
    return lines[strand, base] * (1 - over) + lines[strand, base + 1] * over


def waved(style: Hairstyle, lines: Floats, away: Floats, random: np.random.Generator) -> Floats:
    """Strands with waves or curls; neighbours swing together."""
    if not style.wave:
        return lines
    count = len(lines)
    along = tangents(lines)
    side = unit(np.cross(along, away))
    segment = np.linalg.norm(np.diff(lines, axis=1), axis=2)
    grown = np.concatenate([np.zeros((count, 1), np.float32), segment.cumsum(1)], axis=1)
    start = lines[:, 0]
    phase = 2.2 * np.sin(start @ [0.055, 0.04, 0.05]) + 2.2 * np.sin(start @ [-0.05, 0.06, 0.045])
    phase += random.normal(0, 0.25 + 0.6 * style.curl, count)
    turn = (2 * np.pi / style.wave_mm) * grown * random.normal(1, 0.03 + 0.08 * style.curl, count)[:, None] + phase[
        :, None
    ]
    amount = style.wave * (1 - np.exp(-grown / (0.5 * style.wave_mm)))
    swing = (amount * np.sin(turn))[..., None] * side
    out = (amount * (0.35 + 0.65 * style.curl) * (1 + np.cos(turn)) / 2)[..., None] * away
    return (lines + swing + out).astype(np.float32)


def in_locks(style: Hairstyle, sprouts: Strands, lines: Floats, random: np.random.Generator) -> Floats:
    """Strands drawn together towards their tips, and strayed by frizz."""
    count, points = lines.shape[:2]
    t = np.linspace(0, 1, points, dtype=np.float32)[:, None]
    leader = np.arange(0, count, max(count // LOCKS, 3))
    side = np.where(lines[:, points // 2, :1] > 0, 40.0, -40.0)
    key = np.concatenate([sprouts.start, side, 60.0 * sprouts.fringe[:, None]], axis=1)
    lock = leader[cKDTree(key[leader]).query(key)[1]]
    tight = style.clump * np.where(sprouts.fringe, 0.35, 1.0) * random.uniform(0.4, 1.0, count)
    near = np.linalg.norm(lines[lock, -1] - lines[:, -1], axis=1)
    drawn = (tight * np.exp(-((near / 30) ** 2)))[:, None, None] * t ** (1.5 - style.curl)
    lines = lines + drawn.astype(np.float32) * (lines[lock] - lines)
    far = style.frizz * min(1.0, style.top_mm / 40) * np.where(random.random(count) < 0.04, 4.0, 1.2)
    stray = random.normal(size=(count, 1, 3)) * far[:, None, None] * t**1.3
    return (lines + stray).astype(np.float32)
