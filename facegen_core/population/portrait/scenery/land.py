"""Land and water: mountains, cliffs, canyons, plains, paved squares, sea and lakes."""

from collections.abc import Sequence

import numpy as np

from facegen_core.geometry.mesh import Floats
from facegen_core.population.noise import step
from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, fractal, layer, mix, rgb
from facegen_core.population.portrait.scenery.polygons import bar, below, disc, rough

Places = Sequence[tuple[float, float]]


@layer
def mountain(
    canvas: Canvas,
    outline: str | Places,
    lit: Colour,
    shade: Colour,
    foot: float = -0.6,
    snow: float | None = None,
    haze: float = 0.0,
    rugged: float = 0.12,
    strata: float = 0.0,
    fluted: bool = False,
) -> None:
    """Rock below an outline, lit from the sun's side.

    Args:
        canvas: painted on.
        outline: points of its edge from left to right.
        lit: its colour in the sun.
        shade: its colour away from it.
        foot: height of its foot.
        snow: height above which snow lies, or None.
        haze: how much air lies before it, 0 to 1.
        rugged: how jagged the outline is.
        strata: strength of level bands.
        fluted: has upright ribs, as cliffs have.
    """
    window = canvas.cover([below(rough(outline, canvas.rng, rugged), foot)])
    relief = canvas.relief(3, 10, 4) if fluted else canvas.relief(4, 4, 6, 0.62)
    if window is None:
        return
    part = (window.rows, window.columns)
    facing = step(relief[part] + 0.25, 2.2)
    if strata:
        bands = np.sin(np.float32(55) * canvas.y[window.rows] + 1.2 * canvas.grain[part])
        facing = np.clip(facing + strata * 0.35 * bands, 0, 1)
    light, dark = canvas.far(lit, haze)[:, None, None], canvas.far(shade, haze)[:, None, None]
    colours = dark + facing * (light - dark)
    colours *= 1 + (0.05 * (1 - haze)) * canvas.grain[part]
    if snow is not None:
        lying = step(canvas.y[window.rows] - snow + 0.07 * canvas.grain[part] + 0.04 * relief[part], 0.09)
        white, blue = canvas.far("#fbfdff", haze)[:, None, None], canvas.far("#8fa6c6", haze)[:, None, None]
        colours += lying * (blue + facing * (white - blue) - colours)
    canvas.lay(window, colours)


@layer
def hills(
    canvas: Canvas,
    height: float,
    colour: Colour,
    foot: float = -0.6,
    haze: float = 0.4,
    swing: float = 0.1,
    jagged: float = 0.1,
) -> None:
    """A chain of hills from side to side, ``swing`` up and down about a height."""
    tops = height + swing * canvas.rng.uniform(-1, 1, 9)
    outline = list(zip(np.linspace(-1.3, 1.3, 9).tolist(), tops.tolist(), strict=True))
    shape = below(rough(outline, canvas.rng, jagged), foot)
    canvas.fill(
        [shape], Paint(canvas.far(colour, haze), canvas.far(colour, min(1, haze + 0.2)), grain=0.06 * (1 - haze))
    )


@layer
def ground(
    canvas: Canvas, near: Colour, far: Colour, horizon: float = -0.2, texture: float = 0.12, stretch: float = 1.0
) -> None:
    """A plain up to the horizon: grass, sand, snow or asphalt, its texture finer in the distance."""
    rows, depth = _depth(canvas, horizon)
    if rows is None:
        return
    tile = fractal(canvas.rng, 16, 16, 4, 0.8)
    mottle = _on_ground(tile, canvas.x * depth * 6 / stretch, depth * 9) / (1 + (0.14 * depth) ** 2)
    t = np.clip(1.25 / depth - 0.08, 0, 1)
    first, last = rgb(far)[:, None, None], rgb(near)[:, None, None]
    colours = (first + (last - first) * t) * (1 + texture * mottle)
    canvas.planes[:, rows] = colours


