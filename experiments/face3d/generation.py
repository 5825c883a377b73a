"""What is measured of any model that makes new faces: table 1's diversities and specificity."""

from collections.abc import Iterator

import torch
from torch import Tensor

from facegen_core.methods.face3d.face_model import FaceModel, sample, sample_pairs
from facegen_core.metrics.functional.diversity import Differ, mean_pair_distance
from facegen_core.metrics.specificity import Specificity
from facegen_core.progress import track
from facegen_core.seeding import torch_generator

AT_A_TIME = 50
DIVERSITIES: dict[str, Differ] = {
    "diversity": "anything",
    "diversity_id": "identity",
    "diversity_exp": "expression",
}
_PAIRS, _SAMPLES = 50, 51


def generation_measures(
    model: FaceModel, specificity: Specificity, training_mm: dict[str, float], pairs: int, samples: int, seed: int
) -> dict[str, float]:
    """Figures of one model's new faces; those it has no notion for are left out.

    Args:
        model: measures displacements from the same template as the training meshes.
        specificity: of the training set; reset first, so that several models share its index.
        training_mm: the training set's diversities, see ``training_diversity``.
        pairs: pairs of each kind [P 10,000].
        samples: faces for the specificity [P 1000].
        seed: of everything drawn.

    Returns:
        ``diversity``, ``diversity_id``, ``diversity_exp`` as shares of the training set's, ``specificity`` in mm.
    """
    values = {}
    for name, differ in DIVERSITIES.items():
        distance = mean_pair_distance(_pairs(model, differ, pairs, seed))
        if distance == distance:  # NaN: no pair
            values[name] = distance / training_mm[name]
    specificity.reset()
    faces = [
        sample(model, min(AT_A_TIME, samples - start), torch_generator(seed, _SAMPLES, start))
        for start in track(range(0, samples, AT_A_TIME), "sample faces", "batch")
    ]
    specificity.update(torch.cat(faces))
    values["specificity"] = float(specificity.compute())
    return values


def _pairs(model: FaceModel, differ: Differ, count: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    kind = list(DIVERSITIES.values()).index(differ)
    for start in track(range(0, count, AT_A_TIME), f"pairs that differ in {differ}", "batch"):
        chunk = min(AT_A_TIME, count - start)
        drawn = sample_pairs(model, chunk, torch_generator(seed, _PAIRS, kind, start), differ)
        if drawn is None:
            return
        yield drawn
