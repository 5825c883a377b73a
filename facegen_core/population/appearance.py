"""What a person's skin, hair and eyes look like: factors as a function of (seed, person)."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.seeding import derive, numpy_generator

_APPEARANCE, _GRAIN = 103, 104
Colour = tuple[float, float, float]

LIGHT_EYES = {"blue": (0.42, 0.55, 0.66), "grey": (0.52, 0.56, 0.57), "green": (0.45, 0.50, 0.33)}
DARK_EYES = {"hazel": (0.46, 0.33, 0.17), "brown": (0.32, 0.19, 0.10), "dark brown": (0.19, 0.11, 0.07)}
LIGHT_HAIR = {"blond": (0.62, 0.47, 0.29), "light brown": (0.42, 0.28, 0.17), "red": (0.50, 0.23, 0.11)}
DARK_HAIR = {"brown": (0.24, 0.15, 0.10), "dark brown": (0.14, 0.09, 0.07), "black": (0.06, 0.05, 0.05)}
GREY = (0.68, 0.67, 0.65)
"""Colours, sRGB; a person's own is drawn around one of them."""


class Appearance(NamedTuple):
    """How a person looks, shape aside. Shares and depths lie in [0, 1] unless said otherwise.

    Attributes:
        tone: skin, sRGB.
        years: age, 20 to 90.
        female: share.
        undertone: from -1, cool and pink, to 1, warm and yellow.
        redness: of cheeks, nose and ears.
        mottling: unevenness of the skin.
        circles: darkness under the eyes.
        freckles, moles: how many of each.
        lips: their colour, (blood, melanin) added to the skin's.
        lip_fullness: height against the usual, about 1.
        lipstick: colour and, last, how much of it.
        hair: sRGB.
        hairline: mm it lies higher than usual.
        temples: how far it recedes there, mm.
        baldness: thinness of the hair on the scalp.
        brow_hair: sRGB.
        brow_thickness: mm.
        brow_density: how dark brows are.
        brow_arch: mm the arch rises above the usual.
        brow_height: mm they lie above the usual.
        brow_tail: how long they are against the usual, about 1.
        iris: sRGB.
        sclera: from white, 0, to yellowish and veined, 1.
        lashes: darkness of lashes and liner.
        lid_shade: darkness of the upper lids.
        moustache, chin_beard, cheek_beard: density of hair, 0 where there is none.
        lines: depth of lines that age leaves.
        creases: depth of lines that expressions fold, about 1.
        grain: seed of the details: where moles, pores and blotches lie and how lines wander.
    """

    tone: Colour
    years: float
    female: float
    undertone: float
    redness: float
    mottling: float
    circles: float
    freckles: int
    moles: int
    lips: tuple[float, float]
    lip_fullness: float
    lipstick: tuple[float, float, float, float]
    hair: Colour
    hairline: float
    temples: float
    baldness: float
    brow_hair: Colour
    brow_thickness: float
    brow_density: float
    brow_arch: float
    brow_height: float
    brow_tail: float
    iris: Colour
    sclera: float
    lashes: float
    lid_shade: float
    moustache: float
    chin_beard: float
    cheek_beard: float
    lines: float
    creases: float
    grain: int


def years(age: float) -> float:
    """Age in years of anny's age phenotype: 2/3 is about 25 and 1 about 90."""
    return float(np.interp(age, [0.33, 2 / 3, 1.0], [13, 25, 90]))


