"""Stage ShapeCGAN of 3DFaceCAM: what is trained, on what, and what is measured."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.runs import find_run, stage_folder
from experiments.schema import StageConfig
from facegen_core.errors import ConfigError
from facegen_core.methods.face3d.config import CodeSizes, ShapeGANConfig

if TYPE_CHECKING:
    import lightning.pytorch as pl
    from PIL.Image import Image

    from datamodules.codes import CodesDataModule
    from lightning_modules.shape_cgan import ShapeCGANModule


@dataclass
class EvaluationConfig:
    """How much is drawn to measure a trained model.

    Attributes:
        pairs: pairs of faces a diversity is the mean of [P 4.2].
        samples: faces whose nearest training mesh is looked for [P 4.2].
    """

    pairs: int = 10000
    samples: int = 1000


@dataclass
class Config(StageConfig):
    """Settings of the ShapeCGAN stage.

    Attributes:
        sae: the trained SAE whose codes are learnt: "last", a run's name or its folder.
        identity_codes: file of the z_id table, for one that another run has; null draws a table beside the codes.
        model: networks and objective.
        evaluation: how much is drawn to measure it.
    """

    sae: str = "last"
    identity_codes: str | None = None
    model: ShapeGANConfig = field(default_factory=ShapeGANConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)


def settle(config: Config) -> None:
    """Replaces "last" by the run it means now, so that a resumed run goes on with the same one."""
    run = find_run(stage_folder(config.outputs, "face3d", "sae"), config.sae)
    config.sae = str(run)
    if config.identity_codes is None:
        kind = config.model.identity_code.replace("_", "-")
        config.identity_codes = str(run / f"z_id-{kind}-{config.model.identity_code_dim}-seed{config.seed}.safetensors")


def prepare(config: Config) -> None:
    """Encodes the meshes, and draws the z_id table if it is not there yet."""
    from datamodules.codes import CodeFile
    from experiments.face3d.codes import encode_meshes
    from facegen_core.methods.face3d.identity_codes import IdentityCodes

    path = encode_meshes(Path(config.sae))
    table = Path(config.identity_codes or "")
    if not table.is_file():
        model = config.model
        people = CodeFile.load(path).people
        IdentityCodes.draw(people, model.identity_code_dim, config.seed, model.identity_code).save(table)


def build_datamodule(config: Config) -> CodesDataModule:
    """The reader of the codes."""
    from datamodules.codes import CodesDataModule
    from experiments.face3d.codes import codes_path

    return CodesDataModule(codes_path(Path(config.sae)), config.trainer.batch_size, config.seed)


def build_module(config: Config, datamodule: CodesDataModule) -> ShapeCGANModule:
    """The networks, sized by the SAE and the data."""
    from facegen_core.methods.face3d.identity_codes import IdentityCodes
    from lightning_modules.shape_cgan import ShapeCGANModule

    file = datamodule.file
    codes = file.splits["train"]
    table = IdentityCodes.load(Path(config.identity_codes or "")).of_people(file.people)
    if table.kind != config.model.identity_code or (
        table.kind == "gaussian" and table.codes.shape[1] != config.model.identity_code_dim
    ):
        raise ConfigError(
            f"{config.identity_codes}: holds {table.kind} codes of length {table.codes.shape[1]}. Take another table, "
            f"or set model.identity_code={table.kind} and model.identity_code_dim={table.codes.shape[1]}."
        )
    sizes = CodeSizes(
        codes["identity_code"].shape[1],
        codes["expression_code"].shape[1],
        table.codes.shape[1],
        len(file.people),
        len(file.expression_names),
    )
    classifier = (file.classifier_weight, file.classifier_bias)
    return ShapeCGANModule(config.model, sizes, config.optim, table, classifier)


def build_callbacks(config: Config, datamodule: CodesDataModule) -> list[pl.Callback]:
    """What is measured while it trains: whether the SAE's classifier reads the expression that was asked for."""
    from torchmetrics import Metric
    from torchmetrics.classification import MulticlassAccuracy, MultilabelAccuracy

    from lightning_modules.callbacks.evaluator import Evaluator

    file = datamodule.file
    expressions = len(file.expression_names)
    accuracy: Metric
    if file.splits["train"]["expression"].ndim == 1:
        accuracy = MulticlassAccuracy(expressions, average="micro")
    else:
        accuracy = MultilabelAccuracy(expressions, average="micro", ignore_index=-1)
    return [Evaluator({"expression_accuracy_by_sae": (accuracy, ("expression_logits", "expression"))})]


def evaluate(
    config: Config, module: ShapeCGANModule, datamodule: CodesDataModule
) -> tuple[dict[str, float], dict[str, Image], dict[str, str]]:
    """Table 1's measures at level 1, whether the model does as asked, and the paper's figures of shapes.

    What only classes allow, the judge's figures, is left out where expressions are action units.
    """
    from experiments.face3d import sae
    from experiments.face3d.models import ShapeModel, load_autoencoder
    from experiments.face3d.shape_evaluation import Reference, control, table1
    from experiments.face3d.shape_figures import embeddings, level_figure, shape_figures
    from experiments.stage import open_data
    from facegen_core.config import load_config

    meshes = open_data(sae, load_config(sae.Config, Path(config.sae) / "config.yaml"))
    meshes.setup("test")
    model = ShapeModel(module, load_autoencoder(Path(config.sae)), datamodule.file)
    reference = Reference(meshes, config.evaluation.pairs, config.seed)
    values = table1(model, reference, config.evaluation.samples)
    pictures = shape_figures(model, config.seed)
    tags = {"protocol.diversity": "share of the training set's; new people, shared noise, expressions drawn uniformly"}
    if reference.judge is not None:
        values |= control(model, reference) | {f"real_{key}": value for key, value in reference.real.items()}
        pictures["figure-13-embeddings"] = embeddings(model, config.seed, people=50)
        pictures["figure-14-levels"] = level_figure(model, config.seed)
        tags["judge.expression_accuracy"] = "linear discriminants on principal components of people held out"
    return values, pictures, tags
