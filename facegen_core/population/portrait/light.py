"""Light on a portrait: a key light that casts shadows, and soft light from all around."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from facegen_core.geometry.shading import lights
from facegen_core.population.portrait.scenery import PlaceLight

Triple = tuple[float, float, float]


class Light(NamedTuple):
    """Where light comes from; intensities are linear, 1 being a well exposed white.

    Attributes:
        key: towards the key light, in the world: x to the picture's right, y up, z to the camera.
        key_colour: RGB, how strong.
        softness: breadth of its shadows' edges: tangent of half the angle the light is seen under.
        above, below: RGB of the light from the sky, or ceiling, and from the ground: what faces the brighter one gets
            all of it, what faces the other one the mean of both.
        fill: towards a second light without shadows.
        fill_colour: RGB of it.
    """

    key: Triple
    key_colour: Triple
    softness: float
    above: Triple
    below: Triple
    fill: Triple
    fill_colour: Triple

    def around(self) -> Tensor:
        """All but the key light, (9, 3), for :func:`~facegen_core.geometry.shading.reflected`."""
        above, below = torch.tensor(self.above), torch.tensor(self.below)
        directions = torch.tensor([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0], list(self.fill)])
        colours = torch.stack([0.5 * (above - below).clamp(min=0), 0.5 * (below - above).clamp(min=0),
                               torch.tensor(self.fill_colour)])  # fmt: skip
        return lights((above + below) / 2, directions, colours)


def draw_light(random: np.random.Generator) -> Light:
    """A light as portraits have it: mostly from above and to one side, from hard sun to a soft studio."""
    aside, height = math.radians(random.normal(0, 42)), math.radians(np.clip(random.normal(32, 16), -5, 75))
    key = (math.sin(aside) * math.cos(height), math.sin(height), math.cos(aside) * math.cos(height))
    share = random.uniform(0.3, 0.75)  # of the light that comes from the key
    warm = random.normal(0, 0.07)
    strength = random.uniform(0.85, 1.2)
    tint, sky = _tint(warm), _tint(-0.6 * warm + random.normal(0, 0.05))
    floor = _tint(random.normal(0.05, 0.06))
    fill = (-math.copysign(0.9, aside), random.uniform(-0.2, 0.4), random.uniform(0.1, 0.6))
    return Light(
        key=key,
        key_colour=_scaled(tint, 1.35 * share * strength),
        softness=float(random.choice([0.03, 0.1, 0.22, 0.4])),
        above=_scaled(sky, 1.05 * (1 - share) * strength),
        below=_scaled(floor, random.uniform(0.45, 0.8) * (1 - share) * strength),
        fill=fill,
        fill_colour=_scaled(sky, random.uniform(0, 0.35) * (1 - share) * strength),
    )


def light_of(place: PlaceLight, random: np.random.Generator) -> Light:
    """The light of a place, from a little elsewhere each time."""
    towards = np.array(place.direction) + random.normal(0, 0.15, 3)
    x, y, z = (towards / np.linalg.norm(towards)).tolist()
    strength = random.uniform(0.7, 1.0)
    ground = 0.8 if place.outdoors else 0.6
    return Light(
        key=(x, y, z),
        key_colour=_scaled(place.key, strength),
        softness=float(random.uniform(0.02, 0.1) if place.outdoors else random.uniform(0.1, 0.4)),
        above=_scaled(place.ambient, strength),
        below=_scaled(place.ambient, ground * strength),
        fill=(-x, 0.2, 0.5),
        fill_colour=_scaled(place.ambient, 0.2 * strength),
    )


def _tint(warmth: float) -> Triple:
    return 1 + warmth, 1.0, 1 - warmth


def _scaled(colour: Triple, by: float) -> Triple:
    red, green, blue = (max(float(value * by), 0.0) for value in colour)
    return red, green, blue
