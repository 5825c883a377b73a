"""The canvas that places are painted on, from back to front, and the paint that shapes are filled with."""

from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import Concatenate, NamedTuple, ParamSpec

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from facegen_core.geometry.mesh import Floats

Colour = str | npt.NDArray[np.floating]
"""An sRGB colour: "#rrggbb", or three numbers in [0, 1]."""

Shape = npt.NDArray[np.floating]
"""A polygon (N, 2) in the picture's own units: x from -1 left to 1 right, y from -1 at the bottom to 1 at the top."""

DRAWN = 512  # polygons are drawn at least this large and then reduced, so that their edges are soft at every size


@lru_cache(maxsize=1024)
def _parsed(colour: str) -> Floats:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32) / np.float32(255)


def rgb(colour: Colour) -> Floats:
    """A colour as (3,) float32."""
    return _parsed(colour) if isinstance(colour, str) else np.asarray(colour, dtype=np.float32)


def mix(first: Colour, second: Colour, share: float) -> Floats:
    """The first colour with so much of the second, from 0 to 1."""
    return rgb(first) * np.float32(1 - share) + rgb(second) * np.float32(share)


def resized(field: Floats, height: int, width: int) -> Floats:
    """A field (H, W) at another size; made smaller, it is averaged."""
    return np.asarray(Image.fromarray(field).resize((width, height), Image.Resampling.BICUBIC))


def fractal(rng: np.random.Generator, rows: int, columns: int, octaves: int, roughness: float = 0.6) -> Floats:
    """Noise with detail at every scale, about unit variance.

    Args:
        rng: where its numbers come from.
        rows: cells of the coarsest noise, from top to bottom.
        columns: the same from left to right; fewer than rows make it lie flat.
        octaves: how many times the cells are halved.
        roughness: strength of each octave, as a share of the one before.

    Returns:
        (rows * 2^(octaves - 1), columns * 2^(octaves - 1)) float32.
    """
    field = rng.standard_normal((rows, columns), dtype=np.float32)
    for octave in range(1, octaves):
        field = resized(field, rows << octave, columns << octave)
        field = field + roughness**octave * rng.standard_normal(field.shape, dtype=np.float32)
    return field / field.std()


class Paint(NamedTuple):
    """What a shape is filled with.

    Attributes:
        top: its colour.
        bottom: its colour at the foot, if another.
        turn: how much darker its side away from the sun is, as on a round tower: 0 to 1.
        grain: strength of the mottle of its surface.
    """

    top: Colour
    bottom: Colour | None = None
    turn: float = 0.0
    grain: float = 0.05


class Window(NamedTuple):
    """The part of the picture that shapes cover.

    Attributes:
        rows: of the picture.
        columns: of the picture.
        cover: (rows, columns) from 0 to 1.
        extent: the shapes' own left, top, right and lower edge in pixels, which may lie outside the picture.
    """

    rows: slice
    columns: slice
    cover: Floats
    extent: tuple[float, float, float, float]

    @property
    def x(self) -> Floats:
        """(1, columns) across the shapes, from -1 to 1."""
        left, _, right, _ = self.extent
        centres = np.arange(self.columns.start, self.columns.stop, dtype=np.float32) + 0.5
        across = (2 * centres - (left + right)) / max(right - left, 1e-6)
        return np.clip(across, -1, 1).astype(np.float32, copy=False)[None, :]

    @property
    def y(self) -> Floats:
        """(rows, 1) down the shapes, from 0 to 1."""
        _, top, _, foot = self.extent
        centres = np.arange(self.rows.start, self.rows.stop, dtype=np.float32) + 0.5
        down = (centres - top) / max(foot - top, 1e-6)
        return np.clip(down, 0, 1).astype(np.float32, copy=False)[:, None]


