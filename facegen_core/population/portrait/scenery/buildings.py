"""Parts that most buildings share: walls with windows, towers, domes, arcades, columns, rows of houses, skylines."""

from collections.abc import Sequence

import numpy as np

from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, layer, mix
from facegen_core.population.portrait.scenery.shapes import (
    Profile,
    Shape,
    Wall,
    arch,
    bar,
    box,
    disc,
    onto,
    panes,
    spread,
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
SPIRE: Profile = [(1, 0), (0.66, 0.28), (0.36, 0.58), (0.12, 0.87), (0, 1)]
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
    bottom: Colour | None = None,
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
        bottom: its colour at the foot, if another.
    """
    low = canvas.far(mix(colour, "#15161c", 0.12) if bottom is None else bottom, haze)
    canvas.fill([turned(profile, x, foot, half, height)], Paint(canvas.far(colour, haze), low, turn=turn * (1 - haze)))
    outline = np.asarray(profile)
    lines = []
    for rib in range(1, ribs):
        place = np.sin(np.pi * (rib / ribs - 0.5))
        points = outline * (half * place, height) + (x, foot)
        lines += [bar(tuple(a), tuple(b), 0.02 * half + 0.002) for a, b in zip(points[:-1], points[1:], strict=True)]
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
    """
    if drum:
        tower(SHAFT, x, foot, 0.93 * half, drum, stone, haze=haze)(canvas)
        places = x + 0.9 * half * np.sin(np.linspace(-1.3, 1.3, columns))
        gaps = [arch(px, foot + 0.1 * drum, 0.5 * half / columns, foot + 0.82 * drum) for px in places.tolist()]
        canvas.fill(gaps, canvas.far(mix(stone, "#20222a", 0.6), haze), 0.75)
        canvas.fill(
            [box(x - half, foot + 0.88 * drum, x + half, foot + drum)],
            Paint(canvas.far(mix(stone, "#ffffff", 0.3), haze), turn=0.4),
        )
    tower(profile, x, foot + drum, half, height, colour, ribs=ribs, haze=haze)(canvas)
    if lantern:
        tower(LANTERN, x, foot + drum + 0.97 * height, 0.2 * half, lantern, stone, haze=haze)(canvas)


@layer
def arcade(
    canvas: Canvas,
    wall: Wall,
    colour: Colour,
    count: int,
    dark: Colour = "#3a3330",
    share: float = 0.62,
    top: float = 0.8,
    haze: float = 0.0,
    bottom_dark: Colour | None = None,
) -> None:
    """A wall with a row of arches, whose tops reach up to a share of its height."""
    canvas.fill(
        onto(wall, [box(0, 0, 1, 1)]),
        Paint(canvas.far(mix(colour, "#ffffff", 0.08), haze), canvas.far(colour, haze), turn=0.12),
    )
    low = canvas.far(mix(dark, colour, 0.35) if bottom_dark is None else bottom_dark, haze)
    proportion = abs(
        (wall[2] - wall[0] if len(wall) == 4 else wall[3] - wall[0])
        / ((wall[3] if len(wall) == 4 else wall[2]) - wall[1])
    )
    openings, rims = [], []
    for left, right in spread(count, share):
        half = (right - left) / 2
        head = arch((left + right) / 2, 0, half, top)
        rise = half * proportion
        head[2:, 1] = top - min(rise, 0.7 * top) * (1 - (head[2:, 1] - head[2:, 1].min()) / np.ptp(head[2:, 1]))
        openings.append(head)
        rims.append((head - ((left + right) / 2, 0)) * (1.14, 1.03) + ((left + right) / 2, 0))
    canvas.fill(onto(wall, rims), canvas.far(mix(colour, "#ffffff", 0.32), haze), 0.8)
    canvas.fill(onto(wall, openings), Paint(canvas.far(dark, haze), low))
    canvas.fill(onto(wall, [box(-0.01, 0.93, 1.01, 1.0)]), canvas.far(mix(colour, "#ffffff", 0.3), haze))
    canvas.fill(onto(wall, [box(0, 0.9, 1, 0.93)]), canvas.far(mix(colour, "#15141a", 0.5), haze), 0.7)


@layer
def columns(canvas: Canvas, wall: Wall, colour: Colour, count: int, share: float = 0.45, haze: float = 0.0) -> None:
    """A row of fluted columns with capitals, before whatever is painted behind them."""
    shafts = spread(count, share)
    pitch = 1 / count
    canvas.fill(
        onto(wall, [box(a, 0, b, 1) for a, b in shafts]),
        Paint(canvas.far(mix(colour, "#ffffff", 0.1), haze), canvas.far(colour, haze)),
    )
    for near, far_, tone, opacity in (
        (0.0, 0.35, "#ffffff", 0.35),
        (0.62, 1.0, "#1b1a22", 0.45),
        (0.45, 0.5, "#1b1a22", 0.2),
    ):
        sides = (near, far_) if canvas.sun < 0 else (1 - far_, 1 - near)
        strips = [box(a + sides[0] * (b - a), 0, a + sides[1] * (b - a), 1) for a, b in shafts]
        canvas.fill(onto(wall, strips), canvas.far(tone, haze), opacity)
    ends = [box(a - 0.13 * pitch, low, b + 0.13 * pitch, low + 0.05) for a, b in shafts for low in (0.0, 0.95)]
    canvas.fill(onto(wall, ends), canvas.far(mix(colour, "#ffffff", 0.25), haze))


@layer
def temple_front(
    canvas: Canvas,
    wall: Wall,
    colour: Colour,
    count: int,
    haze: float = 0.0,
    gable: float = 0.3,
    shade: Colour = "#5a5450",
) -> None:
    """Columns under a triangular gable; the wall is that of the columns, the gable stands on it."""
    canvas.fill(
        onto(wall, [box(0, 0, 1, 1)]), Paint(canvas.far(mix(shade, "#000000", 0.25), haze), canvas.far(shade, haze))
    )
    columns(wall, colour, count, haze=haze)(canvas)
    triangle = np.array([(-0.05, 1.1), (1.05, 1.1), (0.5, 1.1 + gable)])
    canvas.fill(
        onto(wall, [box(-0.04, 1.0, 1.04, 1.11)]),
        Paint(canvas.far(mix(colour, "#ffffff", 0.25), haze), canvas.far(colour, haze)),
    )
    canvas.fill(onto(wall, [triangle]), canvas.far(mix(colour, "#ffffff", 0.3), haze))
    inner = (triangle - (0.5, 1.1 + 0.36 * gable)) * (0.8, 0.7) + (0.5, 1.1 + 0.36 * gable)
    canvas.fill(onto(wall, [inner]), canvas.far(mix(colour, "#38343a", 0.3), haze))


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
    lit: float = 0.0,
) -> None:
    """A row of narrow town houses side by side, each with a colour and a height of its own."""
    first = int(canvas.rng.integers(len(colours)))
    for i in range(count):
        tall = float(canvas.rng.uniform(0.78, 1.0))
        u0, u1 = i / count, (i + 1) / count
        colour = colours[(first + i) % len(colours)]
        middle, rise = (u0 + u1) / 2, 0.16 * canvas.rng.uniform(0.8, 1.3)
        if gabled:
            peak = np.array([(u0, tall - 0.02), (u1, tall - 0.02), (middle, tall + 1.4 * rise)])
            canvas.fill(onto(wall, [peak]), canvas.far(mix(colour, "#2b2020", 0.12), haze))
            sides = [
                np.array(
                    [
                        (end, tall - 0.03),
                        (middle, tall + 1.5 * rise),
                        (middle, tall + 1.38 * rise),
                        (end + 0.08 * (middle - end), tall - 0.03),
                    ]
                )
                for end in (u0, u1)
            ]
            canvas.fill(onto(wall, sides), canvas.far(roof, haze))
        else:
            canvas.fill(
                onto(
                    wall,
                    [
                        np.array(
                            [(u0, tall), (u1, tall), (u1 - 0.1 / count, tall + rise), (u0 + 0.1 / count, tall + rise)]
                        )
                    ],
                ),
                Paint(canvas.far(roof, haze), canvas.far(mix(roof, "#181010", 0.3), haze)),
            )
            dormers = [
                box(u0 + k / count - 0.06 / count, tall + 0.2 * rise, u0 + k / count + 0.06 / count, tall + 0.7 * rise)
                for k in (0.3, 0.7)
            ]
            canvas.fill(onto(wall, dormers), canvas.far("#d8d2c8", haze))
        top = canvas.far(mix(colour, "#ffffff", 0.06), haze)
        canvas.fill(
            onto(wall, [box(u0, 0, u1, tall)]), Paint(top, canvas.far(mix(colour, "#191418", 0.2), haze), turn=0.1)
        )
        openings = [pane * ((u1 - u0), tall * 0.8) + (u0, tall * 0.18) for pane in panes(3, storeys, 0.5, 0.58)]
        frames = [(pane - pane.mean(axis=0)) * (1.35, 1.2) + pane.mean(axis=0) for pane in openings]
        canvas.fill(onto(wall, frames), canvas.far("#f1eee6", haze), 0.85)
        canvas.fill(onto(wall, openings), canvas.far(GLASS, haze))
        if lit:
            canvas.fill(onto(wall, [pane for pane in openings if canvas.rng.uniform() < lit]), LIT, 0.9)
        shop = [box(u0 + 0.1 * (u1 - u0), 0, u1 - 0.1 * (u1 - u0), 0.13)]
        canvas.fill(onto(wall, shop), canvas.far(mix("#2a2422", colour, 0.25), haze), 0.85)


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
    teeth: int = 5,
) -> None:
    """A round castle tower with teeth and, if a colour is given, a pointed roof ``rise`` high."""
    profile = [(0.94, 0), (0.92, 0.84), (1.0, 0.88), (1.0, 1.0)]
    shapes = [turned(profile, x, foot, half, height)]
    if roof is None:
        shapes += [
            box(x - half + a * 2 * half, foot + 0.99 * height, x - half + b * 2 * half, foot + 1.06 * height)
            for a, b in spread(teeth, 0.6)
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
    windows: Colour = "#39424d",
    door: float = 0.5,
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
            windows,
            0.85,
        )
        if canvas.rng.uniform() < door:
            canvas.fill([arch(left + 0.4 * wide, foot, 0.022, foot + 0.09)], "#2c5aa0", 0.9)


def cross(x: float, foot: float, height: float) -> list[Shape]:
    """A cross for the top of a church."""
    return [
        bar((x, foot), (x, foot + height), 0.012),
        bar((x - 0.3 * height, foot + 0.65 * height), (x + 0.3 * height, foot + 0.65 * height), 0.012),
    ]


@layer
def rose(
    canvas: Canvas, x: float, y: float, size: float, stone: Colour, glass: Colour = "#2b3550", petals: int = 12
) -> None:
    """A round church window."""
    canvas.fill([disc(x, y, 1.15 * size, corners=32)], mix(stone, "#ffffff", 0.2))
    canvas.fill([disc(x, y, size, corners=32)], glass)
    turn = np.arange(petals) * 2 * np.pi / petals
    canvas.fill([bar((x, y), (x + size * np.cos(t), y + size * np.sin(t)), 0.1 * size) for t in turn], stone)
    canvas.fill([disc(x, y, 0.3 * size)], stone)
    canvas.fill([disc(x, y, 0.18 * size)], glass)
