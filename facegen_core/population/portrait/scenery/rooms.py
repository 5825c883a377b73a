"""Rooms from within: walls and floors, windows, shelves, furniture, lamps, vaults, a stage."""

from collections.abc import Sequence

import numpy as np

from facegen_core.population.noise import step
from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, layer, mix, rgb
from facegen_core.population.portrait.scenery.shapes import Wall, arch, bar, box, disc, onto, panes, spread, stroke
from facegen_core.population.portrait.scenery.sky import glow

BOOKS = ("#7b2f2b", "#27435e", "#3f5a3c", "#c8a24e", "#8a6a4a", "#e3d8c2", "#4c2f4a", "#20252c", "#a65a2e")


@layer
def room(
    canvas: Canvas,
    wall: Colour,
    floor: Colour,
    corner: float = -0.55,
    ceiling: Colour | None = None,
    above: float = 0.85,
) -> None:
    """A back wall lit from the sun's side, a floor, and a ceiling if it has a colour."""
    canvas.air = rgb(wall)
    across = 0.5 + 0.5 * canvas.sun * canvas.x
    light = 0.72 + 0.34 * across + 0.05 * canvas.y
    canvas.planes[:] = rgb(wall)[:, None, None] * light * (1 + 0.02 * canvas.grain)
    canvas.fill(
        [box(-1.3, -1.3, 1.3, corner)], Paint(mix(floor, "#ffffff", 0.1), mix(floor, "#0f0c0a", 0.3), grain=0.09)
    )
    canvas.fill([box(-1.3, corner, 1.3, corner + 0.05)], mix(wall, "#ffffff", 0.4), 0.8)
    if ceiling is not None:
        canvas.fill(
            [box(-1.3, above, 1.3, 1.3)], Paint(mix(ceiling, "#ffffff", 0.1), mix(ceiling, "#1b1b1f", 0.12), grain=0.02)
        )


@layer
def window(
    canvas: Canvas,
    wall: Wall,
    view: Colour = "#dfeaf0",
    lower: Colour = "#a9bf9a",
    frame: Colour = "#f4f1ea",
    bars: tuple[int, int] = (2, 3),
    light: float = 0.35,
) -> None:
    """A bright window: sky above, green or roofs below, whose light spreads into the room."""
    canvas.fill(onto(wall, [box(-0.06, -0.05, 1.06, 1.05)]), Paint(frame, mix(frame, "#4a4744", 0.25)))
    canvas.fill(onto(wall, [box(0, 0, 1, 1)]), Paint(view, mix(view, lower, 0.4), grain=0.02))
    canvas.fill(
        onto(wall, [disc(u, 0.1, 0.22, v, 12) for u, v in ((0.1, 0.22), (0.4, 0.3), (0.65, 0.2), (0.9, 0.28))]),
        Paint(lower, mix(lower, "#203020", 0.2), grain=0.15),
        0.8,
    )
    canvas.fill(onto(wall, [box(0, -0.02, 1, 0.1)]), mix(lower, "#506050", 0.3), 0.4)
    columns, rows = bars
    lines = [box(k / columns - 0.02, 0, k / columns + 0.02, 1) for k in range(1, columns)]
    lines += [box(0, k / rows - 0.012, 1, k / rows + 0.012) for k in range(1, rows)]
    canvas.fill(onto(wall, lines), frame)
    centre = onto(wall, [np.array([(0.5, 0.55)])])[0][0]
    glow(float(centre[0]), float(centre[1]), 0.75, "#fff6e2", light)(canvas)


@layer
def curtains(canvas: Canvas, left: float, right: float, foot: float, top: float, colour: Colour) -> None:
    """Two curtains drawn aside, in folds."""
    wide = (right - left) * 0.2
    for start in (left, right - wide):
        canvas.fill([box(start, foot, start + wide, top)], Paint(mix(colour, "#ffffff", 0.15), colour, grain=0.05))
        canvas.fill(
            [box(start + a * wide, foot, start + b * wide, top) for a, b in spread(5, 0.45)],
            mix(colour, "#15131a", 0.5),
            0.4,
        )


