"""Strands as thin strips of triangles."""

import functools

import numpy as np

from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.skin_normals import unit


def ribbons(lines: Floats, away: Floats, width: Floats, colours: Floats, roll: Floats) -> Piece:
    """Strips along the middle lines of strands, that lie flat on what is below them.

    Args:
        lines: (S, N, 3) mm.
        away: (S, N, 3) of length 1, the way out of what the hair lies on: strips are shaded as if they faced there.
        width: (S, N) mm.
        colours: (S, N, 3) sRGB.
        roll: (S,) how far each strip is turned around its line, radians.
    """
    along = tangents(lines)
    side = unit(np.cross(along, away))
    turned, over = np.cos(roll)[:, None, None], np.sin(roll)[:, None, None]
    edge = turned * side + over * np.cross(side, along)
    half = (0.5 * width[..., None] * edge).astype(np.float32)
    vertices = np.stack([lines - half, lines + half], axis=2)
    facing = unit(away[:, :, None] + 0.35 * np.stack([-side, side], axis=2))  # a little round
    both = (*lines.shape[:2], 2, 3)
    return Piece(
        vertices=vertices.reshape(-1, 3),
        faces=_strips(*lines.shape[:2]),
        colours=np.broadcast_to(colours[:, :, None].clip(0, 1), both).reshape(-1, 3).astype(np.float32),
        material="hair",
        normals=facing.reshape(-1, 3),
        tangents=np.broadcast_to(along[:, :, None], both).reshape(-1, 3),
        thin=True,
    )


def tangents(lines: Floats) -> Floats:
    """(S, N, 3) of length 1 along lines (S, N, 3)."""
    along = np.empty_like(lines)
    along[:, 1:-1] = lines[:, 2:] - lines[:, :-2]
    along[:, 0], along[:, -1] = lines[:, 1] - lines[:, 0], lines[:, -1] - lines[:, -2]
    along[..., 1] -= 1e-6 * ~along.any(-1)  # of a strand without length: down
    return unit(along)


@functools.lru_cache(maxsize=16)
def _strips(strands: int, points: int) -> Indices:
    """(F, 3) triangles of strips whose vertices are numbered strand by strand, point by point, left and right."""
    first = 2 * (points * np.arange(strands)[:, None] + np.arange(points - 1)).ravel()
    faces = first[:, None] + np.array([0, 1, 2, 1, 3, 2])
    return faces.reshape(-1, 3).astype(np.int64)
