"""The judge on faces whose people and expressions are known vectors."""

import numpy as np
import pytest
import torch
from torch import Tensor

from facegen_core.errors import ConfigError
from facegen_core.methods.face3d.judge import fit_judge, judged

PLACES, EXPRESSIONS = 30, 4


def faces(people: int, seed: int, person: float = 1.0, noise: float = 0.05) -> tuple[Tensor, Tensor, Tensor]:
    """Faces (N, 30, 3): a vector of the person, one of the expression that all people share, and noise."""
    shared = torch.randn(EXPRESSIONS, PLACES, 3, generator=torch.Generator().manual_seed(0))
    own = torch.Generator().manual_seed(seed)
    who = torch.arange(people).repeat_interleave(EXPRESSIONS)
    what = torch.arange(EXPRESSIONS).repeat(people)
    made = person * torch.randn(people, PLACES, 3, generator=own)[who] + shared[what]
    return made + noise * torch.randn(made.shape, generator=own), who, what


def judge(people: int = 40):
    made, who, what = faces(people, 1)
    return fit_judge(made.numpy(), who, what)


def test_expressions_of_people_it_never_saw_are_read():
    values = judged(judge(), *faces(20, 2))
    assert values["expression_accuracy"] > 0.95
    assert values["identity_drift"] < 0.3


def test_expressions_that_are_not_there_are_read_by_chance():
    made, who, what = faces(100, 3)
    shuffled = what[torch.randperm(len(what), generator=torch.Generator().manual_seed(0))]
    assert judged(judge(), made, who, shuffled)["expression_accuracy"] == pytest.approx(1 / EXPRESSIONS, abs=0.1)


def test_identity_that_changes_with_the_expression_drifts_as_far_as_to_another_person():
    made, _, what = faces(400, 4)
    strangers = torch.arange(400)[:100].repeat_interleave(EXPRESSIONS)  # four people under one name
    others = made[what == 0][:400]
    values = judged(judge(), others, strangers, torch.arange(EXPRESSIONS).repeat(100))
    assert values["identity_drift"] == pytest.approx(1, abs=0.05)


def test_drift_is_the_ratio_of_mean_distances():
    """Against a plain loop."""
    fitted = judge()
    made, who, what = faces(5, 5)
    places = fitted.identity(made).numpy()
    within, between = [], []
    for i in range(len(made)):
        for j in range(len(made)):
            distance = np.linalg.norm(places[i] - places[j])
            if who[i] == who[j] and what[i] != what[j]:
                within.append(distance)
            if who[i] != who[j] and what[i] == what[j]:
                between.append(distance)
    expected = np.mean(within) / np.mean(between)
    assert judged(fitted, made, who, what)["identity_drift"] == pytest.approx(expected, rel=1e-4)


def test_too_few_people_are_refused():
    made, who, what = faces(2, 6)
    with pytest.raises(ConfigError, match=r"needs three .* raise data\.val_fraction"):
        fit_judge(made.numpy(), who, what)
