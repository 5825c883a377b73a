"""Rows of houses, skylines of cities, castles, and white-washed villages."""

from collections.abc import Sequence

import numpy as np

from facegen_core.population.portrait.scenery.buildings import CONE, GLASS, LIT, tower
from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, Shape, layer, mix
from facegen_core.population.portrait.scenery.polygons import (
    Wall,
    arch,
    box,
    onto,
    panes,
    spread,
    turned,
)

GABLE = np.array([(0.0, 0.97), (1.0, 0.97), (0.5, 1.25)])
GABLE_EDGES = [np.array([(end, 0.95), (0.5, 1.27), (0.5, 1.23), (0.92 * end + 0.04, 0.95)]) for end in (0, 1)]
ROOF = np.array([(0.0, 1.0), (1.0, 1.0), (0.9, 1.18), (0.1, 1.18)])
DORMERS = [box(u - 0.07, 1.03, u + 0.07, 1.12) for u in (0.3, 0.7)]


@layer
def houses(
    canvas: Canvas,
    wall: Wall,
    colours: Sequence[Colour],
    roof: Colour = "#8a4632",
    count: int = 8,
    storeys: int = 4,
    gabled: bool = True,
    haze: float = 0.0,
) -> None:
    """A row of narrow town houses side by side, each with a colour and a height of its own.

    Args:
        canvas: painted on.
        wall: where the row stands.
        colours: of the houses, in turn.
        roof: colour of the roofs.
        count: of houses.
        storeys: rows of windows.
        gabled: have gables to the street, or else roofs with dormers.
        haze: how much air lies before them.
    """
    first, heights = int(canvas.rng.integers(len(colours))), canvas.rng.uniform(0.78, 1.0, count)

    def of_all(*parts: Shape) -> list[Shape]:
        """Parts of a house of width and height 1, for every house of the row."""
        placed = [part * (1 / count, tall) + (i / count, 0) for part in parts for i, tall in enumerate(heights)]
        return onto(wall, placed)

    if not gabled:
        canvas.fill(of_all(ROOF), Paint(canvas.far(roof, haze), canvas.far(mix(roof, "#181010", 0.3), haze)))
    for i, front in enumerate(of_all(box(0, 0, 1, 1))):
        colour = colours[(first + i) % len(colours)]
        top, foot = canvas.far(mix(colour, "#ffffff", 0.06), haze), canvas.far(mix(colour, "#191418", 0.2), haze)
        canvas.fill([front], Paint(top, foot, turn=0.1))
        if gabled:
            canvas.fill(of_all(GABLE)[i : i + 1], canvas.far(mix(colour, "#2b2020", 0.12), haze))
    windows = [pane * (1, 0.8) + (0, 0.18) for pane in panes(3, storeys, 0.5, 0.58)]
    frames = [(pane - pane.mean(axis=0)) * (1.35, 1.2) + pane.mean(axis=0) for pane in windows]
    canvas.fill(of_all(*GABLE_EDGES) if gabled else of_all(*DORMERS), canvas.far(roof if gabled else "#d8d2c8", haze))
    canvas.fill(of_all(*frames), canvas.far("#f1eee6", haze), 0.85)
    canvas.fill(of_all(*windows), canvas.far(GLASS, haze))
    canvas.fill(of_all(box(0.1, 0, 0.9, 0.13)), canvas.far("#3a302c", haze), 0.85)


@layer
def skyline(
    canvas: Canvas,
    foot: float,
    height: float,
    colour: Colour = "#8a94a3",
    haze: float = 0.5,
    wide: float = 0.11,
    lit: float = 0.0,
    glass: Colour = "#566273",
    spans: Sequence[tuple[float, float]] = ((-1.2, 1.2),),
) -> None:
    """Blocks of a city side by side, up to a height above their foot."""
    shells, windows = [], []
    for left, right in spans:
        x = left
        while x < right:
            w, tall = wide * canvas.rng.uniform(0.6, 1.4), height * canvas.rng.uniform(0.35, 1.0)
            shells.append(box(x, foot, x + w, foot + tall))
            if canvas.rng.uniform() < 0.35:
                shells.append(box(x + 0.25 * w, foot, x + 0.7 * w, foot + 1.1 * tall))
            rows, across = max(2, int(tall / 0.05)), max(2, int(w / 0.03))
            windows += onto((x, foot, x + w, foot + tall), panes(across, rows, 0.55, 0.55))
            x += w * canvas.rng.uniform(0.95, 1.3)
    canvas.fill(
        shells, Paint(canvas.far(colour, 0.7 * haze), canvas.far(mix(colour, "#20242c", 0.2), haze), grain=0.08)
    )
    canvas.fill(windows, canvas.far(glass, haze), 0.55)
    if lit:
        canvas.fill([w for w in windows if canvas.rng.uniform() < lit], LIT, 0.85)


