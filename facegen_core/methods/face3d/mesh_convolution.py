"""CoMA: Ranjan et al., "Generating 3D faces using convolutional mesh autoencoders", ECCV 2018.

Spectral convolutions on the mesh's edges, with pooling to coarser meshes between them. Features are kept as
(V, B, C), vertices first, so that a sparse matrix and a choice of vertices act on them without copying.
"""

import warnings
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facegen_core.geometry.hierarchy import coarsen, scaled_laplacian
from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.methods.face3d.config import CoMAConfig
from facegen_core.metrics.functional.mesh_distance import MeshRows, stream_meshes

warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")

INITIAL_STD, INITIAL_BIAS = 0.1, 0.1  # [C]
LEAST_STD_MM = 1e-3
"""Coordinates that hardly move are not blown up when meshes are standardised."""


class Graph(nn.Module):
    """A mesh's scaled Laplacian as buffers that travel in checkpoints.

    Args:
        faces: (F, 3) triangles.
        count: number of vertices.
    """

    start: Tensor
    column: Tensor
    value: Tensor

    def __init__(self, faces: Indices, count: int) -> None:
        super().__init__()
        laplacian = scaled_laplacian(faces, count)
        laplacian.sort_indices()
        self.register_buffer("start", torch.from_numpy(laplacian.indptr.astype(np.int32)))
        self.register_buffer("column", torch.from_numpy(laplacian.indices.astype(np.int32)))
        self.register_buffer("value", torch.from_numpy(laplacian.data))

    def forward(self, x: Tensor) -> Tensor:
        """The Laplacian times features (V, B, C)."""
        product: Tensor = _SymmetricProduct.apply(
            self.start, self.column, self.value, x.float().contiguous().flatten(1)
        )
        return product.view_as(x)


class ChebyshevConvolution(nn.Module):
    """``sum_k T_k(L) x W_k`` with Chebyshev polynomials T_k of the scaled Laplacian L (Defferrard et al. 2016).

    Where there are fewer outputs than inputs, the sum is taken by Clenshaw's recurrence on the outputs: the same
    function, with sparse products of the narrower features.

    Args:
        inputs: features in.
        outputs: features out.
        order: number of polynomials, 1 or more.
    """

    def __init__(self, inputs: int, outputs: int, order: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(order, inputs, outputs))
        _truncated_normal(self.weight)

    def forward(self, x: Tensor, laplacian: Graph) -> Tensor:
        """Features (V, B, outputs) of features (V, B, inputs)."""
        order, inputs, outputs = self.weight.shape
        return self._clenshaw(x, laplacian) if outputs < inputs and order > 1 else self._sum(x, laplacian)

    def _sum(self, x: Tensor, laplacian: Graph) -> Tensor:
        terms = [x]
        for k in range(1, len(self.weight)):
            terms.append(laplacian(x) if k == 1 else 2 * laplacian(terms[-1]) - terms[-2])
        return torch.cat(terms, dim=-1) @ self.weight.flatten(0, 1)

    def _clenshaw(self, x: Tensor, laplacian: Graph) -> Tensor:
        first, *others = (x @ self.weight.transpose(0, 1).flatten(1)).chunk(len(self.weight), dim=-1)
        after, later = others.pop(), None
        for term in reversed(others):
            term = term + 2 * laplacian(after)
            after, later = (term if later is None else term - later), after
        result = first + laplacian(after)
        return result if later is None else result - later


