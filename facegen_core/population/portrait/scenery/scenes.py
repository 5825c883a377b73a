"""Scenes by name, and pictures of them."""

import zlib

import numpy as np
from scipy.ndimage import gaussian_filter

from facegen_core.geometry.mesh import Floats
from facegen_core.names import find_name
from facegen_core.population.portrait.scenery.canvas import Canvas, resized
from facegen_core.population.portrait.scenery.places import (
    asia,
    middle_europe,
    north_europe,
    overseas,
    plain,
    south_europe,
)
from facegen_core.population.portrait.scenery.scene import Scene
from facegen_core.seeding import numpy_generator

SCENES: dict[str, Scene] = {
    scene.name: scene
    for part in (north_europe, middle_europe, south_europe, asia, overseas, plain)
    for scene in part.PLACES
}
"""Every scene by its name, spelt as the prompts of the papers spell it."""

BLUR = 0.006
"""Standard deviation, as a share of the side, by which a place behind somebody is out of focus."""
SEEN = 1.5  # standard deviation of the blur in pixels of the painting: finer would be lost
SMALLEST = 128  # pixels of a painting: details of a smaller one would cover each other as they do not at any other size


def find_scene(name: str) -> Scene:
    """A scene by its name; case does not matter.

    Raises:
        ConfigError: no such scene; the message has the nearest names.
    """
    names = list(SCENES)
    return SCENES[names[find_name(name, names, what="scene")]]


def paint_scene(name: str, seed: int, pixels: int, blur: float = BLUR) -> Floats:
    """A picture of a place, as it is seen behind a portrait.

    Args:
        name: of a scene in ``SCENES``.
        seed: of the hour, the weather, the point of view and the people about; each paints another picture of the
            same place.
        pixels: side of the picture. A large picture made smaller looks like a small one.
        blur: standard deviation of the blur of what is out of focus, as a share of the picture's side; 0 for none.

    Returns:
        (pixels, pixels, 3) float32 sRGB in [0, 1].

    Raises:
        ConfigError: no such scene; the message has the nearest names.
    """
    scene = find_scene(name)
    rng = numpy_generator(seed, zlib.crc32(scene.name.encode()))
    side = max(SMALLEST, pixels if blur == 0 else min(pixels, round(SEEN / blur)))
    canvas = Canvas(side, rng, sun=1 if scene.light.direction[0] > 0 else -1)
    for layer in scene.place:
        layer(canvas)
    _grade(canvas, scene.light.outdoors)
    return finish(canvas.planes, pixels, blur)


def _grade(canvas: Canvas, outdoors: bool) -> None:
    """The hour's tint, the exposure, and the corners of a lens."""
    warm = (0.9 if outdoors else 0.4) * canvas.evening + canvas.rng.uniform(-0.25, 0.25)
    tint = np.array((1 + 0.06 * warm, 1 + 0.005 * warm, 1 - 0.08 * warm), dtype=np.float32)
    exposure = np.float32(canvas.rng.uniform(0.93, 1.06))
    corners = 1 - np.float32(0.10) * (canvas.x**2 * canvas.x**2 + canvas.y**2 * canvas.y**2)
    canvas.planes *= (tint * exposure)[:, None, None] * corners
    contrast = np.float32(0.12)  # a gentle S, as film has
    tones = np.clip(canvas.planes, 0, 1)
    canvas.planes = tones + contrast * (tones * tones * (3 - 2 * tones) - tones)


def finish(planes: Floats, pixels: int, blur: float) -> Floats:
    """Blurs a painting (3, side, side), in light rather than in sRGB so that lamps grow, and brings it to its size.

    Returns:
        (pixels, pixels, 3) float32 in [0, 1].
    """
    side = planes.shape[1]
    if blur * side > 0.05:
        light = planes * planes  # near enough to linear light
        gaussian_filter(light, (0, blur * side, blur * side), output=light, mode="nearest", truncate=2.5)
        planes = np.sqrt(light)
    picture = np.empty((pixels, pixels, 3), dtype=np.float32)
    for channel, plane in enumerate(planes):
        np.clip(plane if side == pixels else resized(plane, pixels, pixels), 0, 1, out=picture[..., channel])
    return picture
