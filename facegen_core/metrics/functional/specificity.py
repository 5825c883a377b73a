"""How far generated faces are from real ones: specificity, SP of 3DFaceCAM's table 1.

``specificity`` is the mean distance of samples to the nearest training mesh, the usual definition (Styner et al.,
IPMI 2003). The paper's words ask for the mean over all training meshes; that is :func:`distance_to_all`, of the size of
the diversity, which the paper's numbers below 1 mm cannot be.

The nearest mesh is found exactly without measuring most distances. Vertices are split into clusters of ``w_k V``
vertices; a mesh's cluster means are ``a_k``. Then, by the triangle inequality within each cluster,

    d(a, b) = 1/V sum_v |a_v - b_v| >= sum_k w_k |mean_k (a_v - b_v)| = sum_k w_k |a_k - b_k|,

for any clusters whatever. The bound is close where the vertices of a cluster move alike, so they are clustered by how
they move between training meshes. The bound of a partition is at least that of a coarser one it refines (the same
inequality on the means), so a few coarse clusters rule out most meshes before the fine ones are looked at.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_array
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor

from facegen_core.metrics.functional.mesh_distance import (
    MeshRows,
    distance_matrix,
    mesh_distance,
    read_meshes,
    stream_meshes,
)
from facegen_core.seeding import numpy_generator

FINE, COARSE = 256, 16
"""Clusters. On 26,719 vertices of the ICT model: bounds of 0.98 and 0.87 of the distance."""
MOTIONS = 64
"""Differences between training meshes that tell which vertices move alike."""
MOTION_COMPONENTS = 24
PAIRS_AT_A_TIME = 4096
ROUNDING = 4e-6
"""Share of the largest coordinate by which a bound may be too high in float32; it is taken off before pruning."""
_MOTIONS = 41


class SpecificityIndex(NamedTuple):
    """Cluster means of a training set: what bounds on distances are computed from.

    Attributes:
        averaging: (FINE, V) sparse matrix from vertices to cluster means.
        parent: (K,) the coarse cluster of each fine one.
        weights: (K,) share of the vertices in each fine cluster.
        means: (M, K, 3) float32, of the training meshes, mm.
    """

    averaging: csr_array
    parent: Tensor
    weights: Tensor
    means: Tensor


class Nearest(NamedTuple):
    """The nearest training mesh of each sample.

    Attributes:
        distance: (n,) mm.
        row: (n,) int64, which mesh.
        evaluations: how many distances were measured over all vertices; without bounds it would be n times M.
    """

    distance: Tensor
    row: Tensor
    evaluations: int


def specificity(samples: Tensor, training: MeshRows) -> float:
    """Mean distance of samples (n, V, 3) to their nearest training mesh, mm; NaN without samples."""
    if len(samples) == 0:
        return float("nan")
    return float(nearest_training_mesh(samples, training, index_training(training)).distance.double().mean())


def distance_to_all(samples: Tensor, training: MeshRows) -> Tensor:
    """Mean distance of each sample to all training meshes: the literal wording of the paper.

    Nothing can be left out here: FaceScape's 1000 x 16,940 distances take an hour or two on a CPU.

    Args:
        samples: (n, V, 3), mm, on the device that computes.
        training: (M, V, 3), mm; may be a memory map.

    Returns:
        (n,) float64, mm.
    """
    total = torch.zeros(len(samples), dtype=torch.float64, device=samples.device)
    for _, meshes in stream_meshes(training):
        total += distance_matrix(samples, meshes.to(samples.device)).double().sum(dim=1)
    return total / len(training)


def index_training(training: MeshRows) -> SpecificityIndex:
    """Reads the training set once and keeps its cluster means, a hundredth of its size.

    Args:
        training: (M, V, 3), mm, M at least 1; may be a memory map.

    Raises:
        ValueError: no mesh.
    """
    if len(training) == 0:
        raise ValueError("specificity needs at least one training mesh")
    motions = _motions(training)
    fine = _cluster(motions, FINE)
    sizes = np.bincount(fine)
    averaging = csr_array((1 / sizes[fine], (fine, np.arange(len(fine)))), dtype=np.float32)
    coarse = _cluster(averaging @ motions, COARSE, sizes)
    means = torch.empty(len(training), len(sizes), 3)
    for rows, meshes in stream_meshes(training):
        means[rows] = _average(averaging, meshes)
    return SpecificityIndex(averaging, torch.from_numpy(coarse), torch.from_numpy(sizes / len(fine)).float(), means)


def nearest_training_mesh(samples: Tensor, training: MeshRows, index: SpecificityIndex) -> Nearest:
    """The nearest training mesh of each sample, exactly.

    Distances are measured in the order of their bounds, one for each sample in a round, until the next bound is no
    less than the best distance. Any method that relies on these bounds must measure all of them but the first.

    Args:
        samples: (n, V, 3), mm, on the device that computes.
        training: (M, V, 3), mm; may be a memory map.
        index: of the same training set.
    """
    samples = samples.float()
    best = samples.new_full((len(samples),), torch.inf)
    row = torch.zeros(len(samples), dtype=torch.int64, device=samples.device)
    evaluations = 0
    if len(samples) == 0:
        return Nearest(best, row, evaluations)
    means = _average(index.averaging, samples).to(samples.device)
    trained, weights = index.means.to(samples.device), index.weights.to(samples.device)
    bounds = _coarse_bounds(means, trained, weights, index.parent.to(samples.device))
    slack = ROUNDING * float(torch.maximum(means.abs().max(), trained.abs().max()))

    def measure(which: Tensor) -> None:
        """Measures the distance of some samples to the mesh of their lowest bound, and strikes that mesh out."""
        nonlocal evaluations
        candidates = bounds[which].argmin(dim=1)
        distances = _distances(samples, which, training, candidates)
        bounds[which, candidates] = torch.inf
        closer = ~(distances >= best[which])  # a sample that is not finite gets NaN
        best[which[closer]], row[which[closer]] = distances[closer], candidates[closer]
        evaluations += len(which)

    measure(torch.arange(len(samples), device=samples.device))
    _refine(bounds, best + slack, means, trained, weights)
    while (unfinished := (bounds.amin(dim=1) - slack < best).nonzero().flatten()).numel():
        measure(unfinished)
    return Nearest(best, row, evaluations)


def _motions(training: MeshRows) -> npt.NDArray[np.float32]:
    """How each vertex moves between training meshes, (V, C), in its principal components.

    A trace of where it lies is added: where nothing moves, neighbours are clustered.
    """
    chosen = numpy_generator(0, _MOTIONS).integers(0, len(training), (2, MOTIONS))
    one, two = (read_meshes(training, rows).numpy() for rows in chosen)
    place = 1e-3 * one[0]
    motions = np.concatenate([place, *(one - two)], axis=1)
    left, strength, _ = np.linalg.svd(motions - motions.mean(0), full_matrices=False)
    components: npt.NDArray[np.float32] = (left * strength)[:, :MOTION_COMPONENTS]
    return components


def _cluster(
    points: npt.NDArray[np.float32], clusters: int, weights: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.int64]:
    """Cluster number of each point, from 0 without gaps."""
    means = MiniBatchKMeans(min(clusters, len(points)), n_init=1, batch_size=4096, random_state=0)
    labels = means.fit(points, sample_weight=weights).labels_
    return np.unique(labels, return_inverse=True)[1]


def _average(averaging: csr_array, meshes: Tensor) -> Tensor:
    """Cluster means (B, K, 3) of meshes (B, V, 3)."""
    return torch.from_numpy(np.stack([averaging @ mesh for mesh in meshes.cpu().numpy()]))


def _coarse_bounds(means: Tensor, trained: Tensor, weights: Tensor, parent: Tensor) -> Tensor:
    """Bounds (n, M) from the coarse clusters."""
    bounds = means.new_zeros(len(means), len(trained))
    for cluster in parent.unique():
        members = parent == cluster
        weight = weights[members].sum()
        sample, mesh = ((x[:, members] * weights[members, None]).sum(1) / weight for x in (means, trained))
        # The other way of computing it, by inner products, loses digits that the bound needs.
        bounds += weight * torch.cdist(sample, mesh, compute_mode="donot_use_mm_for_euclid_dist")
    return bounds


def _refine(bounds: Tensor, limit: Tensor, means: Tensor, trained: Tensor, weights: Tensor) -> None:
    """Replaces the bounds below each sample's limit by those of the fine clusters; the others are ruled out."""
    ruled_out = bounds >= limit[:, None]
    open_ = (~ruled_out).nonzero()
    bounds[ruled_out] = torch.inf
    for pairs in open_.split(PAIRS_AT_A_TIME):
        sample, mesh = pairs.T
        known = bounds[sample, mesh]
        fine = (means[sample] - trained[mesh]).norm(dim=-1) @ weights
        bounds[sample, mesh] = torch.maximum(known, fine)  # the rounding of the two differs


def _distances(samples: Tensor, which: Tensor, training: MeshRows, candidates: Tensor) -> Tensor:
    """Distance of samples to a training mesh each, (W,); the training set is read forwards, each mesh once a block."""
    distances = samples.new_empty(len(which))
    order = candidates.argsort()
    for part in order.split(64):
        rows, place = np.unique(candidates[part].cpu().numpy(), return_inverse=True)
        meshes = read_meshes(training, rows).to(samples.device)
        distances[part] = mesh_distance(samples[which[part]], meshes[torch.from_numpy(place).to(samples.device)])
    return distances
