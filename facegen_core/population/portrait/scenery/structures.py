"""Structures that few places have: lattices, bridges, pyramids, spirals, pipes, terraces, standing stones."""

from collections.abc import Sequence

import numpy as np

from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, Shape, layer, mix
from facegen_core.population.portrait.scenery.polygons import (
    Wall,
    arch,
    bar,
    below,
    box,
    disc,
    onto,
    spread,
    stroke,
)
from facegen_core.population.portrait.scenery.sky import lights


@layer
def lattice_tower(canvas: Canvas, x: float, foot: float, half: float, height: float, colour: Colour) -> None:
    """A tower of iron girders on four curved legs, with two platforms and a mast."""
    haze = 0.1

    def side(v: np.ndarray) -> np.ndarray:
        return half * (0.075 + 0.925 * (1 - v) ** 2.9)

    light, dark = canvas.far(mix(colour, "#ffffff", 0.15), haze), canvas.far(colour, haze)
    v = np.linspace(0, 0.93, 40)
    leg = np.maximum(0.36 * side(v), 0.06 * half)
    for sign in (-1, 1):
        outer = np.stack([x + sign * side(v), foot + v * height], axis=1)
        inner = np.stack([x + sign * np.maximum(side(v) - leg, 0), foot + v * height], axis=1)
        canvas.fill([np.concatenate([outer, inner[::-1]])], Paint(dark, light if sign == canvas.sun else dark), 0.62)
        canvas.fill(stroke(outer, 0.014) + stroke(inner, 0.01), dark)
        beams = []
        for a, b in zip(range(0, 38, 1), range(1, 39, 1), strict=True):
            beams += [bar(outer[a], inner[b], 0.007), bar(inner[a], outer[b], 0.007)]
        canvas.fill(beams, canvas.far(mix(colour, "#16120e", 0.35), haze), 0.8)
    solid = np.linspace(0.47, 0.93, 20)
    spine = np.stack([side(solid), foot + solid * height], axis=1)
    canvas.fill([np.concatenate([spine + np.array((x, 0)), (spine * (-1, 1) + np.array((x, 0)))[::-1]])], dark, 0.55)
    foot_arch = np.stack([np.cos(np.linspace(0, np.pi, 24)), np.sin(np.linspace(0, np.pi, 24))], axis=1) * (
        0.6 * half,
        0.19 * height,
    ) + (x, foot)
    canvas.fill(stroke(foot_arch, 0.02), dark)
    for level, extra, thick in ((0.21, 1.12, 0.035), (0.43, 1.18, 0.026), (0.92, 1.5, 0.02)):
        wide = float(side(np.array(level))) * extra
        canvas.fill(
            [box(x - wide, foot + level * height, x + wide, foot + (level + thick) * height)],
            Paint(light, dark, turn=0.3),
        )
    canvas.fill(
        [box(x - 0.006, foot + 0.93 * height, x + 0.006, foot + height), disc(x, foot + 0.955 * height, 0.07 * half)],
        dark,
    )


@layer
def glass_pyramid(canvas: Canvas, x: float, foot: float, half: float, height: float, rows: int = 9) -> None:
    """A pyramid of glass diamonds in a thin frame."""
    tip, ridge = (x, foot + height), (x - 0.32 * half * canvas.sun, foot - 0.06)
    left, right = (x - half, foot), (x + half, foot)
    for corner, glass, side in ((left, "#a9c0cf", -1), (right, "#7f9aac", 1)):
        tone = mix(glass, "#33485a", 0.0 if side == canvas.sun else 0.25)
        canvas.fill(
            [np.array([corner, ridge, tip])], Paint(mix(tone, "#ffffff", 0.2), mix(tone, "#e6c890", 0.35)), 0.86
        )
        bars: list[Shape] = []
        edge, spine, peak = np.array(corner), np.array(ridge), np.array(tip)
        for k in range(rows + 1):
            s = k / rows
            bars.append(
                bar(tuple(edge + s * (spine - edge)), tuple(edge + s * (peak - edge) if k else edge + 0.001), 0.006)
            )
            bars.append(bar(tuple(edge + s * (spine - edge)), tuple(peak + s * (spine - peak)), 0.006))
            bars.append(bar(tuple(edge + s * (peak - edge)), tuple(spine + s * (peak - spine)), 0.008))
        canvas.fill(bars, "#dfe7ea", 0.75)
    canvas.fill([bar(left, tip, 0.014), bar(right, tip, 0.014), bar(ridge, tip, 0.012)], "#e9eef0")


