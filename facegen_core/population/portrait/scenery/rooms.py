"""Rooms from within: walls and floors, windows, shelves, furniture, lamps, vaults, a stage."""

from collections.abc import Sequence

import numpy as np

from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, layer, mix, rgb
from facegen_core.population.portrait.scenery.polygons import Wall, bar, box, disc, onto, panes, spread
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
        onto(wall, [disc(u, 0.1, 0.22, v, 12) for u, v in ((0.1, 0.12), (0.4, 0.2), (0.65, 0.13), (0.9, 0.18))]),
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
) -> None:
    """A framed picture: two colours that meet at a hilly line."""
    edge = 0.02
    canvas.fill([box(left - edge, foot - edge, right + edge, top + edge)], "#3a2c22")
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
def cabinets(canvas: Canvas, wall: Wall, colour: Colour, doors: int = 4) -> None:
    """Cupboards with handles."""
    canvas.fill(onto(wall, [box(0, 0, 1, 1)]), Paint(mix(colour, "#15130f", 0.35)))
    fronts = panes(doors, 1, 0.94, 0.95)
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
            [outline + np.array((x, foot))],
            Paint(mix(colour, "#ffffff", 0.2), mix(colour, "#0d0c0e", 0.2), turn=0.5, grain=0.03),
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
def potted(canvas: Canvas, x: float, foot: float, height: float) -> None:
    """A house plant with long leaves in a pot."""
    half = 0.14 * height
    canvas.fill([np.array([(-0.8, 0), (0.8, 0), (1, 2), (-1, 2)]) * half + (x, foot)], Paint("#b5694a", turn=0.5))
    leaves: list[list[np.ndarray]] = [[], []]
    t = np.linspace(0, 1, 7)
    for k, angle in enumerate(canvas.rng.permutation(np.linspace(0.35, np.pi - 0.35, 15))):
        reach = height * canvas.rng.uniform(0.5, 0.8)
        along = np.stack(
            [x + reach * t * np.cos(angle), foot + 2 * half + reach * (t * np.sin(angle) - 0.2 * t**2)], axis=1
        )
        wide = 0.055 * height * np.sin(np.pi * np.clip(t, 0.04, 1))[:, None] * (-np.sin(angle), np.cos(angle))
        leaves[k % 2].append(np.concatenate([along + wide, (along - wide)[::-1]]))
    canvas.fill(leaves[0], Paint("#2f5230", "#23402a"))
    canvas.fill(leaves[1], Paint("#6b9450", "#4a7a42"))
