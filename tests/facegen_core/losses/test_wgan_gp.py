"""The critic's losses against closed forms."""

import pytest
import torch
from torch import nn

from facegen_core.losses.wgan_gp import critic_loss, gradient_penalty


def _pictures(count: int = 5) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        *(torch.randn(count, 2, 3, 3, generator=generator) for _ in range(2)),
        torch.rand(count, generator=generator),
    )


def test_penalty_of_a_linear_critic_is_its_slope_less_one_squared():
    weight = torch.linspace(-1, 1, 18, dtype=torch.float32, requires_grad=True)
    penalty = gradient_penalty(lambda x: x.flatten(1) @ weight, *_pictures())
    norm = weight.detach().norm()
    torch.testing.assert_close(penalty.detach(), (norm - 1) ** 2)
    penalty.backward()
    torch.testing.assert_close(weight.grad, 2 * (norm - 1) * weight.detach() / norm)


def test_penalty_is_taken_between_real_and_generated_pictures():
    """Of the critic |x|^2 / 2 the slope is x itself, so the penalty tells where it was taken."""
    real, fake, share = _pictures()
    penalty = gradient_penalty(lambda x: x.flatten(1).square().sum(1) / 2, real, fake, share)
    norms = [float((s * r + (1 - s) * f).norm()) for r, f, s in zip(real, fake, share, strict=True)]
    assert float(penalty) == pytest.approx(sum((n - 1) ** 2 for n in norms) / len(norms), rel=1e-5)


def test_penalty_leaves_pictures_without_a_gradient():
    real, fake, share = _pictures()
    gradient_penalty(lambda x: x.flatten(1).square().sum(1), real, fake, share)
    assert not real.requires_grad and not fake.requires_grad


def test_penalty_is_computed_in_float32_under_autocast():
    torch.manual_seed(0)
    layer, kinds = nn.Linear(18, 1), []

    def critic(x: torch.Tensor) -> torch.Tensor:
        score = layer(x.flatten(1)).squeeze(1)
        kinds.append(score.dtype)
        return score

    pictures = _pictures()
    plain = gradient_penalty(critic, *pictures)
    with torch.autocast("cpu", torch.bfloat16):
        critic(pictures[0])
        under = gradient_penalty(critic, *pictures)
    assert kinds == [torch.float32, torch.bfloat16, torch.float32], "or the test shows nothing"
    assert torch.equal(plain, under)


def test_critic_loss_is_the_sum_of_its_parts():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.5, -0.5, 3.0])
    loss = critic_loss(real, fake, torch.tensor(0.25), penalty_weight=10.0, drift_weight=0.001)
    assert float(loss) == pytest.approx(-2 + 1 + 2.5 + 0.001 * 5)