@layer
def spiral_drum(canvas: Canvas, x: float, foot: float, half: float, height: float, rings: int = 4) -> None:
    """White rings one above another, each wider than the one below."""
    for ring in range(rings):
        low = foot + height * ring / rings
        w0, w1 = half * (0.74 + 0.26 * ring / rings), half * (0.78 + 0.26 * ring / rings)
        high = low + 0.72 * height / rings
        gap = [box(x - 0.95 * w0, low - 0.28 * height / rings, x + 0.95 * w0, low + 0.03)]
        canvas.fill(gap, Paint("#5b5a5c", "#2e3036", turn=0.3))
        t = np.linspace(0, np.pi, 16)
        lower = np.stack([x - w0 * np.cos(t), low - 0.055 * np.sin(t)], axis=1)
        upper = np.stack([x + w1 * np.cos(t), high - 0.045 * np.sin(t)], axis=1)
        canvas.fill(
            [np.concatenate([lower, upper])],
            Paint(mix("#ece7dd", "#ffffff", 0.3), mix("#ece7dd", "#6f7078", 0.35), turn=0.42, grain=0.03),
        )
        canvas.fill([disc(x, high, w1, 0.045 * 0.6, 32)], mix("#ece7dd", "#77777c", 0.3))


@layer
def pipes(canvas: Canvas, wall: Wall, count: int = 9) -> None:
    """A building with its inside out: a white frame, upright pipes in colours, and a glass stair tube across."""
    canvas.fill(onto(wall, [box(0, 0, 1, 1)]), Paint("#5f7180", "#39444e"))
    canvas.fill(
        onto(wall, [box(a, v, b, v + 0.12) for a, b in spread(count, 0.8) for v in np.arange(0.02, 1, 0.16)]),
        Paint("#93a9b6", "#6b7f8c", grain=0.12),
    )
    colours = ("#2f6db5", "#3d9a56", "#e2b93b", "#d24a3c", "#f0eee8", "#2f6db5", "#3d9a56", "#d24a3c")
    for i, (a, b) in enumerate(spread(count, 0.5)):
        pipe = box(a, 0.05, a + 0.6 * (b - a), 1.06 + 0.06 * (i % 3))
        tone = colours[i % len(colours)]
        canvas.fill(onto(wall, [pipe]), Paint(mix(tone, "#ffffff", 0.1), tone, turn=0.5))
        canvas.fill(onto(wall, [disc(a + 0.3 * (b - a), pipe[2, 1], 0.5 * (b - a), 0.04)]), mix(tone, "#ffffff", 0.15))
    floors = [box(-0.02, v, 1.02, v + 0.022) for v in np.arange(0.0, 1.01, 0.165)]
    posts = [box(a, 0, a + 0.012, 1) for a, _ in spread(count, 0.98)]
    braces = [bar((a, v), (b, v + 0.165), 0.008) for a, b in spread(count, 0.98) for v in np.arange(0.0, 0.9, 0.165)]
    canvas.fill(onto(wall, floors + posts + braces), "#f1f1ee", 0.92)


@layer
def stair_tube(canvas: Canvas, points: Sequence[tuple[float, float]], wide: float = 0.1) -> None:
    """A glazed escalator that zigzags up a front, red below."""
    line = np.asarray(points, dtype=np.float64)
    canvas.fill(stroke(line - (0, 0.35 * wide), 0.5 * wide), "#c43a31")
    canvas.fill(stroke(line, wide), Paint("#dfe9ee", "#9fb3bf"), 0.85)
    canvas.fill(stroke(line + np.array((0, 0.42 * wide)), 0.016) + stroke(line - (0, 0.1 * wide), 0.012), "#5d6a74")


