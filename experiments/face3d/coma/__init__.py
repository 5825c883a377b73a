"""Stage CoMA: the convolutional mesh auto-encoder of table 1, trained on the same meshes as 3DFaceCAM's networks."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from experiments.device import pick_device
from experiments.face3d.data import MeshStageConfig
from experiments.face3d.data import build_datamodule as build_datamodule  # a stage's own, see experiments/__init__.py
from experiments.face3d.data import prepare as prepare
from experiments.face3d.sae import EvaluationConfig
from facegen_core.methods.face3d.config import CoMAConfig, CoMAOptimConfig

if TYPE_CHECKING:
    import lightning.pytorch as pl
    from PIL.Image import Image

    from datamodules.meshes import MeshDataModule, MeshDataset
    from lightning_modules.coma import CoMAModule


@dataclass
class GenerationConfig(EvaluationConfig):
    """How reconstructed and new faces are measured.

    Attributes:
        pairs: pairs of faces for the diversity [P 10,000].
        samples: faces for the specificity [P 1000].
    """

    pairs: int = 10_000
    samples: int = 1000


@dataclass
class Config(MeshStageConfig):
    """Settings of the CoMA stage.

    Attributes:
        model: sizes of the networks.
        optim: how they are trained.
        evaluation: how faces are measured.
    """

    model: CoMAConfig = field(default_factory=CoMAConfig)
    optim: CoMAOptimConfig = field(default_factory=CoMAOptimConfig)  # type: ignore[assignment]  # not Adam's alone
    evaluation: GenerationConfig = field(default_factory=GenerationConfig)


def build_module(config: Config, datamodule: MeshDataModule) -> CoMAModule:
    """The networks on the data's mesh, standardising by its training meshes."""
    from facegen_core.methods.face3d.mesh_convolution import coordinate_statistics
    from lightning_modules.coma import CoMAModule

    training = _training_meshes(datamodule)
    return CoMAModule(
        config.model,
        config.optim,
        datamodule.template,
        datamodule.faces,
        *coordinate_statistics(training),
        steps_per_epoch=max(1, round(len(training) / config.trainer.global_batch)),
    )


def build_callbacks(config: Config, datamodule: MeshDataModule) -> list[pl.Callback]:
    """What is measured and drawn while it trains."""
    from facegen_core.metrics.vertex_error import VertexError
    from lightning_modules.callbacks.evaluator import Evaluator
    from lightning_modules.callbacks.mesh_pictures import MeshPictures

    return [
        Evaluator({"vertex_error_mm": (VertexError(), ("predicted", "target"))}),
        MeshPictures(datamodule.template, datamodule.faces),
    ]


def evaluate(
    config: Config, module: CoMAModule, datamodule: MeshDataModule
) -> tuple[dict[str, float], dict[str, Image], dict[str, str]]:
    """Figures and protocol of a trained CoMA: held-out people reconstructed, and new faces."""
    import torch

    from experiments.face3d.evaluation import encode_split, measures, protocol, read_vertex_mask
    from experiments.face3d.shape_evaluation import Reference, table1
    from facegen_core.methods.face3d.mesh_convolution import fit_codes

    model = module.model.to(pick_device(config.trainer.accelerator))
    mask = read_vertex_mask(config.evaluation.vertex_mask, datamodule.num_vertices)

    def encode(meshes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        code = model.encode(meshes)
        return code, code

    train, test = (
        encode_split(datamodule, split, encode, lambda code, _: model.decode(code), mask, model.mean.device)
        for split in ("train", "test")
    )
    values = measures(train, test, config.seed)
    reference = Reference(datamodule, config.evaluation.pairs, config.seed)
    values |= table1(fit_codes(model, reference.meshes), reference, config.evaluation.samples)
    tags = protocol(config.data, config.evaluation.vertex_mask)
    tags["protocol.specificity"] = "mean distance to the nearest training mesh, no alignment"
    tags["protocol.diversity"] = f"{config.evaluation.pairs} pairs, divided by the training set's"
    return values, {}, tags


def _training_meshes(datamodule: MeshDataModule) -> MeshDataset:
    from datamodules.meshes import MeshDataset

    training = datamodule.datasets["train"]
    assert isinstance(training, MeshDataset)
    return training
