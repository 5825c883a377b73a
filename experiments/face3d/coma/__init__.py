"""Stage CoMA: the convolutional mesh auto-encoder of table 1, trained on the same meshes as 3DFaceCAM's networks."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from experiments.face3d.sae import Config as MeshConfig
from experiments.face3d.sae import EvaluationConfig, build_datamodule, prepare
from facegen_core.methods.face3d.config import CoMAConfig, CoMAOptimConfig

if TYPE_CHECKING:
    import lightning.pytorch as pl
    from PIL.Image import Image

    from datamodules.meshes import MeshDataModule, MeshDataset
    from lightning_modules.coma import CoMAModule

__all__ = ["Config", "build_callbacks", "build_datamodule", "build_module", "evaluate", "prepare"]


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
class Config(MeshConfig):
    """Settings of the CoMA stage: the SAE's data, other networks, another optimiser.

    Attributes:
        model: sizes of the networks.
        optim: how they are trained.
        evaluation: how faces are measured.
    """

    model: CoMAConfig = field(default_factory=CoMAConfig)  # type: ignore[assignment]
    optim: CoMAOptimConfig = field(default_factory=CoMAOptimConfig)  # type: ignore[assignment]
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
    from experiments.face3d.generation import generation_measures
    from facegen_core.methods.face3d.mesh_convolution import fit_codes
    from facegen_core.metrics.functional.diversity import training_diversity
    from facegen_core.metrics.specificity import Specificity

    model = module.model.to("cuda" if torch.cuda.is_available() else "cpu")
    mask = read_vertex_mask(config.evaluation.vertex_mask, datamodule.num_vertices)

    def encode(meshes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        code = model.encode(meshes)
        return code, code

    train, test = (
        encode_split(datamodule, split, encode, lambda code, _: model.decode(code), mask, model.mean.device)
        for split in ("train", "test")
    )
    training = _training_meshes(datamodule)
    counts = (config.evaluation.pairs, config.evaluation.samples)
    training_mm = training_diversity(training, training.identity, training.expression, counts[0], config.seed)
    sampler, specificity = fit_codes(model, training), Specificity(training)
    values = measures(train, test, config.seed)
    values |= generation_measures(sampler, specificity, training_mm, *counts, config.seed)
    tags = protocol(config.data, config.evaluation.vertex_mask)
    tags["protocol.specificity"] = "mean distance to the nearest training mesh, no alignment"
    tags["protocol.diversity"] = f"{counts[0]} pairs, divided by the training set's"
    return values, {}, tags


def _training_meshes(datamodule: MeshDataModule) -> MeshDataset:
    from datamodules.meshes import MeshDataset

    training = datamodule.datasets["train"]
    assert isinstance(training, MeshDataset)
    return training
