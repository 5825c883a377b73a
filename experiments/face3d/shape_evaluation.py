"""What is measured of any model that draws faces: diversity, specificity, and whether it does as asked."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from datamodules.meshes import MeshDataModule, MeshDataset
from facegen_core.methods.face3d.mesh_judge import MeshJudge, fit_mesh_judge
from facegen_core.metrics.diversity import Diversity
from facegen_core.metrics.functional.diversity import training_diversity
from facegen_core.metrics.functional.specificity import index_training, nearest_training_mesh
from facegen_core.progress import track
from facegen_core.seeding import torch_generator

BATCH = 64
JUDGED_PEOPLE = 50
LEVELS = torch.linspace(0, 1.5, 15)
"""Levels of intensity at which the released code shows shapes [C]."""
PAIR_KINDS = ("diversity", "diversity_id", "diversity_exp")

_PAIRS, _SAMPLES, _JUDGED = 70, 71, 72


class FaceSampler(Protocol):
    """A model that draws people and shows them with an expression."""

    @property
    def expressions(self) -> int:
        """How many expressions there are; action units are shown one at a time."""

    def people(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, D), all that makes a person but the expression."""

    def faces(self, people: Tensor, expression: Tensor, level: float) -> Tensor:
        """Displacements (B, V, 3), mm, of people (B, D) with class labels (B,) at a level of intensity."""


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
        self.judge: MeshJudge | None = None
        if train.expression.ndim == 1:
            self._fit_judge(train, datamodule)

    def _fit_judge(self, train: MeshDataset, datamodule: MeshDataModule) -> None:
        held_out = [datamodule.datasets[split] for split in ("val", "test")]
        self.judge = fit_mesh_judge(
            np.concatenate([part[:] for part in held_out]),
            torch.cat([part.identity for part in held_out]),  # type: ignore[attr-defined]
            torch.cat([part.expression for part in held_out]),  # type: ignore[attr-defined]
        )
        labels = range(datamodule.num_expressions)
        by_expression = [np.flatnonzero(train.expression.numpy() == label) for label in labels]
        self.expression_means = torch.stack([torch.from_numpy(train[rows].mean(0)) for rows in by_expression])
        some = np.flatnonzero(train.identity.numpy() < JUDGED_PEOPLE)
        self.real = judged(self.judge, torch.from_numpy(train[some]), train.identity[some], train.expression[some])
        """What the judge makes of real faces of the training people, whom it does not know either."""


def table1(sampler: FaceSampler, reference: Reference, level: float, samples: int) -> dict[str, float]:
    """One row of table 1: diversities as shares of the training set's, and specificity in mm.

    New people, expressions drawn uniformly; pairs of one expression and pairs of one person share their noise.

    Args:
        sampler: the model.
        reference: what it is measured against.
        level: intensity of the expressions.
        samples: how many are searched for their nearest training mesh.
    """
    values = {}
    for number, kind in enumerate(PAIR_KINDS):
        metric = Diversity(reference.training[kind])
        generator = torch_generator(reference.seed, _PAIRS, number)
        for count in track(list(_chunks(reference.pairs)), kind, "batch"):
            metric.update(*_pair(sampler, kind, count, level, generator))
        values[kind] = float(metric.compute())
    generator = torch_generator(reference.seed, _SAMPLES)
    expression = torch.randint(sampler.expressions, (samples,), generator=generator)
    people = sampler.people(samples, generator)
    batches = zip(people.split(BATCH), expression.split(BATCH), strict=True)
    faces = torch.cat([sampler.faces(some, labels, level) for some, labels in batches])
    nearest = nearest_training_mesh(faces, reference.meshes, reference.index)
    return values | {"specificity": float(nearest.distance.double().mean())}


def control(sampler: FaceSampler, reference: Reference) -> dict[str, float]:
    """Whether a model does as asked, by the judge.

    ``expression_accuracy``: share of samples at level 1 judged to have the expression asked for. ``identity_drift``:
    distance in the judge's identity space between two expressions of one person, as a share of the distance between two
    people with one expression. ``intensity_rank_correlation``: Spearman's, of the level from 0 to 1.5 with how far the
    face has gone from its own level 0 in the direction in which the training people's expression lies.
    """
    people = sampler.people(JUDGED_PEOPLE, torch_generator(reference.seed, _JUDGED))
    who = torch.arange(len(people)).repeat_interleave(sampler.expressions)
    what = torch.arange(sampler.expressions).repeat(len(people))
    faces = torch.cat(
        [sampler.faces(people[w], e, 1.0) for w, e in zip(who.split(BATCH), what.split(BATCH), strict=True)]
    )
    assert reference.judge is not None
    values = judged(reference.judge, faces, who, what)
    return values | {"intensity_rank_correlation": _rank_correlation(sampler, reference, people[:10])}


def judged(judge: MeshJudge, faces: Tensor, identity: Tensor, expression: Tensor) -> dict[str, float]:
    """Expression accuracy and identity drift of labelled faces (N, V, 3); see :func:`control`."""
    accuracy = (judge.expression(faces) == expression).double().mean()
    places = judge.identity(faces)
    distance = torch.cdist(places, places)
    same_person, same_expression = identity[:, None] == identity, expression[:, None] == expression
    drift = distance[same_person & ~same_expression].mean() / distance[~same_person & same_expression].mean()
    return {"expression_accuracy": float(accuracy), "identity_drift": float(drift)}


def _rank_correlation(sampler: FaceSampler, reference: Reference, people: Tensor) -> float:
    means = reference.expression_means
    correlations = []
    for expression in range(1, sampler.expressions):
        label = torch.full((len(people),), expression)
        direction = means[expression] - means[0]
        start = sampler.faces(people, label, 0.0)
        gone = [((sampler.faces(people, label, float(level)) - start) * direction).sum((1, 2)) for level in LEVELS]
        correlations += [spearmanr(LEVELS, person).statistic for person in torch.stack(gone, 1).numpy()]
    return float(np.mean(correlations))


def _pair(
    sampler: FaceSampler, kind: str, count: int, level: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    people = sampler.people(count, generator)
    expression = torch.randint(sampler.expressions, (count,), generator=generator)
    others, other_expression = people, expression
    if kind != "diversity_exp":
        others = sampler.people(count, generator)
    if kind == "diversity":
        other_expression = torch.randint(sampler.expressions, (count,), generator=generator)
    if kind == "diversity_exp":
        other_expression = (expression + torch.randint(1, sampler.expressions, (count,), generator=generator)) % (
            sampler.expressions
        )
    return sampler.faces(people, expression, level), sampler.faces(others, other_expression, level)


def _chunks(total: int) -> Iterator[int]:
    yield from (min(BATCH, total - start) for start in range(0, total, BATCH))
