"""Great halls from within: arches, vaults, stalls and lamps of a bazaar, a stage, roofs and their lights."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from facegen_core.population.noise import step
from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, layer, mix, rgb
from facegen_core.population.portrait.scenery.polygons import arch, bar, box, disc, onto, spread, stroke
from facegen_core.population.portrait.scenery.sky import glow


@layer
def ceiling_lights(canvas: Canvas) -> None:
    """Flat lamps in an office's ceiling that run away to the middle."""
    panels = []
    for k in range(3):
        near, far = 1.25 / (1 + 0.28 * k), 1.25 / (1 + 0.28 * k + 0.16)
        for u in (-0.95, -0.35, 0.35, 0.95):
            panels.append(
                np.array(
                    [
                        (u * near - 0.16 * near, near),
                        (u * near + 0.16 * near, near),
                        (u * far + 0.16 * far, far),
                        (u * far - 0.16 * far, far),
                    ]
                )
            )
    canvas.fill(panels, "#fdfdf8")
    canvas.shine("#f4f8ff", 0.18 * step(canvas.y - 0.75, 0.4))


@layer
def striped_arches(
    canvas: Canvas,
    x: float,
    spring: float,
    half: float,
    column: float,
    foot: float,
    red: Colour,
    white: Colour,
    dim: float = 0.0,
) -> None:
    """An arch on two columns with another above it, both of red and white stones in turn."""
    tone = [mix(colour, "#20120c", dim) for colour in (red, white, "#8d7a6b")]
    for level, reach in ((spring, 1.0), (spring + 0.75 * half, 1.0)):
        stones: list[list[np.ndarray]] = [[], []]
        turn = np.linspace(-0.1, np.pi + 0.1, 16)
        for k, (a, b) in enumerate(pairwise(turn.tolist())):
            inner, outer = 0.86 * half * reach, 1.24 * half * reach
            ring = [(np.cos(t) * r, np.sin(t) * r) for t, r in ((a, inner), (b, inner), (b, outer), (a, outer))]
            stones[k % 2].append(np.add(ring, (x, level)))
        canvas.fill(stones[0], Paint(tone[0], mix(tone[0], "#20100a", 0.2)))
        canvas.fill(stones[1], Paint(tone[1], mix(tone[1], "#20100a", 0.2)))
    for side in (-1, 1):
        px = x + side * half
        canvas.fill(
            [box(px - 0.6 * column, foot, px + 0.6 * column, spring + 0.95 * half)],
            Paint(mix(tone[1], tone[2], 0.6), tone[2], turn=0.5),
        )
        canvas.fill(
            [box(px - 0.5 * column, foot, px + 0.5 * column, spring)],
            Paint(tone[2], mix(tone[2], "#120a08", 0.45), turn=0.6),
        )
        capital = np.array([(-0.6, -0.12), (0.6, -0.12), (1.15, 0.1), (-1.15, 0.1)]) * column + (px, spring)
        canvas.fill([capital], Paint(mix(tone[1], "#b08a50", 0.3), tone[2]))


@layer
def vault(canvas: Canvas, stone: Colour, band: Colour, far: Colour) -> None:
    """A long vaulted hall: painted arches one behind another, to a light at its end."""
    canvas.air = rgb(far)
    for k in range(5):
        size = 0.78**k
        tone = mix(stone, far, k / 5)
        canvas.fill(
            [box(-1.5, -1.5, 1.5, 1.5)] if k == 0 else [arch(0, -1.3, 1.22 * size, 0.1 + 1.0 * size)],
            Paint(tone, mix(tone, "#2a1c10", 0.25), grain=0.08),
        )
        outer, inner = arch(0, -1.3, 1.2 * size, 0.1 + 1.0 * size), arch(0, -1.3, 1.08 * size, 0.1 + 0.9 * size)
        canvas.fill([np.concatenate([outer[2:], inner[:1:-1]])], Paint(mix(band, far, k / 5), grain=0.1))
        turn = np.linspace(0.1, np.pi - 0.1, 14)
        dots = [
            disc(
                1.14 * size * np.cos(t),
                0.1 + 1.0 * size - 1.2 * size + 1.14 * size * np.sin(t),
                0.022 * size,
                corners=8,
            )
            for t in turn
        ]
        canvas.fill(dots, mix("#2f6f8f", far, 0.6 * k / 5), 0.8)
    canvas.fill([arch(0, -1.3, 0.3, 0.32)], Paint(mix(far, "#ffffff", 0.5), far))


