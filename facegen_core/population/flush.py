"""Blood that facial actions drive into the skin, or press out of it."""

from typing import NamedTuple

import numpy as np

from facegen_core.population.appearance import Appearance
from facegen_core.population.canvas import Patch, Surface, drivers, window_around
from facegen_core.population.noise import bump


class Flush(NamedTuple):
    """A spot on the person's left side, and its mirror image on the right.

    Attributes:
        place: its middle, (x, y) mm on the template.
        size: width and height, mm.
        driven_by: blood that each facial action brings at strength 1; names as :func:`.canvas.drivers` reads them.
    """

    place: tuple[float, float]
    size: tuple[float, float]
    driven_by: dict[str, float]


FLUSHES = (
    Flush((39, -6), (15, 14), {"mouthSmile": 0.10, "cheekSquint": 0.08, "cheekPuff": 0.15}),
    Flush((9, 44), (10, 9), {"browDown": 0.04}),
    Flush((12, -6), (9, 13), {"noseSneer": 0.16}),
    Flush((33, 31), (13, 6), {"eyeBlink": 0.10}),
    Flush((12, -50), (15, 20), {"mouthPucker": 0.10, "mouthShrugLower": 0.05, "mouthFunnel": 0.04}),
    Flush((10, -74), (14, 12), {"jawForward": -0.14, "jawOpen": -0.08, "jawToward": 0.08, "jawAway": -0.10}),
    Flush((27, -48), (11, 14), {"mouthToward": 0.14, "mouthAway": -0.10, "mouthDimple": 0.10, "mouthPress": 0.06}),
)


def flushes(look: Appearance, surface: Surface, action_names: list[str]) -> list[Patch]:
    """All flushes of a person; they show less through dark skin."""
    light, front = float(np.mean(look.tone)), surface.z > -40
    found = []
    for flush in FLUSHES:
        for side, sign in (("Left", 1), ("Right", -1)):
            spot = bump(sign * surface.x - flush.place[0], surface.y - flush.place[1], *flush.size) * front
            window = window_around(spot > 0.02)
            if window is not None:
                driven_by = light * drivers(flush.driven_by, side, action_names)
                found.append(Patch(window, spot[window], driven_by, 0.0))
    return found
