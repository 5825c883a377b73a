"""People and pictures of them for tests."""

import functools

from facegen_core.population.anatomy import anatomy
from facegen_core.population.identity import Person, draw_person
from facegen_core.population.portrait.light import Light
from facegen_core.population.portrait.shot import Shot

SOFT = Light(
    (0.3, 0.5, 0.81), (0.7, 0.7, 0.7), 0.2, (0.5, 0.5, 0.5), (0.3, 0.3, 0.3), (-1.0, 0.0, 0.5), (0.1, 0.1, 0.1)
)


@functools.lru_cache
def somebody(number: int = 0, seed: int = 5) -> Person:
    return draw_person(seed, number, anatomy())


def plain_shot(**changes) -> Shot:
    """From the front, relaxed, in soft light."""
    return Shot(units={}, lids=0.1, gaze=(0.0, 0.0), pose=(0.0, 0.0, 0.0), light=SOFT)._replace(**changes)