class Canvas:
    """A square picture being painted.

    Where it is seen from differs a little with the random numbers, and so do the hour and the air.

    Attributes:
        pixels: its side.
        planes: (3, pixels, pixels) float32, sRGB.
        rng: random numbers, drawn in the order of painting; none may depend on ``pixels``.
        sun: side the light comes from: -1 left, 1 right.
        x: (1, pixels) places of its columns in picture units.
        y: (pixels, 1) places of its rows in picture units.
        air: colour of the distance, set by the sky.
        evening: how low the sun stands, 0 to 1.
    """

    def __init__(self, pixels: int, rng: np.random.Generator, sun: int) -> None:
        self.pixels = pixels
        self.planes = np.zeros((3, pixels, pixels), dtype=np.float32)
        self.rng = rng
        self.sun = sun
        self._half = pixels / 2
        self._zoom = float(rng.uniform(1.0, 1.09))
        self._shift = (rng.uniform(-1, 1, 2) * (0.05, 0.03)).tolist()
        centres = (np.arange(pixels, dtype=np.float32) + 0.5) / pixels * 2 - 1
        self.x = ((centres - self._shift[0]) / self._zoom).astype(np.float32)[None, :]
        self.y = ((-centres - self._shift[1]) / self._zoom).astype(np.float32)[:, None]
        self.air = rgb("#d5dfe6")
        self.evening = float(rng.uniform() ** 2)
        self._grain = fractal(rng, 4, 4, 6, 0.75)

    @property
    def grain(self) -> Floats:
        """(pixels, pixels) mottle of about unit variance, the same for all that is painted."""
        if self._grain.shape[0] != self.pixels:
            self._grain = resized(self._grain, self.pixels, self.pixels)
        return self._grain

    def noise(self, rows: int, columns: int, octaves: int = 5, roughness: float = 0.6) -> Floats:
        """Noise of its own over the whole picture, (pixels, pixels); see :func:`fractal`."""
        return resized(fractal(self.rng, rows, columns, octaves, roughness), self.pixels, self.pixels)

    def relief(self, rows: int, columns: int, octaves: int = 5, roughness: float = 0.55) -> Floats:
        """(pixels, pixels) light on rough ground: above 0 where it faces the sun, of about unit variance."""
        heights = fractal(self.rng, rows, columns, octaves, roughness)
        facing = np.roll(heights, -self.sun, axis=1) - heights + 0.6 * (np.roll(heights, -1, axis=0) - heights)
        return resized(-facing / facing.std(), self.pixels, self.pixels)

    def level(self, y: float) -> float:
        """How far a height is below the picture's upper edge, in pixels."""
        return (1 - (y * self._zoom + self._shift[1])) * self._half

    def row(self, y: float) -> int:
        """The row at a height, within the picture or at its edge."""
        return min(max(round(self.level(y)), 0), self.pixels)

    def far(self, colour: Colour, haze: float) -> Floats:
        """A colour seen through so much air, 0 to 1."""
        return mix(colour, self.air, haze)

    def cover(self, shapes: Sequence[Shape] | Shape) -> Window | None:
        """What shapes cover, with soft edges; None if none of them is in the picture."""
        points = np.concatenate(shapes) * (self._half * self._zoom, -self._half * self._zoom)
        points += (self._half * (1 + self._shift[0]), self._half * (1 - self._shift[1]))
        (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        left, right = max(int(x0) - 1, 0), min(int(x1) + 2, self.pixels)
        top, foot = max(int(y0) - 1, 0), min(int(y1) + 2, self.pixels)
        if right <= left or foot <= top:
            return None
        fine = max(1 if self.pixels >= 2 * DRAWN else 2, DRAWN // self.pixels)
        drawn = Image.new("L", ((right - left) * fine, (foot - top) * fine))
        draw = ImageDraw.Draw(drawn)
        corners = ((points - (left, top)) * fine - 0.5).ravel().tolist()
        start = 0
        for shape in shapes:
            draw.polygon(corners[start : start + shape.size], fill=255)
            start += shape.size
        cover = np.asarray(drawn.reduce(fine), dtype=np.float32)
        cover *= np.float32(1 / 255)
        return Window(slice(top, foot), slice(left, right), cover, (x0, y0, x1, y1))

    def lay(self, window: Window, colours: Floats, opacity: float = 1.0) -> None:
        """Lays colours, (3, rows, columns) or what broadcasts to it, over what is painted already."""
        planes = self.planes[:, window.rows, window.columns]
        cover = window.cover if opacity == 1.0 else window.cover * np.float32(opacity)
        planes += cover * (colours - planes)

    def fill(self, shapes: Sequence[Shape] | Shape, paint: Paint | Colour, opacity: float = 1.0) -> None:
        """Fills shapes; paint that changes does so over all of them together."""
        window = self.cover(shapes) if len(shapes) else None
        if window is None:
            return
        paint = paint if isinstance(paint, Paint) else Paint(paint)
        top = rgb(paint.top)[:, None, None]
        bottom = top if paint.bottom is None else rgb(paint.bottom)[:, None, None]
        colours = top + (bottom - top) * window.y if paint.bottom is not None else top
        if paint.turn:
            across = window.x
            facing = 0.55 * np.sqrt(1 - across**2) + 0.83 * self.sun * across
            colours = colours * (1 - paint.turn * (1 - np.clip(facing, 0, 1)))
        if paint.grain:
            colours = colours * (1 + paint.grain * self.grain[window.rows, window.columns])
        self.lay(window, colours, opacity)

    def glaze(self, colour: Colour, opacity: Floats | float) -> None:
        """Mixes a colour into the whole picture, by so much at each place: broadcasts to (pixels, pixels)."""
        self.planes += np.float32(opacity) * (rgb(colour)[:, None, None] - self.planes)

    def shine(self, colour: Colour, light: Floats) -> None:
        """Adds light of a colour to the whole picture, and never more than white."""
        self.planes += (1 - np.clip(self.planes, 0, 1)) * light * rgb(colour)[:, None, None]


Layer = Callable[[Canvas], None]
"""Something that paints itself on a canvas."""

P = ParamSpec("P")


def layer(paint: Callable[Concatenate[Canvas, P], None]) -> Callable[P, Layer]:
    """Makes a function that paints wait for its canvas, so that a table can say ``sky("clear", clouds=0.4)``."""

    @wraps(paint)
    def parameters(*args: P.args, **kwargs: P.kwargs) -> Layer:
        return lambda canvas: paint(canvas, *args, **kwargs)

    return parameters
