"""Parts that most buildings share: walls with windows, towers, domes, arcades, columns, rows of houses, skylines."""

from collections.abc import Sequence

import numpy as np

from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, layer, mix
from facegen_core.population.portrait.scenery.polygons import (
    Profile,
    Wall,
    arch,
    bar,
    box,
    disc,
    onto,
    panes,
    path,
    proportion,
    spread,
    stroke,
    turned,
)

GLASS = "#3b4552"
LIT = "#ffd58a"


DOME: Profile = [(float(np.cos(t)), float(np.sin(t))) for t in np.linspace(0, np.pi / 2, 12)]
EGG: Profile = [
    (0.86, 0),
    (0.97, 0.12),
    (1, 0.25),
    (0.97, 0.4),
    (0.87, 0.57),
    (0.7, 0.73),
    (0.48, 0.86),
    (0.22, 0.96),
    (0, 1),
]
ONION: Profile = [
    (0.7, 0),
    (0.92, 0.1),
    (1, 0.24),
    (0.93, 0.38),
    (0.7, 0.52),
    (0.42, 0.64),
    (0.2, 0.75),
    (0.08, 0.86),
    (0, 1),
]
CONE: Profile = [(1, 0), (0, 1)]
BELL: Profile = [
    (1, 0),
    (1, 0.06),
    (0.86, 0.08),
    (0.86, 0.15),
    (0.8, 0.3),
    (0.68, 0.46),
    (0.48, 0.56),
    (0.2, 0.6),
    (0.2, 0.67),
    (0.1, 0.7),
    (0.05, 1),
]
SHAFT: Profile = [(1, 0), (1, 1)]
LANTERN: Profile = [
    (1, 0),
    (1, 0.08),
    (0.62, 0.1),
    (0.62, 0.45),
    (0.85, 0.47),
    (0.85, 0.52),
    (0.5, 0.6),
    (0.16, 0.7),
    (0.07, 0.75),
    (0.05, 1),
]
MINARET: Profile = [
    (0.62, 0), (0.62, 0.34), (0.95, 0.37), (0.95, 0.4), (0.5, 0.405), (0.5, 0.56), (0.82, 0.585), (0.82, 0.61),
    (0.4, 0.615), (0.4, 0.74), (0.62, 0.76), (0.62, 0.78), (0.32, 0.785), (0.32, 0.82), (0.05, 0.98), (0, 1),
]  # fmt: skip
BAROQUE: Profile = [
    (1, 0),
    (1, 0.04),
    (0.9, 0.1),
    (0.95, 0.2),
    (0.8, 0.34),
    (0.45, 0.44),
    (0.34, 0.48),
    (0.34, 0.62),
    (0.42, 0.64),
    (0.3, 0.72),
    (0.1, 0.78),
    (0.03, 0.84),
    (0, 1),
]


@layer
def facade(
    canvas: Canvas,
    wall: Wall,
    colour: Colour,
    windows: tuple[int, int] = (6, 3),
    glass: Colour = GLASS,
    arched: bool = False,
    wide: float = 0.45,
    high: float = 0.6,
    roof: Colour | None = None,
    rise: float = 0.2,
    lit: float = 0.0,
    haze: float = 0.0,
    trim: Colour | None = None,
    storeys: bool = True,
) -> None:
    """A wall with rows of windows.

    Args:
        canvas: painted on.
        wall: where it stands.
        colour: of the wall.
        windows: columns and rows; (0, 0) for none.
        glass: colour of the windows.
        arched: they have round heads.
        wide: share of the wall's width they take up.
        high: share of its height.
        roof: colour of a sloping roof, or None.
        rise: the roof's height, in wall heights.
        lit: share of windows with light in them.
        haze: how much air lies before it.
        trim: colour of frames and cornices; a lighter wall's if not given.
        storeys: has a cornice over every row of windows.
    """
    trim = mix(colour, "#ffffff", 0.35) if trim is None else trim
    if roof is not None:
        slope = np.array([(-0.02, 1.0), (1.02, 1.0), (0.96, 1 + rise), (0.04, 1 + rise)])
        canvas.fill(onto(wall, [slope]), Paint(canvas.far(mix(roof, "#ffffff", 0.12), haze), canvas.far(roof, haze)))
    top, foot = canvas.far(mix(colour, "#ffffff", 0.06), haze), canvas.far(mix(colour, "#1b1a20", 0.15), haze)
    canvas.fill(onto(wall, [box(0, 0, 1, 1)]), Paint(top, foot, turn=0.12, grain=0.06))
    columns, rows = windows
    lines = [k / rows for k in range(1, rows)] if storeys and rows else []
    shadows = [box(0, y - 0.035 / (rows + 1), 1, y) for y in [*lines, 0.985]]
    canvas.fill(onto(wall, shadows), canvas.far(mix(colour, "#14131a", 0.5), haze), 0.6)
    ledges = [box(-0.005, y, 1.005, y + 0.045 / (rows + 1)) for y in [*lines, 0.985]]
    canvas.fill(onto(wall, ledges), canvas.far(trim, haze))
    if columns:
        openings = panes(columns, rows, wide, high, arched)
        frames = panes(columns, rows, min(0.97, wide * 1.3), min(0.97, high * 1.16), arched)
        canvas.fill(onto(wall, frames), canvas.far(trim, haze), 0.75)
        canvas.fill(onto(wall, openings), Paint(canvas.far(glass, haze), canvas.far(mix(glass, "#0c0f14", 0.4), haze)))
        if lit:
            glowing = [pane for pane in openings if canvas.rng.uniform() < lit]
            canvas.fill(onto(wall, glowing), LIT, 0.9)


