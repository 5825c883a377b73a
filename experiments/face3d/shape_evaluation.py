"""What is measured of any model that draws faces: diversity, specificity, and whether it does as asked."""

from collections.abc import Iterator

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from datamodules.meshes import MeshDataModule, MeshDataset
from experiments.face3d.models import ShapeModel
from facegen_core.methods.face3d.face_model import FaceModel, sample, sample_pairs
from facegen_core.methods.face3d.judge import Judge, fit_judge, judged
from facegen_core.metrics.diversity import Diversity
from facegen_core.metrics.functional.diversity import Differ, training_diversity
from facegen_core.metrics.functional.specificity import index_training, nearest_training_mesh
from facegen_core.progress import track
from facegen_core.seeding import torch_generator

BATCH = 64
JUDGED_PEOPLE = 50
LEVELS = torch.linspace(0, 1.5, 15)
"""Levels of intensity at which the released code shows shapes [C]."""
KINDS: dict[str, Differ] = {"diversity": "anything", "diversity_id": "identity", "diversity_exp": "expression"}

_PAIRS, _SAMPLES, _JUDGED = 70, 71, 72


class Reference:
    """What samples are measured against: the training meshes, and a judge fitted on people held out from training.

    Args:
        datamodule: set up.
        pairs: pairs a diversity is the mean of.
        seed: of the draws.
    """

    def __init__(self, datamodule: MeshDataModule, pairs: int, seed: int) -> None:
        self.pairs, self.seed = pairs, seed
        train: MeshDataset = datamodule.datasets["train"]  # type: ignore[assignment]
        self.meshes = train
        self.training = training_diversity(train, train.identity, train.expression, pairs, seed)
        self.index = index_training(train)
        self.judge: Judge | None = None
        if train.expression.ndim == 1:
            self._fit_judge(train, datamodule)

    def _fit_judge(self, train: MeshDataset, datamodule: MeshDataModule) -> None:
        held_out = [datamodule.datasets[split] for split in ("val", "test")]
        faces = np.concatenate([part[:] for part in held_out])
        identity, expression = (
            torch.cat([getattr(part, name) for part in held_out]) for name in ("identity", "expression")
        )
        self.judge = fit_judge(faces, identity, expression)
        shown = [np.flatnonzero(expression.numpy() == label) for label in range(datamodule.num_expressions)]
        self.expression_means = {k: torch.from_numpy(faces[rows].mean(0)) for k, rows in enumerate(shown) if len(rows)}
        """Of people held out, by label, mm."""
        some = np.flatnonzero(train.identity.numpy() < JUDGED_PEOPLE)
        self.real = judged(self.judge, torch.from_numpy(train[some]), train.identity[some], train.expression[some])
        """What the judge makes of real faces of the training people, whom it does not know either."""


def table1(model: FaceModel, reference: Reference, samples: int) -> dict[str, float]:
    """One row of table 1: diversities as shares of the training set's, and specificity in mm.

    A model that knows no expressions lacks the two diversities that ask for them. One that makes action units is left
    out: single units, which is all a label names, are not what its training data show.

    Args:
        model: any.
        reference: what it is measured against.
        samples: how many faces are searched for their nearest training mesh.
    """
    values: dict[str, float] = {}
    if model.expressions and reference.judge is None:
        return values
    for kind, differ in KINDS.items():
        if not reference.training[kind] > 0:  # no such pair in the training set
            continue
        metric = Diversity(reference.training[kind])
        generator = torch_generator(reference.seed, _PAIRS, list(KINDS).index(kind))
        for count in track(list(_chunks(reference.pairs)), kind, "batch"):
            if (pairs := sample_pairs(model, count, generator, differ)) is not None:
                metric.update(*pairs)
        if metric.pairs:
            values[kind] = float(metric.compute())
    generator = torch_generator(reference.seed, _SAMPLES)
    faces = torch.cat([sample(model, count, generator) for count in _chunks(samples)])
    nearest = nearest_training_mesh(faces, reference.meshes, reference.index)
    return values | {"specificity": float(nearest.distance.double().mean())}


def control(model: ShapeModel, reference: Reference) -> dict[str, float]:
    """Whether the shape GAN does as asked: what the judge says of samples at level 1, and what their level does.

    Adds to :func:`judged` the ``intensity_rank_correlation``: Spearman's, of the level from 0 to 1.5 with how far the
    face has gone from its own level 0 in the direction in which the expression lies with people held out.
    """
    assert reference.judge is not None
    generator = torch_generator(reference.seed, _JUDGED)
    people, noise = model.draw_identity(JUDGED_PEOPLE, generator), model.draw_noise(JUDGED_PEOPLE, generator)
    who = torch.arange(len(people)).repeat_interleave(model.expressions)
    what = torch.arange(model.expressions).repeat(len(people))
    batches = zip(who.split(BATCH), what.split(BATCH), strict=True)
    faces = torch.cat([model.generate(people[some], labels, noise[some]) for some, labels in batches])
    values = judged(reference.judge, faces, who, what)
    return values | {"intensity_rank_correlation": _rank_correlation(model, reference, people[:10], noise[:10])}


def _rank_correlation(model: ShapeModel, reference: Reference, people: Tensor, noise: Tensor) -> float:
    neutral, *others = sorted(reference.expression_means)
    correlations = []
    for expression in others:
        label = torch.full((len(people),), expression)
        direction = reference.expression_means[expression] - reference.expression_means[neutral]
        faces = [model.generate(people, label, noise, float(level)) for level in LEVELS]
        gone = torch.stack([((face - faces[0]) * direction).sum((1, 2)) for face in faces], 1)
        correlations += [spearmanr(LEVELS, person).statistic for person in gone.numpy()]
    return float(np.mean(correlations))


def _chunks(total: int) -> Iterator[int]:
    yield from (min(BATCH, total - start) for start in range(0, total, BATCH))
