"""The linear 3D morphable model: principal components of displacements, identity and expression together."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.linalg
import torch
from torch import Tensor

from facegen_core.metrics.functional.mesh_distance import MeshRows
from facegen_core.progress import track

ROWS_AT_A_TIME = 256
LEAST_VARIANCE = 1e-9
"""Components with less variance than this share of the largest are rounding of the files, not shape, and left out."""


class LinearModel(NamedTuple):
    """A fitted linear model; a mesh is ``mean + codes @ components``.

    Attributes:
        mean: (3V,) float32, mm.
        components: (K, 3V) float32, orthonormal rows, largest variance first.
        variance: (K,) float32, variance along each component, mm^2.
    """

    mean: Tensor
    components: Tensor
    variance: Tensor

    def encode(self, displacement: Tensor) -> Tensor:
        """Codes (B, K) of displacements (B, V, 3): coordinates along the components, mm."""
        return (displacement.flatten(1) - self.mean) @ self.components.T

    def decode(self, codes: Tensor) -> Tensor:
        """Displacements (B, V, 3), mm, of codes (B, K)."""
        return (self.mean + codes @ self.components).unflatten(1, (-1, 3))

    @property
    def expressions(self) -> int:
        """None: see ``face_model.FaceModel``, also for what follows."""
        return 0

    def draw_identity(self, count: int, generator: torch.Generator) -> Tensor:
        """Codes (count, K) from N(0, variance)."""
        return torch.randn(count, len(self.variance), generator=generator) * self.variance.sqrt()

    def draw_noise(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, 0)."""
        return torch.empty(count, 0)

    def generate(self, identity: Tensor, expression: Tensor, noise: Tensor) -> Tensor:
        """Displacements (B, V, 3), mm, of whole codes (B, K)."""
        return self.decode(identity)


def fit_pca(meshes: MeshRows, components: int, centred: bool = True) -> LinearModel:
    """Principal components through the Gram matrix, exact, in float64, two blocks of rows at a time.

    There are far fewer meshes M than coordinates 3V, so the M x M matrix of inner products is the small one (1.7 GB for
    FaceScape); a general PCA would copy the whole array (5 GB for FaceScape) several times.

    Args:
        meshes: (M, V, 3) or (M, 3V), mm; may be a memory map.
        components: number of components wanted; fewer are returned where the meshes span fewer dimensions.
        centred: around the mean. Else around zero, with M components at most.

    Raises:
        ValueError: fewer than two meshes.
    """
    count = len(meshes)
    if count < 2:
        raise ValueError("a linear model needs at least two meshes")
    freedom = count - 1 if centred else count
    wanted = min(components, freedom)
    blocks = [slice(start, min(start + ROWS_AT_A_TIME, count)) for start in range(0, count, ROWS_AT_A_TIME)]
    mean = sum(_rows(meshes, block, 0.0).sum(0) for block in blocks) / count
    if not centred:
        mean = np.zeros_like(mean)
    gram = np.empty((count, count))
    for i, left in enumerate(track(blocks, "compare meshes", "block")):
        rows = _rows(meshes, left, mean)
        for right in blocks[i:]:
            gram[left, right] = rows @ _rows(meshes, right, mean).T
            gram[right, left] = gram[left, right].T
    values, vectors = scipy.linalg.eigh(gram, subset_by_index=(count - wanted, count - 1))
    spanned = values > LEAST_VARIANCE * values[-1]
    values, vectors = values[spanned][::-1], vectors[:, spanned][:, ::-1]
    weights = vectors / np.sqrt(values)
    basis = sum(weights[block].T @ _rows(meshes, block, mean) for block in blocks)
    return LinearModel(*(torch.from_numpy(np.asarray(x, dtype=np.float32)) for x in (mean, basis, values / freedom)))


def _rows(meshes: MeshRows, block: slice, mean: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
    return np.asarray(meshes[block], dtype=np.float64).reshape(block.stop - block.start, -1) - mean
