"""The meshes that the stages of this paper read: whose they are, and the embedded people where none are given."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from datamodules.config import BP4DConfig
from experiments.schema import PopulationConfig, StageConfig
from facegen_core.errors import ConfigError
from facegen_core.types import ExpressionLabels

if TYPE_CHECKING:
    from datamodules.meshes import MeshDataModule

DatasetName = Literal["facescape", "bp4d"]
TITLES: dict[DatasetName, str] = {"facescape": "FaceScape", "bp4d": "BP4D"}
LABELS: dict[DatasetName, ExpressionLabels] = {"facescape": "classes", "bp4d": "action_units"}


@dataclass
class DataConfig(BP4DConfig):
    """The meshes. ``frames_per_sequence`` and ``frame_offset`` are for BP4D alone.

    Attributes:
        dataset: whose layout ``root`` has; embedded people that stand in are written in it too.
    """

    dataset: DatasetName = "facescape"


@dataclass
class MeshStageConfig(StageConfig):
    """What the stages that read meshes have in common.

    Attributes:
        data: the meshes.
        population: the embedded people used where ``data.root`` is null.
    """

    data: DataConfig = field(default_factory=DataConfig)
    population: PopulationConfig = field(default_factory=PopulationConfig)

    def check(self) -> None:
        super().check()
        if self.data.root is None and self.population.people < 1:
            raise ConfigError(
                f"data.root: no value. Give the folder of your {TITLES[self.data.dataset]} data, data.root=DIR, or use "
                "profile=demo, which brings people of its own."
            )


def prepare(config: MeshStageConfig) -> None:
    """Writes the population's meshes if they stand in for a data set and are not there yet."""
    if config.data.root is not None:
        return
    from facegen_core.population.bp4d_layout import write_bp4d
    from facegen_core.population.facescape_layout import write_facescape

    write = {"facescape": write_facescape, "bp4d": write_bp4d}[config.data.dataset]
    write(population_folder(config), config.population.people, config.population.seed)


def build_datamodule(config: MeshStageConfig) -> MeshDataModule:
    """The reader of the meshes."""
    from datamodules.bp4d import BP4DDataModule
    from datamodules.facescape import FaceScapeDataModule

    data = replace(config.data, root=config.data.root or str(population_folder(config)))
    reader = BP4DDataModule if data.dataset == "bp4d" else FaceScapeDataModule
    return reader(data, config.trainer.batch_size, config.seed)


def expression_labels(data: DataConfig, asked: ExpressionLabels | None) -> ExpressionLabels:
    """How the data are labelled.

    Raises:
        ConfigError: the settings ask for something else.
    """
    labels = LABELS[data.dataset]
    if asked not in (None, labels):
        raise ConfigError(
            f"model.expression_labels = {asked}: data.dataset={data.dataset} is labelled with {labels}. "
            "Leave the key out, or choose the other data set."
        )
    return labels


def population_folder(config: MeshStageConfig) -> Path:
    """Where the embedded people stand; those of another version of the population stay beside them."""
    from facegen_core.population.writing import VERSION

    name = f"{config.data.dataset}-{config.population.people}-seed{config.population.seed}-v{VERSION}"
    return Path(config.outputs) / "data" / name
