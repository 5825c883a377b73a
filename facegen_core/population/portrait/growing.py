"""A person's hair on the template: where strands grow, how long, wide and light each is, and the way it lies."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.noise import step
from facegen_core.population.portrait import combing
from facegen_core.population.portrait.around_head import Space, space
from facegen_core.population.portrait.hairstyle import Hairstyle
from facegen_core.population.portrait.knot import tied
from facegen_core.population.portrait.locks import in_locks, trimmed, waved
from facegen_core.population.portrait.roots import ground, skin, sow
from facegen_core.seeding import numpy_generator

LAYERS_MM2 = 3.2 * 69_000
"""Area of all strands together, mm^2: the scalp's, times as many layers. With fewer strands each is so much wider."""
LENGTHS_MM = (35.0, 110.0)
"""Long hair hangs down beside what it covers: between these lengths, strands count as that long."""
WIDEST, NARROWEST = 5.5, 0.45
"""Of a strand, mm."""
FRINGE_DENSITY = 2.2
"""A fringe covers more than the skin it grows on."""
SHOULDERS_Y, DETOUR = -110.0, 1.15
"""Height, mm on the template, below which shoulders can be in a strand's way, and how much longer than straight down it
goes there before it ends: hair that lies on a shoulder does not reach as low as hair that hangs."""
TIED_SHARE = 0.3
"""Of the strands, those that make up the bun or the tail behind the knot."""


class Hair(NamedTuple):
    """A person's strands on the template.

    Attributes:
        lines: (S, N, 3) their middles, mm.
        width: (S, N) mm.
        colours: (S, N, 3) sRGB.
        roll: (S,) how far each is turned around its line, radians.
        rows: (R,) of :func:`.roots.skin` where the first R grow; the others are tied behind a knot.
    """

    lines: Floats
    width: Floats
    colours: Floats
    roll: Floats
    rows: Indices


def grow_hair(style: Hairstyle, look: Appearance, cover: Floats, anatomy: Anatomy, strands: int) -> Hair | None:
    """A person's hair; None if none grows.

    Args:
        style: how it is worn.
        look: the person's.
        cover: (R, R) how thick hair is painted on the map.
        anatomy: the template's.
        strands: how many.
    """
    random, around = numpy_generator(style.grain, 0), space(anatomy)
    behind = int(TIED_SHARE * strands) if style.cut in ("bun", "ponytail") else 0
    rows = sow(_density(style, cover, anatomy), strands - behind, random, anatomy)
    if not len(rows):
        return None
    sprouts = _sprouts(style, look, skin(anatomy).at[rows], random)
    lines, layer = _lines(style, sprouts, around, random), sprouts.layer
    if behind:
        more, layers = tied(style, behind, lines.shape[1], around, random)
        lines, layer = np.concatenate([lines, more]), np.concatenate([layer, layers])
    for _ in range(2):
        distance, away = around.look_up(lines.reshape(-1, 3))
        lines = lines + ((combing.LEAST_MM - distance).clip(0)[:, None] * away).reshape(lines.shape)
    edge = np.concatenate([cover.ravel()[skin(anatomy).texel[rows]], np.ones(behind, np.float32)])
    return Hair(
        lines=lines,
        width=_widths(style, strands, lines, edge),
        colours=_colours(style, look, lines, layer, random),
        roll=random.normal(0, 0.35 if style.flow != "out" else 1.2, len(lines)).astype(np.float32),
        rows=rows,
    )


def _density(style: Hairstyle, cover: Floats, anatomy: Anatomy) -> Floats:
    """How densely strands grow on the map (R, R), where hair is painted to lie so thick."""
    dense, on = np.where(cover > 0.2, cover, 0), ground(anatomy)
    if style.fringe is not None:
        dense = dense * np.where(_in_fringe(np.stack([on.x, on.y, on.z], axis=-1)), FRINGE_DENSITY, 1.0)
    if style.long:  # what hangs down from the top covers the rest
        dense = dense * (0.8 + 1.0 * step(on.y - 88, 30))
    if style.flow == "part":
        line = style.part * np.interp(on.z, [-95, 45], [combing.PART_BACK[0], combing.PART_FRONT[0]])
        dense = dense * (1 + 1.5 * np.exp(-(((on.x - line) / 12) ** 2)) * step(on.y - 88, 10) * step(on.z + 105, 10))
    return dense.astype(np.float32)


def _in_fringe(points: Floats) -> npt.NDArray[np.bool_]:
    """Whether hair that grows at points (..., 3) of the template can be part of a fringe."""
    x, y, z = np.moveaxis(points, -1, 0)
    return (z > -12) & (np.abs(x) < 47) & (y > 72)