@layer
def terraces(
    canvas: Canvas,
    left: float,
    right: float,
    foot: float,
    top: float,
    count: int,
    stone: Colour,
    grass: Colour,
    slant: float = 0.2,
) -> None:
    """A hillside cut into steps: walls of stone with grass on each."""
    for k in range(count - 1, -1, -1):
        low, high = foot + (top - foot) * k / count, foot + (top - foot) * (k + 1) / count
        inset = slant * k / count
        lift = 0.05 * np.sin(np.linspace(0, 5, 9) + 0.7 * k)
        x = np.linspace(left + inset, right - 0.6 * inset, 9)
        edge = np.stack([x, high + lift * 0.5], axis=1)
        canvas.fill(
            [below(edge, low - 0.05)], Paint(mix(stone, "#ffffff", 0.12), mix(stone, "#17140f", 0.4), grain=0.16)
        )
        canvas.fill(stroke(edge, 0.3 * (high - low)), Paint(grass, grain=0.14))


@layer
def stones(canvas: Canvas, horizon: float, colour: Colour) -> None:
    """Lines of standing stones that run away over a field."""
    outline = np.array([(-1, 0), (-0.95, 0.45), (-0.62, 0.9), (-0.1, 1.04), (0.5, 0.93), (0.88, 0.5), (1, 0)])
    for row in range(11, -1, -1):
        size = 1.26**-row
        across = (np.arange(-6, 6 + 1) * 0.46 + canvas.rng.uniform(-0.06, 0.06, 2 * 6 + 1)) * size
        foot, haze = horizon - (horizon + 1.15) * size, min(0.6, 0.06 * row)
        rocks, shadows = [], []
        for x in across[np.abs(across) > (0.45 if row < 2 else 0)].tolist():
            half, height = size * canvas.rng.uniform((0.11, 0.37), (0.19, 0.71))
            rocks.append(outline * (half, height) + canvas.rng.uniform(-0.12, 0.12, (7, 2)) * half + (x, foot))
            shadows.append(disc(x - canvas.sun * 0.6 * half, foot, 1.4 * half, 0.2 * half))
        lit = [(rock - rock.mean(axis=0)) * (0.55, 0.85) + rock.mean(axis=0) for rock in rocks]
        lit = [np.add(rock, (0.3 * canvas.sun * np.ptp(rock[:, 0]), 0.02 * size)) for rock in lit]
        canvas.fill(shadows, "#22301c", 0.4)
        dark = mix(colour, "#1d1f1a", 0.35)
        canvas.fill(rocks, Paint(canvas.far(dark, haze), canvas.far(mix(dark, "#1d1f1a", 0.3), haze), grain=0.16))
        canvas.fill(
            lit, Paint(canvas.far(mix(colour, "#ffffff", 0.18), haze), canvas.far(colour, haze), grain=0.16), 0.8
        )


@layer
def stupa_lattice(canvas: Canvas, x: float, foot: float, half: float, height: float, dark: Colour) -> None:
    """Rows of diamond-shaped holes over a bell-shaped stupa."""
    holes = []
    for row in range(5):
        v = 0.14 + 0.075 * row
        reach = half * (0.8 - 0.05 * row)
        for k in range(7):
            px = x + reach * np.sin((k - 3 + 0.5 * (row % 2)) * 0.4)
            size = 0.075 * half
            py = foot + v * height
            holes.append(
                np.array([(px - size, py), (px, py - 0.026 * height), (px + size, py), (px, py + 0.026 * height)])
            )
    canvas.fill(holes, dark, 0.8)


@layer
def prayer_flags(canvas: Canvas, lines: Sequence[tuple[tuple[float, float], tuple[float, float]]]) -> None:
    """Strings of small flags in blue, white, red, green and yellow between two places each."""
    colours = ("#2f62b3", "#eef0f2", "#c8352f", "#2e8b4e", "#e9c22f")
    for start, end in lines:
        a, b = np.asarray(start), np.asarray(end)
        t = np.linspace(0, 1, 24)[:, None]
        line = a + (b - a) * t - (0, 0.12) * (4 * t * (1 - t))
        canvas.fill(stroke(line, 0.007), "#5a544e")
        for k, tone in enumerate(colours):
            flags = []
            for i in range(k, 23, 5):
                p, q = line[i], line[i] + 0.8 * (line[i + 1] - line[i])
                drop = (canvas.rng.uniform(-0.015, 0.025), -0.075 * canvas.rng.uniform(0.85, 1.1))
                flags.append(np.array([p, q, q + drop, p + drop]))
            canvas.fill(flags, Paint(tone, mix(tone, "#101018", 0.15)))


