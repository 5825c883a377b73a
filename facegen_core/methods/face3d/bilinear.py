"""The bilinear (multilinear) model of faces: people x expressions, by higher-order singular value decomposition."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facegen_core.errors import FacegenError
from facegen_core.metrics.functional.mesh_distance import MeshRows, read_meshes
from facegen_core.progress import say

COORDINATES_AT_A_TIME = 8192
ROUNDS = 20
"""Of alternating least squares: enough to settle to a thousandth of a millimetre on the embedded people."""


class BilinearModel(NamedTuple):
    """A mesh is ``mean + sum_af p_a q_f core[a, f]``; see ``face_model.FaceModel``.

    Attributes:
        mean: (3V,), mm.
        core: (A, F, 3V) float32, mm.
        identity_mean: (A,) of the weights ``p`` of training people.
        identity_factor: (A, A) new people are ``identity_mean + n @ identity_factor``, n from N(0, I).
        expression_weights: (E, F) the weights ``q`` of each expression label.
        products: (F F, A A) float64, inner products of the core's meshes: all that fitting weights needs of them.
        inverse: (A F, A F) float64, pseudo-inverse of the same products, of meshes ordered as the core holds them.
    """

    mean: Tensor
    core: Tensor
    identity_mean: Tensor
    identity_factor: Tensor
    expression_weights: Tensor
    products: Tensor
    inverse: Tensor

    @property
    def expressions(self) -> int:
        """As many as there were labels."""
        return len(self.expression_weights)

    def draw_identity(self, count: int, generator: torch.Generator) -> Tensor:
        """Identity weights (count, A)."""
        normal = torch.randn(count, len(self.identity_mean), generator=generator)
        return self.identity_mean + normal @ self.identity_factor

    def draw_noise(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, 0): everybody does an expression with the learnt weights."""
        return torch.empty(count, 0)

    def generate(self, identity: Tensor, expression: Tensor, noise: Tensor) -> Tensor:
        """Displacements (B, V, 3), mm."""
        return self.decode(identity, self.expression_weights[expression])

    def decode(self, identity: Tensor, expression: Tensor) -> Tensor:
        """Displacements (B, V, 3), mm, of identity weights (B, A) and expression weights (B, F)."""
        weights = (identity[:, :, None] * expression[:, None]).flatten(1)
        return (self.mean + weights @ self.core.flatten(0, 1)).unflatten(1, (-1, 3))

    def encode(self, displacement: Tensor) -> tuple[Tensor, Tensor]:
        """Identity weights (B, A) and expression weights (B, F) of meshes (B, V, 3), mm.

        With one factor held, the other is a linear least-squares problem in the core's inner products, so no round
        looks at the vertices again. It starts at the expression, of those learnt and the one of the best free mixture
        of the core's meshes, that explains most of a mesh; the last is the answer itself for a mesh of the model.
        """
        seen = (displacement.flatten(1) - self.mean) @ self.core.flatten(0, 1).T
        mixture = (seen.double() @ self.inverse).unflatten(1, self.core.shape[:2])
        seen = seen.double().unflatten(1, self.core.shape[:2])  # (B, A, F)
        mixed = torch.linalg.svd(mixture, full_matrices=False).Vh[:, 0]
        starts = [weights.expand_as(mixed) for weights in self.expression_weights.double()] + [mixed]
        explained = torch.stack([(self._fit_identity(seen, s) * (seen @ s[:, :, None])[..., 0]).sum(1) for s in starts])
        expression = torch.stack(starts)[explained.argmax(0), torch.arange(len(seen), device=seen.device)]
        identity = self._fit_identity(seen, expression)
        for _ in range(ROUNDS):
            expression = self._fit_expression(seen, identity)
            expression = expression / expression.norm(dim=1, keepdim=True).clamp(min=1e-12)  # the scale is free
            identity = self._fit_identity(seen, expression)
        return identity.float(), expression.float()

    def _fit_identity(self, seen: Tensor, expression: Tensor) -> Tensor:
        """Best identity weights (B, A) for expression weights (B, F), given inner products with the core (B, A, F)."""
        squares = torch.einsum("bf,bg->bfg", expression, expression).flatten(1)
        systems = (squares @ self.products).unflatten(1, 2 * self.core.shape[:1])
        return torch.linalg.solve(_ridge(systems), torch.einsum("baf,bf->ba", seen, expression))

    def _fit_expression(self, seen: Tensor, identity: Tensor) -> Tensor:
        """Best expression weights (B, F) for identity weights (B, A)."""
        squares = torch.einsum("ba,bc->bac", identity, identity).flatten(1)
        systems = (squares @ self.products.T).unflatten(1, 2 * self.core.shape[1:2])
        return torch.linalg.solve(_ridge(systems), torch.einsum("baf,ba->bf", seen, identity))