@layer
def battlements(
    canvas: Canvas, wall: Wall, colour: Colour, teeth: int = 10, haze: float = 0.0, openings: int = 0
) -> None:
    """A castle's wall with teeth on top."""
    merlons = [box(a, 0.98, b, 1.08) for a, b in spread(teeth, 0.6)]
    canvas.fill(
        onto(wall, [box(0, 0, 1, 1), *merlons]),
        Paint(
            canvas.far(mix(colour, "#ffffff", 0.08), haze),
            canvas.far(mix(colour, "#16151a", 0.25), haze),
            turn=0.15,
            grain=0.11,
        ),
    )
    slits = [box(a, 0.55, b, 0.72) for a, b in spread(openings, 0.12)] if openings else []
    canvas.fill(onto(wall, slits), canvas.far("#29262a", haze), 0.8)


@layer
def keep(
    canvas: Canvas,
    x: float,
    foot: float,
    half: float,
    height: float,
    colour: Colour,
    haze: float = 0.0,
    roof: Colour | None = None,
    rise: float = 0.3,
) -> None:
    """A round castle tower with teeth and, if a colour is given, a pointed roof ``rise`` high."""
    profile = [(0.94, 0), (0.92, 0.84), (1.0, 0.88), (1.0, 1.0)]
    shapes = [turned(profile, x, foot, half, height)]
    if roof is None:
        shapes += [
            box(x - half + a * 2 * half, foot + 0.99 * height, x - half + b * 2 * half, foot + 1.06 * height)
            for a, b in spread(5, 0.6)
        ]
    canvas.fill(
        shapes,
        Paint(
            canvas.far(mix(colour, "#ffffff", 0.08), haze),
            canvas.far(mix(colour, "#16151a", 0.2), haze),
            turn=0.6,
            grain=0.1,
        ),
    )
    canvas.fill([box(x - half, foot + 0.85 * height, x + half, foot + 0.88 * height)], canvas.far("#1f1d20", haze), 0.3)
    slits = [
        arch(x + s * half, foot + v * height, 0.06 * half, foot + v * height + 0.06)
        for s, v in ((-0.2, 0.65), (0.3, 0.35), (0.05, 0.92))
    ]
    canvas.fill(slits, canvas.far("#242124", haze), 0.85)
    if roof is not None:
        tower(CONE, x, foot + height, 1.12 * half, rise, roof, haze=haze)(canvas)


@layer
def blocks(
    canvas: Canvas,
    boxes: Sequence[tuple[float, float, float, float]],
    colour: Colour,
    shade: Colour,
) -> None:
    """White-washed cubes, each (left, foot, right, top) with a lit and a shaded side and a few openings."""
    for left, foot, right, top in boxes:
        cut = left + (0.68 if canvas.sun < 0 else 0.32) * (right - left)
        canvas.fill([box(left, foot, right, top)], Paint(colour, mix(colour, shade, 0.35), grain=0.03))
        dark = (cut, right) if canvas.sun < 0 else (left, cut)
        canvas.fill([box(dark[0], foot, dark[1], top)], Paint(shade, mix(shade, "#20304a", 0.15), grain=0.03))
        canvas.fill([box(left, top - 0.012, right, top + 0.006)], mix(colour, "#ffffff", 0.5), 0.8)
        wide, high = right - left, top - foot
        spots = canvas.rng.uniform((0.15, 0.2), (0.8, 0.65), (max(1, int(wide / 0.09)), 2))
        canvas.fill(
            [arch(left + u * wide, foot + v * high, 0.016, foot + v * high + 0.06) for u, v in spots.tolist()],
            "#39424d",
            0.85,
        )
        if canvas.rng.uniform() < 0.5:
            canvas.fill([arch(left + 0.4 * wide, foot, 0.022, foot + 0.09)], "#2c5aa0", 0.9)