def _sprouts(style: Hairstyle, look: Appearance, start: Floats, random: np.random.Generator) -> combing.Strands:
    """Strands to grow from places on the template (S, 3)."""
    count = len(start)
    layer, sway = random.random(count, np.float32), random.standard_normal(count, np.float32)
    top = combing.topness(start)
    length = style.side_mm + (style.top_mm - style.side_mm) * top
    if not style.long:  # cut in steps: shorter towards the nape
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
    long, curly = style.long, style.curl > 0 or style.wave > 4
    return (17 if long and curly else 13 if curly else 10 if long else 7), (28 if long else 12 if curly else 9)


def _lines(style: Hairstyle, sprouts: combing.Strands, around: Space, random: np.random.Generator) -> Floats:
    """Middle lines (S, N, 3) of strands that grow on the scalp: combed, cut, waved, in locks, and out of the face."""
    points, steps = _detail(style)
    lines = combing.grow(style, sprouts, around, steps)
    lines = trimmed(lines, _ends(style, sprouts, lines, random), points, 1.3 if style.long else 1.0)
    lines = waved(style, lines, around.look_up(lines.reshape(-1, 3))[1].reshape(lines.shape), random)
    lines = in_locks(style, sprouts, lines, random)
    if style.flow != "out":
        into = combing.into_face(lines.reshape(-1, 3), sprouts.sway.repeat(points)).reshape(-1, points)
        into *= ~sprouts.fringe[:, None] * step(np.arange(points) - 1.5, 1)
        lines[..., 0] += into * np.sign(lines[..., 0])
        lines[:, 1:-1] = 0.5 * lines[:, 1:-1] + 0.25 * (lines[:, :-2] + lines[:, 2:])  # no kinks where it was pushed
    return lines


def _ends(style: Hairstyle, sprouts: combing.Strands, lines: Floats, random: np.random.Generator) -> Floats:
    """How much of each strand is kept, (S,) in [0, 1]: hair is cut off level, fringes higher, and ends at a knot."""
    count, steps = len(lines), lines.shape[1] - 1
    over = np.zeros(lines.shape[:2], bool)
    if style.flow == "knot":
        over |= np.linalg.norm(lines - np.array([0, *style.knot], np.float32), axis=2) < combing.KNOT_MM
    else:
        ragged = random.normal(0, 5, count) + 22 * (1 - sprouts.layer) * (style.ends < -110)
        ends = style.ends + ragged
        hung = (lines[..., 1] < SHOULDERS_Y).cumsum(1) * (sprouts.length / steps)[:, None]
        over |= (lines[..., 1] < ends[:, None]) | (hung > DETOUR * (SHOULDERS_Y - ends).clip(0)[:, None] + 1)
    if style.fringe is not None:
        fringe_end = style.fringe + random.normal(0, 1.8 if style.long else 5.0, count)
        fringe_end -= 0.0025 * sprouts.start[:, 0] ** 2
        over = np.where(sprouts.fringe[:, None], lines[..., 1] < fringe_end[:, None], over)
    first = np.where(over.any(1), over.argmax(1), steps)
    return (first / steps).clip(1 / steps, 1).astype(np.float32)


def _widths(style: Hairstyle, strands: int, lines: Floats, edge: Floats) -> Floats:
    """(S, N) mm: narrow at the root and at the tip, and where hair is thin."""
    t = np.linspace(0, 1, lines.shape[1])
    length = np.linalg.norm(np.diff(lines, axis=1), axis=2).sum(1)
    covering = {"knot": 0.5, "out": 0.55}.get(style.flow, 1.0)  # strands that are tight, or seen end on, cover less
    usual = LAYERS_MM2 / strands / np.clip(np.median(length) * covering, *LENGTHS_MM)
    usual = np.minimum(np.clip(usual, NARROWEST, WIDEST), np.maximum(0.3 * length, 0.4))
    tip = 0.7 if style.flow == "out" else 0.35 if style.long else 0.15
    root = 1.0 if style.long else 0.6
    shape = np.interp(t, [0, 0.15, 0.6, 0.85, 1], [root, 1.0, 1.0, 0.85, tip])
    return (usual[:, None] * shape * (0.4 + 0.6 * edge.clip(0, 1))[:, None]).astype(np.float32)


def _colours(style: Hairstyle, look: Appearance, lines: Floats, layer: Floats, random: np.random.Generator) -> Floats:
    """(S, N, 3) sRGB: strands differ, roots and what lies beneath are darker, tips may be lighter."""
    count, t = len(lines), np.linspace(0, 1, lines.shape[1])
    shade = random.normal(0, style.shades, count) + 0.5 * style.shades * np.sin(lines[:, 0] @ [0.11, 0.07, 0.09])
    warm = 1 + random.normal(0, 0.04, (count, 1)) * np.array([0.6, 0.0, -1.0])
    light = np.exp(shade)[:, None] * np.interp(t, [0, 0.35], [0.75, 1.12]) * (0.75 + 0.33 * layer**0.7)[:, None]
    light = light * (1 + style.tips * step(t - 0.55, 0.5))
    colour = (np.array(look.hair) + 0.012) * warm
    return (light[..., None] * colour[:, None]).clip(0, 1).astype(np.float32)
