"""Hair of the head as geometry: a cap of colour close to the scalp, and strands over it.

Strands are grown once a person, on the template; on a head they are where the space around the template goes.
"""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population import hair
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.noise import step
from facegen_core.population.portrait import combing
from facegen_core.population.portrait.around_head import COARSE_MM, FINE_MM, cells, normals, space, unit
from facegen_core.population.portrait.hairstyle import Hairstyle
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.ribbons import ribbons, tangents
from facegen_core.population.portrait.roots import Places, ground, skin, sow
from facegen_core.seeding import numpy_generator

LAYERS_MM2 = 3.2 * 69_000
"""Area of all strands together, mm^2: the scalp's, times as many layers. With fewer strands each is so much wider."""
LENGTHS_MM = (35.0, 110.0)
"""Long hair hangs down beside what it covers: between these lengths, strands count as that long."""
WIDEST, NARROWEST = 5.5, 0.45
LONG_MM = 150.0
"""From this length on hair counts as long."""
FRINGE_DENSITY = 2.2
"""A fringe covers more than the skin it grows on."""
LOCKS = 350
"""Most locks that strands gather into."""
TIED_SHARE = 0.3
"""Of the strands, those that make up the bun or the tail behind the knot."""
CAP_MM = 0.9
"""The cap lies so high over the skin; under an afro it is thicker."""
CLEAR_MM = 0.5
"""No strand comes closer to the plane through the nearest vertex of a head than this."""
NEAR_MM = 14.0


class Growth(NamedTuple):
    """A person's strands on the template, and how they go along to another head.

    Attributes:
        lines: (S, N, 3) their middles, mm.
        away: (S, N, 3) the way out of the head.
        width: (S, N) mm.
        colours: (S, N, 3) sRGB.
        roll: (S,) radians.
        roots: where they start on the skin.
        rooted: (S, N, 1) how much of its root's place a point takes over.
        carried: (S * N, L) how they follow the lattice around the head.
        close: (C,) which of their points lie close to the skin,
        beneath: (C,) and the vertex under each.
    """

    lines: Floats
    away: Floats
    width: Floats
    colours: Floats
    roll: Floats
    roots: Places
    rooted: Floats
    carried: csr_array
    close: Indices
    beneath: Indices


def hair_pieces(style: Hairstyle, look: Appearance, head: Floats, anatomy: Anatomy, strands: int) -> list[Piece]:
    """The hair of a head; quick for a person whose hair was grown before.

    Args:
        style: how it is worn.
        look: the person's.
        head: (V, 3) mm, in the anatomy's frame, with its expression.
        anatomy: the head's.
        strands: most strands there may be; about 600 for a picture of 128 pixels, 5000 for 1024.

    Returns:
        The cap and the strands; nothing for the bald.
    """
    if style.cut == "bald" or strands < 1:
        return []
    head = head.astype(np.float32, copy=False)
    normal = normals(head, anatomy.faces[anatomy.parts["skin"]])
    cap = _cap(style, look, head, normal, anatomy)
    growth = grown(style, look, anatomy, strands)
    if growth is None:
        return cap
    lines = on_head(growth, head, normal, anatomy)
    return [*cap, ribbons(lines, growth.away, growth.width, growth.colours, growth.roll)]


def on_head(growth: Growth, head: Floats, normal: Floats, anatomy: Anatomy) -> Floats:
    """The middle lines (S, N, 3) of a person's strands on a head (V, 3) with normals (V, 3)."""
    template = anatomy.template.numpy().astype(np.float32)
    moved = growth.carried @ (space(anatomy).carried @ (head - template))
    lines = growth.lines + moved.reshape(growth.lines.shape)
    starts = growth.roots.on(head, normal)
    lines += growth.rooted * (starts - lines[:, 0])[:, None]
    points = lines.reshape(-1, 3)
    over = points[growth.close] - head[growth.beneath]
    away = normal[growth.beneath]
    missing = (CLEAR_MM - np.einsum("pc,pc->p", over, away)).clip(0, NEAR_MM)
    points[growth.close] += missing[:, None] * away
    return lines