@layer
def shelves(
    canvas: Canvas,
    wall: Wall,
    rows: int = 6,
    columns: int = 2,
    wood: Colour = "#6b4a30",
    books: int = 14,
    full: float = 0.95,
) -> None:
    """Bookcases, columns side by side, with so many books on a shelf."""
    canvas.fill(onto(wall, [box(0, 0, 1, 1)]), Paint(mix(wood, "#140d08", 0.55), mix(wood, "#140d08", 0.7)))
    spines: list[list[np.ndarray]] = [[] for _ in BOOKS]
    for column in range(columns):
        for row in range(rows):
            u = column / columns + 0.03 / columns
            end = (column + 1) / columns - 0.03 / columns
            foot = (row + 0.06) / rows
            while u < end:
                thick = canvas.rng.uniform(0.6, 1.4) / (columns * books)
                tall = canvas.rng.uniform(0.6, 0.88) / rows
                if canvas.rng.uniform() < full and u + thick < end:
                    spines[canvas.rng.integers(len(BOOKS))].append(box(u, foot, u + 0.9 * thick, foot + tall))
                u += thick
    for shapes, colour in zip(spines, BOOKS, strict=True):
        canvas.fill(onto(wall, shapes), Paint(mix(colour, "#ffffff", 0.06), mix(colour, "#0e0b0a", 0.2), grain=0.1))
    boards = [box(0, row / rows - 0.008, 1, row / rows + 0.05 / rows) for row in range(rows + 1)]
    posts = [box(c / columns - 0.02 / columns, 0, c / columns + 0.03 / columns, 1.01) for c in range(columns + 1)]
    canvas.fill(onto(wall, boards + posts), Paint(mix(wood, "#ffe6c0", 0.18), wood, grain=0.1))


@layer
def lamp(
    canvas: Canvas,
    x: float,
    y: float,
    size: float,
    shade: Colour = "#f2dcae",
    hangs_from: float | None = None,
    foot: float | None = None,
) -> None:
    """A shaded lamp that hangs from a height or stands on one, and its light."""
    if hangs_from is not None:
        canvas.fill([bar((x, y), (x, hangs_from), 0.01)], "#2b2826")
    if foot is not None:
        canvas.fill([bar((x, y - 0.3 * size), (x, foot), 0.02), disc(x, foot, 0.5 * size, 0.08 * size)], "#5a4a38")
    glow(x, y - 0.1 * size, 4.5 * size, "#ffd9a0", 0.5)(canvas)
    cone = np.array([(-1, -0.45), (1, -0.45), (0.6, 0.5), (-0.6, 0.5)]) * size + (x, y)
    canvas.fill([cone], Paint(mix(shade, "#ffffff", 0.2), mix(shade, "#fffbe8", 0.7), grain=0.0))


@layer
def picture(
    canvas: Canvas,
    left: float,
    foot: float,
    right: float,
    top: float,
    colours: tuple[Colour, Colour],
    frame: Colour = "#3a2c22",
) -> None:
    """A framed picture: two colours that meet at a hilly line."""
    edge = 0.02
    canvas.fill([box(left - edge, foot - edge, right + edge, top + edge)], frame)
    canvas.fill([box(left, foot, right, top)], Paint(mix(colours[0], "#ffffff", 0.2), colours[0], grain=0.05))
    middle = (foot + top) / 2
    hill = np.array(
        [
            (left, foot),
            (right, foot),
            (right, middle + 0.04),
            (left + 0.6 * (right - left), middle - 0.05),
            (left, middle + 0.1 * (top - foot)),
        ]
    )
    canvas.fill([hill], Paint(colours[1], mix(colours[1], "#101010", 0.3), grain=0.1))


