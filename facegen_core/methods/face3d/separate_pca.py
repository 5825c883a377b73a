"""The linear 3D morphable model with one basis for people and one for what their faces do."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facegen_core.errors import FacegenError
from facegen_core.methods.face3d.pca import LinearModel, fit_pca
from facegen_core.metrics.functional.mesh_distance import MeshRows, stream_meshes

Rows = npt.NDArray[np.int64]


class SeparateLinearModel(NamedTuple):
    """A mesh is a neutral face plus a difference: ``mean + a @ U + b @ W``; see ``face_model.FaceModel``.

    Attributes:
        identity: fitted to neutral meshes; people are codes ``a`` from N(0, variance).
        expression: fitted to differences from the same person's neutral, around zero, so that ``b = 0`` is neutral.
        label_mean: (E, K) mean of ``b`` of each expression label.
        label_factor: (E, K, K) noise ``n`` from N(0, I) becomes ``b = label_mean + n @ label_factor``.
        inverse: (D + K, D + K) pseudo-inverse of the inner products of both bases, which are not orthogonal to each
            other.
    """

    identity: LinearModel
    expression: LinearModel
    label_mean: Tensor
    label_factor: Tensor
    inverse: Tensor

    @property
    def expressions(self) -> int:
        """As many as there were labels."""
        return len(self.label_mean)

    def draw_identity(self, count: int, generator: torch.Generator) -> Tensor:
        """Identity codes (count, D)."""
        return self.identity.draw_identity(count, generator)

    def draw_noise(self, count: int, generator: torch.Generator) -> Tensor:
        """How each face does its expression, (count, K), standard normal."""
        return torch.randn(count, self.label_mean.shape[1], generator=generator)

    def generate(self, identity: Tensor, expression: Tensor, noise: Tensor) -> Tensor:
        """Displacements (B, V, 3), mm."""
        codes = self.label_mean[expression] + torch.einsum("bk,bkl->bl", noise, self.label_factor[expression])
        return self.decode(identity, codes)

    def encode(self, displacement: Tensor) -> tuple[Tensor, Tensor]:
        """Least-squares identity codes (B, D) and expression codes (B, K) of meshes (B, V, 3), mm, fitted together."""
        basis = torch.cat([self.identity.components, self.expression.components])
        codes = (displacement.flatten(1) - self.identity.mean) @ basis.T @ self.inverse
        identity, expression = codes.split([len(self.identity.components), len(self.expression.components)], 1)
        return identity, expression

    def decode(self, identity: Tensor, expression: Tensor) -> Tensor:
        """Displacements (B, V, 3), mm, of identity codes (B, D) and expression codes (B, K)."""
        return self.identity.decode(identity) + self.expression.decode(expression)


def fit_separate_pca(
    meshes: MeshRows,
    identity: Tensor,
    expression: Tensor,
    identity_components: int = 100,
    expression_components: int = 30,
    neutral: int = 0,
) -> SeparateLinearModel:
    """Fits both bases and the distribution of each expression label.

    People without a neutral mesh are left out.

    Args:
        meshes: (M, V, 3), mm; may be a memory map.
        identity: (M,) labels.
        expression: (M,) class labels, each of 0..E-1 at least once.
        identity_components: how many; as many as the SAE's identity code by default.
        expression_components: the same for expressions.
        neutral: the label of the neutral expression.

    Raises:
        FacegenError: too few people with a neutral mesh or with anything else, or a label without a mesh.
    """
    neutrals, moved = _neutral_rows(identity.numpy(), expression.numpy(), neutral)
    if len(neutrals) < 2 or len(moved) < 2:
        raise FacegenError(
            f"separate linear model: {len(neutrals)} people have a neutral mesh (expression label {neutral}) and "
            f"{len(moved)} other meshes go with them; it needs two of each."
        )
    people = fit_pca(_Rows(meshes, neutrals), identity_components)
    differences = _Rows(meshes, moved[:, 0], moved[:, 1])
    motions = fit_pca(differences, expression_components, centred=False)
    codes = torch.cat([motions.encode(block) for _, block in stream_meshes(differences)]).double()
    mean, factor = _label_gaussians(
        codes, expression[torch.from_numpy(moved[:, 0])], int(expression.max()) + 1, neutral
    )
    basis = torch.cat([people.components, motions.components]).double()
    return SeparateLinearModel(
        people, motions, mean, factor, torch.linalg.pinv(basis @ basis.T, hermitian=True).float()
    )


class _Rows:
    """Some meshes of a set, minus others of it if given, read when asked for."""

    def __init__(self, meshes: MeshRows, rows: Rows, minus: Rows | None = None) -> None:
        self.meshes, self.rows, self.minus = meshes, rows, minus

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: slice | Rows) -> npt.NDArray[np.float32]:
        read = self.meshes[self.rows[part]]
        return read if self.minus is None else read - self.meshes[self.minus[part]]


def _neutral_rows(identity: Rows, expression: Rows, neutral: int) -> tuple[Rows, Rows]:
    """Row of each person's first neutral mesh (P,); and (other row, the same person's neutral row), (Q, 2)."""
    found = np.flatnonzero(expression == neutral)
    people, first = np.unique(identity[found], return_index=True)
    row_of = dict(zip(people.tolist(), found[first].tolist(), strict=True))
    others = np.flatnonzero((expression != neutral) & np.isin(identity, people))
    pairs = [(row, row_of[person]) for row, person in zip(others.tolist(), identity[others].tolist(), strict=True)]
    return found[first], np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _label_gaussians(codes: Tensor, labels: Tensor, count: int, neutral: int) -> tuple[Tensor, Tensor]:
    """Mean (E, K) and factor (E, K, K) of the codes of each label; the neutral one is exactly zero."""
    means, factors = (torch.zeros(count, *shape) for shape in (codes.shape[1:], 2 * codes.shape[1:]))
    for label in range(count):
        own = codes[labels == label]
        if label == neutral:
            continue
        if not len(own):
            raise FacegenError(f"separate linear model: no mesh has expression label {label} of 0 to {count - 1}.")
        means[label] = own.mean(0).float()
        if len(own) > 1:
            values, vectors = torch.linalg.eigh(own.T.cov())
            factors[label] = (vectors * values.clamp(min=0).sqrt() @ vectors.T).float()
    return means, factors