@functools.lru_cache(maxsize=8)
def scalp_cover(look: Appearance, anatomy: Anatomy) -> Floats:
    """How thick hair lies on the map (R, R), as it is painted."""
    return hair.scalp(look, ground(anatomy))


@functools.lru_cache(maxsize=8)
def grown(style: Hairstyle, look: Appearance, anatomy: Anatomy, strands: int) -> Growth | None:
    """A person's strands on the template; None if no hair grows there."""
    random = numpy_generator(style.grain, 0)
    cover = scalp_cover(look, anatomy)
    tied = int(TIED_SHARE * strands) if style.cut in ("bun", "ponytail") else 0
    rows = sow(_density(style, cover, anatomy), strands - tied, random, anatomy)
    if not len(rows):
        return None
    lines, layer = _lines(style, look, anatomy, rows, tied, random)
    around = space(anatomy)
    distance, away = around.look_up(lines.reshape(-1, 3))
    close = np.flatnonzero(distance < NEAR_MM)
    at, share = cells(lines.reshape(-1, 3)[close], FINE_MM)
    beneath = around.nearest[at[np.arange(len(at)), share.argmax(1)]]
    nodes, weights = cells(lines.reshape(-1, 3), COARSE_MM)
    starts = np.arange(0, nodes.size + 1, 8)
    carried = csr_array((weights.ravel(), nodes.ravel(), starts), shape=(len(nodes), around.carried.shape[0]))
    t = np.linspace(0, 1, lines.shape[1], dtype=np.float32)
    count = len(lines)
    length = np.linalg.norm(np.diff(lines, axis=1), axis=2).sum(1)
    edge = cover.ravel()[skin(anatomy).texel[rows]]
    edge = np.concatenate([edge, np.ones(tied, np.float32)])
    roll = random.normal(0, 0.35 if style.flow != "out" else 1.2, count).astype(np.float32)
    rooted = np.exp(-(((t * length[:, None]) / 25) ** 2))
    rooted[count - tied :] = 0
    places = skin(anatomy).places(np.concatenate([rows, rows[:1].repeat(tied)]))
    return Growth(
        lines=lines,
        away=away.reshape(lines.shape),
        width=_widths(style, strands, t, length, edge),
        colours=_colours(style, look, lines, t, layer, random),
        roll=roll,
        roots=places,
        rooted=rooted[..., None].astype(np.float32),
        carried=carried,
        close=close,
        beneath=beneath,
    )


def _density(style: Hairstyle, cover: Floats, anatomy: Anatomy) -> Floats:
    """How densely strands grow on the map (R, R), where hair is painted to lie so thick."""
    dense, on = np.where(cover > 0.2, cover, 0), ground(anatomy)
    if style.fringe is not None:
        dense = dense * np.where(_in_fringe(np.stack([on.x, on.y, on.z], axis=-1)), FRINGE_DENSITY, 1.0)
    if style.top_mm > LONG_MM:  # what hangs down from the top covers the rest
        dense = dense * (0.6 + 1.2 * step(on.y - 88, 30))
    if style.flow == "part":
        line = style.part * np.interp(on.z, [-95, 45], [combing.PART_BACK[0], combing.PART_FRONT[0]])
        dense = dense * (1 + 1.5 * np.exp(-(((on.x - line) / 12) ** 2)) * step(on.y - 88, 10) * step(on.z + 105, 10))
    return dense.astype(np.float32)


def _in_fringe(points: Floats) -> npt.NDArray[np.bool_]:
    """Whether hair that grows at points (..., 3) of the template can be part of a fringe."""
    x, y, z = np.moveaxis(points, -1, 0)
    return (z > -12) & (np.abs(x) < 47) & (y > 72)


