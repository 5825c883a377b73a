"""Brows, lashes and beards as geometry: short hairs that follow the skin, whatever the face does."""

import functools
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population import hair
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.eyes import lid_loops
from facegen_core.population.noise import step
from facegen_core.population.portrait.hairstyle import Hairstyle
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.ribbons import ribbons
from facegen_core.population.portrait.roots import Places, ground, skin, sow
from facegen_core.population.portrait.skin_normals import normals, unit
from facegen_core.seeding import numpy_generator

POINTS = 7
BROW_SHARE, LASH_SHARE, BEARD_SHARE = 0.12, 0.06, 0.45
"""Hairs of both brows, of all four lids and of a full beard, in parts of the strands on the head."""
BROW_MM, LASH_MM, BEARD_MM2 = 110.0, 30.0, 11_000.0
"""Width of all hairs of both brows together, and of all lashes, mm; area of those of a full beard, mm^2."""
FINEST = 0.16
STUBBLE = 0.45
"""A beard painted no thicker than this is stubble, and stays paint."""
SHORTEST_BEARD_MM = 3.0
LASH_DARK = np.array([0.05, 0.04, 0.04])


class Hairs(NamedTuple):
    """Short hairs, bound to the skin below each of their points.

    Attributes:
        places: (S * N,) of their points.
        width: (S, N) mm.
        colours: (S, N, 3) sRGB.
        roll: (S,) radians.
    """

    places: Places
    width: Floats
    colours: Floats
    roll: Floats

    def on(self, head: Floats, anatomy: Anatomy) -> Piece:
        """The hairs on a head (V, 3)."""
        head = head.astype(np.float32, copy=False)
        normal = normals(head, anatomy)
        shape = (*self.width.shape, 3)
        lines = self.places.on(head, normal).reshape(shape)
        return ribbons(lines, unit(self.places.normals(normal)).reshape(shape), self.width, self.colours, self.roll)


def brow_pieces(style: Hairstyle, look: Appearance, head: Floats, anatomy: Anatomy, strands: int) -> list[Piece]:
    """The hairs of both brows, over the painted ones.

    Args:
        style: says how long they are.
        look: the person's.
        head: (V, 3) mm, in the anatomy's frame, with its expression.
        anatomy: the head's.
        strands: of the hair of the head; brows have an eighth as many.
    """
    hairs = _brows(style, look, anatomy, int(BROW_SHARE * strands))
    return [] if hairs is None else [hairs.on(head, anatomy)]


def beard_pieces(style: Hairstyle, look: Appearance, head: Floats, anatomy: Anatomy, strands: int) -> list[Piece]:
    """Moustache and beard, where they are thicker than stubble; arguments as :func:`brow_pieces`."""
    hairs = _beard(style, look, anatomy, int(BEARD_SHARE * strands))
    return [] if hairs is None else [hairs.on(head, anatomy)]


def lash_pieces(style: Hairstyle, look: Appearance, head: Floats, anatomy: Anatomy, strands: int) -> list[Piece]:
    """Lashes of all four lids, which move with them; arguments as :func:`brow_pieces`."""
    count = int(LASH_SHARE * strands) // 4
    if count < 1:
        return []
    lines, away, width = [], [], []
    for i, (path, upper, ball) in enumerate(_lid_paths(anatomy)):
        random = numpy_generator(style.grain, 3, i)
        number = max(1, int(count * (1.3 if upper else 0.7)))
        length = style.lash_mm * (1.0 if upper else 0.5)
        line, out = _lashes(head[path], head[ball].mean(0), upper, number, length, random)
        lines.append(line)
        away.append(out)
        finest = max(FINEST, LASH_MM * (0.65 if upper else 0.35) / 2 / number * (0.5 + 0.7 * look.lashes))
        width.append(np.broadcast_to(finest * np.linspace(1, 0.2, POINTS, dtype=np.float32), line.shape[:2]))
    joined = np.concatenate(lines)
    colour = np.broadcast_to((0.7 * LASH_DARK + 0.3 * 0.5 * np.array(look.brow_hair)).astype(np.float32), joined.shape)
    return [ribbons(joined, np.concatenate(away), np.concatenate(width), colour, np.zeros(len(joined), np.float32))]


