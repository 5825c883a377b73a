"""What is measured of any model that turns meshes into codes and back: SAE, its ablation, the linear model."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from datamodules.config import MeshDataConfig
from datamodules.meshes import MeshDataModule
from facegen_core.errors import ConfigError
from facegen_core.metrics.functional.action_units import intensity_correlation, unit_f1
from facegen_core.metrics.functional.disentanglement import (
    linear_probe,
    retrieval_rank1,
    silhouette,
    split_within_groups,
)
from facegen_core.metrics.functional.vertex_error import vertex_error
from facegen_core.population.action_units import ACTION_UNITS, WITH_INTENSITY
from facegen_core.progress import track

Codes = tuple[Tensor, Tensor]


class Encoded(NamedTuple):
    """Codes of one split, and how well they give its meshes back.

    Attributes:
        identity_code: (N, D).
        expression_code: (N, E).
        identity: (N,) labels.
        expression: (N,) class labels, or (N, A) action units.
        error_mm: (N,) vertex error.
        aligned_error_mm: (N,) vertex error after rigid alignment.
    """

    identity_code: Tensor
    expression_code: Tensor
    identity: Tensor
    expression: Tensor
    error_mm: Tensor
    aligned_error_mm: Tensor


@torch.no_grad()
def encode_split(
    datamodule: MeshDataModule,
    split: str,
    encode: Callable[[Tensor], Codes],
    decode: Callable[[Tensor, Tensor], Tensor],
    mask: Tensor | None,
    device: torch.device,
) -> Encoded:
    """Encodes and reconstructs every mesh of a split.

    Args:
        datamodule: set up.
        split: "train", "val" or "test".
        encode: displacements (B, V, 3) -> identity codes (B, D), expression codes (B, E).
        decode: the two -> displacements (B, V, 3), mm.
        mask: (V,) bool, vertices whose error counts; all if None.
        device: where ``encode`` and ``decode`` live.
    """
    parts: list[tuple[Tensor, ...]] = []
    template = datamodule.template.to(device)
    for batch in track(datamodule.in_order(split), f"encode {split}", "batch"):
        meshes = batch["displacement"].to(device)
        identity, expression = encode(meshes)
        rebuilt, target = decode(identity, expression) + template, meshes + template
        errors = (vertex_error(rebuilt, target, mask, align) for align in (False, True))
        parts.append(tuple(x.cpu() for x in (identity, expression, batch["identity"], batch["expression"], *errors)))
    if not parts:
        raise ConfigError(f"the {split} split is empty: raise data.{split}_fraction or name data.{split}_identities.")
    return Encoded(*(torch.cat(column) for column in zip(*parts, strict=True)))


def measures(train: Encoded, test: Encoded, seed: int) -> dict[str, float]:
    """Figures of one model on held-out people.

    The probe of expressions is trained on the training people's codes and tested on the held-out people's. A probe of
    identities must have seen the people it names, so held-out people's meshes are halved, at random within each person.

    Args:
        train: the training people.
        test: the held-out people.
        seed: of the halving.
    """
    values = {
        "vertex_error_mm": float(test.error_mm.mean()),
        "vertex_error_median_mm": float(test.error_mm.double().quantile(0.5)),
        "vertex_error_aligned_mm": float(test.aligned_error_mm.mean()),
        "vertex_error_train_mm": float(train.error_mm.mean()),
    }
    if test.expression.ndim == 1:
        values |= _disentanglement(train, test, seed)
    return values


def _disentanglement(train: Encoded, test: Encoded, seed: int) -> dict[str, float]:
    half = split_within_groups(test.identity, seed)
    neutral = test.expression == 0
    asked = ~neutral & torch.isin(test.identity, test.identity[neutral])  # the others have no neutral mesh to be found
    return {
        "identity_retrieval": retrieval_rank1(
            test.identity_code[neutral], test.identity[neutral], test.identity_code[asked], test.identity[asked]
        ),
        "expression_from_expression_code": linear_probe(
            train.expression_code, train.expression, test.expression_code, test.expression
        ),
        "expression_from_identity_code": linear_probe(
            train.identity_code, train.expression, test.identity_code, test.expression
        ),
        "identity_from_identity_code": linear_probe(
            test.identity_code[half], test.identity[half], test.identity_code[~half], test.identity[~half]
        ),
        "identity_from_expression_code": linear_probe(
            test.expression_code[half], test.identity[half], test.expression_code[~half], test.identity[~half]
        ),
        "silhouette_identity_code_by_identity": silhouette(test.identity_code, test.identity),
        "silhouette_identity_code_by_expression": silhouette(test.identity_code, test.expression),
        "silhouette_expression_code_by_expression": silhouette(test.expression_code, test.expression),
        "silhouette_expression_code_by_identity": silhouette(test.expression_code, test.identity),
    }


def unit_measures(logits: Tensor, units: Tensor, intensity: Tensor) -> dict[str, float]:
    """How a classifier's logits (N, 34) agree with coded units (N, 34) and intensities (N, 5) of held-out people."""
    with_intensity = [list(ACTION_UNITS).index(unit) for unit in WITH_INTENSITY]
    return {
        "au_f1": float(unit_f1(logits, units).nanmean()),
        "au_f1_if_always_present": float(unit_f1(torch.ones_like(logits), units).nanmean()),
        "au_intensity_correlation": float(intensity_correlation(logits[:, with_intensity], intensity).nanmean()),
    }


def protocol(data: MeshDataConfig, vertex_mask: str | None) -> dict[str, str]:
    """How the figures were made, as tags that stand beside them in the tracker."""
    return {
        "protocol.split": "named people held out" if data.test_identities else "people held out by a fixed draw",
        "protocol.vertex_error_mm": f"{vertex_mask or 'all vertices'}, no alignment",
        "protocol.vertex_error_aligned_mm": "rotation and translation fitted on the same vertices, no scale",
        "judge.probes": "logistic regression on standardised codes",
    }


def read_vertex_mask(path: str | None, vertices: int) -> Tensor | None:
    """The vertices whose error counts; None without a path.

    Args:
        path: text or .npy file of indices from 0, or .npy of one bool for each vertex.
        vertices: how many the meshes have.

    Raises:
        ConfigError: the file cannot be read or names vertices the meshes do not have.
    """
    if path is None:
        return None
    try:
        given = np.load(path) if Path(path).suffix == ".npy" else np.loadtxt(path, dtype=np.int64, ndmin=1)
        indices = np.flatnonzero(given) if given.dtype == bool and given.shape == (vertices,) else given.ravel()
        if not len(indices) or not np.issubdtype(indices.dtype, np.integer) or indices.min() < 0:
            raise ValueError(f"it holds {given.dtype} of shape {given.shape}")
        mask = torch.zeros(vertices, dtype=torch.bool)
        mask[torch.from_numpy(indices.astype(np.int64))] = True
    except (OSError, ValueError, IndexError) as error:
        raise ConfigError(
            f"evaluation.vertex_mask={path}: expected a text or .npy file of vertex indices "
            f"from 0 to {vertices - 1} ({error})"
        ) from None
    return mask
