"""Directional losses against closed forms, in numpy."""

import numpy as np
import pytest
import torch

from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm.directional import direction_cosine, directional_loss, mean_directions

TURNS = torch.tensor([0.0, 30.0, 90.0, 135.0, 180.0])


def turned(degrees: torch.Tensor) -> torch.Tensor:
    """Unit vectors (B, 3) at angles from the first axis."""
    angle = degrees.double().deg2rad()
    return torch.stack([angle.cos(), angle.sin(), 0 * angle], dim=1)


def test_cosine_is_that_of_the_change_whatever_its_length():
    before = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    wanted = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64).expand(5, 3)
    for length in (1.0, 1e-3):
        found = direction_cosine(before + length * turned(TURNS), before, wanted)
        np.testing.assert_allclose(found, np.cos(np.deg2rad(TURNS.numpy())), atol=2e-4)


def test_change_is_divided_by_its_length_and_1e_7():
    change = torch.tensor([[1e-7, 0.0]], dtype=torch.float64)
    wanted = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    assert float(direction_cosine(change, torch.zeros_like(change), wanted)) == pytest.approx(0.5)


@pytest.mark.parametrize("cosines", [[0.0], [0.5, -0.2, 0.9], [1.0, 1.0]])
def test_forms_are_those_of_the_paper_and_the_code(cosines):
    values = torch.tensor(cosines, dtype=torch.float64)
    distance = np.mean([1 - c for c in cosines])
    assert float(directional_loss(values, "cosine")) == pytest.approx(distance)
    assert float(directional_loss(values, "log")) == pytest.approx(-np.log((2 - distance) / 2), abs=1e-12)


def test_loss_and_gradient_are_finite_where_nothing_changed_and_where_all_went_the_other_way():
    wanted = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    before = torch.zeros(2, 2)
    for after in (before, torch.tensor([[-1.0, 0.0], [-2.0, 0.0]])):
        for form in ("log", "cosine"):
            made = after.clone().requires_grad_()
            loss = directional_loss(direction_cosine(made, before, wanted), form)
            loss.backward()
            assert torch.isfinite(loss) and torch.isfinite(made.grad).all()


def test_mean_directions_go_from_the_mean_of_the_source_to_that_of_the_target():
    emotion = torch.tensor([0, 0, 1, 1, 2, -1])
    features = torch.tensor([[0.0, 0.0], [2.0, 0.0], [5.0, 1.0], [5.0, 3.0], [0.0, 7.0], [99.0, 99.0]])
    found = mean_directions(features, emotion, target=1)
    means = {0: np.array([1.0, 0.0]), 1: np.array([5.0, 2.0]), 2: np.array([0.0, 7.0])}
    anyone = np.mean(list(means.values()), axis=0)

    def unit(vector):
        return vector / np.linalg.norm(vector)

    np.testing.assert_allclose(found[0], unit(means[1] - means[0]), rtol=1e-6)
    np.testing.assert_allclose(found[2], unit(means[1] - means[2]), rtol=1e-6)
    for same_or_unknown in (1, 3, 7, -1):
        np.testing.assert_allclose(found[same_or_unknown], unit(means[1] - anyone), rtol=1e-6)


def test_target_that_nobody_shows_is_refused():
    with pytest.raises(ConfigError, match="target = fear: none of the 2 pictures"):
        mean_directions(torch.randn(2, 3), torch.tensor([0, 1]), target=4)