@layer
def sofa(canvas: Canvas, left: float, right: float, foot: float, colour: Colour) -> None:
    """A sofa with cushions, seen from the front; about 0.5 high."""
    dark = mix(colour, "#141218", 0.4)
    canvas.fill(
        [box(left + 0.05, foot + 0.12, right - 0.05, foot + 0.5)], Paint(mix(colour, "#ffffff", 0.15), dark, grain=0.06)
    )
    canvas.fill(
        [
            box(left, foot, left + 0.14, foot + 0.36),
            box(right - 0.14, foot, right, foot + 0.36),
            box(left, foot, right, foot + 0.2),
        ],
        Paint(colour, dark, grain=0.06),
    )
    count = max(2, int((right - left) / 0.35))
    canvas.fill(
        [box(a, foot + 0.24, b, foot + 0.46) for a, b in spread(count, 0.93, left + 0.14, right - 0.14)],
        Paint(mix(colour, "#ffffff", 0.22), colour, grain=0.06),
    )
    canvas.fill([disc(left + 0.28, foot + 0.33, 0.12, 0.11, 8)], Paint("#c98f4b", "#8d5d2c", grain=0.08))


@layer
def cabinets(canvas: Canvas, wall: Wall, colour: Colour, doors: int = 4, rows: int = 1) -> None:
    """Cupboards with handles."""
    canvas.fill(onto(wall, [box(0, 0, 1, 1)]), Paint(mix(colour, "#15130f", 0.35)))
    fronts = panes(doors, rows, 0.94, 0.95)
    canvas.fill(
        onto(wall, fronts), Paint(mix(colour, "#ffffff", 0.12), mix(colour, "#15130f", 0.1), turn=0.15, grain=0.03)
    )
    inner = [(front - front.mean(axis=0)) * 0.78 + front.mean(axis=0) for front in fronts]
    canvas.fill(onto(wall, inner), mix(colour, "#2a2622", 0.22), 0.5)
    handles = [disc(front[1, 0] - 0.025, front.mean(axis=0)[1], 0.012, 0.03, 8) for front in fronts]
    canvas.fill(onto(wall, handles), "#77736c")


@layer
def tiles(canvas: Canvas, wall: Wall, colour: Colour, columns: int, rows: int) -> None:
    """A tiled wall."""
    canvas.fill(onto(wall, [box(0, 0, 1, 1)]), Paint(mix(colour, "#5c5a58", 0.3)))
    canvas.fill(onto(wall, panes(columns, rows, 0.92, 0.88)), Paint(mix(colour, "#ffffff", 0.25), colour, grain=0.06))


@layer
def things(
    canvas: Canvas, foot: float, places: Sequence[tuple[float, float]], colours: Sequence[Colour], neck: float = 0.35
) -> None:
    """Bottles, jars and pots on a shelf: (x, height) of each; ``neck`` is how narrow their tops are."""
    for i, (x, height) in enumerate(places):
        half = 0.24 * height
        outline = np.array(
            [(-1, 0), (1, 0), (1, 0.55), (neck, 0.75), (neck, 1), (-neck, 1), (-neck, 0.75), (-1, 0.55)]
        ) * (half, height)
        colour = colours[i % len(colours)]
        canvas.fill(
            [outline + (x, foot)], Paint(mix(colour, "#ffffff", 0.2), mix(colour, "#0d0c0e", 0.2), turn=0.5, grain=0.03)
        )


@layer
def desk(canvas: Canvas, left: float, right: float, top: float, wood: Colour = "#b08a5e", screen: bool = False) -> None:
    """A table top with legs; with a computer's screen on it if asked."""
    canvas.fill([bar((x, top), (x, top - 0.7), 0.035) for x in (left + 0.06, right - 0.06)], mix(wood, "#17120e", 0.5))
    canvas.fill([box(left, top - 0.05, right, top)], Paint(mix(wood, "#ffffff", 0.2), mix(wood, "#17120e", 0.3)))
    if screen:
        middle = (left + right) / 2
        canvas.fill(
            [box(middle - 0.03, top, middle + 0.03, top + 0.1), box(middle - 0.1, top, middle + 0.1, top + 0.015)],
            "#5d6066",
        )
        canvas.fill([box(middle - 0.21, top + 0.08, middle + 0.21, top + 0.37)], "#1d2024")
        canvas.fill(
            [box(middle - 0.195, top + 0.1, middle + 0.195, top + 0.355)], Paint("#9cc4e4", "#4a7fb0", grain=0.03)
        )


