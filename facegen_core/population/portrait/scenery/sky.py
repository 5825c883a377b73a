"""What is far up or in the air: sky, clouds, stars, haze, steam, falling snow."""

from typing import Literal, NamedTuple

import numpy as np

from facegen_core.population.noise import step
from facegen_core.population.portrait.scenery.canvas import Canvas, Colour, Shape, layer, mix, rgb
from facegen_core.population.portrait.scenery.polygons import disc, discs


class Heaven(NamedTuple):
    """A sky's colours, those of its clouds, how much of an evening is seen in it, and whether it is night."""

    zenith: Colour
    middle: Colour
    low: Colour
    cloud: Colour = "#ffffff"
    shadow: Colour = "#b9c3cf"
    late: float = 1.0
    night: bool = False


Weather = Literal["clear", "deep", "northern", "overcast", "high", "dust", "golden", "dawn", "dusk", "night"]

HEAVENS: dict[Weather, Heaven] = {
    "clear": Heaven("#3d7bc0", "#86b4df", "#d9e7ef"),
    "deep": Heaven("#1f63b3", "#4f95d6", "#b9daee"),
    "northern": Heaven("#5c8fbd", "#a3c2d8", "#e4e8e6", shadow="#9aa7b3"),
    "overcast": Heaven("#9aa7b3", "#b9c3ca", "#dadfe0", "#e8ebec", "#8b97a3", late=0.25),
    "high": Heaven("#10418c", "#2f72bd", "#a5cdea"),
    "dust": Heaven("#8fb0cc", "#c3cdd0", "#e9dcc6", "#f7f1e6", "#c5b9ab"),
    "golden": Heaven("#5f86b5", "#d3b79a", "#fbd9a0", "#ffe9c8", "#b08f86"),
    "dawn": Heaven("#4e6ca8", "#c795a9", "#ffcf9f", "#ffd9c2", "#9a7f9b"),
    "dusk": Heaven("#1d2a55", "#6a5686", "#f0a070", "#e79a86", "#3f3c66"),
    "night": Heaven("#070b1c", "#10183a", "#33365c", "#2f3560", "#10142c", late=0.0, night=True),
}


@layer
def sky(canvas: Canvas, weather: Weather = "clear", horizon: float = -0.2, clouds: float = 0.45) -> None:
    """The sky down to its horizon, lighter on the sun's side.

    Args:
        canvas: painted all over.
        weather: which of ``HEAVENS``.
        horizon: height where it ends.
        clouds: how much of it they cover, 0 to 1, more or less.
    """
    heaven = HEAVENS[weather]
    canvas.evening *= heaven.late
    late = 0.45 * canvas.evening
    golden = HEAVENS["golden"]
    zenith, middle, low = (mix(a, b, late) for a, b in zip(heaven[:3], golden[:3], strict=True))
    canvas.air = mix(low, middle, 0.35)
    up = np.clip((canvas.y - horizon) / (1 - horizon), 0, 1)[None]
    low, middle, zenith = (colour[:, None, None] for colour in (low, middle, zenith))
    lower, upper = np.clip(up / 0.45, 0, 1), np.clip((up - 0.45) / 0.55, 0, 1)
    canvas.planes[:] = low + (middle - low) * lower + (zenith - middle) * upper
    side = np.clip(0.5 + 0.5 * canvas.sun * canvas.x, 0, 1)
    if not heaven.night:
        canvas.shine(mix("#fff3d8", "#ffc67a", late), 0.32 * side**2 * (1 - 0.6 * up[0]))
    if clouds > 0:
        cover = np.clip(clouds + canvas.rng.uniform(-0.15, 0.15), 0.05, 1)
        _clouds(canvas, heaven, float(cover), up[0])


def _clouds(canvas: Canvas, heaven: Heaven, cover: float, up: np.ndarray) -> None:
    thickness = canvas.noise(4, 2, 6, 0.58)
    light = canvas.relief(4, 2, 4, 0.5)
    shown = step(thickness + 2.6 * (cover - 0.5), 1.1) * np.clip(up * 4, 0, 1) * (0.25 + 0.75 * min(1, 2 * cover))
    dark = np.clip(0.35 + 0.25 * (thickness - 0.6) - 0.2 * light, 0, 0.85)
    late = 0.5 * canvas.evening
    white, grey = mix(heaven.cloud, "#ffdcae", late), mix(heaven.shadow, "#a88a8e", late)
    colours = white[:, None, None] + dark * (grey - white)[:, None, None]
    canvas.planes += shown * (colours - canvas.planes)