@layer
def stalls(canvas: Canvas, colours: Sequence[str]) -> None:
    """Goods on both sides of an alley: hanging cloths and heaps of wares, smaller farther away."""
    for side in (-1, 1):
        wall = (side * 1.25, -1.1, 0.05 + 0.15, side * 0.3, -0.45, -0.05)
        canvas.fill(onto(wall, [box(0, 0, 1, 1)]), Paint("#4a3222", "#2a1a12"))
        for i, (a, b) in enumerate(spread(9, 0.86)):
            for row, (low, high) in enumerate(((0.62, 0.98), (0.34, 0.6), (0.08, 0.3))):
                colour = colours[int(canvas.rng.integers(len(colours)))]
                piece = (
                    box(a, low + canvas.rng.uniform(0, 0.06), b, high)
                    if row < 2
                    else disc((a + b) / 2, low + 0.1, (b - a) * 0.6, 0.12, 12)
                )
                canvas.fill(
                    onto(wall, [piece]), Paint(mix(colour, "#ffe9c0", 0.15), mix(colour, "#120a08", 0.35), grain=0.12)
                )
                if row < 2:
                    canvas.fill(
                        onto(wall, [box(a, low + 0.3 * (high - low), b, low + 0.42 * (high - low))]),
                        mix(colours[(i + row) % len(colours)], "#f4dfae", 0.3),
                        0.7,
                    )


@layer
def lanterns(canvas: Canvas, places: Sequence[tuple[float, float, float]], colours: Sequence[str]) -> None:
    """Glass lamps that hang on chains, each (x, y, size)."""
    for i, (x, y, size) in enumerate(places):
        colour = colours[i % len(colours)]
        canvas.fill([bar((x, y), (x, 1.3), 0.006)], "#3c2c1c")
        glow(x, y, 3.2 * size, colour, 0.55)(canvas)
        canvas.fill([disc(x, y, size, 1.15 * size)], Paint(mix(colour, "#ffffff", 0.25), colour, turn=0.25))
        canvas.fill([disc(x, y, 0.45 * size, 0.6 * size)], mix(colour, "#fff6d8", 0.75), 0.8)
        canvas.fill(
            [disc(x, y + 1.15 * size, 0.5 * size, 0.2 * size), disc(x, y - 1.2 * size, 0.25 * size, 0.2 * size)],
            "#a8843c",
        )


@layer
def drapes(canvas: Canvas, colour: Colour) -> None:
    """A theatre's red curtain on both sides and across the top, in deep folds."""
    for side in (-1, 1):
        canvas.fill(
            [box(min(side * 0.62, side * 1.3), -1.3, max(side * 0.62, side * 1.3), 1.3)],
            Paint(colour, mix(colour, "#0c0406", 0.5), grain=0.05),
        )
        folds = [
            box(a, -1.3, b, 1.3) for a, b in spread(7, 0.5, min(side * 0.62, side * 1.3), max(side * 0.62, side * 1.3))
        ]
        canvas.fill(folds, mix(colour, "#080204", 0.75), 0.6)
        canvas.fill(
            [box(fold[0, 0] - 0.02, -1.3, fold[0, 0] + 0.005, 1.3) for fold in folds], mix(colour, "#ff9a8a", 0.45), 0.5
        )
    scallops = [disc(x, 1.05, 0.24, 0.26, 24) for x in np.arange(-1.2, 1.3, 0.4).tolist()]
    canvas.fill(
        [box(-1.3, 1.02, 1.3, 1.4), *scallops],
        Paint(mix(colour, "#12060a", 0.3), mix(colour, "#ffb090", 0.1), grain=0.06),
    )
    for x in np.arange(-1.2, 1.3, 0.4).tolist():
        turn = np.linspace(np.pi, 2 * np.pi, 14)
        canvas.fill(stroke(np.stack([x + 0.24 * np.cos(turn), 1.05 + 0.26 * np.sin(turn)], axis=1), 0.025), "#d0a448")


@layer
def ceiling_trusses(canvas: Canvas) -> None:
    """The wide roof of a hall: curved ribs that run away, with light between them."""
    for k in range(6):
        size = 0.84**k
        turn = np.linspace(0.2, np.pi - 0.2, 22)
        rib = np.stack([1.7 * size * np.cos(turn), 0.2 + 1.05 * size * np.sin(turn)], axis=1)
        lower = rib - (0, 0.07 * size)
        canvas.fill(stroke(rib, 0.02 * size) + stroke(lower, 0.014 * size), "#4a4d4c", 0.9)
        canvas.fill(
            [bar(a, b, 0.008 * size) for a, b in zip(rib[::2].tolist(), lower[1::2].tolist(), strict=True)],
            "#4a4d4c",
            0.8,
        )
    canvas.shine("#f4f4ee", 0.4 * step(canvas.y - 0.75, 0.5))
