"""Bridges of stone, cables and steel, and the boats beneath them."""

from collections.abc import Sequence

import numpy as np

from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, layer, mix
from facegen_core.population.portrait.scenery.polygons import (
    Wall,
    bar,
    box,
    onto,
    spread,
    stroke,
)


@layer
def arched_bridge(canvas: Canvas, wall: Wall, colour: Colour, arches: int, dark: Colour, flat: float = 0.5) -> None:
    """A stone bridge: arches that take up so much of its height, with piers between them."""
    canvas.fill(
        onto(wall, [box(0, 0, 1, 1)]),
        Paint(mix(colour, "#ffffff", 0.1), mix(colour, "#1a1a1c", 0.2), grain=0.1),
    )
    turn = np.linspace(0, np.pi, 17)
    openings = [
        np.stack([(a + b) / 2 + (b - a) / 2 * np.cos(turn), 0.98 * flat * np.sin(turn)], axis=1)
        for a, b in spread(arches, 0.84)
    ]
    rims = [(o - (o[:, 0].mean(), 0)) * (1.07, 1.09) + (o[:, 0].mean(), 0) for o in openings]
    canvas.fill(onto(wall, rims), mix(colour, "#ffffff", 0.3), 0.7)
    canvas.fill(onto(wall, openings), Paint(dark, mix(dark, canvas.air, 0.25)))
    canvas.fill(onto(wall, [box(0, 0.93, 1, 1)]), mix(colour, "#ffffff", 0.25))


@layer
def cable_stayed(
    canvas: Canvas, pylons: Sequence[float], deck: tuple[float, float, float, float], height: float, colour: Colour
) -> None:
    """A bridge hung on straight cables from pairs of pylons; the deck runs from (x, y) to (x, y)."""
    x0, y0, x1, y1 = deck

    def at(x: float) -> float:
        return y0 + (y1 - y0) * (x - x0) / (x1 - x0)

    for x in pylons:
        for offset in (-0.045, 0.045):
            top = at(x) + height * (1 if offset < 0 else 0.96)
            canvas.fill(
                [
                    np.array(
                        [
                            (x + offset - 0.02, at(x) - 0.35),
                            (x + offset + 0.02, at(x) - 0.35),
                            (x + offset + 0.013, top),
                            (x + offset - 0.013, top),
                        ]
                    )
                ],
                Paint(mix(colour, "#ffffff", 0.2), colour, turn=0.4),
            )
            cables = []
            for k in range(1, 11):
                for side in (-1, 1):
                    end = x + offset + side * 0.06 * k
                    cables.append(bar((x + offset, top - 0.06 * height * (10 - k) * 0.85), (end, at(end)), 0.005))
            canvas.fill(cables, mix(colour, "#20262c", 0.35), 0.7)
    piers = [box(x - 0.018, at(x) - 0.3, x + 0.018, at(x)) for x in np.arange(x0, x1, 0.16).tolist()]
    canvas.fill(piers, Paint(mix(colour, "#2a2e33", 0.2), grain=0.05))
    canvas.fill(
        [np.array([(x0, y0), (x1, y1), (x1, y1 - 0.05), (x0, y0 - 0.05)])],
        Paint(mix(colour, "#ffffff", 0.1), mix(colour, "#15181c", 0.55)),
    )


@layer
def steel_arch(
    canvas: Canvas, left: float, right: float, deck: float, rise: float, colour: Colour, stone: Colour
) -> None:
    """A great arch of girders from which a level deck hangs, between stone pylons."""
    t = np.linspace(0, 1, 34)
    x = left + (right - left) * t
    lower = np.stack([x, deck - 0.16 + (rise + 0.1) * (1 - (2 * t - 1) ** 2)], axis=1)
    upper = np.stack([x, deck + 0.1 + rise * (1 - np.abs(2 * t - 1) ** 2.2)], axis=1)
    members = stroke(lower, 0.03) + stroke(upper, 0.026)
    for i in range(33):
        members += [bar(lower[i], upper[i], 0.01), bar(lower[i], upper[i + 1], 0.009)]
    hangers = [bar(tuple(point), (point[0], deck), 0.007) for point in lower if point[1] > deck]
    canvas.fill([np.concatenate([lower, upper[::-1]])], colour, 0.35)
    canvas.fill(members + hangers, Paint(mix(colour, "#ffffff", 0.15), colour))
    canvas.fill(
        [box(-1.3, deck - 0.05, 1.3, deck + 0.015)], Paint(mix(colour, "#ffffff", 0.2), mix(colour, "#0d1014", 0.4))
    )
    for end, way in ((left, 1), (right, -1)):
        for offset in (-0.05, 0.12):
            px = end - way * offset * 0.6
            canvas.fill(
                [np.array([(px - 0.05, -0.7), (px + 0.05, -0.7), (px + 0.04, deck + 0.25), (px - 0.04, deck + 0.25)])],
                Paint(stone, mix(stone, "#2b2a28", 0.25), turn=0.35, grain=0.08),
            )


@layer
def masts(
    canvas: Canvas,
    foot: float,
    places: Sequence[tuple[float, float]],
) -> None:
    """Old sailing boats at a quay: (x, mast height) of each."""
    colour, hull = "#6b4a32", "#3c2b25"
    for x, height in places:
        wide = 0.32 * height
        canvas.fill(
            [
                np.array(
                    [
                        (x - wide, foot + 0.09),
                        (x + wide, foot + 0.11),
                        (x + 0.8 * wide, foot - 0.03),
                        (x - 0.8 * wide, foot - 0.03),
                    ]
                )
            ],
            Paint(mix(hull, "#ffffff", 0.15), hull),
        )
        canvas.fill([bar((x - wide, foot + 0.095), (x + wide, foot + 0.115), 0.015)], "#e8e2d4")
        top = foot + height
        rigging = [
            bar((x, top), (x + side * wide * reach, foot + 0.1), 0.005) for side in (-1, 1) for reach in (0.45, 0.95)
        ]
        canvas.fill(
            [
                bar((x, foot + 0.05), (x, top), 0.018),
                bar((x - 0.3 * wide, foot + 0.7 * height), (x + 0.5 * wide, foot + 0.74 * height), 0.01),
                bar((x, foot + 0.2), (x + 0.85 * wide, foot + 0.24), 0.024),
            ],
            colour,
        )
        canvas.fill(rigging, "#2c2622", 0.7)
