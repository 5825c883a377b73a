"""How a person wears their hair: factors as a function of (seed, person) and of how the person looks."""

from typing import Literal, NamedTuple

import numpy as np

from facegen_core.population.appearance import DARK_HAIR, GREY, LIGHT_HAIR, Appearance
from facegen_core.population.wording import with_article
from facegen_core.seeding import derive, numpy_generator

_HAIRSTYLE, _STRANDS = 120, 121

Cut = Literal[
    "bald", "buzz", "short", "side part", "quiff", "receding short", "afro", "curly", "bob", "long", "wavy long",
    "long curly", "bun", "ponytail",
]  # fmt: skip
Flow = Literal["crown", "part", "up", "knot", "out"]


class Hairstyle(NamedTuple):
    """How a person's hair is cut and combed, how it falls, and how brows, lashes and beard are grown.

    Attributes:
        cut: its name.
        colour: the name of its colour.
        flow: how it is combed: away from the crown, away from a parting, up from the forehead, to a knot, or standing
            out all around.
        top_mm, side_mm: how long it is on top, and at the sides and the back.
        ends: height at which it is cut off on the template, mm.
        part: where the parting lies, mm to the person's left.
        knot: (y, z) of the knot of a bun or ponytail on the template, mm.
        fringe: height at which hair over the forehead ends, mm; None if there is none.
        volume: how high the outermost strands lie over the skull, mm.
        lift: how far strands rise from the scalp at their roots, from 0, flat, to 1, upright.
        wave, wave_mm: how far strands swing to the side, and the length of a wave, mm.
        curl: from waves, 0, to corkscrews, 1.
        clump: how much strands gather into locks, in [0, 1].
        frizz: how much single strands stray.
        tucked: behind the ears.
        shades: how much strands differ in lightness.
        tips: how much lighter they are at the tips.
        beard_mm, brow_mm, lash_mm: lengths of the longest hairs of a full beard, of the brows and of the upper lashes.
        grain: seed of where each strand grows.
    """

    cut: Cut
    colour: str
    flow: Flow
    top_mm: float
    side_mm: float
    ends: float
    part: float
    knot: tuple[float, float]
    fringe: float | None
    volume: float
    lift: float
    wave: float
    wave_mm: float
    curl: float
    clump: float
    frizz: float
    tucked: bool
    shades: float
    tips: float
    beard_mm: float
    brow_mm: float
    lash_mm: float
    grain: int

    @property
    def long(self) -> bool:
        """Whether it is long enough to hang down, or to be tied."""
        return self.top_mm > 150

    @property
    def words(self) -> str:
        """The hair in a caption's words, such as "long wavy brown hair with a fringe"."""
        plain = {
            "bald": "a bald head",
            "buzz": f"a {self.colour} buzz cut",
            "short": f"short {self.colour} hair",
            "side part": f"short {self.colour} hair with a side parting",
            "quiff": f"short {self.colour} hair brushed up",
            "receding short": f"short receding {self.colour} hair",
            "afro": f"{with_article(self.colour)} afro",
            "curly": f"short curly {self.colour} hair",
            "bob": f"{with_article(self.colour)} bob",
            "long": f"long straight {self.colour} hair",
            "wavy long": f"long wavy {self.colour} hair",
            "long curly": f"long curly {self.colour} hair",
            "bun": f"{self.colour} hair in a bun",
            "ponytail": f"{self.colour} hair in a ponytail",
        }[self.cut]
        return plain if self.fringe is None or self.cut == "short" else f"{plain} with a fringe"


NOWHERE = -400.0
"""Where hair ends that is not cut off level."""
SHARES: dict[str, dict[Cut, float]] = {
    "woman": {
        "long": 22, "wavy long": 20, "bob": 17, "ponytail": 12, "bun": 11, "long curly": 7, "short": 4, "side part": 4,
        "curly": 2, "afro": 1,
    },
    "old woman": {
        "bob": 34, "curly": 16, "short": 14, "side part": 10, "bun": 10, "long": 6, "wavy long": 8, "ponytail": 2,
    },
    "man": {
        "short": 36, "side part": 21, "quiff": 15, "buzz": 11, "curly": 7, "long": 2, "wavy long": 2, "bun": 1,
        "ponytail": 1, "bald": 3, "afro": 1,
    },
    "balding man": {"receding short": 54, "buzz": 20, "bald": 26},
}  # fmt: skip
"""How many of a hundred wear each cut."""
OLD, BALDING = 62.0, 0.55
"""Years, and baldness, from which the shares of the old and the balding hold."""
STRAIGHT: tuple[Cut, ...] = ("long", "wavy long", "bob", "short", "side part", "quiff")
TIGHT_CURLS = 0.4
"""Skin darker than this (mean of its colour) often comes with tightly curled hair."""


def draw_hairstyle(seed: int, person: int, look: Appearance) -> Hairstyle:
    """The hairstyle of one person, from a stream of its own: neither head nor look depends on it.

    Args:
        seed: of the population.
        person: the person's number.
        look: the person's, drawn from the same seed.
    """
    random = numpy_generator(seed, _HAIRSTYLE, person)
    cut = _draw_cut(random, look)
    swing, sign = random.uniform(0.85, 1.15, 8), float(random.choice([-1.0, 1.0]))
    style = Hairstyle(
        cut=cut,
        colour=_colour_name(look),
        flow="crown",
        top_mm=38 * swing[0],
        side_mm=18 * swing[1],
        ends=NOWHERE,
        part=sign * float(random.uniform(18, 34)),
        knot=(70 * swing[2], -172.0),
        fringe=None,
        volume=13 * swing[3],
        lift=0.45 * swing[4],
        wave=1.5 * swing[5],
        wave_mm=45 * swing[6],
        curl=0.0,
        clump=float(random.uniform(0.35, 0.7)),
        frizz=float(random.uniform(0.5, 1.2)),
        tucked=bool(random.random() < 0.4),
        shades=float(random.uniform(0.16, 0.32)),
        tips=float(random.choice([random.uniform(0.0, 0.2), random.uniform(0.2, 0.55)], p=[0.75, 0.25])),
        beard_mm=float(random.choice([random.uniform(5, 10), random.uniform(10, 25)], p=[0.75, 0.25])),
        brow_mm=float(random.uniform(6.0, 8.5)) * (0.92 if look.female > 0.5 else 1.05),
        lash_mm=float(random.uniform(6.5, 8.5)) * (1.12 if look.female > 0.5 else 0.95),
        grain=derive(seed, _STRANDS, person),
    )
    return _cut_to(style, random, fringed=float(random.random()))


