"""What embedded people do over time: tasks played in action units whose strength rises and falls."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.population.action_units import ACTION_UNITS, FACIAL_ACTIONS, NAMES, unit_actions
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.expressions import STRENGTH_SPREAD
from facegen_core.seeding import numpy_generator

_TASK, _MANNER = 110, 111

TASKS: dict[str, tuple[int, ...]] = {
    "happy": (6, 12),
    "sad": (1, 4, 15, 17),
    "surprise": (1, 2, 5, 27),
    "embarrassment": (12, 14, 24),
    "fear": (1, 2, 4, 5, 20),
    "pain": (4, 6, 7, 9, 10),
    "anger": (4, 7, 17, 23),
    "disgust": (9, 10, 17),
}
"""BP4D's eight tasks, in its order, and the units that usually show in each (after Ekman and Friesen's EMFACS)."""

FRAMES = 12
"""Frames of a sequence."""
SHOWN = 0.9
"""Probability that a task's unit shows in a person's sequence."""
FURTHER_UNITS = 3
"""Most other units that show besides, so that all units occur, and not only with their usual company."""
RISE = (0.2, 0.5)
"""Time from onset to full strength, and from there to the end, as a share of the sequence."""


class Played(NamedTuple):
    """One sequence of one person.

    Attributes:
        intensity: (T, 34) strength of each unit in each frame; 1 is the full movement.
        actions: (T, A) strengths of the anatomy's facial actions.
    """

    intensity: npt.NDArray[np.float64]
    actions: npt.NDArray[np.float64]


def play(seed: int, person: int, task: int, anatomy: Anatomy) -> Played:
    """How one person plays one task: a function of (seed, person, task) alone.

    Args:
        seed: of the population.
        person: the person's number.
        task: 0 to 7, of :data:`TASKS`.
        anatomy: says which facial actions there are.
    """
    random = numpy_generator(seed, _TASK, person, task)
    usual = [unit for unit in list(TASKS.values())[task] if random.random() < SHOWN]
    others = [unit for unit in FACIAL_ACTIONS if unit not in usual]
    further = random.choice(others, random.integers(1, FURTHER_UNITS + 1), replace=False)
    intensity = np.zeros((FRAMES, len(ACTION_UNITS)))
    for unit in [*usual, *further.tolist()]:
        intensity[:, list(ACTION_UNITS).index(unit)] = _rise_and_fall(random)
    # Everybody does an action in an own way, the same in all sequences, as in personal_strengths().
    manner = 1 + STRENGTH_SPREAD * numpy_generator(seed, _MANNER, person).normal(size=len(anatomy.action_names)).clip(
        -2, 2
    )
    actions = np.stack([_actions(row, anatomy) for row in intensity])
    return Played(intensity, actions * manner)


def _actions(intensity: npt.NDArray[np.float64], anatomy: Anatomy) -> npt.NDArray[np.float64]:
    shown = {name: strength for name, strength in zip(NAMES, intensity, strict=True) if strength > 0}
    return unit_actions(shown, anatomy.action_names)


def _rise_and_fall(random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Strength (T,) of a unit: a smooth onset, its apex anywhere in the sequence, and a smooth offset."""
    time = np.linspace(0, 1, FRAMES)
    apex, peak = random.uniform(0.2, 0.8), random.uniform(0.4, 1.1)
    before, after = random.uniform(*RISE, 2)
    away = np.where(time < apex, (apex - time) / before, (time - apex) / after)
    return peak * (0.5 + 0.5 * np.cos(np.pi * away.clip(max=1)))