@layer
def stars(canvas: Canvas, count: int = 90, low: float = 0.0) -> None:
    """Stars above a height, most of them faint."""
    places = canvas.rng.uniform((-1.1, low), (1.1, 1.05), (count, 2))
    for bright in range(3):
        size = 0.003 + 0.0025 * bright
        canvas.fill(discs(places[bright::3], size, 6), "#e8ecff", 0.35 + 0.25 * bright)


@layer
def moon(canvas: Canvas, x: float, y: float, size: float = 0.07) -> None:
    """A full moon with its shine."""
    glow(x, y, 5 * size, "#b8c8e8", 0.5)(canvas)
    canvas.fill([disc(x, y, size)], "#f3f1e4")


@layer
def glow(canvas: Canvas, x: float, y: float, size: float, colour: Colour, strength: float = 0.6) -> None:
    """Light around a lamp, the sun or a window; ``size`` is how far it reaches."""
    distance = (canvas.x - x) ** 2 + (canvas.y - y) ** 2
    canvas.shine(colour, np.float32(strength) * np.exp(-distance / np.float32(0.35 * size * size)))


@layer
def lights(canvas: Canvas, places: Shape, size: float, colours: list[str], halo: float = 0.5) -> None:
    """Small lamps (N, 2), each with one of the colours and with a shine around it."""
    which = canvas.rng.integers(0, len(colours), len(places))
    for i, colour in enumerate(colours):
        for spread, opacity in ((3.2, 0.16 * halo), (2.0, 0.35 * halo), (1.0, 1.0)):
            canvas.fill(
                discs(places[which == i], size * spread, 12),
                mix(colour, "#ffffff", 0.35 if spread == 1.0 else 0.0),
                opacity,
            )


@layer
def haze(
    canvas: Canvas, height: float, reach: float = 0.25, strength: float = 0.5, colour: Colour | None = None
) -> None:
    """A layer of mist around a height; without a colour it has the distance's."""
    opacity = np.float32(strength) * np.exp(-(((canvas.y - height) / np.float32(reach)) ** 2))
    canvas.glaze(canvas.air if colour is None else colour, opacity)


@layer
def plume(
    canvas: Canvas, x: float, foot: float, top: float, wide: float, lean: float = 0.1, colour: Colour = "#f6f7f7"
) -> None:
    """Steam or smoke that rises from (x, foot) to a height and spreads to ``wide``."""
    up = np.clip((canvas.y - foot) / (top - foot), 0, 1.4)
    billow, light = canvas.noise(6, 5, 4, 0.5), canvas.relief(6, 5, 3, 0.45)
    middle = x + lean * up**1.5 + 0.03 * billow * up
    half = wide * (0.16 + 0.84 * up**0.75) * (1 + 0.3 * billow)
    inside = 1 - np.abs(canvas.x - middle) / np.maximum(half, 1e-3)
    opacity = step(inside - 0.1, 0.7) * step(canvas.y - foot + 0.01, 0.03) * step(1.0 - up + 0.15 * billow, 0.5)
    shade = rgb(colour)[:, None, None] * np.clip(0.9 + 0.07 * light, 0.7, 1.03)
    canvas.planes += 0.95 * opacity * (shade - canvas.planes)


@layer
def falling_snow(canvas: Canvas) -> None:
    """Snowflakes in the air, near ones larger and fainter."""
    places = canvas.rng.uniform(-1.1, 1.1, (160, 2))
    for i, (size, opacity) in enumerate(((0.006, 0.9), (0.011, 0.7), (0.02, 0.45))):
        share = places[i::3] if i < 2 else places[2::9]
        canvas.fill(discs(share, size, 10), "#ffffff", opacity)


@layer
def beam(canvas: Canvas, top: tuple[float, float], foot: tuple[float, float], wide: float, colour: Colour) -> None:
    """A shaft of light from one place down to another, ``wide`` across at its foot."""
    along = np.clip((top[1] - canvas.y) / (top[1] - foot[1]), 0, 1.2)
    middle = top[0] + (foot[0] - top[0]) * along
    half = wide * (0.25 + 0.75 * along)
    opacity = np.exp(-(((canvas.x - middle) / half) ** 2)) * step(canvas.y - foot[1], 0.15) * (0.75 - 0.35 * along)
    canvas.shine(colour, np.clip(opacity, 0, 1))
