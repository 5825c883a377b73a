"""``facegen data population``: embedded people as files, in the layouts of real data sets."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from facegen_core.errors import ConfigError


class Usual(NamedTuple):
    """What a layout is written with if nothing is said.

    Attributes:
        people: how many.
        pixels: side of their textures or pictures.
        pictures: of each person; None where the layout decides.
    """

    people: int
    pixels: int
    pictures: int | None = None


LAYOUTS = {
    "facescape": Usual(200, 256),
    "bp4d": Usual(41, 256),
    "affectnet": Usual(500, 128, 20),
    "ffhq": Usual(1000, 256, 1),
    "pairs": Usual(100, 256),
}


def usual(field: str) -> str:
    """The usual numbers of all layouts, for help."""
    numbers = {layout: getattr(numbers, field) for layout, numbers in LAYOUTS.items()}
    return ", ".join(f"{number} in {layout}" for layout, number in numbers.items() if number is not None)


def population(layout: str, out: Path, seed: int, people: int | None, pixels: int | None, pictures: int | None) -> None:
    """Writes embedded people; what is None is as usual.

    Raises:
        ConfigError: a number of pictures for a layout that decides it.
    """
    from facegen_core.population.affectnet_layout import write_affectnet
    from facegen_core.population.bp4d_layout import write_bp4d
    from facegen_core.population.facescape_layout import write_facescape
    from facegen_core.population.ffhq_layout import write_ffhq
    from facegen_core.population.pairs_layout import write_pairs
    from facegen_core.progress import say

    writers: dict[str, Callable[..., None]] = {
        "facescape": write_facescape, "bp4d": write_bp4d, "affectnet": write_affectnet, "ffhq": write_ffhq,
        "pairs": write_pairs,
    }  # fmt: skip
    numbers = LAYOUTS[layout]
    more = {} if numbers.pictures is None else {"pictures": pictures or numbers.pictures}
    if pictures is not None and not more:
        raise ConfigError(f"--pictures: the layout {layout} has as many of each person as it has.")
    people = numbers.people if people is None else people
    writers[layout](out, people, seed, numbers.pixels if pixels is None else pixels, **more)
    how = "" if layout == "facescape" else f" data.dataset={layout}"
    say(f"{out}: {people} people. Use them with data.root={out}{how}")
