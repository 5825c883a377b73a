"""Traditional golden palace dress: a crown with jewels and beads, a brocade robe with a high collar, a necklace."""

import functools

import numpy as np

from facegen_core.geometry.mesh import Indices
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, Reals, mesh_normals
from facegen_core.population.portrait.cloth import UP, Layer, cut, drape, hem, neckline, outward, under_jaw, whole
from facegen_core.population.portrait.costumes.fur import along_neckline, apart
from facegen_core.population.portrait.costumes.headwear import around_head
from facegen_core.population.portrait.garments import Line, folds
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.solids import Part, balls, join, sheet, tube

ROBE, COLLAR, BEADS = Line(78, 140, 6, 1.0), Line(72, 62, 8, 2.0), Line(104, 92, 40, 2.0)
GOLD, BRIGHT, PEARL = np.array([0.83, 0.62, 0.20]), np.array([0.95, 0.78, 0.36]), np.array([0.95, 0.92, 0.86])
SILKS = ((0.62, 0.07, 0.10), (0.12, 0.20, 0.52), (0.08, 0.38, 0.30), (0.42, 0.12, 0.42))
JEWELS = np.array([[0.72, 0.04, 0.10], [0.06, 0.20, 0.66], [0.04, 0.50, 0.28]])
BAND, BAND_MM, POINTS, POINT_MM = (86.0, 58.0), 24.0, 9, 46.0
STEPS = 12
"""Columns of the crown between two points."""
TRIM_MM, LAPEL_MM = 6.0, 36.0
ROSETTE_MM, ROSETTES_APART = 19.0, 42.0


def royal(random: np.random.Generator, head: Reals, body: Body, anatomy: Anatomy) -> list[Piece]:
    """The costume's pieces for a head (H, 3) in its own frame and a body in the world's."""
    silk = np.array(SILKS[random.integers(len(SILKS))])
    jewels = JEWELS[random.permutation(3)]
    crown, stones, pearls = _crown(head, anatomy, jewels)
    chain, pendants = _necklace(body, anatomy, jewels)
    seed = int(random.integers(2**31))
    return [
        join(crown, "metal", "head", thin=True),
        join(stones, "jewel", "head"),
        join(pearls, "jewel", "head"),
        join(_robe(body, anatomy, silk, seed), "cloth", thin=True),
        join(chain, "metal"),
        join(pendants, "jewel"),
    ]