@layer
def paving(
    canvas: Canvas, light: Colour, dark: Colour, horizon: float = -0.2, tiles: float = 3.0, contrast: float = 0.5
) -> None:
    """Slabs in two colours up to the horizon."""
    ground(light, mix(light, canvas.air, 0.3), horizon, 0.06)(canvas)
    rows, depth = _depth(canvas, horizon)
    if rows is None:
        return
    across, along = np.sin(np.pi * tiles * canvas.x * depth), np.sin(np.pi * tiles * 1.6 * depth)
    fade = np.float32(contrast) / (1 + (0.09 * tiles * depth / 3) ** 4)
    planes = canvas.planes[:, rows]
    planes += step(across * along, 0.25) * fade * (rgb(dark)[:, None, None] - planes)


def _depth(canvas: Canvas, horizon: float) -> tuple[slice | None, Floats]:
    """Rows below the horizon, and how far the ground there is: 1 at the lower edge."""
    top = canvas.row(horizon)
    if top >= canvas.pixels:
        return None, canvas.y
    drop = np.maximum(horizon - canvas.y[top:], 0.004)
    return slice(top, canvas.pixels), (horizon + 1) / drop


def _on_ground(tile: Floats, across: Floats, along: Floats) -> Floats:
    """A tile's values at places on the ground; it is mirrored again and again, so that no seam is seen."""
    side = tile.shape[0] - 1
    u = np.abs((across + 0.37 * side) % (2 * side) - side)
    v = np.abs(along % (2 * side) - side)
    left, top = np.minimum(u.astype(np.int32), side - 1), np.minimum(v.astype(np.int32), side - 1)
    u, v = u - left, v - top
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    upper = tile[top, left] * (1 - u) + tile[top, left + 1] * u
    return upper * (1 - v) + (tile[top + 1, left] * (1 - u) + tile[top + 1, left + 1] * u) * v


@layer
def water(
    canvas: Canvas,
    colour: Colour,
    line: float = -0.3,
    mirror: float = 0.55,
    ripple: float = 0.5,
    deep: Colour | None = None,
    foot: float = -1.2,
) -> None:
    """Water from a line down that mirrors what is painted above it.

    Args:
        canvas: painted on.
        colour: of the water far off.
        line: height of its far shore.
        mirror: how much of the picture above is seen in it.
        ripple: strength of its waves.
        deep: its colour near by; darker than ``colour`` if not given.
        foot: height of its near shore.
    """
    top, bottom = canvas.row(line), canvas.row(foot)
    if bottom <= top:
        return
    depth = (line + 1) / np.maximum(line - canvas.y[top:bottom], 0.01)
    tile = fractal(canvas.rng, 16, 16, 4, 0.75)
    waves = _on_ground(tile, canvas.x * depth * 7, depth * 26) / (1 + (0.05 * depth) ** 2)
    below_line = np.arange(top, bottom) + 0.5 - canvas.level(line)
    source = np.clip(canvas.level(line) - 1.15 * below_line - 0.5, 0, max(top - 1, 0))
    reach = np.clip(below_line / canvas.pixels * 8 + 0.3, 0, 1.5)[:, None]  # waves look longer near by
    slide = 0.009 * canvas.pixels * ripple * reach * waves
    columns = np.clip(np.arange(canvas.pixels) + slide, 0, canvas.pixels - 1).astype(int)
    upper = source.astype(int)
    share = (source - upper).astype(np.float32)[:, None]
    seen = canvas.planes[:, upper[:, None], columns]
    seen += share * (canvas.planes[:, np.minimum(upper + 1, max(top - 1, 0))[:, None], columns] - seen)
    t = np.clip((line - canvas.y[top:bottom]) / (line + 1), 0, 1)
    far, near = rgb(colour)[:, None, None], rgb(mix(colour, "#0c1c2a", 0.4) if deep is None else deep)[:, None, None]
    body = (far + (near - far) * t) * (1 + 0.10 * ripple * waves)
    canvas.planes[:, top:bottom] = body + mirror * (1 - 0.45 * t) * (seen - body)
    glint = np.clip(waves - 1.3, 0, 1) * ripple * 0.35
    planes = canvas.planes[:, top:bottom]
    planes += glint * (1 - planes)