@layer
def tower(
    canvas: Canvas,
    profile: Profile,
    x: float,
    foot: float,
    half: float,
    height: float,
    colour: Colour,
    turn: float = 0.55,
    haze: float = 0.0,
    ribs: int = 0,
    slits: int = 0,
) -> None:
    """Anything that looks turned on a lathe: a round tower, a dome, a spire, a minaret.

    Args:
        canvas: painted on.
        profile: half its outline.
        x: its axis.
        foot: height of its foot.
        half: half its greatest width.
        height: of the whole.
        colour: of its surface.
        turn: how dark its far side is.
        haze: how much air lies before it.
        ribs: upright lines on it.
        slits: narrow windows, one above another.
    """
    low = canvas.far(mix(colour, "#15161c", 0.12), haze)
    canvas.fill([turned(profile, x, foot, half, height)], Paint(canvas.far(colour, haze), low, turn=turn * (1 - haze)))
    outline = np.asarray(profile)
    lines = []
    for rib in range(1, ribs):
        place = np.sin(np.pi * (rib / ribs - 0.5))
        points = outline * (half * place, height) + (x, foot)
        lines += stroke(points, 0.02 * half + 0.002)
    canvas.fill(lines, canvas.far(mix(colour, "#1a1a20", 0.5), haze), 0.5)
    if slits:
        levels = np.linspace(0.12, 0.88, slits)
        canvas.fill(
            [arch(x, foot + v * height - 0.022, 0.09 * half + 0.004, foot + v * height + 0.022) for v in levels],
            canvas.far("#2b2a2e", haze),
            0.8,
        )


@layer
def dome(
    canvas: Canvas,
    x: float,
    foot: float,
    half: float,
    height: float,
    colour: Colour,
    stone: Colour,
    drum: float = 0.0,
    profile: Profile = DOME,
    lantern: float = 0.0,
    ribs: int = 8,
    haze: float = 0.0,
    columns: int = 9,
    turn: float = 0.55,
) -> None:
    """A dome on a drum with columns.

    Args:
        canvas: painted on.
        x: its axis.
        foot: height of the drum's foot.
        half: half the dome's width.
        height: of the dome alone.
        colour: of the dome.
        stone: colour of drum and lantern.
        drum: the drum's height.
        profile: of the dome.
        lantern: height of the lantern on top.
        ribs: lines up the dome.
        haze: how much air lies before it.
        columns: seen around the drum.
        turn: how dark its far side is.
    """
    if drum:
        tower(SHAFT, x, foot, 0.93 * half, drum, stone, turn, haze)(canvas)
        places = x + 0.9 * half * np.sin(np.linspace(-1.3, 1.3, columns))
        gaps = [arch(px, foot + 0.1 * drum, 0.5 * half / columns, foot + 0.82 * drum) for px in places.tolist()]
        canvas.fill(gaps, canvas.far(mix(stone, "#20222a", 0.6), haze), 0.75)
        canvas.fill(
            [box(x - half, foot + 0.88 * drum, x + half, foot + drum)],
            Paint(canvas.far(mix(stone, "#ffffff", 0.3), haze), turn=0.4),
        )
    tower(profile, x, foot + drum, half, height, colour, turn, haze, ribs)(canvas)
    if lantern:
        tower(LANTERN, x, foot + drum + 0.97 * height, 0.2 * half, lantern, stone, turn, haze)(canvas)


