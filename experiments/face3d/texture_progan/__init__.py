"""Stage TextureProGAN of 3DFaceCAM: what is trained, on what, and what is measured."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.config import TextureConfig
from experiments.face3d.data import DataConfig, MeshStageConfig, population_folder
from experiments.face3d.data import prepare as prepare  # a stage's own, see experiments/__init__.py
from experiments.runs import find_run, stage_folder
from facegen_core.config import load_config
from facegen_core.errors import ConfigError
from facegen_core.methods.face3d.config import TextureGANConfig, TextureSizes
from facegen_core.types import UNKNOWN

if TYPE_CHECKING:
    import lightning.pytorch as pl
    from PIL.Image import Image

    from datamodules.textures import TextureDataModule
    from lightning_modules.texture_progan import TextureProGANModule


@dataclass
class TextureDataConfig(DataConfig, TextureConfig):
    """Meshes as the other stages have them, whose textures are read."""


@dataclass
class EvaluationConfig:
    """How much is drawn to measure a trained model.

    Attributes:
        people: new people, each drawn with every expression.
    """

    people: int = 50


@dataclass
class Config(MeshStageConfig):
    """Settings of the TextureProGAN stage. The batch follows the growth; ``trainer.global_batch`` is its first.

    Attributes:
        data: the textures.
        identity_codes: the z_id table shared with the shape GAN: its file, or "last" for that of the shape GAN's run
            begun last.
        model: networks, losses and growth.
        evaluation: how much is drawn to measure it.
    """

    data: TextureDataConfig = field(default_factory=TextureDataConfig)
    identity_codes: str = "last"
    model: TextureGANConfig = field(default_factory=TextureGANConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def check(self) -> None:
        super().check()
        batches = self.model.growth.batch
        if self.trainer.global_batch != batches[0]:
            raise ConfigError(
                f"trainer.global_batch = {self.trainer.global_batch}: must be the first of "
                f"model.growth.batch = {batches}."
            )
        if self.trainer.accumulate != 1:
            raise ConfigError("trainer.accumulate: this stage takes 1, its batch follows model.growth.batch.")
        if any(batch % self.trainer.processes for batch in batches):
            raise ConfigError(
                f"trainer.devices = {self.trainer.devices}: model.growth.batch = {batches} cannot be shared out."
            )


def settle(config: Config) -> None:
    """Replaces "last" by the table it means now, so that a resumed run goes on with the same one.

    The table's people are those of the meshes its SAE was trained on: their textures are read unless a folder is given.
    """
    if config.identity_codes == "last":
        from experiments.face3d import sae, shape_cgan

        run = find_run(stage_folder(config.outputs, "face3d", "shape_cgan"), "last")
        shape: shape_cgan.Config = load_config(shape_cgan.Config, run / "config.yaml")
        config.identity_codes = str(shape.identity_codes)
        meshes: sae.Config = load_config(sae.Config, Path(shape.sae) / "config.yaml")
        if config.data.root is None:
            config.population = meshes.population
            for name, value in vars(meshes.data).items():
                setattr(config.data, name, value)


def build_datamodule(config: Config) -> TextureDataModule:
    """The reader of the textures."""
    from datamodules.bp4d import BP4DTextureDataModule
    from datamodules.facescape import FaceScapeTextureDataModule
    from facegen_core.methods.face3d.progressive import batch_at, phase_at, resolutions

    growth = config.model.growth
    data = config.data
    if data.root is None:  # embedded people have no mosaics
        data = replace(data, root=str(population_folder(config)), last_person=None)
    reader = BP4DTextureDataModule if data.dataset == "bp4d" else FaceScapeTextureDataModule
    return reader(
        data,
        resolutions(growth),
        lambda images: (*phase_at(images, growth), batch_at(images, growth)),
        growth.batch[-1],
        config.seed,
    )


def build_module(config: Config, datamodule: TextureDataModule) -> TextureProGANModule:
    """The networks, sized by the data and the z_id table."""
    import torch

    from facegen_core.methods.face3d.identity_codes import IdentityCodes
    from lightning_modules.texture_progan import TextureProGANModule

    table = IdentityCodes.load(Path(config.identity_codes)).of_people(torch.tensor(datamodule.people))
    sizes = TextureSizes(table.codes.shape[1], len(datamodule.people), datamodule.num_expressions, datamodule.whole)
    return TextureProGANModule(
        config.model, sizes, config.optim, datamodule.expression_names, table, datamodule.template()
    )


def build_callbacks(config: Config, datamodule: TextureDataModule) -> list[pl.Callback]:
    """What is measured and drawn while it trains: what the discriminator reads off textures of people held out."""
    from torchmetrics import Metric
    from torchmetrics.classification import MulticlassAccuracy, MultilabelAccuracy

    from lightning_modules.callbacks.evaluator import Evaluator
    from lightning_modules.callbacks.texture_pictures import TexturePictures

    accuracy: Metric
    if datamodule.has_classes:
        accuracy = MulticlassAccuracy(datamodule.num_expressions, average="micro")
    else:
        accuracy = MultilabelAccuracy(datamodule.num_expressions, average="micro", ignore_index=UNKNOWN)
    fields = ("expression_logits", "expression")
    return [Evaluator({"expression_accuracy": (accuracy, fields)}), TexturePictures()]


def evaluate(
    config: Config, module: TextureProGANModule, datamodule: TextureDataModule
) -> tuple[dict[str, float], dict[str, Image], dict[str, str]]:
    """Whether a judge, fitted on people held out, reads the expression asked for off textures of new people.

    The judge tells classes apart. Where expressions are action units, it is measured how many of them the critic reads
    right off real textures of people held out, which bounds what it can teach.
    """
    from experiments.face3d.models import TextureModel
    from experiments.face3d.texture_evaluation import judge_textures, unit_accuracy
    from experiments.face3d.texture_figures import texture_figures

    model = TextureModel(module)
    pictures = texture_figures(model, config.seed)
    if not datamodule.has_classes:
        return (
            {"real_unit_accuracy": unit_accuracy(module, datamodule)},
            pictures,
            {"judge.unit_accuracy": "the critic"},
        )
    values = judge_textures(model, datamodule, config.evaluation.people, config.seed)
    tags = {"judge.expression_accuracy": "linear discriminants on principal components of people held out"}
    return values, pictures, tags