@layer
def niche(canvas: Canvas, x: float, foot: float, half: float, top: float, stone: Colour) -> None:
    """A fountain's recess of carved stone with a shell for its head."""
    canvas.fill(
        [box(x - 1.55 * half, foot, x + 1.55 * half, top + 0.9 * half)],
        Paint(mix(stone, "#ffffff", 0.1), mix(stone, "#1c1a18", 0.3), turn=0.2, grain=0.12),
    )
    canvas.fill([box(x - 1.75 * half, top + 0.8 * half, x + 1.75 * half, top + half)], mix(stone, "#ffffff", 0.3))
    canvas.fill(
        [
            box(x + s * 1.3 * half - 0.14 * half, foot, x + s * 1.3 * half + 0.14 * half, top + 0.75 * half)
            for s in (-1, 1)
        ],
        Paint(mix(stone, "#ffffff", 0.28), mix(stone, "#2b2622", 0.2)),
    )
    canvas.fill([arch(x, foot, 1.08 * half, top + 0.08 * half)], mix(stone, "#c9a24a", 0.55))
    canvas.fill([arch(x, foot, half, top)], Paint(mix(stone, "#201d1c", 0.55), mix(stone, "#100f10", 0.75), turn=0.35))
    centre = (x, top - half)
    turn = np.linspace(0.15, np.pi - 0.15, 9)
    canvas.fill(
        [bar(centre, (x + 0.92 * half * np.cos(t), centre[1] + 0.92 * half * np.sin(t)), 0.08 * half) for t in turn],
        mix(stone, "#ffffff", 0.12),
        0.7,
    )


@layer
def shells(canvas: Canvas, x: float, foot: float, size: float) -> None:
    """An opera house of white shells on a terrace."""
    canvas.fill([box(x - 1.5 * size, foot, x + 1.5 * size, foot + 0.3 * size)], Paint("#c9a98f", "#8a6f60"))
    for lean, place, tall in ((1, -0.75, 0.75), (1, -0.2, 1.15), (1, 0.35, 0.95), (-1, 0.75, 0.6)):
        t = np.linspace(0, 1, 10)
        back = np.stack([place + lean * (-0.55 + 0.62 * t), tall * np.sin(t * np.pi / 2) ** 0.8], axis=1)
        front = np.stack([place + lean * (0.07 + 0.3 * (1 - t) ** 2 * 1.2), tall * t], axis=1)
        sail = np.concatenate([back, front[::-1]]) * size + (x, foot + 0.28 * size)
        canvas.fill([sail], Paint("#fdfbf5", "#d6d3cc", turn=0.3, grain=0.02))
        mouth = np.concatenate([front, [(place + lean * 0.07, 0.0)]]) * size + (x, foot + 0.28 * size)
        canvas.fill([mouth], "#6d6a70", 0.7)