def fit_bilinear(
    meshes: MeshRows, identity: Tensor, expression: Tensor, identity_rank: int = 100, expression_rank: int = 30
) -> BilinearModel:
    """HOSVD of the tensor people x expressions x coordinates, truncated in the first two modes.

    The tensor is never held: its singular vectors come from the small matrices of inner products of each mode, and the
    core is summed one expression at a time. People who lack an expression are left out.

    Args:
        meshes: (M, V, 3), mm; may be a memory map.
        identity: (M,) labels.
        expression: (M,) class labels from 0.
        identity_rank: weights of a person, at most as many as people.
        expression_rank: weights of an expression, at most as many as labels.

    Raises:
        FacegenError: fewer than two people have every expression.
    """
    rows = _complete_people(identity.numpy(), expression.numpy())
    people, labels = rows.shape
    mean = torch.zeros(read_meshes(meshes, rows[0, :1]).numel(), dtype=torch.float64)
    for own in rows:
        mean += read_meshes(meshes, own).double().mean(0).flatten() / people
    between_labels = torch.zeros(labels, labels, dtype=torch.float64)
    for own in rows:
        block = read_meshes(meshes, own).double().flatten(1) - mean
        between_labels += block @ block.T
    between_people = torch.zeros(people, people, dtype=torch.float64)
    for column in rows.T:
        block = read_meshes(meshes, column).flatten(1)
        for part, centre in zip(block.split(COORDINATES_AT_A_TIME, 1), mean.split(COORDINATES_AT_A_TIME), strict=True):
            centred = part.double() - centre
            between_people += centred @ centred.T
    person, label = _leading(between_people, identity_rank), _leading(between_labels, expression_rank)
    core = torch.zeros(person.shape[1], label.shape[1], len(mean))
    for column, weights in zip(rows.T, label, strict=True):
        part = person.T.float() @ (read_meshes(meshes, column).flatten(1) - mean.float())
        for i, weight in enumerate(weights.tolist()):
            core[:, i].add_(part, alpha=weight)
    values, vectors = torch.linalg.eigh(person.T.cov())
    factor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    products = _inner_products(core)
    inverse = torch.linalg.pinv(products, hermitian=True, rtol=1e-8)
    a, f = core.shape[:2]
    by_factor = products.view(a, f, a, f).permute(1, 3, 0, 2).reshape(f * f, a * a)
    return BilinearModel(mean.float(), core, person.mean(0).float(), factor.float(), label.float(), by_factor, inverse)


def _complete_people(identity: npt.NDArray[np.int64], expression: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Rows (P, E) of the meshes of people who have every expression; the first of repeated ones."""
    people, person = np.unique(identity, return_inverse=True)
    table = np.full((len(people), int(expression.max()) + 1), -1)
    table[person[::-1], expression[::-1]] = np.arange(len(person))[::-1]
    complete = (table >= 0).all(axis=1)
    if complete.sum() < 2:
        raise FacegenError(
            f"bilinear model: {complete.sum()} of {len(people)} people have all {table.shape[1]} expressions; "
            "it needs two who do."
        )
    if not complete.all():
        say(f"bilinear model: {(~complete).sum()} of {len(people)} people lack an expression and are left out")
    rows: npt.NDArray[np.int64] = table[complete]
    return rows


def _leading(products: Tensor, rank: int) -> Tensor:
    """The eigenvectors of largest eigenvalue, as columns."""
    return torch.linalg.eigh(products).eigenvectors.flip(1)[:, :rank]


def _inner_products(core: Tensor) -> Tensor:
    """Inner products (A F, A F) of the core's meshes, in float64."""
    flat = core.flatten(0, 1)
    total = torch.zeros(len(flat), len(flat), dtype=torch.float64)
    for part in flat.split(COORDINATES_AT_A_TIME, dim=1):
        total += part.double() @ part.double().T
    return total


def _ridge(systems: Tensor) -> Tensor:
    """Normal equations with a trace of a ridge: weights that nothing depends on become zero."""
    size = systems.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
    return systems + (1e-10 * size + 1e-30) * torch.eye(systems.shape[1], dtype=systems.dtype, device=systems.device)