@layer
def arcade(canvas: Canvas, wall: Wall, colour: Colour, count: int, dark: Colour = "#3a3330", top: float = 0.8) -> None:
    """A wall with a row of arches, whose tops reach up to a share of its height."""
    canvas.fill(onto(wall, [box(0, 0, 1, 1)]), Paint(mix(colour, "#ffffff", 0.08), colour, turn=0.12))
    openings, rims = [], []
    for left, right in spread(count, 0.62):
        middle, half = (left + right) / 2, (right - left) / 2
        opening = arch(middle, 0, half, top, min(half * proportion(wall), 0.7 * top))
        openings.append(opening)
        rims.append((opening - (middle, 0)) * (1.14, 1.03) + (middle, 0))
    canvas.fill(onto(wall, rims), mix(colour, "#ffffff", 0.32), 0.8)
    canvas.fill(onto(wall, openings), Paint(dark, mix(dark, colour, 0.35)))
    canvas.fill(onto(wall, [box(-0.01, 0.93, 1.01, 1.0)]), mix(colour, "#ffffff", 0.3))
    canvas.fill(onto(wall, [box(0, 0.9, 1, 0.93)]), mix(colour, "#15141a", 0.5), 0.7)


@layer
def columns(canvas: Canvas, wall: Wall, colour: Colour, count: int, share: float = 0.45) -> None:
    """A row of fluted columns with capitals, before whatever is painted behind them."""
    shafts = spread(count, share)
    pitch = 1 / count
    canvas.fill(
        onto(wall, [box(a, 0, b, 1) for a, b in shafts]),
        Paint(mix(colour, "#ffffff", 0.1), colour),
    )
    for near, far_, tone, opacity in (
        (0.0, 0.35, "#ffffff", 0.35),
        (0.62, 1.0, "#1b1a22", 0.45),
        (0.45, 0.5, "#1b1a22", 0.2),
    ):
        sides = (near, far_) if canvas.sun < 0 else (1 - far_, 1 - near)
        strips = [box(a + sides[0] * (b - a), 0, a + sides[1] * (b - a), 1) for a, b in shafts]
        canvas.fill(onto(wall, strips), tone, opacity)
    ends = [box(a - 0.13 * pitch, low, b + 0.13 * pitch, low + 0.05) for a, b in shafts for low in (0.0, 0.95)]
    canvas.fill(onto(wall, ends), mix(colour, "#ffffff", 0.25))


@layer
def temple_front(
    canvas: Canvas,
    wall: Wall,
    colour: Colour,
    count: int,
    gable: float = 0.3,
) -> None:
    """Columns under a triangular gable; the wall is that of the columns, the gable stands on it."""
    canvas.fill(onto(wall, [box(0, 0, 1, 1)]), Paint(mix("#5a5450", "#000000", 0.25), "#5a5450"))
    columns(wall, colour, count)(canvas)
    triangle = np.array([(-0.05, 1.1), (1.05, 1.1), (0.5, 1.1 + gable)])
    canvas.fill(
        onto(wall, [box(-0.04, 1.0, 1.04, 1.11)]),
        Paint(mix(colour, "#ffffff", 0.25), colour),
    )
    canvas.fill(onto(wall, [triangle]), mix(colour, "#ffffff", 0.3))
    inner = (triangle - (0.5, 1.1 + 0.36 * gable)) * (0.8, 0.7) + (0.5, 1.1 + 0.36 * gable)
    canvas.fill(onto(wall, [inner]), mix(colour, "#38343a", 0.3))


@layer
def rose(canvas: Canvas, x: float, y: float, size: float, stone: Colour) -> None:
    """A round church window."""
    canvas.fill([disc(x, y, 1.15 * size, corners=32)], mix(stone, "#ffffff", 0.2))
    canvas.fill([disc(x, y, size, corners=32)], "#2b3550")
    turn = np.arange(12) * 2 * np.pi / 12
    canvas.fill([bar((x, y), (x + size * np.cos(t), y + size * np.sin(t)), 0.1 * size) for t in turn], stone)
    canvas.fill([disc(x, y, 0.3 * size)], stone)
    canvas.fill([disc(x, y, 0.18 * size)], "#2b3550")


@layer
def patch(
    canvas: Canvas,
    corners: str | Sequence[tuple[float, float]],
    top: Colour,
    bottom: Colour | None = None,
    turn: float = 0.0,
    grain: float = 0.05,
) -> None:
    """One polygon, "x,y x,y x,y", for what only one place has; see :class:`Paint`."""
    canvas.fill([path(corners)], Paint(top, bottom, turn, grain))
