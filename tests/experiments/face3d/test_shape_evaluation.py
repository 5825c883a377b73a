"""Table 1 and control of models whose figures follow from how they are made."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from experiments.face3d.shape_evaluation import Reference, control, table1
from facegen_core.methods.face3d.expression_codes import expression_codes

VERTICES, EXPRESSIONS = 40, 5


class Meshes:
    """A split: people plus expressions, as :class:`MeshDataset` gives them."""

    def __init__(self, people: int, seed: int) -> None:
        shared = torch.randn(EXPRESSIONS, VERTICES, 3, generator=torch.Generator().manual_seed(0))
        self.shared = shared - shared[:1]
        self.own = torch.randn(people, VERTICES, 3, generator=torch.Generator().manual_seed(seed))
        self.identity = torch.arange(people).repeat_interleave(EXPRESSIONS)
        self.expression = torch.arange(EXPRESSIONS).repeat(people)

    def __len__(self) -> int:
        return len(self.identity)

    def __getitem__(self, part: Any) -> np.ndarray:
        return (self.own[self.identity[part]] + self.shared[self.expression[part]]).numpy()


class Copies:
    """A model whose people are those of the training set, moved by ``shift`` mm, expressions ``strength`` strong.

    Args:
        meshes: the training set.
        shift: along x.
        strength: of expressions at level 1.
        direction: what a level is multiplied with.
    """

    expressions = EXPRESSIONS

    def __init__(self, meshes: Meshes, shift: float = 0.0, strength: float = 1.0, direction: float = 1.0) -> None:
        self.meshes, self.strength, self.direction = meshes, strength, direction
        self.shift = torch.tensor([shift, 0.0, 0.0])

    def draw_identity(self, count: int, generator: torch.Generator) -> Tensor:
        return torch.randint(len(self.meshes.own), (count, 1), generator=generator)

    def draw_noise(self, count: int, generator: torch.Generator) -> Tensor:
        return torch.empty(count, 0)

    def generate(self, identity: Tensor, expression: Tensor, noise: Tensor, level: float = 1.0) -> Tensor:
        code = self.direction * level * self.strength * expression_codes(expression, EXPRESSIONS)
        moved = torch.einsum("be,evc->bvc", code, self.meshes.shared)
        return self.meshes.own[identity[:, 0]] + moved + self.shift


@pytest.fixture(scope="module")
def train() -> Meshes:
    return Meshes(60, 1)


@pytest.fixture(scope="module")
def reference(train: Meshes) -> Reference:
    datasets = {"train": train, "val": Meshes(20, 2), "test": Meshes(20, 3)}
    return Reference(SimpleNamespace(datasets=datasets, num_expressions=EXPRESSIONS), pairs=2000, seed=0)  # type: ignore[arg-type]


def test_a_model_that_repeats_the_training_set_has_its_diversity_and_no_distance_to_it(train, reference):
    values = table1(Copies(train), reference, samples=50)
    assert values["specificity"] == pytest.approx(0, abs=1e-5)
    for kind in ("diversity", "diversity_id", "diversity_exp"):
        assert values[kind] == pytest.approx(1, abs=0.05), kind


def test_specificity_is_how_far_samples_were_moved(train, reference):
    assert table1(Copies(train, shift=0.25), reference, samples=50)["specificity"] == pytest.approx(0.25, abs=1e-4)


def test_expressions_twice_as_strong_are_twice_as_diverse(train, reference):
    once, twice = (table1(Copies(train, strength=s), reference, samples=2)["diversity_exp"] for s in (1, 2))
    assert twice == pytest.approx(2 * once, rel=0.01)


def test_control_of_a_model_that_does_as_asked(train, reference):
    values = control(Copies(train), reference)  # type: ignore[arg-type]
    assert values["expression_accuracy"] > 0.95
    assert values["intensity_rank_correlation"] == pytest.approx(1)
    assert values["identity_drift"] < 0.3


def test_intensity_that_runs_backwards_is_seen(train, reference):
    values = control(Copies(train, direction=-1), reference)  # type: ignore[arg-type]
    assert values["intensity_rank_correlation"] == pytest.approx(-1)
    assert values["expression_accuracy"] < 0.5


def test_judge_was_fitted_on_people_held_out(train, reference):
    """What it makes of real people trained on, whom it does not know, is told beside."""
    assert reference.real["expression_accuracy"] > 0.95
