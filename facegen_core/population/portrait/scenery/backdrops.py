"""Backdrops of a studio, for plain portraits: paper, canvas, a wall, lights out of focus."""

import zlib
from collections.abc import Callable

import numpy as np

from facegen_core.geometry.mesh import Floats
from facegen_core.population.noise import step
from facegen_core.population.portrait.scenery.canvas import Canvas, mix, rgb
from facegen_core.population.portrait.scenery.polygons import disc
from facegen_core.population.portrait.scenery.scenes import finish
from facegen_core.seeding import numpy_generator

GREYS = ("#f2f2f0", "#d9d9d8", "#b3b4b6", "#8d9096", "#5c6068", "#33363c", "#1d1f23")
COLOURS = ("#7f97ad", "#a8b5a0", "#c9a98f", "#b58a86", "#6d7f8f", "#8f7fa0", "#d9c9ad", "#5f7f7a", "#a34f45", "#2f4a66")
EARTHS = ("#6b5a48", "#4f5a60", "#7a6a5a", "#5a5f4f", "#6f5a5a", "#3f4a55")
LAMPS = ("#ffc46a", "#ffe2a8", "#ff9a5a", "#8fc4ff", "#ff7fa8", "#a8ffcf")


def paint_backdrop(seed: int, pixels: int) -> Floats:
    """A plain background, as a photographer's studio has it.

    Args:
        seed: of its kind, its colour and the fall of the light.
        pixels: side of the picture.

    Returns:
        (pixels, pixels, 3) float32 sRGB in [0, 1].
    """
    rng = numpy_generator(seed, zlib.crc32(b"backdrop"))
    kinds: tuple[Callable[[Canvas], float], ...] = (_paper, _paper, _paper, _mottled, _wall, _bokeh, _smears)
    paint = kinds[int(rng.integers(len(kinds)))]
    canvas = Canvas(min(pixels, 256), rng, sun=int(rng.choice((-1, 1))))
    blur = paint(canvas)
    return finish(canvas.planes, pixels, blur)


def _pick(canvas: Canvas, colours: tuple[str, ...]) -> Floats:
    """One of the colours, a little lighter or darker."""
    colour = rgb(colours[int(canvas.rng.integers(len(colours)))])
    return np.clip(colour * np.float32(canvas.rng.uniform(0.9, 1.1)), 0, 1)


def _light_on(canvas: Canvas, spot: float, edge: float) -> Floats:
    """(pixels, pixels) light of a lamp behind the sitter: a spot that falls off, and dark corners."""
    x, y = canvas.rng.uniform(-0.35, 0.35), canvas.rng.uniform(-0.2, 0.4)
    distance = (canvas.x - x) ** 2 + 0.8 * (canvas.y - y) ** 2
    side = canvas.rng.uniform(0, 0.12) * canvas.sun * canvas.x
    return 1 + spot * np.exp(-distance / 0.7) - edge * distance / 2 + side


def _paper(canvas: Canvas) -> float:
    """Seamless paper, grey, white or coloured."""
    colour = _pick(canvas, GREYS if canvas.rng.uniform() < 0.5 else COLOURS)
    light = _light_on(canvas, canvas.rng.uniform(0, 0.25), canvas.rng.uniform(0.05, 0.3))
    canvas.planes[:] = colour[:, None, None] * (light + 0.006 * canvas.grain)
    return 0.004


def _mottled(canvas: Canvas) -> float:
    """Painted canvas: clouds of a second colour."""
    colour = _pick(canvas, EARTHS)
    other = mix(colour, "#d9cdb8" if canvas.rng.uniform() < 0.5 else "#1a1612", 0.35)
    cloud = step(canvas.noise(3, 3, 5, 0.55), 2.5)
    light = _light_on(canvas, 0.35, 0.25)
    canvas.planes[:] = (colour[:, None, None] + cloud * (other - colour)[:, None, None]) * light
    return 0.006


def _wall(canvas: Canvas) -> float:
    """A painted wall with a soft shadow beside the sitter."""
    colour = _pick(canvas, (*GREYS[:4], *COLOURS))
    shadow = 0.3 * np.exp(-(((canvas.x + 0.45 * canvas.sun) / 0.45) ** 2) - ((canvas.y + 0.05) / 0.75) ** 2)
    light = (1 + 0.12 * canvas.sun * canvas.x + 0.05 * canvas.y) * (1 - shadow)
    plaster = 1 + 0.012 * canvas.relief(24, 24, 3)
    canvas.planes[:] = colour[:, None, None] * light * plaster
    return 0.003


def _bokeh(canvas: Canvas) -> float:
    """Lamps far out of focus before the dark."""
    dark = mix(_pick(canvas, EARTHS), "#0a0c12", 0.65)
    canvas.planes[:] = dark[:, None, None] * (1 + 0.2 * canvas.noise(3, 3, 3))
    for lamp in LAMPS:
        places = canvas.rng.uniform(-1.1, 1.1, (7, 2)).tolist()
        size = canvas.rng.uniform(0.05, 0.13)
        for x, y in places:
            canvas.fill([disc(x, y, size, corners=32)], lamp, float(canvas.rng.uniform(0.08, 0.45)))
    return 0.006


def _smears(canvas: Canvas) -> float:
    """Something green, brown or blue so far out of focus that only its colours are left."""
    tones = [_pick(canvas, (*COLOURS, *EARTHS)) for _ in range(3)]
    canvas.planes[:] = tones[0][:, None, None]
    for tone in tones[1:]:
        canvas.glaze(tone, step(canvas.noise(3, 3, 3, 0.5), 2.0))
    canvas.planes *= _light_on(canvas, 0.15, 0.12)
    return 0.02
