"""Models that need no training by gradient, fitted on the meshes that the stages are trained on."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from datamodules.meshes import MeshDataModule, MeshDataset
from experiments.face3d.evaluation import Codes, encode_split, measures, protocol, read_vertex_mask
from experiments.face3d.sae import Config
from experiments.face3d.shape_evaluation import Reference, table1
from experiments.memory import forget_peak_memory, peak_memory_gib
from experiments.runs import stage_folder
from experiments.stage import run_logger
from facegen_core.config import to_plain
from facegen_core.errors import FacegenError
from facegen_core.files import atomic_path
from facegen_core.methods.face3d.bilinear import BilinearModel, fit_bilinear
from facegen_core.methods.face3d.face_model import FaceModel
from facegen_core.methods.face3d.pca import fit_pca
from facegen_core.methods.face3d.separate_pca import SeparateLinearModel, fit_separate_pca
from facegen_core.progress import say

COMPONENTS = 130
"""As many numbers as the SAE's two codes together."""

Fitted = tuple[FaceModel, Callable[[Tensor], Codes], Callable[[Tensor, Tensor], Tensor]]
"""A model; meshes (B, V, 3) -> codes of identity and of expression; the two -> meshes."""


def measure_baselines(
    config: Config, datamodule: MeshDataModule, reference: Reference, samples: int
) -> dict[str, dict[str, float]]:
    """Rows of tables 1 and 2: a linear model of whole faces, one of people and motions apart, a bilinear one.

    The latter two are left out where expressions are no classes. The first has one code, which stands for both.

    Args:
        config: an SAE's, whose data and protocol they share; the runs they are recorded as are named after it.
        datamodule: set up.
        reference: what new faces are measured against.
        samples: faces whose nearest training mesh is looked for.

    Returns:
        Row -> figures.
    """
    train: MeshDataset = datamodule.datasets["train"]  # type: ignore[assignment]
    fits = {"pca": partial(_whole, train)}
    if train.expression.ndim == 1:
        fits |= {
            "separate_pca": partial(_parts, fit_separate_pca, train),
            "bilinear": partial(_parts, fit_bilinear, train),
        }
    rows = {}
    for name, fit in fits.items():
        try:
            rows[name] = _measure(name, fit, config, datamodule, reference, samples)
        except FacegenError as error:  # too few people, or an expression that nobody shows
            say(f"{name} is left out: {error}")
    return rows


def _whole(train: MeshDataset) -> Fitted:
    model = fit_pca(train, COMPONENTS)
    return model, lambda meshes: (model.encode(meshes),) * 2, lambda code, _: model.decode(code)


def _parts(fit: Callable[..., SeparateLinearModel | BilinearModel], train: MeshDataset) -> Fitted:
    model = fit(train, train.identity, train.expression)
    return model, model.encode, model.decode


def _measure(
    name: str,
    fit: Callable[[], Fitted],
    config: Config,
    datamodule: MeshDataModule,
    reference: Reference,
    samples: int,
) -> dict[str, float]:
    say(f"fit {name}")
    forget_peak_memory()
    model, encode, decode = fit()
    mask = read_vertex_mask(config.evaluation.vertex_mask, datamodule.num_vertices)
    cpu = torch.device("cpu")
    train, test = (encode_split(datamodule, split, encode, decode, mask, cpu) for split in ("train", "test"))
    values = measures(train, test, config.seed) | table1(model, reference, samples)
    values |= {"parameters": _parameters(model), "peak_memory_gib": peak_memory_gib()}
    _record(name, values, replace(config, name=f"{config.name}-{name}"), datamodule.digest())
    return values


def _parameters(model: object) -> int:
    """Numbers that say what faces look like; those by which codes are drawn or fitted do not count."""
    if isinstance(model, SeparateLinearModel):
        return _parameters(model.identity) + _parameters(model.expression) - model.expression.mean.numel()
    parts = ("mean", "components", "core", "expression_weights")
    return sum(getattr(model, part).numel() for part in parts if hasattr(model, part))


def _record(name: str, values: dict[str, float], config: Config, digest: str) -> None:
    run = stage_folder(config.outputs, "face3d", "baselines") / str(config.name)
    run.mkdir(parents=True, exist_ok=True)
    with atomic_path(run / "metrics.json") as temporary:
        temporary.write_text(json.dumps(values, indent=1) + "\n")
    tags = {"data.digest": digest} | protocol(config.data, config.evaluation.vertex_mask)
    logger = run_logger("face3d", name, config, run, tags)
    logger.log_hyperparams({"data": to_plain(config.data)})
    logger.log_metrics({f"test/{key}": value for key, value in values.items()}, step=0)
    logger.finalize("success")