@layer
def signboard(canvas: Canvas, x: float, y: float, size: float) -> None:
    """The town's lit sign: a stretched diamond with bulbs around it and a star on top."""
    posts = [bar((x + s * 0.42 * size, y - 2.2 * size), (x + s * 0.42 * size, y + 0.62 * size), 0.035) for s in (-1, 1)]
    canvas.fill(posts, "#8a93b5")
    t = np.linspace(0, 2 * np.pi, 41)[:-1]
    edge = np.stack(
        [np.sign(np.cos(t)) * np.abs(np.cos(t)) ** 1.35, np.sign(np.sin(t)) * np.abs(np.sin(t)) ** 1.35], axis=1
    )
    outline = edge * (0.62 * size, 0.5 * size) + (x, y)
    canvas.fill([(outline - (x, y)) * 1.1 + (x, y)], "#e8a52f")
    canvas.fill([outline], Paint("#fbf6e6", "#f3e3c0", grain=0.02))
    turn = np.linspace(0, 2 * np.pi, 11)[:-1] + np.pi / 2
    reach = np.where(np.arange(10) % 2, 0.09, 0.22) * size
    star = np.stack([x + reach * np.cos(turn), y + 0.74 * size + reach * np.sin(turn)], axis=1)
    canvas.fill([star], "#ff5a4a")
    discs = [disc(x + u * size, y + 0.3 * size, 0.062 * size) for u in (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)]
    canvas.fill(discs, "#eef2ff")
    canvas.fill(
        [disc(a, b, 0.045 * size, 0.05 * size) for a, b in (discs_.mean(axis=0) for discs_ in discs)], "#c43a4a"
    )
    rows = [(0.12, 0.34, 0.05, "#c42f3c"), (-0.06, 0.46, 0.1, "#c42f3c"), (-0.24, 0.28, 0.05, "#2f4fa8")]
    for v, half, thick, tone in rows:
        letters = [
            box(
                x + (-half + a * 2 * half) * size,
                y + (v - thick) * size,
                x + (-half + b * 2 * half) * size,
                y + (v + thick) * size,
            )
            for a, b in spread(9, 0.6)
        ]
        canvas.fill(letters, tone)
    lights(((outline - (x, y)) * 1.06 + (x, y))[::2], 0.02, ["#fff0b0", "#ffd24a"])(canvas)


@layer
def neon_lights(canvas: Canvas, foot: float, top: float, count: int) -> None:
    """Lamps of all colours along a street at night."""
    places = canvas.rng.uniform((-1.1, foot), (1.1, top), (count, 2))
    lights(places, 0.013, ["#ff4fa0", "#39d0ff", "#ffd04a", "#8f5aff", "#ff6a3a"], 0.9)(canvas)


@layer
def hewn_cross(canvas: Canvas, x: float, y: float, size: float, foot: float, stone: Colour) -> None:
    """A church cut from the rock, seen from above its roof: a block with the plan of a cross, crosses carved on top."""
    arm = 0.36
    plan = np.array(
        [
            (-arm, -1),
            (arm, -1),
            (arm, -arm),
            (1, -arm),
            (1, arm),
            (arm, arm),
            (arm, 1),
            (-arm, 1),
            (-arm, arm),
            (-1, arm),
            (-1, -arm),
            (-arm, -arm),
        ]
    )

    def seen(flat: Shape) -> Shape:
        return np.stack([x + size * flat[:, 0] * (1 - 0.14 * flat[:, 1]), y + 0.38 * size * flat[:, 1]], axis=1)

    roof = seen(plan)
    for left, right in ((10, 11), (2, 3), (0, 1)):  # the walls that face the camera
        corners = np.concatenate([roof[[left, right]], roof[[right, left]] * (0.94, 0) + (0.06 * x, foot)])
        lit = (roof[left, 0] + roof[right, 0] - 2 * x) * canvas.sun >= 0
        canvas.fill(
            [corners], Paint(mix(stone, "#30130f", 0.12 if lit else 0.3), mix(stone, "#30130f", 0.65), grain=0.16)
        )
        middle, wide = corners[:2].mean(axis=0), np.ptp(corners[:2, 0])
        holes = [
            arch(middle[0] + s * 0.25 * wide, middle[1] - v - 0.2 * size, 0.08 * wide, middle[1] - v)
            for s in (-1, 1)
            for v in (0.2 * size, 0.62 * size)
        ]
        canvas.fill(holes, "#2a1512", 0.9)
        ledges = [
            box(middle[0] - 0.5 * wide, middle[1] - v - 0.02, middle[0] + 0.5 * wide, middle[1] - v)
            for v in (0.06 * size, 0.5 * size)
        ]
        canvas.fill(ledges, mix(stone, "#ffe2c0", 0.3), 0.7)
    for inset, tone in (
        (1.0, mix(stone, "#ffe8cf", 0.58)),
        (0.9, mix(stone, "#40201a", 0.25)),
        (0.84, mix(stone, "#ffe8cf", 0.5)),
        (0.62, mix(stone, "#40201a", 0.25)),
        (0.56, mix(stone, "#ffe8cf", 0.45)),
    ):
        canvas.fill([seen(plan * inset)], Paint(tone, grain=0.1))