def _crown(head: Reals, anatomy: Anatomy, jewels: Reals) -> tuple[list[Part], list[Part], list[Part]]:
    """A golden crown with points, jewels and strings of beads before the ears."""
    angles = np.linspace(0, 2 * np.pi, STEPS * POINTS, endpoint=False)
    foot, away = around_head(head, anatomy, *BAND, angles, margin=13.0)
    wave = np.abs(np.cos(POINTS * angles / 2))
    height = BAND_MM + POINT_MM * (0.7 + 0.3 * np.cos(angles)) * (0.16 + 0.84 * wave**2.2)
    up = np.array([0.0, 1, 0])
    share = np.array([0, 0.25, 0.5, 0.75, 1.0])[:, None, None]
    band = foot + share * BAND_MM * up
    tall = foot + BAND_MM * up + share * (height - BAND_MM)[:, None] * up + 7 * share**2 * away
    shade = 0.9 + 0.2 * share * wave[:, None]
    gold = [
        sheet(band + 2 * away, GOLD, closed=True),
        sheet(tall, BRIGHT * shade, closed=True),
        sheet(tall - 2.5 * away, GOLD * 0.75, closed=True),
        *(tube(foot + lift * up + 2 * away, 3.2, BRIGHT, sides=5, closed=True) for lift in (0.0, BAND_MM)),
    ]
    tips, valleys = STEPS * np.arange(POINTS), STEPS * np.arange(POINTS) + STEPS // 2
    top = foot + height[:, None] * up + 8 * away
    middle = foot + 0.5 * BAND_MM * up + 4 * away
    size = np.array([6.0, 7.5, 6.0])
    stones = [balls(middle[tips], size, jewels[np.arange(POINTS) % 3], 2), balls(middle[valleys], 4.2, PEARL)]
    stones.append(balls((foot + (BAND_MM + 14) * up + 4 * away)[tips], 5.0, jewels[(np.arange(POINTS) + 1) % 3]))
    gold.append(balls(middle[tips] - 2.5 * away[tips], size + 2.2, BRIGHT))
    gold.append(balls(middle[valleys] - 1.5 * away[valleys], 5.4, BRIGHT))
    pearls = [balls(top[tips], 5.5, PEARL)]
    for side in (17, -17):  # beads hang beside the temples
        for shift in (0, 3):
            start = foot[side + int(np.sign(side)) * shift] + 5 * away[side]
            string = start - np.outer(9.5 * np.arange(1, 10 - shift // 2), up)
            pearls.append(balls(string[:-1], 3.6, PEARL))
            gold.append(tube(np.stack([start, string[-1]]), 0.9, GOLD, sides=5))
            stones.append(balls(string[-1:] - 3 * up, np.array([4.5, 8.0, 4.5]), jewels[:1]))
    return gold, stones, pearls


def _robe(body: Body, anatomy: Anatomy, silk: Reals, seed: int) -> list[Part]:
    """Golden brocade with medallions, silk lapels with golden edges, and a standing collar over a white one."""
    brocade, lapel, edge, linen = _robe_layers(anatomy)
    fold = folds(brocade.template, seed)
    gold = GOLD * (1 + 0.06 * fold[:, None])
    hung = drape(brocade, body, 10 + 2.2 * fold)
    parts = [Part(hung, brocade.faces, gold), _rosettes(anatomy, body, hung, silk)]
    for layer, off, colour in ((lapel, 13.0, silk), (edge, 14.0, BRIGHT), (linen, 5.0, PEARL)):
        colours = np.broadcast_to(colour, layer.template.shape)
        points = drape(layer, body, off + (2.2 if off > 6 else 0.5) * folds(layer.template, seed))
        parts.append(Part(points, layer.faces, colours))
        if layer is lapel:
            parts.append(hem(layer, body, points, colours))
    angles = np.radians(np.linspace(50, 310, 45))
    base = along_neckline(anatomy, body, Line(82, 70, 10, 2.0), 6.0, angles)
    away = outward(angles)
    height = 62 * np.clip((0.62 - np.cos(angles)) / 1.62, 0, 1)[:, None] ** 0.6 + 3
    rows = np.stack([base + share * (height * UP + (14 * share + 4) * away) for share in np.linspace(0, 1, 6)])
    rows = under_jaw(rows, body.head, anatomy)
    inner = sheet(rows[:, ::-1], silk)
    outer = sheet(rows + 3 * away, GOLD)
    return [*parts, inner, outer, tube(rows[-1] + 1.5 * away, 3.4, BRIGHT, sides=6)]


@functools.cache
def _robe_layers(anatomy: Anatomy) -> tuple[Layer, Layer, Layer, Layer]:
    """Brocade, lapels, their golden edges, and the linen below."""
    layer = whole(anatomy)
    inside = neckline(layer.template, *ROBE)
    linen = cut(layer, np.minimum(neckline(layer.template, *COLLAR), 14 - inside))
    robe = cut(layer, inside - LAPEL_MM + 6)
    lapel = cut(layer, np.minimum(inside, LAPEL_MM - inside))
    inner = neckline(lapel.template, *ROBE)
    return robe, lapel, cut(lapel, inner - LAPEL_MM + TRIM_MM), linen


def _rosettes(anatomy: Anatomy, body: Body, cloth: Reals, silk: Reals) -> Part:
    """Flowers woven into the brocade: little discs that bend with it, (K x 4 x 18) vertices, on cloth (n, 3)."""
    at, layer = _rosette_places(anatomy)
    normals = layer.rows[at] @ body.normals
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    middle = cloth[at] + 1.5 * normals
    side = np.cross(np.array([0.0, 1, 0]), normals)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    turn = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    petals = 0.84 + 0.16 * np.cos(6 * turn)
    share = np.array([0.02, 0.32, 0.34, 1.0])[:, None]
    across, up = (ROSETTE_MM * share * petals * wave(turn) for wave in (np.sin, np.cos))
    bend = (2.2 - 3.4 * share**2) * np.ones_like(turn)
    axes = np.stack([side, np.cross(normals, side), normals], axis=1)
    points = middle[:, None, None] + np.stack([across, up, bend], axis=-1)[None] @ axes[:, None]
    inks = np.stack([silk, silk, PEARL, BRIGHT])[:, None]
    flowers = [sheet(one[::-1], inks[::-1], closed=True) for one in points]
    starts = len(flowers[0].vertices) * np.arange(len(flowers))
    return Part(
        np.concatenate([part.vertices for part in flowers]),
        np.concatenate([part.faces + start for part, start in zip(flowers, starts, strict=True)]),
        np.concatenate([part.colours for part in flowers]),
    )


@functools.cache
def _rosette_places(anatomy: Anatomy) -> tuple[Indices, Layer]:
    """Vertices of the brocade with a rosette around them, and the brocade."""
    layer = _robe_layers(anatomy)[0]
    normals = mesh_normals(layer.template, layer.faces)
    clear = neckline(layer.template, *ROBE) > LAPEL_MM + ROSETTE_MM
    seen = np.flatnonzero(clear & (normals[:, 2] > -0.2) & (layer.template[:, 1] > -345))
    return seen[apart(layer.template[seen], ROSETTES_APART, np.random.default_rng(0))], layer


def _necklace(body: Body, anatomy: Anatomy, jewels: Reals) -> tuple[list[Part], list[Part]]:
    """A string of golden beads with three pendants."""
    angles = np.radians(np.linspace(-105, 105, 41))
    path = along_neckline(anatomy, body, BEADS, 19.0, angles)
    gold = [balls(path, 4.6, BRIGHT)]
    hangs = path[[14, 20, 26]] + np.array([0.0, -15, 3]) * np.array([[0.7], [1], [0.7]])
    gold.append(balls(hangs, np.array([9.5, 11.5, 5]) * np.array([[0.8], [1.1], [0.8]]), GOLD, 2))
    stones = balls(hangs + np.array([0, 0, 4.0]), np.array([6.0, 8, 4]) * np.array([[0.8], [1.1], [0.8]]), jewels, 2)
    return gold, [stones]
