"""Stage SAE of 3DFaceCAM: what is trained, on what, and what is measured."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from experiments.device import pick_device
from experiments.face3d.data import MeshStageConfig, expression_labels
from experiments.face3d.data import build_datamodule as build_datamodule  # a stage's own, see experiments/__init__.py
from experiments.face3d.data import prepare as prepare
from facegen_core.methods.face3d.config import MeshSizes, SAEConfig

if TYPE_CHECKING:
    import lightning.pytorch as pl
    from PIL.Image import Image

    from datamodules.meshes import MeshDataModule
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
class Config(MeshStageConfig):
    """Settings of the SAE stage.

    Attributes:
        model: networks and loss weights.
        evaluation: how errors are measured.
    """

    model: SAEConfig = field(default_factory=SAEConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def check(self) -> None:
        super().check()
        expression_labels(self.data, self.model.expression_labels)


def build_module(config: Config, datamodule: MeshDataModule) -> SAEModule:
    """The networks, sized by the data."""
    from lightning_modules.sae import SAEModule

    sizes = MeshSizes(datamodule.num_vertices, datamodule.num_identities, datamodule.num_expressions)
    labels = expression_labels(config.data, config.model.expression_labels)
    return SAEModule(replace(config.model, expression_labels=labels), sizes, config.optim)


def build_callbacks(config: Config, datamodule: MeshDataModule) -> list[pl.Callback]:
    """What is measured and drawn while it trains."""
    from torchmetrics import Metric
    from torchmetrics.classification import MulticlassAccuracy, MultilabelAccuracy

    from facegen_core.metrics.vertex_error import VertexError
    from lightning_modules.callbacks.evaluator import Evaluator
    from lightning_modules.callbacks.mesh_pictures import MeshPictures

    accuracy: Metric
    if expression_labels(config.data, config.model.expression_labels) == "classes":
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
    config: Config, module: SAEModule, datamodule: MeshDataModule
) -> tuple[dict[str, float], dict[str, Image], dict[str, str]]:
    """Figures, pictures and protocol of a trained SAE on held-out people; see ``experiments/face3d/evaluation.py``."""
    from torchmetrics.functional.classification import multiclass_accuracy

    from datamodules.bp4d import BP4DDataModule
    from experiments.face3d.evaluation import encode_split, measures, protocol, read_vertex_mask, unit_measures
    from facegen_core.reporting.embedding_figure import embedding_figure

    device = pick_device(config.trainer.accelerator)
    model = module.model.to(device)
    mask = read_vertex_mask(config.evaluation.vertex_mask, datamodule.num_vertices)
    train, test = (
        encode_split(datamodule, split, model.encode, model.decode, mask, device) for split in ("train", "test")
    )
    values = measures(train, test, config.seed)
    tags = protocol(config.data, config.evaluation.vertex_mask)
    logits = model.expression_classifier(test.expression_code.to(device)).detach().cpu()
    if isinstance(datamodule, BP4DDataModule):
        tags["protocol.unit"] = datamodule.unit
        if config.model.expression_weight > 0:
            values |= unit_measures(logits, test.expression, datamodule.intensity["test"])
            tags["judge.au_f1"] = "the SAE's own classifier"
        return values, {}, tags
    if config.model.expression_weight > 0:
        accuracy = multiclass_accuracy(logits, test.expression, datamodule.num_expressions, average="micro")
        values["expression_accuracy"] = float(accuracy)
        tags["judge.expression_accuracy"] = "the SAE's own classifier"
    codes = {config.name or "codes": (test.identity_code, test.expression_code)}
    return values, {"embedding": embedding_figure(codes, test.identity, test.expression, config.seed)}, tags