@functools.lru_cache(maxsize=8)
def _brows(style: Hairstyle, look: Appearance, anatomy: Anatomy, count: int) -> Hairs | None:
    """From the middle up and out, then along the brow, then along it and down."""
    random = numpy_generator(style.grain, 1)
    soil = skin(anatomy)
    cover = hair.brows(look, ground(anatomy))
    rows = sow(np.where(cover > 0.12, cover, 0), count, random, anatomy)
    if not len(rows):
        return None
    start, away = soil.at[rows], soil.away[rows]
    side = np.sign(start[:, 0])
    along = ((np.abs(start[:, 0]) - hair.BROW[0][0]) / (hair.BROW[-1][0] - hair.BROW[0][0])).clip(0, 1)
    low = _below(cover, rows, soil.texel, soil.at)
    angle = np.radians(np.interp(along, [0, 0.2, 0.55, 1], [78, 48, 12, -28]))
    angle += np.radians(28 * low * (1 - 0.4 * along)) + random.normal(0, 0.13, len(rows))
    way = np.stack([side * np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
    length = style.brow_mm * random.uniform(0.7, 1.1, len(rows)) * np.interp(along, [0, 0.3, 1], [0.75, 1.0, 0.8])
    bend = np.stack([0.35 * side, np.full(len(rows), -0.3), np.zeros(len(rows))], axis=1)
    lines = _laid(start, away, way.astype(np.float32), bend, length, rise=0.16)
    width = np.full(len(rows), max(FINEST, BROW_MM / count * (0.6 + 0.5 * look.brow_density)))
    return _bound(lines, width, _shaded(look, lines, 0.18, random), random, anatomy)


def _below(cover: Floats, rows: Indices, texel: Indices, at: Floats) -> Floats:
    """Where in the brow's height hairs grow, from 1, its lower edge, to -1, its upper one, (S,)."""
    inside = np.flatnonzero(cover.ravel()[texel] > 0.12)
    spot = at[inside]
    near = cKDTree(spot[:, :1]).query(at[rows][:, :1], k=min(24, len(spot)))[1]
    height = spot[near.reshape(len(rows), -1), 1]
    middle, spread = height.mean(1), height.std(1) + 0.5
    return ((middle - at[rows][:, 1]) / (1.6 * spread)).clip(-1, 1)


@functools.lru_cache(maxsize=8)
def _beard(style: Hairstyle, look: Appearance, anatomy: Anatomy, count: int) -> Hairs | None:
    """Down and a little to the front; the moustache to both sides, short enough to leave the lips free."""
    if max(look.moustache, look.chin_beard, look.cheek_beard) < STUBBLE:
        return None
    random, soil = numpy_generator(style.grain, 2), skin(anatomy)
    cover = hair.beard(look, ground(anatomy))
    thick = np.where(cover > STUBBLE, cover, 0)
    full = float((soil.area * thick.ravel()[soil.texel]).sum()) / 9000.0
    rows = sow(thick, int(count * min(full, 1.0)), random, anatomy)
    if not len(rows):
        return None
    start, away = soil.at[rows], soil.away[rows]
    x, y = np.abs(start[:, 0]), start[:, 1]
    side = np.sign(start[:, 0] + 0.1)
    lip = (y > -44) & (x < 32) & (start[:, 2] > 20)
    share = ((cover.ravel()[soil.texel[rows]] - STUBBLE) / (1 - STUBBLE)).clip(0, 1)
    long = np.where(lip, np.minimum(7.0, 0.7 * style.beard_mm), style.beard_mm * np.where(x > 45, 0.5, 1.0))
    share *= 1 - 0.8 * step(-88 - y, 14)  # the neck is trimmed
    length = SHORTEST_BEARD_MM + (long - SHORTEST_BEARD_MM).clip(0) * share * random.uniform(0.6, 1.0, len(rows))
    length = np.where(lip, np.minimum(length, (y + 43).clip(2.0) + 0.25 * x), length)  # the lips begin below
    way = np.stack([side * np.where(lip, 0.75, 0.15), np.full(len(rows), -1.0), np.where(lip, 0.0, 0.25)], axis=1)
    way += random.normal(0, 0.18, way.shape)
    bend = np.stack([-0.2 * side, np.full(len(rows), -0.25), np.zeros(len(rows))], axis=1)
    lines = _laid(start, away, way.astype(np.float32), bend, length, rise=0.3)
    width = np.full(len(rows), max(FINEST, BEARD_MM2 / count / max(float(np.median(length)), 5.0)))
    width = np.minimum(width, np.maximum(0.22 * length, FINEST))
    return _bound(lines, width, _shaded(look, lines, 0.25, random), random, anatomy)


def _laid(start: Floats, away: Floats, way: Floats, bend: Floats, length: Floats, rise: float) -> Floats:
    """Hairs (S, N, 3) that leave the skin at a slant and bend on their way."""
    way = unit(way - np.einsum("sc,sc->s", way, away)[:, None] * away)
    t = np.linspace(0, 1, POINTS, dtype=np.float32)[None, :, None]
    size = length[:, None, None]
    up = 0.15 + rise * size * (t - 0.35 * t**2)
    return (start[:, None] + size * (way[:, None] * t + 0.4 * bend[:, None] * t**2) + up * away[:, None]).astype(
        np.float32
    )


def _shaded(look: Appearance, lines: Floats, spread: float, random: np.random.Generator) -> Floats:
    light = np.exp(random.normal(0, spread, (len(lines), 1))) * np.linspace(0.85, 1.15, lines.shape[1])
    return (light[..., None] * (np.array(look.brow_hair) + 0.008)).clip(0, 1).astype(np.float32)


def _bound(lines: Floats, width: Floats, colours: Floats, random: np.random.Generator, anatomy: Anatomy) -> Hairs:
    """Lines of the template (S, N, 3) tied to the texel of skin below each point."""
    soil = skin(anatomy)
    points = lines.reshape(-1, 3)
    front, tree = _front(anatomy)
    row = front[tree.query(points)[1]]
    over = points - soil.at[row]
    height = np.einsum("pc,pc->p", over, soil.away[row]).astype(np.float32)
    places = Places(soil.corners[row], soil.shares[row], height, over - height[:, None] * soil.away[row])
    taper = np.interp(np.linspace(0, 1, lines.shape[1]), [0, 0.3, 1], [0.8, 1.0, 0.15])
    roll = random.normal(0, 0.6, len(lines)).astype(np.float32)
    return Hairs(places, (width[:, None] * taper).astype(np.float32), colours, roll)


@functools.lru_cache(maxsize=1)
def _front(anatomy: Anatomy) -> tuple[Indices, cKDTree]:
    """The texels of face and neck, and where they are."""
    front = np.flatnonzero(skin(anatomy).at[:, 2] > hair.BEARD_BACK_MM - 8)
    return front, cKDTree(skin(anatomy).at[front])


@functools.lru_cache(maxsize=1)
def _lid_paths(anatomy: Anatomy) -> tuple[tuple[Indices, bool, Indices], ...]:
    """The four lids: vertices of the front edge from the inner corner out, whether it is an upper one, the eye's."""
    template = anatomy.template.numpy()
    triangles = anatomy.faces[anatomy.parts["skin"]]
    paths = []
    for name, loop in zip(("left eye", "right eye"), lid_loops(anatomy), strict=True):
        across = np.abs(template[loop, 0])
        start, end = int(across.argmin()), int((across.argmax() - across.argmin()) % len(loop))
        order = np.roll(loop, -start)
        one, two = order[: end + 1], np.append(order[end:], order[0])[::-1]
        ball = np.unique(anatomy.faces[anatomy.parts[name]])
        higher = template[one, 1].mean() > template[two, 1].mean()
        for path, upper in ((one, higher), (two, not higher)):
            paths.append((_front_edge(path, loop, triangles, template), upper, ball))
    return tuple(paths)


def _front_edge(path: Indices, loop: Indices, triangles: Indices, template: Floats) -> Indices:
    """The neighbours, in front, of vertices where a lid's skin ends: lids are thick, and lashes grow on that edge."""
    edges = np.concatenate([triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0], [1, 0], [2, 1], [0, 2])])
    edges = edges[~np.isin(edges[:, 1], loop)]
    front = []
    for vertex in path:
        near = edges[edges[:, 0] == vertex, 1]
        if len(near):
            front.append(near[np.linalg.norm((template[near] - template[vertex])[:, :2], axis=1).argmin()])
    return np.array(front, dtype=np.int64)