def groomed(style: Hairstyle, look: Appearance) -> Appearance:
    """The look to paint on a head that wears a style: a bald head has a shadow of stubble at most."""
    if style.cut != "bald":
        return look
    red, green, blue = (
        0.93 * ruddy * skin + 0.07 * hair
        for skin, hair, ruddy in zip(look.tone, look.hair, (0.97, 0.91, 0.9), strict=True)
    )
    return look._replace(hair=(red, green, blue), baldness=max(look.baldness, 0.8))


def _draw_cut(random: np.random.Generator, look: Appearance) -> Cut:
    women, old = look.female > 0.5, look.years > OLD
    group = "old woman" if women and old else "woman" if women else "balding man" if look.baldness > BALDING else "man"
    shares = dict(SHARES[group])
    if np.mean(look.tone) < TIGHT_CURLS:  # afros, curls and buzz cuts instead of half of what falls straight
        for name in STRAIGHT:
            moved = 0.6 * shares.get(name, 0)
            if moved:
                shares[name] -= moved
                shares["afro"] = shares.get("afro", 0) + 0.45 * moved
                curls: Cut = "long curly" if women and not old else "curly" if women else "buzz"
                shares[curls] = shares.get(curls, 0) + 0.55 * moved
    weights = np.array(list(shares.values()), dtype=np.float64)
    return list(shares)[int(random.choice(len(weights), p=weights / weights.sum()))]


def _cut_to(style: Hairstyle, random: np.random.Generator, fringed: float) -> Hairstyle:
    """The style with the lengths, the fall and the volume that its cut has."""
    middle = 0.35 * style.part if random.random() < 0.5 else style.part  # long hair is often parted in the middle
    long_ends, brow = float(random.uniform(-230, -120)), float(random.uniform(53, 63))
    free = {"top_mm": 330.0, "side_mm": 330.0, "flow": "part", "part": middle, "lift": 0.3}
    curls = {"curl": 1.0, "wave_mm": float(random.uniform(24, 34)), "frizz": 1.6 * style.frizz}
    changed = {
        "bald": {"top_mm": 0.0, "side_mm": 0.0},
        "buzz": {"top_mm": 7.0, "side_mm": 4.5, "volume": 4.5, "lift": 0.8, "wave": 0.0},
        "short": {"fringe": float(random.uniform(66, 88)) if fringed < 0.3 else None},
        "side part": {"flow": "part", "top_mm": 1.9 * style.top_mm, "lift": 0.55, "side_mm": 1.2 * style.side_mm},
        "quiff": {"flow": "up", "top_mm": 1.35 * style.top_mm, "volume": 1.9 * style.volume, "lift": 0.8},
        "receding short": {"top_mm": 0.6 * style.top_mm, "volume": 0.6 * style.volume},
        "afro": {
            "flow": "out", "volume": float(random.uniform(22, 52)), "lift": 1.0, "wave": 6.0, "curl": 1.0,
            "wave_mm": 16.0, "clump": 0.3, "tucked": False,
        },
        "curly": {**curls, "wave": 4.5, "top_mm": 1.9 * style.top_mm, "side_mm": 2.0 * style.side_mm,
                  "volume": 1.7 * style.volume, "lift": 0.7, "clump": 0.75},
        "bob": {**free, "ends": float(random.uniform(-92, -48)), "fringe": brow if fringed < 0.45 else None},
        "long": {**free, "ends": long_ends, "fringe": brow if fringed < 0.22 else None},
        "wavy long": {**free, "ends": long_ends, "wave": 5.5 * style.wave, "wave_mm": float(random.uniform(65, 95)),
                      "clump": 0.75, "volume": 1.4 * style.volume, "fringe": brow if fringed < 0.12 else None},
        "long curly": {**free, **curls, "ends": 0.75 * long_ends, "wave": 8.0, "wave_mm": 1.8 * curls["wave_mm"],
                       "clump": 0.8, "volume": 2.2 * style.volume, "lift": 0.6, "tucked": False},
        "bun": {"flow": "knot", "top_mm": 330.0, "side_mm": 330.0, "volume": 0.5 * style.volume, "lift": 0.15,
                "knot": (162.0, -75.0) if fringed > 0.6 else style.knot},
        "ponytail": {"flow": "knot", "top_mm": 330.0, "side_mm": 330.0, "volume": 0.5 * style.volume, "lift": 0.15,
                     "ends": long_ends, "knot": (100.0, -165.0) if fringed > 0.5 else style.knot,
                     "fringe": brow if fringed < 0.15 else None},
    }[style.cut]  # fmt: skip
    return style._replace(**changed)  # type: ignore[arg-type]


def _colour_name(look: Appearance) -> str:
    named = LIGHT_HAIR | DARK_HAIR | {"grey": GREY}
    return min(named, key=lambda name: float(np.linalg.norm(np.array(named[name]) - look.hair)))
