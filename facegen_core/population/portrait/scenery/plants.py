"""Trees, hedges, flowers and forests."""

from collections.abc import Sequence

import numpy as np

from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Paint, Shape, layer, mix
from facegen_core.population.portrait.scenery.polygons import bar, box, discs

Span = tuple[float, float]


@layer
def trees(
    canvas: Canvas,
    foot: float,
    height: float,
    colour: Colour = "#44632f",
    spans: Sequence[Span] = ((-1.2, 1.2),),
    haze: float = 0.0,
    pitch: float = 0.6,
) -> None:
    """Leafy trees in rows that begin and end at the spans, ``height`` tall, ``pitch`` heights apart."""
    crowns, trunks = [], []
    leaves = int(np.clip(110 * height, 16, 60))  # a small tree needs fewer, larger ones
    for left, right in spans:
        for x in np.arange(left, right, pitch * height).tolist():
            tall = height * canvas.rng.uniform(0.8, 1.15)
            x += canvas.rng.uniform(-0.15, 0.15) * height
            crowns.append(_crown(canvas, x, foot + 0.62 * tall, 0.36 * tall, 0.4 * tall, leaves))
            trunks.append(bar((x, foot), (x, foot + 0.5 * tall), 0.07 * tall))
    canvas.fill(trunks, canvas.far("#3b2f25", haze))
    _leaves(canvas, np.concatenate(crowns), 0.6 * height / leaves**0.5, colour, haze)


@layer
def foliage(
    canvas: Canvas, x: float, y: float, wide: float, high: float, colour: Colour = "#3f5f2b", leaf: float = 0.05
) -> None:
    """One mass of leaves: a bush, a hedge, or a branch that hangs into the picture."""
    _leaves(canvas, _crown(canvas, x, y, wide, high, 130), leaf, colour, 0.0)


def _crown(canvas: Canvas, x: float, y: float, wide: float, high: float, count: int) -> Shape:
    """Places of leaves within an ellipse."""
    angle, radius = canvas.rng.uniform(0, 2 * np.pi, count), np.sqrt(canvas.rng.uniform(0, 1, count))
    return np.stack([x + wide * radius * np.cos(angle), y + high * radius * np.sin(angle)], axis=1)


def _leaves(canvas: Canvas, places: Shape, size: float, colour: Colour, haze: float) -> None:
    """Leaves in three lights: dark within, mid, and bright on the sun's side."""
    tones = (mix(colour, "#0d1a12", 0.5), colour, mix(colour, "#e3dc8a", 0.3))
    for i, tone in enumerate(tones):
        moved = places[:: 1 if i < 2 else 2] + np.array((0.35 * canvas.sun, 0.45)) * size * i
        reach = size * (1.25, 0.85, 0.5)[i]
        sizes = reach * canvas.rng.uniform(0.6, 1.3, len(moved))
        canvas.fill(discs(moved, sizes, 9, 0.85), Paint(canvas.far(tone, haze), grain=0.13 * (1 - haze)))


@layer
def conifers(
    canvas: Canvas,
    foot: float,
    height: float,
    colour: Colour = "#2c4433",
    spans: Sequence[Span] = ((-1.2, 1.2),),
    haze: float = 0.0,
    pitch: float = 0.28,
    snow: float = 0.0,
) -> None:
    """Firs and pines in rows; ``snow`` whitens their branches."""
    dark, bright = [], []
    for left, right in spans:
        for x in np.arange(left, right, pitch * height).tolist():
            x += canvas.rng.uniform(-0.1, 0.1) * height
            tall = height * canvas.rng.uniform(0.65, 1.2)
            for tier in np.linspace(0.08, 0.86, 6).tolist():
                half = 0.2 * tall * (1 - tier) + 0.02 * tall
                low, tip = foot + tier * tall, foot + min(1.0, tier + 0.3) * tall
                dark.append(np.array([(x - half, low), (x, low + 0.03 * tall), (x + half, low), (x, tip)]))
                side = canvas.sun * half
                bright.append(np.array([(x + 0.15 * side, low + 0.04 * tall), (x + 0.9 * side, low + 0.01), (x, tip)]))
    canvas.fill(dark, Paint(canvas.far(colour, haze), canvas.far(mix(colour, "#0a120d", 0.45), haze), grain=0.12))
    lit = mix(mix(colour, "#c9c987", 0.28), "#f4f8ff", snow)
    canvas.fill(bright, canvas.far(lit, haze), 0.55 + 0.4 * snow)


