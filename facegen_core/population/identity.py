"""Who a person is: phenotypes and head shapes as a function of (seed, person)."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance, draw_appearance
from facegen_core.seeding import numpy_generator

_IDENTITY = 100

RANGES = {
    "age": (0.62, 0.95),
    "muscle": (0.3, 0.8),
    "weight": (0.25, 0.85),
    "height": (0.35, 0.65),
    "proportions": (0.3, 0.7),
}
"""Adults, in anny's units: age 0.67 is about 25 years and 1 is old."""
TONE_BY_ANCESTRY = {"african": 0.25, "asian": 0.7, "caucasian": 0.8}
"""anny's three ancestries, which people mix, and the usual place of their skin between darkest and lightest."""
DARKEST, LIGHTEST = np.array([0.36, 0.23, 0.17]), np.array([0.93, 0.78, 0.70])

SPREAD = 0.3
"""Standard deviation of a shape's strength; anny's own range is -1 to 1."""
MOST_SPREAD_MM = 2.4
"""Shapes that move the head far are drawn so that the furthest vertex moves by this much, one standard deviation."""
ASYMMETRY = 0.06
"""Standard deviation of the difference between a left shape and its right partner."""


class Identity(NamedTuple):
    """A person's factors.

    Attributes:
        phenotypes: (P,) in [0, 1], in the order of ``anatomy.model.phenotype_labels``: gender (0 male, 1 female),
            age, muscle, weight, height, proportions, shares of three ancestries, and two that move no head.
        shapes: (S,) strengths of the anatomy's shapes, in [-1, 1].
        tone: (3,) skin colour, RGB in [0, 1].
        appearance: what skin, hair and eyes look like; no head depends on it.
    """

    phenotypes: npt.NDArray[np.float64]
    shapes: npt.NDArray[np.float64]
    tone: npt.NDArray[np.float64]
    appearance: Appearance


class Person(NamedTuple):
    """Somebody of a population.

    Attributes:
        seed: of the population.
        number: of the person, from 0.
        name: what a layout calls the person.
        identity: the person's factors.
        neutral: (V, 3) float64, the relaxed head, mm.
    """

    seed: int
    number: int
    name: str
    identity: Identity
    neutral: Tensor


def draw_person(seed: int, number: int, anatomy: Anatomy) -> Person:
    """One person of a population, called by their number."""
    identity = draw_identity(seed, number, anatomy)
    return Person(seed, number, str(number), identity, neutral_heads([identity], anatomy)[0])


def draw_identity(seed: int, person: int, anatomy: Anatomy) -> Identity:
    """The factors of one person.

    Args:
        seed: of the population.
        person: the person's number, 0 or more.
        anatomy: says which shapes there are.
    """
    random = numpy_generator(seed, _IDENTITY, person)
    gender = abs(random.choice([0.0, 1.0]) - random.uniform(0.0, 0.3))
    ancestry = dict(zip(TONE_BY_ANCESTRY, random.dirichlet([0.4] * len(TONE_BY_ANCESTRY)), strict=True))
    drawn = {name: random.uniform(*ends) for name, ends in RANGES.items()} | {"gender": gender} | ancestry
    phenotypes = np.array([drawn.get(name, 0.5) for name in anatomy.model.phenotype_labels])
    lightness = sum(share * TONE_BY_ANCESTRY[name] for name, share in ancestry.items()) + random.normal(0, 0.1)
    tone = DARKEST + np.clip(lightness, 0, 1) * (LIGHTEST - DARKEST) + random.normal(0, 0.012, 3)
    tone = np.clip(tone, 0, 1)
    shapes = _draw_shapes(random, anatomy)
    look = draw_appearance(seed, person, gender=gender, age=drawn["age"], european=ancestry["caucasian"], tone=tone)
    return Identity(phenotypes, shapes, tone, look)


def _draw_shapes(random: np.random.Generator, anatomy: Anatomy) -> npt.NDArray[np.float64]:
    """Strengths of all shapes: the two of a left-right pair share one draw but for a small difference."""
    spread = np.minimum(SPREAD, MOST_SPREAD_MM / anatomy.shape_moves.numpy())
    spread = np.where(anatomy.sideways.numpy(), spread * ASYMMETRY / SPREAD, spread)
    shared: dict[str, float] = {}
    strengths = np.empty(len(anatomy.shape_names))
    for i, name in enumerate(anatomy.shape_names):
        base = name[2:] if name[:2] in ("l-", "r-") else name
        value = shared.setdefault(base, random.normal())
        difference = random.normal() * ASYMMETRY / SPREAD if base != name else 0.0
        strengths[i] = (value + difference) * spread[i]
    return np.clip(strengths, -1, 1)


def neutral_heads(identities: list[Identity], anatomy: Anatomy) -> Tensor:
    """Neutral heads (B, V, 3), float64, mm, of people."""
    phenotypes = torch.from_numpy(np.stack([identity.phenotypes for identity in identities]))
    shapes = torch.from_numpy(np.stack([identity.shapes for identity in identities]))
    return anatomy.neutral(phenotypes, shapes)
