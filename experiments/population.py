"""``facegen data population``: embedded people as files, in the layouts of real data sets."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from facegen_core.errors import ConfigError


class Usual(NamedTuple):
    """What a layout is written with if nothing is said, and what it is for.

    Attributes:
        use: what to do with the folder {}.
        people: how many.
        pixels: side of their textures or pictures.
        pictures: of each person; None where the layout decides.
    """

    use: str
    people: int
    pixels: int
    pictures: int | None = None


LAYOUTS = {
    "facescape": Usual("Train on them with data.root={}", 200, 256),
    "bp4d": Usual("Train on them with data.root={} data.dataset=bp4d", 41, 256),
    "affectnet": Usual("Prepare them with `facegen data prepare {}`", 500, 128, 20),
    "ffhq": Usual("Prepare them with `facegen data prepare {}`", 1000, 256, 1),
    "pairs": Usual("The pairs are listed in {}/train/prompts.jsonl", 100, 256),
}


def usual(field: str) -> str:
    """The usual numbers of all layouts, for help."""
    numbers = {layout: getattr(numbers, field) for layout, numbers in LAYOUTS.items()}
    return ", ".join(f"{number} in {layout}" for layout, number in numbers.items() if number is not None)


def population(layout: str, out: Path, seed: int, people: int | None, pixels: int | None, pictures: int | None) -> None:
    """Writes embedded people; what is None is as usual.

    Raises:
        ConfigError: a number of pictures below 1, or for a layout that decides it.
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
    if pictures is not None and numbers.pictures is None:
        raise ConfigError(f"--pictures: the layout {layout} decides how many each person has.")
    if pictures is not None and pictures < 1:
        raise ConfigError(f"--pictures {pictures}: a person has at least one.")
    people = numbers.people if people is None else people
    more = {} if numbers.pictures is None else {"pictures": numbers.pictures if pictures is None else pictures}
    writers[layout](out, people, seed, numbers.pixels if pixels is None else pixels, **more)
    say(f"{out}: {people} people. {numbers.use.format(out)}")