def draw_appearance(
    seed: int, person: int, *, gender: float, age: float, european: float, tone: npt.NDArray[np.float64]
) -> Appearance:
    """The look of one person, from a stream of its own: heads do not depend on it.

    Args:
        seed: of the population.
        person: the person's number.
        gender: 0 male, 1 female.
        age: anny's phenotype.
        european: share of that ancestry, in [0, 1]; light hair and eyes come with it.
        tone: (3,) skin colour.
    """
    random = numpy_generator(seed, _APPEARANCE, person)
    female, old = gender > 0.5, years(age)
    light, worn = float(np.mean(tone)), float(np.clip((old - 30) / 50, 0, 1))
    fair = european * np.clip((light - 0.5) / 0.25, 0, 1)
    hair = _vary(random, _hair(random, fair), 0.02)
    greyed = float(np.clip(random.normal((old - 48) / 25, 0.25), 0, 1))
    brow_hair = _mix(_mix(hair, (0.08, 0.06, 0.05), 0.35), GREY, 0.6 * greyed)
    bearded = 0.0 if female else float(random.choice([0.0, 0.25, 0.6, 1.0], p=[0.3, 0.3, 0.2, 0.2]))
    made_up = female * random.random()
    return Appearance(
        tone=_colour(tone),
        years=old,
        female=float(gender),
        undertone=float(random.normal(0, 0.5)),
        redness=float(random.beta(2, 3)),
        mottling=float(random.beta(2, 3)),
        circles=float(np.clip(random.beta(2, 4) + 0.25 * worn, 0, 1)),
        freckles=int(random.integers(80, 500)) if random.random() < 0.35 * fair else 0,
        moles=int(random.poisson(2.5)),
        lips=(float(random.uniform(0.35, 0.8) * (1 - 0.4 * worn)), float(random.uniform(0.0, 0.25))),
        lip_fullness=float(np.clip(random.normal(1.0 - 0.15 * worn, 0.1), 0.7, 1.3)),
        lipstick=(
            *_vary(random, (0.62, 0.20, 0.22), 0.08),
            float(random.uniform(0.2, 0.5)) if made_up > 0.65 else 0.0,
        ),
        hair=_mix(hair, GREY, greyed),
        hairline=float(random.normal(0, 5) + (0 if female else 12 * worn * random.random())),
        temples=float(random.uniform(0, 8) if female else random.uniform(2, 14) + 14 * worn * random.random()),
        baldness=0.0 if female else float(np.clip(random.normal(0.1 + 0.6 * worn, 0.35), 0, 1)),
        brow_hair=brow_hair,
        brow_thickness=float(np.clip(random.normal(7.6 if female else 9.6, 1.4), 5, 13)),
        brow_density=float(np.clip(random.normal(0.7 if female else 0.8, 0.14), 0.35, 1)),
        brow_arch=float(random.normal(1.8 if female else 0.0, 1.5)),
        brow_height=float(random.normal(1.0 if female else 0.0, 1.3)),
        brow_tail=float(np.clip(random.normal(1, 0.08), 0.8, 1.15)),
        iris=_vary(random, _iris(random, fair), 0.03),
        sclera=float(np.clip(random.beta(2, 5) + 0.3 * worn, 0, 1)),
        lashes=float(random.uniform(0.5, 1.0) if female else random.uniform(0.3, 0.6)),
        lid_shade=float(random.uniform(0.1, 0.4) + 0.4 * made_up * (made_up > 0.5)),
        moustache=bearded * float(random.uniform(0.6, 1.0)),
        chin_beard=bearded * float(random.uniform(0.6, 1.0)),
        cheek_beard=bearded * float(random.uniform(0.2, 0.9)),
        lines=float(np.clip(worn * random.uniform(0.6, 1.2), 0, 1)),
        creases=float(np.clip(random.normal(0.9 + 0.4 * worn, 0.15), 0.6, 1.6)),
        grain=derive(seed, _GRAIN, person),
    )


def _hair(random: np.random.Generator, fair: float) -> Colour:
    return _one_of(random, LIGHT_HAIR if random.random() < 0.6 * fair else DARK_HAIR)


def _iris(random: np.random.Generator, fair: float) -> Colour:
    return _one_of(random, LIGHT_EYES if random.random() < 0.6 * fair else DARK_EYES)


def _one_of(random: np.random.Generator, colours: dict[str, Colour]) -> Colour:
    return list(colours.values())[random.integers(len(colours))]


def _vary(random: np.random.Generator, colour: Colour, spread: float) -> Colour:
    return _colour(np.clip(np.array(colour) + random.normal(0, spread) + random.normal(0, spread / 2, 3), 0.02, 0.98))


def _mix(a: Colour, b: Colour, share: float) -> Colour:
    return _colour(np.array(a) * (1 - share) + np.array(b) * share)


def _colour(values: npt.NDArray[np.float64]) -> Colour:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
