"""How different faces are from each other: DIV, DIV-ID and DIV-EXP of 3DFaceCAM's table 1.

All three are the mean distance of many random pairs (the paper takes 10,000): any two faces; two faces of the same
expression and different people; two faces of the same person and different expressions. The table divides a model's
value by that of its training set [P, caption of table 1].
"""

from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facegen_core.metrics.functional.mesh_distance import MeshRows, mesh_distance, read_meshes
from facegen_core.seeding import numpy_generator

Differ = Literal["anything", "identity", "expression"]
"""What the two faces of a pair differ in: nothing is asked, identity at equal expression, expression of one person."""
PAIRS = 10_000
PAIRS_AT_A_TIME = 32
_PAIRS = 40


def mean_pair_distance(pairs: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Mean distance of pairs, in mm, summed in float64; NaN where there are none.

    Args:
        pairs: chunks of pairs, ((B, V, 3), (B, V, 3)), such as a generator that makes each chunk when it is asked for,
            so that 20,000 meshes are never held together.
    """
    total, count = torch.zeros((), dtype=torch.float64), 0
    for first, second in pairs:
        distances = mesh_distance(first, second)
        total += distances.double().sum().cpu()
        count += len(distances)
    return float(total / count) if count else float("nan")


def training_diversity(
    meshes: MeshRows, identity: Tensor, expression: Tensor, pairs: int = PAIRS, seed: int = 0
) -> dict[str, float]:
    """The three diversities of a data set, in mm: what a model's values are divided by.

    Args:
        meshes: (M, V, 3), mm; may be a memory map.
        identity: (M,) labels.
        expression: (M,) class labels, or (M, A) action units.
        pairs: how many of each kind.
        seed: of the pairs.

    Returns:
        ``diversity``, ``diversity_id``, ``diversity_exp``; NaN where the data have no such pair.
    """
    kinds: dict[str, Differ] = {"diversity": "anything", "diversity_id": "identity", "diversity_exp": "expression"}
    return {
        name: mean_pair_distance(read_pairs(meshes, draw_pairs(pairs, kind, identity, expression, seed)))
        for name, kind in kinds.items()
    }


def draw_pairs(
    count: int, differ: Differ, identity: Tensor, expression: Tensor, seed: int = 0
) -> npt.NDArray[np.int64]:
    """Random pairs of meshes of a labelled set, uniform over all pairs of the kind, with repetition.

    Args:
        count: how many.
        differ: the kind.
        identity: (M,) labels.
        expression: (M,) class labels, or (M, A) action units: two meshes have the same expression if all units agree.
        seed: of the draw.

    Returns:
        (count, 2) row numbers; (0, 2) where the set has no such pair.
    """
    random = numpy_generator(seed, _PAIRS, ("anything", "identity", "expression").index(differ))
    people, expressions = _classes(identity), _classes(expression)
    rows = np.arange(len(people))
    if not len(rows):
        return np.empty((0, 2), dtype=np.int64)
    same, other = {
        "anything": (np.zeros_like(rows), rows),  # any two, but not a mesh with itself
        "identity": (expressions, people),
        "expression": (people, expressions),
    }[differ]
    # A first mesh is drawn as often as it has partners, its partner uniformly among those.
    both = _classes(torch.from_numpy(np.stack([same, other], axis=1)))
    partners = np.bincount(same)[same] - np.bincount(both)[both]
    if not partners.any():
        return np.empty((0, 2), dtype=np.int64)
    first = random.choice(rows, count, p=partners / partners.sum())
    groups, sizes = np.argsort(same, kind="stable"), np.bincount(same)
    starts = np.cumsum(sizes) - sizes
    second = first.copy()
    while (open_ := np.flatnonzero(other[second] == other[first])).size:
        group = same[first[open_]]
        second[open_] = groups[starts[group] + random.integers(0, sizes[group])]
    return np.stack([first, second], axis=1)


def read_pairs(meshes: MeshRows, pairs: npt.NDArray[np.int64]) -> Iterator[tuple[Tensor, Tensor]]:
    """The meshes of pairs (P, 2) of row numbers, a chunk at a time."""
    for start in range(0, len(pairs), PAIRS_AT_A_TIME):
        chunk = pairs[start : start + PAIRS_AT_A_TIME]
        yield read_meshes(meshes, chunk[:, 0]), read_meshes(meshes, chunk[:, 1])


def _classes(labels: Tensor) -> npt.NDArray[np.int64]:
    """Equal labels, or label vectors, as equal numbers from 0."""
    array = labels.cpu().numpy()
    vectors = array[:, None] if array.ndim == 1 else array
    return np.unique(vectors, axis=0, return_inverse=True)[1].ravel()