def _lashes(
    edge: Floats, ball: Floats, upper: bool, count: int, length: float, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Lashes (S, N, 3) along the edge (E, 3) of a lid, fanned out and curled up, or down; and the way out of the face.

    They stand off the eye: a lid that comes down over it turns them with it.
    """
    edge = edge.astype(np.float32, copy=False)
    grown = np.concatenate([[0.0], np.linalg.norm(np.diff(edge, axis=0), axis=1).cumsum()])
    place = (np.arange(count) + random.random(count)) / count
    place = 0.10 + 0.88 * place if upper else 0.25 + 0.7 * place
    root = np.stack([np.interp(place * grown[-1], grown, edge[:, c]) for c in range(3)], axis=1).astype(np.float32)
    middle = ball - np.array([0.0, 0.0, 9.0], np.float32)  # the ball is a shell: its centre lies behind its middle
    out = unit(root - middle)
    outer = np.sign(edge[-1, 0]) * (place - 0.45)
    fan = np.stack([outer, np.zeros(count), np.zeros(count)], axis=1) + random.normal(0, 0.06, (count, 3))
    corner = unit(edge[-1] - edge[0])
    rising = np.cross(out, corner)
    rising = unit(rising * np.sign(rising[:, 1:2])) * (1.0 if upper else -1.0)
    way = unit(out + 0.35 * rising + 0.9 * fan)
    t = np.linspace(0, 1, POINTS, dtype=np.float32)[None, :, None]
    size = length * random.uniform(0.75, 1.1, count) * np.interp(place, [0, 0.4, 0.8, 1], [0.6, 1, 1.05, 0.8])
    lines = root[:, None] + size[:, None, None] * (way[:, None] * t * 0.9 + 0.45 * rising[:, None] * t**2)
    away = np.broadcast_to(unit(rising + 0.3 * out)[:, None], lines.shape)
    return lines.astype(np.float32), away.astype(np.float32)
