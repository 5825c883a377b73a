"""What a scene is: a name, how a sentence goes on, what is painted, and the light there."""

from typing import NamedTuple

import numpy as np

from facegen_core.population.portrait.scenery.canvas import Layer

LEFT, RIGHT = -1, 1


class PlaceLight(NamedTuple):
    """The light of a place, to light a head with as its place is lit.

    Attributes:
        ambient: linear RGB of the light from all around; 1 is a white wall in full light.
        key: linear RGB of the sun, the moon, or the brightest lamp or window.
        direction: (x, y, z) of length 1 from the head to that light: x to the picture's right, y up, z to the camera.
        outdoors: under the open sky.
    """

    ambient: tuple[float, float, float]
    key: tuple[float, float, float]
    direction: tuple[float, float, float]
    outdoors: bool


class Scene(NamedTuple):
    """A place that can stand behind a portrait.

    Attributes:
        name: what it is asked for by.
        caption: how a sentence such as "a photo of a person" goes on, with its preposition.
        place: what is painted, from back to front.
        light: that falls on a head there.
    """

    name: str
    caption: str
    place: tuple[Layer, ...]
    light: PlaceLight


def _light(
    ambient: tuple[float, float, float],
    key: tuple[float, float, float],
    side: int,
    height: float,
    outdoors: bool = True,
) -> PlaceLight:
    """A light from one side; the camera's side of the head is always reached, as a photographer would see to."""
    direction = np.array((0.62 * side, height, 0.7))
    x, y, z = (direction / np.linalg.norm(direction)).round(4).tolist()
    return PlaceLight(ambient, key, (x, y, z), outdoors)


def sunny(side: int) -> PlaceLight:
    """A clear day."""
    return _light((0.42, 0.48, 0.58), (1.0, 0.95, 0.86), side, 0.75)


def northern(side: int) -> PlaceLight:
    """A pale day with thin clouds."""
    return _light((0.52, 0.56, 0.62), (0.72, 0.71, 0.69), side, 0.6)


def overcast(side: int) -> PlaceLight:
    """A grey day: nearly all light from all around."""
    return _light((0.62, 0.65, 0.68), (0.38, 0.38, 0.39), side, 1.0)


def alpine(side: int) -> PlaceLight:
    """High mountains or snow: a hard sun, blue shadows."""
    return _light((0.42, 0.53, 0.70), (1.1, 1.06, 1.0), side, 0.8)


def desert(side: int) -> PlaceLight:
    """Warm sun, and a glow from the ground."""
    return _light((0.50, 0.44, 0.38), (1.05, 0.92, 0.74), side, 0.65)


def golden(side: int) -> PlaceLight:
    """An hour before sunset."""
    return _light((0.42, 0.40, 0.42), (1.05, 0.78, 0.50), side, 0.35)


def shade(side: int) -> PlaceLight:
    """Under trees or between walls."""
    return _light((0.40, 0.46, 0.38), (0.62, 0.62, 0.48), side, 1.1)


def night(side: int) -> PlaceLight:
    """Moonlight."""
    return _light((0.10, 0.12, 0.19), (0.34, 0.39, 0.55), side, 0.8)


def neon(side: int) -> PlaceLight:
    """A street at night, full of coloured lamps."""
    return _light((0.28, 0.20, 0.32), (0.85, 0.62, 0.55), side, 0.3)


def windowed(side: int) -> PlaceLight:
    """A room by day, lit through its windows."""
    return _light((0.45, 0.44, 0.42), (0.82, 0.83, 0.84), side, 0.35, outdoors=False)


def lamplit(side: int) -> PlaceLight:
    """A room lit by lamps."""
    return _light((0.40, 0.33, 0.25), (0.85, 0.68, 0.46), side, 0.7, outdoors=False)