@layer
def ceiling_lights(canvas: Canvas, rows: int = 3, colour: Colour = "#fdfdf8") -> None:
    """Flat lamps in an office's ceiling that run away to the middle."""
    panels = []
    for k in range(rows):
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
    canvas.fill(panels, colour)
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
        for k, (a, b) in enumerate(zip(turn[:-1], turn[1:], strict=True)):
            inner, outer = 0.86 * half * reach, 1.24 * half * reach
            ring = [(np.cos(t) * r, np.sin(t) * r) for t, r in ((a, inner), (b, inner), (b, outer), (a, outer))]
            stones[k % 2].append(np.array(ring) + (x, level))
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
def vault(canvas: Canvas, stone: Colour, band: Colour, far: Colour, rings: int = 5) -> None:
    """A long vaulted hall: painted arches one behind another, to a light at its end."""
    canvas.air = rgb(far)
    for k in range(rings):
        size = 0.78**k
        tone = mix(stone, far, k / rings)
        canvas.fill(
            [box(-1.5, -1.5, 1.5, 1.5)] if k == 0 else [arch(0, -1.3, 1.22 * size, 0.1 + 1.0 * size)],
            Paint(tone, mix(tone, "#2a1c10", 0.25), grain=0.08),
        )
        outer, inner = arch(0, -1.3, 1.2 * size, 0.1 + 1.0 * size), arch(0, -1.3, 1.08 * size, 0.1 + 0.9 * size)
        canvas.fill([np.concatenate([outer[2:], inner[:1:-1]])], Paint(mix(band, far, k / rings), grain=0.1))
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
        canvas.fill(dots, mix("#2f6f8f", far, 0.6 * k / rings), 0.8)
    canvas.fill([arch(0, -1.3, 0.3, 0.32)], Paint(mix(far, "#ffffff", 0.5), far))


@layer
def stalls(canvas: Canvas, colours: Sequence[str], foot: float = -1.1, top: float = 0.05) -> None:
    """Goods on both sides of an alley: hanging cloths and heaps of wares, smaller farther away."""
    for side in (-1, 1):
        wall = (side * 1.25, foot, top + 0.15, side * 0.3, -0.45, -0.05)
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
def drapes(canvas: Canvas, colour: Colour, inner: float = 0.62) -> None:
    """A theatre's red curtain on both sides and across the top, in deep folds."""
    for side in (-1, 1):
        canvas.fill(
            [box(min(side * inner, side * 1.3), -1.3, max(side * inner, side * 1.3), 1.3)],
            Paint(colour, mix(colour, "#0c0406", 0.5), grain=0.05),
        )
        folds = [
            box(a, -1.3, b, 1.3)
            for a, b in spread(7, 0.5, min(side * inner, side * 1.3), max(side * inner, side * 1.3))
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
def ceiling_trusses(canvas: Canvas, count: int = 6) -> None:
    """The wide roof of a hall: curved ribs that run away, with light between them."""
    for k in range(count):
        size = 0.84**k
        turn = np.linspace(0.2, np.pi - 0.2, 22)
        rib = np.stack([1.7 * size * np.cos(turn), 0.2 + 1.05 * size * np.sin(turn)], axis=1)
        lower = rib - (0, 0.07 * size)
        canvas.fill(stroke(rib, 0.02 * size) + stroke(lower, 0.014 * size), "#4a4d4c", 0.9)
        canvas.fill(
            [bar(tuple(a), tuple(b), 0.008 * size) for a, b in zip(rib[::2], lower[1::2], strict=False)], "#4a4d4c", 0.8
        )
    canvas.shine("#f4f4ee", 0.4 * step(canvas.y - 0.75, 0.5))
