"""The pictures that the stages of this paper read: AffectNet's, and the embedded people's where none are given."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from datamodules.config import AffectNetConfig
from experiments.schema import PopulationConfig, StageConfig
from facegen_core.errors import ConfigError

if TYPE_CHECKING:
    from datamodules.affectnet import AffectNetDataModule


@dataclass
class PhotographedConfig(PopulationConfig):
    """The embedded people, and the pictures of them. Every tenth is held out.

    Attributes:
        pictures: of each person.
        pixels: side of the pictures, before the face is cut out at ``data.pixels``.
    """

    pictures: int = 16
    pixels: int = 128


@dataclass
class DataConfig(AffectNetConfig):
    """AffectNet as the paper has it: faces turned upright, not mirrored [P A.1, A]."""

    crop: Literal["auto", "as_is", "box", "align"] = "align"
    flip: bool = False


class Pictured(Protocol):
    """Settings of anything that reads pictures.

    Attributes:
        outputs: folder of all runs.
        data: the pictures.
        population: the embedded people used where ``data.root`` is null.
    """

    outputs: str
    data: DataConfig
    population: PhotographedConfig


@dataclass
class PictureStageConfig(StageConfig):
    """What the stages that read pictures have in common.

    Attributes:
        data: the pictures.
        population: the embedded people used where ``data.root`` is null.
    """

    data: DataConfig = field(default_factory=DataConfig)
    population: PhotographedConfig = field(default_factory=PhotographedConfig)

    def check(self) -> None:
        super().check()
        if self.data.root is None and self.population.people < 2:
            raise ConfigError(
                "data.root: no value. Give the folder of your AffectNet data, data.root=DIR, or use profile=demo, "
                "which brings people of its own."
            )


def prepare(config: Pictured) -> None:
    """Takes the population's pictures if they stand in for AffectNet and are not there yet."""
    if config.data.root is None:
        from facegen_core.population.affectnet_layout import write_affectnet

        people = config.population
        write_affectnet(population_folder(config), people.people, people.seed, people.pixels, people.pictures)


def build_datamodule(config: PictureStageConfig) -> AffectNetDataModule:
    """The reader of the pictures."""
    from datamodules.affectnet import AffectNetDataModule

    return AffectNetDataModule(located(config), config.trainer.batch_size, config.seed)


def located(config: Pictured) -> DataConfig:
    """Which pictures, with the folder they are in."""
    return replace(config.data, root=config.data.root or str(population_folder(config)))


def population_folder(config: Pictured) -> Path:
    """Where the embedded people stand; those of another version of the population stay beside them."""
    from facegen_core.population.writing import VERSION

    people = config.population
    name = f"affectnet-{people.people}x{people.pictures}-{people.pixels}px-seed{people.seed}-v{VERSION}"
    return Path(config.outputs) / "data" / name
