"""How embedded people show emotions: as action units, each in several ways and strengths."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from facegen_core.emotions import EMOTIONS
from facegen_core.population.action_units import FACIAL_ACTIONS
from facegen_core.population.expressions import add_action
from facegen_core.seeding import numpy_generator

_EMOTION = 105

PICTURE_UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 20, 22, 23, 24, 25, 26, 43)
"""Action units (FACS, Ekman and Friesen 1978) that pictures are labelled with."""
UNIT_NAMES = tuple(f"AU{number:02d}" for number in PICTURE_UNITS)

MORE_ACTIONS: dict[int, dict[str, float]] = {
    25: {"mouthLowerDown": 0.5, "mouthUpperUp": 0.25},  # lips part
    26: {"jawOpen": 0.45},  # jaw drops
    43: {"eyeBlink": 1.0},  # eyes close
}
"""Units that BP4D does not code, as the anatomy's facial actions."""

WAYS: dict[str, tuple[dict[int, float], ...]] = {
    "neutral": ({},),
    "happy": (
        {6: 0.7, 12: 0.8},
        {6: 0.8, 12: 0.9, 25: 0.7},
        {6: 0.9, 12: 1.0, 25: 1.0, 26: 0.4},
        {12: 0.75},
        {12: 0.8, 25: 0.6, 14: 0.2},
    ),
    "sad": (
        {1: 0.9, 4: 0.4, 15: 0.9},
        {1: 0.9, 4: 0.5, 15: 0.8, 17: 0.6},
        {1: 0.7, 15: 0.8, 43: 0.35},
        {1: 0.8, 4: 0.5, 7: 0.3, 15: 0.6, 20: 0.3, 25: 0.4},
    ),
    "surprise": (
        {1: 0.9, 2: 0.9, 5: 0.7, 26: 0.9},
        {1: 1.0, 2: 1.0, 5: 0.9, 25: 0.5, 26: 1.3},
        {1: 0.9, 2: 0.9, 5: 0.6, 25: 0.5},
        {1: 0.8, 2: 0.8, 5: 0.8, 22: 0.4, 26: 0.6},
    ),
    "fear": (
        {1: 0.9, 2: 0.4, 4: 0.6, 5: 1.0, 20: 0.9, 25: 0.7},
        {1: 1.0, 2: 0.5, 4: 0.7, 5: 1.0, 20: 0.7, 25: 0.5, 26: 0.6},
        {1: 0.9, 4: 0.7, 5: 0.9, 20: 0.6, 7: 0.3},
    ),
    "disgust": (
        {9: 0.9, 10: 0.6, 17: 0.5},
        {9: 0.8, 10: 0.8, 15: 0.4, 16: 0.4, 25: 0.5},
        {4: 0.4, 7: 0.5, 9: 0.9, 10: 0.7},
    ),
    "anger": (
        {4: 1.0, 5: 0.4, 7: 0.7, 23: 0.8},
        {4: 1.0, 7: 0.8, 24: 0.8, 17: 0.4},
        {4: 1.0, 5: 0.5, 7: 0.6, 9: 0.3, 10: 0.6, 16: 0.5, 25: 0.8},
        {4: 0.9, 7: 0.6, 10: 0.4, 23: 0.4, 25: 0.4},
    ),
    "contempt": ({14: 1.0}, {12: 0.45, 14: 0.7}, {10: 0.3, 14: 0.9}),
}  # fmt: skip
"""Ways to show each emotion, after the prototypes and variants of EMFACS (Ekman, Friesen and Hager 2002)."""
ONE_SIDED = ("contempt",)
"""Emotions shown with one side of the face."""

USUAL, FAINT = (0.7, 1.15), (0.2, 0.75)
"""Strengths of an expression: as people on pictures show it, and hardly to be seen."""
UNIT_SPREAD = 0.18
"""Standard deviation of a unit's strength, as a share of it."""
IDLE_SHARE, IDLE_MOST = 0.25, 0.18
"""Units that have nothing to do with the emotion: how many of them stir, and how much at most."""
SPEAKS = 0.12
"""Share of neutral faces whose lips are a little apart."""


def draw_units(
    seed: int, person: int, picture: int, emotion: str, strength: tuple[float, float] = USUAL
) -> dict[str, float]:
    """The action units of one picture.

    Args:
        seed: of the population.
        person: the person's number.
        picture: the picture's number among the person's.
        emotion: one of :data:`~facegen_core.emotions.EMOTIONS`.
        strength: least and greatest factor of the units that show it.

    Returns:
        Strengths by name, 0 to about 1.4; one-sided units end in L or R.
    """
    random = numpy_generator(seed, _EMOTION, person, picture, EMOTIONS.index(emotion))
    way = WAYS[emotion][random.integers(len(WAYS[emotion]))]
    level = random.uniform(*strength)
    side = random.choice(["L", "R"]) if emotion in ONE_SIDED else ""
    units = {f"AU{unit:02d}{side}": _vary(random, strength * level) for unit, strength in way.items()}
    if emotion == "neutral" and random.random() < SPEAKS:
        units["AU25"] = random.uniform(0.1, 0.4)
    for number in PICTURE_UNITS:
        idle, amount = random.random() < IDLE_SHARE, random.uniform(0, IDLE_MOST)
        if idle and number not in way:
            units[f"AU{number:02d}"] = units.get(f"AU{number:02d}", 0.0) + amount
    return units


def _vary(random: np.random.Generator, strength: float) -> float:
    return float(max(strength * (1 + UNIT_SPREAD * random.normal()), 0))


def emotion_actions(units: Mapping[str, float], action_names: list[str]) -> npt.NDArray[np.float64]:
    """The facial actions (A,) of units by name, such as ``{"AU06": 0.8, "AU14L": 1.0}``."""
    values = np.zeros(len(action_names))
    for name, strength in units.items():
        side = {"L": "Left", "R": "Right"}.get(name[-1], "")
        number = int(name[2:4])
        for action, share in (MORE_ACTIONS.get(number) or FACIAL_ACTIONS[number]).items():
            add_action(values, action if action in action_names else f"{action}{side}", share * strength, action_names)
    return values


def unit_labels(units: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """Strengths (U,) of :data:`PICTURE_UNITS`; a one-sided unit counts as the unit."""
    values = np.zeros(len(PICTURE_UNITS))
    for name, strength in units.items():
        values[UNIT_NAMES.index(name[:4])] += strength
    return values