@layer
def trunks(canvas: Canvas, horizon: float, colour: Colour, light: Colour, near: Colour, rows: int = 4) -> None:
    """A forest seen from within: rows of trunks, the farther the paler in its light."""
    for row in range(rows):
        share = (row + 1) / rows
        foot = horizon - 0.55 * share**2.2
        wide = 0.012 + 0.055 * share**2
        count = int(26 / (1 + 3.2 * share))
        stems = []
        for x in (np.linspace(-1.15, 1.15, count) + canvas.rng.normal(0, 0.5 / count, count)).tolist():
            if row == rows - 1 and abs(x) < 0.4:
                continue
            lean, thick = canvas.rng.normal(0, 0.03), wide * canvas.rng.uniform(0.7, 1.3)
            stems.append(
                np.array(
                    [(x - thick, foot), (x + thick, foot), (x + lean + 0.7 * thick, 1.2), (x + lean - 0.7 * thick, 1.2)]
                )
            )
        tone = mix(light, mix(colour, near, share), share)
        canvas.fill(stems, Paint(tone, grain=0.1 * share))
        lit = [stem[[1, 2, 3, 0]] * (0.3, 1) + 0.7 * stem[[1, 1, 2, 2]] * (1, 0) for stem in stems]
        canvas.fill([s for s in lit if canvas.sun > 0], mix(tone, light, 0.35), 0.5)


@layer
def palms(canvas: Canvas, foot: float, places: Sequence[tuple[float, float]], colour: Colour = "#4a6b2e") -> None:
    """Palm trees: (x, height) of each."""
    for x, height in places:
        top = (x + canvas.rng.uniform(-0.08, 0.08), foot + height)
        canvas.fill([bar((x, foot), top, 0.03 * height + 0.01)], Paint("#8a7355", turn=0.4))
        fronds = []
        for angle in np.linspace(-0.5, np.pi + 0.5, 11) + canvas.rng.normal(0, 0.08, 11):
            t = np.linspace(0, 1, 7)
            reach = 0.36 * height
            x_, y_ = reach * t * np.cos(angle), reach * (t * np.sin(angle) - 0.75 * t**2)
            half = 0.07 * height * np.sin(np.pi * np.clip(t * 0.9 + 0.08, 0, 1))
            upper = np.stack([top[0] + x_, top[1] + y_ + 0.3 * half], axis=1)
            lower = np.stack([top[0] + x_, top[1] + y_ - half], axis=1)
            fronds.append(np.concatenate([upper, lower[::-1]]))
        canvas.fill(fronds[::2], mix(colour, "#0f1a10", 0.35))
        canvas.fill(fronds[1::2], Paint(mix(colour, "#d9d68a", 0.2), colour))


@layer
def flowers(
    canvas: Canvas, top: float, colours: Sequence[str], count: int = 160, size: float = 0.022, foot: float = -1.0
) -> None:
    """Flowers over a meadow or bed, larger and sparser towards its near edge."""
    for colour in colours:
        t = canvas.rng.uniform(0, 1, count // len(colours)) ** 1.5
        x, y = canvas.rng.uniform(-1.1, 1.1, len(t)), top + (foot - top) * t
        sizes = size * (0.25 + 1.2 * t)
        canvas.fill(discs(np.stack([x, y], axis=1), sizes, 9, 0.75), Paint(colour, grain=0.1))


@layer
def hedge(canvas: Canvas, left: float, foot: float, right: float, top: float, colour: Colour = "#3c5a2e") -> None:
    """A clipped hedge."""
    canvas.fill(
        [box(left, foot, right, top)], Paint(mix(colour, "#dfe08f", 0.15), mix(colour, "#0c140c", 0.4), grain=0.16)
    )
