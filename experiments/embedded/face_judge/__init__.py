"""Stage FaceJudge: the embedded judges of identity and emotion, on what they are trained, and how they are measured."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.config import JudgeDataConfig
from experiments.schema import PopulationConfig, StageConfig
from facegen_core.errors import ConfigError
from facegen_core.methods.face_judge.config import FaceJudgeConfig

if TYPE_CHECKING:
    import lightning.pytorch as pl
    from PIL.Image import Image
    from torchmetrics import Metric

    from datamodules.judge_people import JudgeDataModule
    from lightning_modules.face_judge import FaceJudgeModule


@dataclass
class PhotographedConfig(PopulationConfig):
    """The embedded people, and the pictures of them.

    Attributes:
        seed: which people; not 0, the seed of people whom others are trained and tested on.
        pictures: of each person.
        faint: further pictures of each person, in turn a smile hardly to be seen and a face at rest: people smile less
            on photographs than they do here.
        pixels: side of the pictures.
    """

    seed: int = 4101
    pictures: int = 16
    faint: int = 2
    pixels: int = 128


@dataclass
class Config(StageConfig):
    """Settings of the FaceJudge stage.

    Attributes:
        data: the pictures.
        population: the embedded people used where ``data.root`` is null.
        model: networks, losses and augmentation.
    """

    data: JudgeDataConfig = field(default_factory=JudgeDataConfig)
    population: PhotographedConfig = field(default_factory=PhotographedConfig)
    model: FaceJudgeConfig = field(default_factory=FaceJudgeConfig)

    def check(self) -> None:
        super().check()
        if self.data.root is None and self.population.people < 6:
            raise ConfigError("population.people: 6 or more are needed, two to train on, two to validate and to test.")


def prepare(config: Config) -> None:
    """Takes the population's pictures if no folder of them is given and they are not there yet."""
    if config.data.root is None:
        from facegen_core.population.affectnet_layout import write_affectnet

        people = config.population
        write_affectnet(
            population_folder(config), people.people, people.seed, people.pixels, people.pictures, people.faint
        )


def population_folder(config: Config) -> Path:
    """Where the embedded people stand; those of another version of the population stay beside them."""
    from facegen_core.population.writing import VERSION

    people = config.population
    name = f"judge-{people.people}x{people.pictures}+{people.faint}-{people.pixels}px-seed{people.seed}-v{VERSION}"
    return Path(config.outputs) / "data" / name


def build_datamodule(config: Config) -> JudgeDataModule:
    """The reader of the pictures."""
    from datamodules.judge_people import JudgeDataModule

    data = replace(config.data, root=config.data.root or str(population_folder(config)))
    return JudgeDataModule(data, config.trainer.batch_size, config.seed)


def build_module(config: Config, datamodule: JudgeDataModule) -> FaceJudgeModule:
    """The networks, sized by the data."""
    from lightning_modules.face_judge import FaceJudgeModule

    units = list(datamodule.unit_names)
    return FaceJudgeModule(config.model, datamodule.num_people, units, config.optim, config.trainer.max_steps)


def build_callbacks(config: Config, datamodule: JudgeDataModule) -> list[pl.Callback]:
    """What is measured while it trains, on people held out."""
    from lightning_modules.callbacks.evaluator import Evaluator

    return [Evaluator(_metrics())]


def evaluate(
    config: Config, module: FaceJudgeModule, datamodule: JudgeDataModule
) -> tuple[dict[str, float], dict[str, Image], dict[str, str]]:
    """Figures on people held out, over all pairs of their pictures, whatever expression, pose, light and place."""
    import torch

    metrics = _metrics()
    with torch.no_grad():
        for batch in datamodule.test_dataloader():
            outputs = module.validation_step(batch, 0)
            for metric, fields in metrics.values():
                metric.update(*(outputs[name] for name in fields))
    values = {name: float(metric.compute()) for name, (metric, _) in metrics.items()}
    people = "embedded people held out"
    tags = {
        "protocol.identity_auc": f"all pairs of pictures of {people}",
        "protocol.emotion_accuracy": f"the judge itself, on pictures of {people}",
    }
    return values, {}, tags


def _metrics() -> dict[str, tuple[Metric, tuple[str, ...]]]:
    """As the Evaluator takes them: of identity, emotion and action units."""
    from torchmetrics import MeanSquaredError
    from torchmetrics.classification import MulticlassAccuracy

    from facegen_core.emotions import EMOTIONS
    from facegen_core.metrics.verification import VerificationAUC

    accuracy = MulticlassAccuracy(len(EMOTIONS), average="micro")
    return {
        "identity_auc": (VerificationAUC(), ("embedding", "identity")),
        "emotion_accuracy": (accuracy, ("emotion_logits", "emotion")),
        "unit_rmse": (MeanSquaredError(squared=False), ("unit_strengths", "units")),
    }


def export(run: Path, checkpoint: Path | None, out: Path) -> None:
    """Writes both judges and their card; see ``card.py``."""
    from experiments.embedded.face_judge.card import write_judges

    write_judges(run, checkpoint, out)
