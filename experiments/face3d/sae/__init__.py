"""Stage SAE of 3DFaceCAM: what is trained, on what, and what is measured."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from datamodules.config import FaceScapeConfig
from experiments.schema import PopulationConfig, StageConfig
from facegen_core.errors import ConfigError
from facegen_core.methods.face3d.config import MeshSizes, SAEConfig

if TYPE_CHECKING:
    import lightning.pytorch as pl
    from PIL.Image import Image

    from datamodules.facescape import FaceScapeDataModule
    from lightning_modules.sae import SAEModule


@dataclass
class EvaluationConfig:
    """How errors are measured.

    Attributes:
        vertex_mask: text or .npy file of the 0-based vertices whose error counts, as table 2 counts front vertices; all
            if null.
    """

    vertex_mask: str | None = None


@dataclass
class Config(StageConfig):
    """Settings of the SAE stage.

    Attributes:
        data: the meshes.
        population: the embedded people used where ``data.root`` is null.
        model: networks and loss weights.
        evaluation: how errors are measured.
    """

    data: FaceScapeConfig = field(default_factory=FaceScapeConfig)
    population: PopulationConfig = field(default_factory=PopulationConfig)
    model: SAEConfig = field(default_factory=SAEConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def check(self) -> None:
        super().check()
        if self.model.expression_labels == "action_units":
            raise ConfigError("model.expression_labels = action_units: FaceScape's labels are classes.")
        if self.data.root is None and self.population.people < 1:
            raise ConfigError(
                "data.root: no value. Give the folder of your FaceScape data, data.root=DIR, or use profile=demo, "
                "which brings people of its own."
            )


def prepare(config: Config) -> None:
    """Writes the population's meshes if they stand in for a data set and are not there yet."""
    if config.data.root is None:
        from facegen_core.population.facescape_layout import write_facescape

        write_facescape(_population_folder(config), config.population.people, config.population.seed)


def build_datamodule(config: Config) -> FaceScapeDataModule:
    """The reader of the meshes."""
    import dataclasses

    from datamodules.facescape import FaceScapeDataModule

    data = dataclasses.replace(config.data, root=config.data.root or str(_population_folder(config)))
    return FaceScapeDataModule(data, config.trainer.batch_size, config.seed)


def build_module(config: Config, datamodule: FaceScapeDataModule) -> SAEModule:
    """The networks, sized by the data."""
    from lightning_modules.sae import SAEModule

    sizes = MeshSizes(datamodule.num_vertices, datamodule.num_identities, datamodule.num_expressions)
    return SAEModule(config.model, sizes, config.optim)


def build_callbacks(config: Config, datamodule: FaceScapeDataModule) -> list[pl.Callback]:
    """What is measured and drawn while it trains."""
    from torchmetrics import Metric
    from torchmetrics.classification import MulticlassAccuracy, MultilabelAccuracy

    from facegen_core.metrics.vertex_error import VertexError
    from lightning_modules.callbacks.evaluator import Evaluator
    from lightning_modules.callbacks.mesh_pictures import MeshPictures

    accuracy: Metric
    if config.model.expression_labels == "classes":
        accuracy = MulticlassAccuracy(datamodule.num_expressions, average="micro")
    else:
        accuracy = MultilabelAccuracy(datamodule.num_expressions, average="micro", ignore_index=-1)
    evaluator = Evaluator(
        {
            "vertex_error_mm": (VertexError(), ("predicted", "target")),
            "expression_accuracy": (accuracy, ("expression_logits", "expression")),
        }
    )
    return [evaluator, MeshPictures(datamodule.template, datamodule.faces)]


def evaluate(
    config: Config, module: SAEModule, datamodule: FaceScapeDataModule
) -> tuple[dict[str, float], dict[str, Image], dict[str, str]]:
    """Figures, pictures and protocol of a trained SAE on held-out people; see ``experiments/face3d/evaluation.py``."""
    import torch
    from torchmetrics.functional.classification import multiclass_accuracy

    from experiments.face3d.evaluation import encode_split, measures, protocol, read_vertex_mask
    from facegen_core.reporting.embedding_figure import embedding_figure

    on_gpu = torch.cuda.is_available() and config.trainer.accelerator != "cpu"
    model = module.model.to("cuda" if on_gpu else "cpu")
    device = next(model.parameters()).device
    mask = read_vertex_mask(config.evaluation.vertex_mask, datamodule.num_vertices)
    train, test = (
        encode_split(datamodule, split, model.encode, model.decode, mask, device) for split in ("train", "test")
    )
    values = measures(train, test, config.seed)
    tags = protocol(config.data, config.evaluation.vertex_mask)
    if test.expression.ndim > 1:
        return values, {}, tags
    if config.model.expression_weight > 0:
        logits = model.expression_classifier(test.expression_code.to(device)).detach().cpu()
        accuracy = multiclass_accuracy(logits, test.expression, datamodule.num_expressions, average="micro")
        values["expression_accuracy"] = float(accuracy)
        tags["judge.expression_accuracy"] = "the SAE's own classifier"
    codes = {config.name or "codes": (test.identity_code, test.expression_code)}
    return values, {"embedding": embedding_figure(codes, test.identity, test.expression, config.seed)}, tags


def _population_folder(config: Config) -> Path:
    return Path(config.outputs) / "data" / f"facescape-{config.population.people}-seed{config.population.seed}"