def _lines(
    style: Hairstyle, look: Appearance, anatomy: Anatomy, rows: Indices, tied: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Middle lines (S, N, 3) and layers (S,) of the strands that grow at some rows, and of those tied in a knot."""
    soil, around = skin(anatomy), space(anatomy)
    sprouts = _sprouts(style, look, soil.at[rows], random)
    points, steps = _detail(style)
    lines = combing.grow(style, sprouts, around, steps)
    lines = _trimmed(lines, _ends(style, sprouts, lines, random), points, 1.3 if style.top_mm > LONG_MM else 1.0)
    lines = _waved(style, lines, around.look_up(lines.reshape(-1, 3))[1].reshape(lines.shape), random)
    lines = _in_locks(style, sprouts, lines, random)
    if style.flow != "out":
        flat = lines.reshape(-1, 3)
        into = combing.into_face(flat, sprouts.sway.repeat(points))
        into *= (~sprouts.fringe & True).repeat(points) * np.tile(step(np.arange(points) - 1.5, 1), len(lines))
        flat[:, 0] += into * np.sign(flat[:, 0])
        lines[:, 1:-1] = 0.5 * lines[:, 1:-1] + 0.25 * (lines[:, :-2] + lines[:, 2:])  # no kinks where it was pushed
    if tied:
        extra = _tied(style, tied, random)
        knot = (
            combing.coil(style, extra, points - 1)
            if style.cut == "bun"
            else _waved(style, *_tail(style, extra, anatomy, points), random)
        )
        lines = np.concatenate([lines, knot])
        sprouts = sprouts._replace(layer=np.concatenate([sprouts.layer, extra.layer]))
    flat = lines.reshape(-1, 3)
    for _ in range(2):
        distance, away = around.look_up(flat)
        flat += (combing.LEAST_MM - distance).clip(0)[:, None] * away
    return lines, sprouts.layer


def _sprouts(style: Hairstyle, look: Appearance, start: Floats, random: np.random.Generator) -> combing.Strands:
    """Strands to grow from places on the template (S, 3)."""
    count = len(start)
    layer, sway = random.random(count, np.float32), random.standard_normal(count, np.float32)
    top = combing.topness(start)
    length = style.side_mm + (style.top_mm - style.side_mm) * top
    if style.top_mm < LONG_MM:  # cut in steps: shorter towards the nape
        length = length * (0.75 + 0.25 * step(start[:, 1] - 10, 40)) * (0.75 + 0.25 * layer)
    if style.flow == "out":
        edge = step(start[:, 2], 40)
        length = style.volume * (0.8 + 0.2 * layer) * (1 - 0.45 * edge)
    fringe = np.zeros(count, bool)
    if style.fringe is not None:
        hairline = 99 + look.hairline
        fringe = _in_fringe(start) & (random.random(count) < 0.9)
        length = np.where(fringe, hairline + 80 - style.fringe, length)
    return combing.Strands(start, length.astype(np.float32), layer, sway, fringe, np.zeros(count, bool))


def _detail(style: Hairstyle) -> tuple[int, int]:
    """Points of a strand, and steps that it is grown in."""
    long, waved = style.top_mm > LONG_MM, style.curl > 0 or style.wave > 4
    return (17 if long and waved else 13 if waved else 10 if long else 7), (28 if long else 12 if waved else 9)


def _ends(style: Hairstyle, sprouts: combing.Strands, lines: Floats, random: np.random.Generator) -> Floats:
    """How much of each strand is kept, (S,) in [0, 1]: hair is cut off level, fringes higher, and ends at a knot."""
    count, steps = len(lines), lines.shape[1] - 1
    over = np.zeros(lines.shape[:2], bool)
    if style.flow == "knot":
        over |= np.linalg.norm(lines - np.array([0, *style.knot], np.float32), axis=2) < combing.KNOT_MM
    else:
        ragged = random.normal(0, 5, count) + 22 * (1 - sprouts.layer) * (style.ends < -110)
        over |= lines[..., 1] < (style.ends + ragged)[:, None]
    if style.fringe is not None:
        fringe_end = style.fringe + random.normal(0, 1.8, count) + 0.0025 * sprouts.start[:, 0] ** 2 * -1
        over = np.where(sprouts.fringe[:, None], lines[..., 1] < fringe_end[:, None], over)
    first = np.where(over.any(1), over.argmax(1), steps)
    return (first / steps).clip(1 / steps, 1).astype(np.float32)


def _trimmed(lines: Floats, kept: Floats, points: int, closer: float = 1.0) -> Floats:
    """The first part of lines (S, M, 3), drawn with another number of points, closer to each other at the root."""
    last = lines.shape[1] - 1
    place = kept[:, None] * last * np.linspace(0, 1, points, dtype=np.float32) ** closer
    base = np.minimum(place.astype(np.int64), last - 1)
    over = (place - base)[..., None]
    strand = np.arange(len(lines))[:, None]
    return lines[strand, base] * (1 - over) + lines[strand, base + 1] * over


def _in_locks(style: Hairstyle, sprouts: combing.Strands, lines: Floats, random: np.random.Generator) -> Floats:
    """Strands drawn together towards their tips, and strayed by frizz."""
    count, points = lines.shape[:2]
    t = np.linspace(0, 1, points, dtype=np.float32)[:, None]
    leader = np.arange(0, count, max(count // LOCKS, 3))
    side = np.where(lines[:, points // 2, :1] > 0, 40.0, -40.0)
    key = np.concatenate([sprouts.start, side, 60.0 * sprouts.fringe[:, None]], axis=1)
    lock = leader[cKDTree(key[leader]).query(key)[1]]
    drawn = (
        style.clump
        * np.where(sprouts.fringe, 0.35, 1.0)[:, None, None]
        * random.uniform(0.4, 1.0, count)[:, None, None]
        * t ** (1.5 - style.curl)
    )
    near = np.linalg.norm(lines[lock, -1] - lines[:, -1], axis=1)
    lines = lines + (drawn * np.exp(-((near / 30) ** 2))[:, None, None]).astype(np.float32) * (lines[lock] - lines)
    stray = random.standard_normal((count, 1, 3), np.float32)
    stray *= style.frizz * np.where(random.random(count) < 0.04, 4.0, 1.2)[:, None, None].astype(np.float32)
    return lines + stray * t**1.3 * min(1.0, style.top_mm / 40)


def _waved(style: Hairstyle, lines: Floats, away: Floats, random: np.random.Generator) -> Floats:
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


def _tied(style: Hairstyle, count: int, random: np.random.Generator) -> combing.Strands:
    """Strands of a bun or a tail, around their knot."""
    around = random.random((count, 3), np.float32)
    if style.cut == "ponytail":
        around = np.array([0.0, *style.knot], np.float32) + unit(random.normal(size=(count, 3))) * 8
    length = np.clip(style.knot[0] - style.ends, 120, 300) * random.uniform(0.75, 1.0, count)
    sway = random.standard_normal(count, np.float32)
    none = np.zeros(count, bool)
    layer = random.random(count, np.float32)
    return combing.Strands(around.astype(np.float32), length.astype(np.float32), layer, sway, none, ~none)


def _tail(style: Hairstyle, extra: combing.Strands, anatomy: Anatomy, points: int) -> tuple[Floats, Floats]:
    """Middle lines (S, N, 3) of a ponytail, and the way out of it."""
    lines = combing.grow(style, extra, space(anatomy), 28)
    lines = _trimmed(lines, np.ones(len(lines), np.float32), points)
    middle = lines.mean(0)
    t = np.linspace(0, 1, points, dtype=np.float32)[:, None]
    lines = middle + (lines - middle) * (1 + 1.2 * np.sin(np.pi * t**0.7))
    return lines, unit(lines - middle + np.array([0, 0, -3.0], np.float32))


def _widths(style: Hairstyle, strands: int, t: Floats, length: Floats, edge: Floats) -> Floats:
    """(S, N) mm: narrow at the root and at the tip, and where hair is thin."""
    usual = LAYERS_MM2 / strands / np.clip(np.median(length) * (0.5 if style.flow == "knot" else 1), *LENGTHS_MM)
    usual = np.minimum(np.clip(usual, NARROWEST, WIDEST), np.maximum(0.3 * length, 0.4))
    tip = 0.15 if style.flow != "out" else 0.7
    root = 0.6 if style.top_mm < LONG_MM else 1.0
    shape = np.interp(t, [0, 0.15, 0.6, 0.85, 1], [root, 1.0, 1.0, 0.85, tip])
    return (usual[:, None] * shape * (0.4 + 0.6 * edge.clip(0, 1))[:, None]).astype(np.float32)


def _colours(
    style: Hairstyle, look: Appearance, lines: Floats, t: Floats, layer: Floats, random: np.random.Generator
) -> Floats:
    """(S, N, 3) sRGB: strands differ, roots and what lies beneath are darker, tips may be lighter."""
    count = len(lines)
    shade = random.normal(0, style.shades, count) + 0.5 * style.shades * np.sin(lines[:, 0] @ [0.11, 0.07, 0.09])
    warm = 1 + random.normal(0, 0.04, (count, 1)) * np.array([0.6, 0.0, -1.0])
    light = np.exp(shade)[:, None] * np.interp(t, [0, 0.35], [0.75, 1.12]) * (0.75 + 0.33 * layer**0.7)[:, None]
    light = light * (1 + style.tips * step(t - 0.55, 0.5))
    colour = (np.array(look.hair) + 0.012) * warm
    return (light[..., None] * colour[:, None]).clip(0, 1).astype(np.float32)


def _cap(style: Hairstyle, look: Appearance, head: Floats, normal: Floats, anatomy: Anatomy) -> list[Piece]:
    """The scalp, where it is thick with hair, lifted and in the hair's colour."""
    cover = _cover_of_vertices(look, anatomy)
    faces = anatomy.faces[anatomy.parts["skin"]]
    faces = faces[(cover[faces] > 0.75).all(1)]
    if not len(faces):
        return []
    used, corners = np.unique(faces, return_inverse=True)
    inner = np.full(len(cover), 1.0)
    rim = np.unique(anatomy.faces[anatomy.parts["skin"]][~(cover[anatomy.faces[anatomy.parts["skin"]]] > 0.75).all(1)])
    inner[rim] = 0.0
    high = 0.5 * style.volume if style.flow == "out" else CAP_MM
    lift = (high * inner[used] - 0.4 * (1 - inner[used]))[:, None]
    colour = (np.array(look.hair) + 0.01) * (1 - 0.3 * inner[used])[:, None]
    away = normal[used]
    along = unit(np.cross(np.cross(away, [0.0, -1.0, -0.2]), away) * -1 + 1e-4)
    return [
        Piece(
            vertices=(head[used] + lift * away).astype(np.float32),
            faces=corners.reshape(-1, 3).astype(np.int64),
            colours=colour.clip(0, 1).astype(np.float32),
            material="hair",
            normals=away,
            tangents=along,
        )
    ]


@functools.lru_cache(maxsize=8)
def _cover_of_vertices(look: Appearance, anatomy: Anatomy) -> Floats:
    """How thick hair lies around each vertex, (V,)."""
    soil = skin(anatomy)
    cover = scalp_cover(look, anatomy).ravel()[soil.texel]
    weight = (soil.shares * soil.area[:, None]).ravel()
    count = len(anatomy.template)
    total = np.bincount(soil.corners.ravel(), weight * cover.repeat(3), count)
    return (total / np.maximum(np.bincount(soil.corners.ravel(), weight, count), 1e-6)).astype(np.float32)