@layer
def boulders(canvas: Canvas, places: Places, size: float, colour: Colour, shadow: Colour = "#101820") -> None:
    """Rocks, blocks of ice or heaps of salt: rounded shapes of many corners, towards a shadow's colour below."""
    for x, y in places:
        wide = size * canvas.rng.uniform(0.7, 1.3)
        edge = disc(x, y, wide, wide * canvas.rng.uniform(0.5, 0.75), corners=9)
        edge += canvas.rng.uniform(-0.16, 0.16, edge.shape) * wide
        canvas.fill([edge], Paint(mix(colour, "#ffffff", 0.22), mix(colour, shadow, 0.4), turn=0.22, grain=0.12))


@layer
def road(
    canvas: Canvas, at: float, horizon: float, wide: float, colour: Colour = "#5b5a5c", line: Colour | None = None
) -> None:
    """A straight road to a point on the horizon."""
    shape = np.array([(at - 0.008, horizon), (at + 0.008, horizon), (wide, -1.2), (-wide, -1.2)])
    canvas.fill([shape], Paint(canvas.far(colour, 0.4), colour, grain=0.07))
    if line is not None:
        for low in (0.02, 0.07, 0.16, 0.32, 0.58):
            high = low * 1.7
            ends = [(at * (1 - t), horizon - t * (horizon + 1.2)) for t in (low, high)]
            canvas.fill([bar(ends[0], ends[1], 0.03 * high + 0.004)], line, 0.9)


@layer
def slot_canyon(canvas: Canvas, bright: Colour, middle: Colour, dark: Colour, gap: float = 0.3) -> None:
    """A narrow canyon: flowing walls of layered stone one before another, lit from a gap at their top."""
    ends = [rgb(colour)[:, None, None] for colour in (dark, middle, bright)]
    canvas.planes[:] = rgb(mix(bright, "#fff6e0", 0.65))[:, None, None]
    bend = 0.05 * canvas.noise(3, 2, 3, 0.4)
    height = np.clip(0.5 + 0.5 * canvas.y, 0, 1)
    for depth, (start, side) in enumerate(
        ((0.06, -1), (0.1, 1), (-0.16, -1), (0.32, 1), (-0.42, -1), (0.58, 1), (-0.72, -1))
    ):
        wave, phase = canvas.rng.uniform(1.6, 2.6), canvas.rng.uniform(0, 6.3)
        y = canvas.y * wave + phase
        edge = gap * (1 - 0.12 * depth) + start + 0.13 * np.sin(y) + 0.045 * np.sin(2.7 * y)
        inside = side * (canvas.x - edge) + bend
        near = np.clip(inside / 0.5, 0, 1)
        strata = np.sin(46 * inside + 16 * canvas.y * (0.5 + near) + 0.8 * canvas.grain)
        fold = np.sin(7 * inside + 1.5 * np.sin(y))
        tone = (1 - near) ** 1.4 * (0.45 + 0.6 * height) * (1.08 - 0.1 * depth) + 0.055 * strata + 0.1 * fold + 0.06
        tone = np.clip(tone, 0, 1)
        colours = (
            ends[0] + np.clip(2 * tone, 0, 1) * (ends[1] - ends[0]) + np.clip(2 * tone - 1, 0, 1) * (ends[2] - ends[1])
        )
        canvas.planes += step(inside, 0.02) * (colours - canvas.planes)


@layer
def cracks(canvas: Canvas, colour: Colour, horizon: float = -0.2, count: int = 26) -> None:
    """Cracks of clear ice that run away over a frozen lake."""
    lines = []
    for _ in range(count):
        x, along = canvas.rng.uniform(-3, 3), canvas.rng.uniform(0.0, 1.0)
        turn = canvas.rng.uniform(-0.9, 0.9)
        points = np.cumsum(
            canvas.rng.uniform(0.1, 0.35, (7, 1)) * (turn, 1.0) + canvas.rng.normal(0, 0.08, (7, 2)), axis=0
        )
        points += (x, 1.0 + 3 * along)
        drop = (horizon + 1.2) / np.maximum(points[:, 1:], 0.9)
        seen = np.concatenate([points[:, :1] * drop * 0.8, horizon - drop], axis=1)
        widths = 0.016 * drop[1:, 0] * canvas.rng.uniform(0.4, 1.3)
        lines += [bar(a, b, w) for a, b, w in zip(seen[:-1].tolist(), seen[1:].tolist(), widths, strict=True)]
    canvas.fill(lines, colour, 0.75)