class MeshAutoencoder(nn.Module):
    """CoMA's networks on the mesh of a data set.

    The code is linear here. The released one passes it through a ReLU [C], which leaves codes that no Gaussian fits.

    Args:
        config: sizes.
        template: (V, 3), mm; decides the coarser meshes.
        faces: (F, 3) triangles.
        mean: (V, 3) mean of the training displacements, mm.
        std: (V, 3) their standard deviation; meshes are standardised by coordinate [C].

    Raises:
        FacegenError: the mesh is too small for so many coarser ones.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: CoMAConfig, template: Tensor, faces: Tensor, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean.clone())
        self.register_buffer("std", std.clamp(min=LEAST_STD_MM))
        vertices, triangles = template.cpu().numpy(), faces.cpu().numpy()
        self.graphs, self.picks, self.mixes = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for factor in config.factors:
            self.graphs.append(Graph(triangles, len(vertices)))
            step = coarsen(vertices, triangles, factor)
            self.picks.append(Pick(step.kept))
            self.mixes.append(Mix(step.corners, step.weights))
            vertices, triangles = vertices[step.kept], step.faces
        self.coarsest = (len(vertices), config.widths[-1])
        widths, order = config.widths, config.order
        self.down = nn.ModuleList(_Block(i, o, order) for i, o in pairwise((3, *widths)))
        self.up = nn.ModuleList(_Block(i, o, order) for i, o in pairwise((widths[-1], *reversed(widths))))
        self.to_code = _dense(self.coarsest[0] * self.coarsest[1], config.code_dim)
        self.from_code = _dense(config.code_dim, self.coarsest[0] * self.coarsest[1])
        self.output = ChebyshevConvolution(widths[0], 3, order)

    def encode(self, displacement: Tensor) -> Tensor:
        """Codes (B, K) of displacements (B, V, 3), mm."""
        x = ((displacement - self.mean) / self.std).transpose(0, 1).contiguous()
        for graph, block, pick in zip(self.graphs, self.down, self.picks, strict=True):
            x = pick(block(x, graph))
        return self.to_code(x.transpose(0, 1).flatten(1))

    def decode(self, code: Tensor) -> Tensor:
        """Displacements (B, V, 3), mm, of codes (B, K)."""
        return self.decode_standardised(code) * self.std + self.mean

    def decode_standardised(self, code: Tensor) -> Tensor:
        """Standardised displacements (B, V, 3), which the loss compares."""
        x = F.relu(self.from_code(code)).unflatten(1, self.coarsest).transpose(0, 1).contiguous()
        for graph, block, mix in zip(reversed(self.graphs), self.up, reversed(self.mixes), strict=True):
            x = block(mix(x), graph)
        return self.output(x, self.graphs[0]).transpose(0, 1)

    def forward(self, displacement: Tensor) -> Tensor:
        """Reconstruction (B, V, 3), mm, of displacements (B, V, 3)."""
        return self.decode(self.encode(displacement))

    def dense_parameters(self) -> list[nn.Parameter]:
        """Those that weight decay applies to [C]."""
        return [*self.to_code.parameters(), *self.from_code.parameters()]


class Pick(nn.Module):
    """Features (C, B, F) of the kept ones of (V, B, F); see ``geometry.hierarchy.Coarsening`` for the argument."""

    kept: Tensor

    def __init__(self, kept: Indices) -> None:
        super().__init__()
        self.register_buffer("kept", torch.from_numpy(kept))

    def forward(self, x: Tensor) -> Tensor:
        return x.index_select(0, self.kept)


class Mix(nn.Module):
    """Features (V, B, F) between coarse ones (C, B, F); see ``geometry.hierarchy.Coarsening`` for the arguments."""

    corners: Tensor
    weights: Tensor

    def __init__(self, corners: Indices, weights: Floats) -> None:
        super().__init__()
        self.register_buffer("corners", torch.from_numpy(corners))
        self.register_buffer("weights", torch.from_numpy(weights))

    def forward(self, x: Tensor) -> Tensor:
        a, b, c = (self.weights[:, i, None, None] * x.index_select(0, self.corners[:, i]) for i in range(3))
        return a + b + c


class GaussianCodes(NamedTuple):
    """A trained auto-encoder whose codes are drawn from a Gaussian; see ``face_model.FaceModel``.

    Attributes:
        network: trained.
        mean: (K,) of the training codes.
        factor: (K, K) codes are ``mean + n @ factor``, n from N(0, I).
    """

    network: MeshAutoencoder
    mean: Tensor
    factor: Tensor

    @property
    def expressions(self) -> int:
        """None: a code holds the whole face."""
        return 0

    def draw_identity(self, count: int, generator: torch.Generator) -> Tensor:
        """Codes (count, K)."""
        normal = torch.randn(count, len(self.mean), generator=generator).to(self.mean.device)
        return self.mean + normal @ self.factor

    def draw_noise(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, 0)."""
        return torch.empty(count, 0)

    @torch.no_grad()
    def generate(self, identity: Tensor, expression: Tensor, noise: Tensor) -> Tensor:
        """Displacements (B, V, 3), mm, of whole codes (B, K), on the CPU."""
        return self.network.decode(identity).cpu()


@torch.no_grad()
def fit_codes(network: MeshAutoencoder, meshes: MeshRows) -> GaussianCodes:
    """The Gaussian of a trained network's codes of its training meshes (M, V, 3), mm."""
    device = network.mean.device
    codes = torch.cat([network.encode(block.to(device)) for _, block in stream_meshes(meshes)]).double()
    values, vectors = torch.linalg.eigh(torch.atleast_2d(codes.T.cov()))
    factor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return GaussianCodes(network, codes.mean(0).float(), factor.float())


def coordinate_statistics(meshes: MeshRows) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (V, 3) of each coordinate over meshes (M, V, 3), summed in float64."""
    total = square = torch.zeros((), dtype=torch.float64)
    for _, block in stream_meshes(meshes):
        total = total + block.double().sum(0)
        square = square + block.double().square().sum(0)
    mean = total / len(meshes)
    return mean.float(), (square / len(meshes) - mean.square()).clamp(min=0).sqrt().float()


def coma_loss(network: MeshAutoencoder, displacement: Tensor) -> dict[str, Tensor]:
    """Mean L1 between standardised meshes (B, V, 3) and their reconstructions [C].

    Returns:
        Scalar ``loss``.
    """
    target = (displacement - network.mean) / network.std
    return {"loss": F.l1_loss(network.decode_standardised(network.encode(displacement)), target)}


class _Block(nn.Module):
    """Convolution, a bias for each filter, ReLU."""

    def __init__(self, inputs: int, outputs: int, order: int) -> None:
        super().__init__()
        self.convolution = ChebyshevConvolution(inputs, outputs, order)
        self.bias = nn.Parameter(torch.full((outputs,), INITIAL_BIAS))

    def forward(self, x: Tensor, laplacian: Graph) -> Tensor:
        return F.relu(self.convolution(x, laplacian) + self.bias)


class _SymmetricProduct(torch.autograd.Function):
    """A symmetric sparse matrix, in compressed rows, times a dense one: backwards it is the same product."""

    @staticmethod
    def forward(ctx: Any, start: Tensor, column: Tensor, value: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(start, column, value)
        return _product(start, column, value, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, None, None, Tensor]:
        start, column, value = ctx.saved_tensors
        return None, None, None, _product(start, column, value, grad.contiguous())


def _product(start: Tensor, column: Tensor, value: Tensor, x: Tensor) -> Tensor:
    matrix = torch.sparse_csr_tensor(start, column, value, (len(x), len(x)), check_invariants=False)
    with torch.autocast(x.device.type, enabled=False):
        return matrix @ x


def _dense(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    _truncated_normal(layer.weight)
    nn.init.constant_(layer.bias, INITIAL_BIAS)
    return layer


def _truncated_normal(weight: Tensor) -> None:
    nn.init.trunc_normal_(weight, std=INITIAL_STD, a=-2 * INITIAL_STD, b=2 * INITIAL_STD)
