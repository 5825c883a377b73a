"""People and statues: a crowd far off, soldiers of clay, bronze figures."""

from collections.abc import Sequence

import numpy as np

from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, Shape, layer, mix
from facegen_core.population.portrait.scenery.polygons import bar, box, disc, stroke

CLOTHES = ("#2b3446", "#8c2f2f", "#d8d4cc", "#44546b", "#6d5a45", "#b88a3f", "#1f1f24", "#5d7a8c")
SKINS = ("#d9a988", "#8f6144", "#e6bf9f")


@layer
def crowd(canvas: Canvas, foot: float, height: float, most: int = 14) -> None:
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
    canvas.fill(legs, "#262a33")
    for shapes, colour in zip([*bodies, *heads], [*CLOTHES, *SKINS], strict=True):
        canvas.fill(shapes, colour)


@layer
def soldiers(canvas: Canvas, horizon: float, colour: Colour) -> None:
    """Ranks of clay soldiers that fill a hall, seen from a little above."""
    for row in range(8, -1, -1):
        depth = 1.25 * 1.26**row
        height = 1.4 / depth
        pitch = 0.62 / depth
        count = int(1.25 / pitch) + 1
        x = pitch * (np.arange(-count, count + 1) + 0.5 * (row % 2)) + canvas.rng.normal(0, 0.012, 2 * count + 1)
        foot = horizon - 2.35 / depth + canvas.rng.normal(0, 0.012, len(x)) * height
        tone = mix(mix(colour, "#fff0d8", canvas.rng.uniform(0, 0.12)), "#75685c", min(0.5, 0.07 * row))
        _rank(canvas, np.stack([x, foot], axis=1), height, tone)


def _rank(canvas: Canvas, feet: Shape, height: float, tone: Colour) -> None:
    """One rank of soldiers who stand at (N, 2)."""
    shade, light = mix(tone, "#1c140e", 0.5), mix(tone, "#fff2dc", 0.2)

    def each(*parts: Shape) -> list[Shape]:
        return [height * part + place for part in parts for place in feet]

    def head(x: float, y: float, wide: float, high: float) -> Shape:
        return disc(x, y, wide, high, 12)

    side = 0.03 * canvas.sun
    trunk = np.array(
        [(-0.11, 0.28), (0.11, 0.28), (0.1, 0.5), (0.16, 0.79), (0.05, 0.85), (-0.05, 0.85), (-0.16, 0.79), (-0.1, 0.5)]
    )
    arms = [np.array([(s * 0.12, 0.8), (s * 0.18, 0.78), (s * 0.19, 0.5), (s * 0.13, 0.48)]) for s in (-1, 1)]
    legs = [box(s * 0.06 - 0.04, 0, s * 0.06 + 0.04, 0.3) for s in (-1, 1)]
    canvas.fill(each(*legs, *arms, trunk), Paint(shade, grain=0.1))
    canvas.fill(each(trunk * (0.78, 0.97) + (side, 0.02)), Paint(tone, grain=0.12))
    canvas.fill(each(trunk * (0.35, 0.9) + (2.2 * side, 0.06)), Paint(light, grain=0.1), 0.6)
    if height > 0.4:
        plates = [box(-0.1, v, 0.1, v + 0.009) for v in (0.4, 0.46, 0.52, 0.58, 0.64, 0.7)]
        canvas.fill(each(*plates, box(-0.006, 0.4, 0.006, 0.76)), shade, 0.55)
    canvas.fill(each(head(0, 0.91, 0.066, 0.085)), shade)
    canvas.fill(each(head(0.4 * side, 0.91, 0.054, 0.078)), Paint(mix(tone, light, 0.5), grain=0.08))
    canvas.fill(each(head(0.02, 1.015, 0.036, 0.036), head(0, 0.968, 0.062, 0.035)), mix(tone, "#1d150f", 0.5))
    if height > 0.3:
        face = [disc(s * 0.024, 0.912, 0.012, 0.007, 8) for s in (-1, 1)]
        canvas.fill(each(*face, box(-0.02, 0.866, 0.02, 0.874), box(-0.006, 0.88, 0.006, 0.91)), shade, 0.75)


@layer
def horseman(canvas: Canvas, x: float, foot: float, size: float) -> None:
    """A rider of bronze on a plinth."""
    bronze, stone = "#4f6b5c", "#c9c2b4"
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
def bronze_boy(canvas: Canvas, x: float, foot: float, size: float) -> None:
    """A small naked boy of bronze who fills a fountain; ``size`` tall."""
    bronze = "#634a2f"
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
    canvas.fill(stroke(jet, 0.024 * size), "#eef6fa", 0.9)
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
