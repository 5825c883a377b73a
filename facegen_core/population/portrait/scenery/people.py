"""People and statues: a crowd far off, soldiers of clay, bronze figures."""

from collections.abc import Sequence

import numpy as np

from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, layer, mix
from facegen_core.population.portrait.scenery.shapes import Shape, bar, box, disc

CLOTHES = ("#2b3446", "#8c2f2f", "#d8d4cc", "#44546b", "#6d5a45", "#b88a3f", "#1f1f24", "#5d7a8c")
SKINS = ("#d9a988", "#8f6144", "#e6bf9f")


@layer
def crowd(canvas: Canvas, foot: float, height: float, most: int = 14, haze: float = 0.0) -> None:
    """Up to so many people who stand on a line, each ``height`` tall; how many depends on the day."""
    count = int(canvas.rng.integers(most // 4, most + 1))
    places = canvas.rng.uniform(-1.1, 1.1, count)
    tall = height * canvas.rng.uniform(0.85, 1.1, count)
    bodies: list[list[Shape]] = [[] for _ in CLOTHES]
    heads: list[list[Shape]] = [[] for _ in SKINS]
    legs = []
    for x, h in zip(places.tolist(), tall.tolist(), strict=True):
        coat, skin = canvas.rng.integers(len(CLOTHES)), canvas.rng.integers(len(SKINS))
        legs.append(
            np.array(
                [
                    (x - 0.1 * h, foot),
                    (x + 0.1 * h, foot),
                    (x + 0.12 * h, foot + 0.5 * h),
                    (x - 0.12 * h, foot + 0.5 * h),
                ]
            )
        )
        bodies[coat].append(
            np.array(
                [
                    (x - 0.13 * h, foot + 0.42 * h),
                    (x + 0.13 * h, foot + 0.42 * h),
                    (x + 0.16 * h, foot + 0.78 * h),
                    (x, foot + 0.86 * h),
                    (x - 0.16 * h, foot + 0.78 * h),
                ]
            )
        )
        heads[skin].append(disc(x, foot + 0.92 * h, 0.07 * h, 0.085 * h, 10))
    canvas.fill(legs, canvas.far("#262a33", haze))
    for shapes, colour in zip([*bodies, *heads], [*CLOTHES, *SKINS], strict=True):
        canvas.fill(shapes, canvas.far(colour, haze))


@layer
def soldiers(canvas: Canvas, horizon: float, colour: Colour, rows: int = 7) -> None:
    """Ranks of clay soldiers that fill a hall, the nearest the largest."""
    for row in range(rows, -1, -1):
        depth = 1.36**row
        foot = horizon - (horizon + 1.55) / depth
        height = 1.5 / depth
        count = int(2 * depth) + 3
        dark = min(0.55, 0.09 * row)
        for k in range(-count, count + 1):
            x = (0.62 * k + 0.31 * (row % 2)) / depth + canvas.rng.uniform(-0.02, 0.02)
            if abs(x) > 1.3:
                continue
            tone = mix(mix(colour, "#fff0d8", canvas.rng.uniform(0, 0.15)), "#6d6056", dark)
            _soldier(canvas, x, foot, height * canvas.rng.uniform(0.95, 1.04), tone)


def _soldier(canvas: Canvas, x: float, foot: float, h: float, tone: Colour) -> None:
    shade = mix(tone, "#1c140e", 0.5)
    skirt = np.array([(-0.13, 0.3), (0.13, 0.3), (0.11, 0.55), (-0.11, 0.55)]) * h + (x, foot)
    trunk = np.array([(-0.11, 0.5), (0.11, 0.5), (0.16, 0.79), (0.05, 0.84), (-0.05, 0.84), (-0.16, 0.79)]) * h + (
        x,
        foot,
    )
    arms = [
        np.array([(s * 0.12, 0.79), (s * 0.17, 0.78), (s * 0.18, 0.5), (s * 0.12, 0.5)]) * h + (x, foot)
        for s in (-1, 1)
    ]
    legs = [box(x + s * 0.055 * h - 0.04 * h, foot, x + s * 0.055 * h + 0.04 * h, foot + 0.32 * h) for s in (-1, 1)]
    canvas.fill([*legs, *arms], Paint(shade, mix(shade, "#0c0906", 0.3), grain=0.1))
    canvas.fill([trunk, skirt], Paint(mix(tone, "#ffffff", 0.06), mix(tone, "#20160e", 0.35), turn=0.5, grain=0.12))
    if h > 0.35:
        plates = [
            box(x - 0.1 * h, foot + v * h, x + 0.1 * h, foot + (v + 0.008) * h) for v in (0.45, 0.51, 0.57, 0.63, 0.69)
        ]
        canvas.fill(plates, shade, 0.6)
    canvas.fill(
        [disc(x, foot + 0.91 * h, 0.062 * h, 0.082 * h, 14)],
        Paint(mix(tone, "#ffffff", 0.1), mix(tone, "#241a12", 0.25), turn=0.45, grain=0.08),
    )
    canvas.fill(
        [
            disc(x + 0.025 * h, foot + 1.01 * h, 0.034 * h, corners=10),
            disc(x, foot + 0.95 * h, 0.063 * h, 0.045 * h, 12),
        ],
        mix(tone, "#1d150f", 0.4),
    )
    if h > 0.35:
        face = [disc(x + s * 0.024 * h, foot + 0.905 * h, 0.011 * h, 0.006 * h, 8) for s in (-1, 1)] + [
            box(x - 0.02 * h, foot + 0.865 * h, x + 0.02 * h, foot + 0.872 * h)
        ]
        canvas.fill(face, shade, 0.8)


@layer
def horseman(
    canvas: Canvas, x: float, foot: float, size: float, bronze: Colour = "#4f6b5c", stone: Colour = "#c9c2b4"
) -> None:
    """A rider of bronze on a plinth."""
    top = foot + 0.55 * size
    canvas.fill(
        [
            box(x - 0.36 * size, foot, x + 0.36 * size, top),
            box(x - 0.42 * size, top - 0.05 * size, x + 0.42 * size, top),
            box(x - 0.46 * size, foot, x + 0.46 * size, foot + 0.1 * size),
        ],
        Paint(mix(stone, "#ffffff", 0.2), mix(stone, "#33302c", 0.25), turn=0.3),
    )
    shade = mix(bronze, "#0d1512", 0.35)
    place = (x, top)
    legs = [
        np.array(points) * size + place
        for points in (
            [(-0.26, 0.36), (-0.17, 0.36), (-0.2, 0), (-0.25, 0)],
            [(-0.16, 0.34), (-0.1, 0.34), (-0.1, 0), (-0.15, 0)],
            [(0.12, 0.36), (0.22, 0.36), (0.2, 0), (0.15, 0)],
            [(0.2, 0.4), (0.27, 0.34), (0.37, 0.24), (0.33, 0.16), (0.3, 0.24)],
        )
    ]
    tail = np.array([(-0.27, 0.47), (-0.36, 0.4), (-0.37, 0.15), (-0.31, 0.18), (-0.3, 0.38)]) * size + place
    neck = (
        np.array(
            [(0.14, 0.44), (0.24, 0.68), (0.3, 0.74), (0.34, 0.72), (0.43, 0.6), (0.4, 0.57), (0.31, 0.6), (0.28, 0.38)]
        )
        * size
        + place
    )
    body = disc(x, top + 0.43 * size, 0.29 * size, 0.13 * size)
    canvas.fill([*legs, tail], shade)
    canvas.fill([body, neck], Paint(mix(bronze, "#ffffff", 0.15), shade, turn=0.3))
    rider = np.array([(-0.1, 0.5), (0.09, 0.5), (0.11, 0.84), (0.02, 0.9), (-0.1, 0.84)]) * size + place
    leg = np.array([(-0.04, 0.54), (0.08, 0.54), (0.11, 0.3), (0.12, 0.22), (0.04, 0.24)]) * size + place
    arm = bar((x + 0.06 * size, top + 0.8 * size), (x + 0.26 * size, top + 0.72 * size), 0.06 * size)
    canvas.fill(
        [rider, leg, arm, disc(x, top + 0.98 * size, 0.065 * size, 0.08 * size)],
        Paint(mix(bronze, "#ffffff", 0.12), shade, turn=0.25),
    )


@layer
def bronze_boy(canvas: Canvas, x: float, foot: float, size: float, bronze: Colour = "#4d3b28") -> None:
    """A small naked boy of bronze who fills a fountain; ``size`` tall."""
    light = mix(bronze, "#ffe2b0", 0.35)

    def part(points: Sequence[tuple[float, float]]) -> Shape:
        return np.array(points) * size + (x, foot)

    canvas.fill(
        [bar((x - 0.02 * size, foot + 0.37 * size), (x - 0.16 * size, foot + 0.33 * size), 0.012 * size)], "#e8f2f6"
    )
    t = np.linspace(0, 1, 12)
    jet = np.stack(
        [x - 0.12 * size - 0.34 * size * t, foot + 0.36 * size + 0.06 * size * t - 0.62 * size * t**2], axis=1
    )
    canvas.fill([bar(tuple(a), tuple(b), 0.024 * size) for a, b in zip(jet[:-1], jet[1:], strict=True)], "#eef6fa", 0.9)
    legs = [
        part([(-0.02, 0.4), (0.12, 0.4), (0.13, 0.2), (0.1, 0.0), (0.03, 0.0), (0.04, 0.18)]),
        part([(-0.13, 0.4), (0.01, 0.4), (-0.02, 0.2), (-0.03, 0.0), (-0.1, 0.0), (-0.12, 0.2)]),
    ]
    canvas.fill(legs, Paint(light, bronze, turn=0.55))
    belly = [
        part(
            [
                (-0.13, 0.36),
                (-0.03, 0.32),
                (0.13, 0.36),
                (0.13, 0.5),
                (0.16, 0.7),
                (0.05, 0.75),
                (-0.06, 0.75),
                (-0.14, 0.69),
                (-0.17, 0.48),
            ]
        )
    ]
    canvas.fill(belly, Paint(light, bronze, turn=0.55))
    arms = [
        bar((x - 0.13 * size, foot + 0.68 * size), (x - 0.2 * size, foot + 0.5 * size), 0.075 * size),
        bar((x - 0.2 * size, foot + 0.5 * size), (x - 0.07 * size, foot + 0.38 * size), 0.06 * size),
        bar((x + 0.14 * size, foot + 0.68 * size), (x + 0.22 * size, foot + 0.5 * size), 0.075 * size),
        bar((x + 0.22 * size, foot + 0.5 * size), (x + 0.14 * size, foot + 0.42 * size), 0.06 * size),
    ]
    canvas.fill(arms, Paint(mix(light, bronze, 0.3), bronze, turn=0.4))
    canvas.fill([disc(x - 0.01 * size, foot + 0.86 * size, 0.115 * size, 0.125 * size)], Paint(light, bronze, turn=0.5))
    curls = [
        disc(x + 0.1 * size * np.cos(a), foot + 0.88 * size + 0.1 * size * np.sin(a), 0.045 * size, corners=9)
        for a in np.linspace(-0.2, np.pi + 0.2, 8)
    ]
    canvas.fill(curls, Paint(mix(bronze, "#ffe2b0", 0.15), mix(bronze, "#000000", 0.3)))
    canvas.fill([box(x - 0.2 * size, foot - 0.09 * size, x + 0.22 * size, foot)], Paint("#b9ab92", "#7d705c", turn=0.3))
