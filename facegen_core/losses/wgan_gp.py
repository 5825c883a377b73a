"""Wasserstein critic losses with gradient penalty (Gulrajani et al. 2017) and drift (Karras et al. 2018)."""

from collections.abc import Callable

import torch
from torch import Tensor


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Mean of ``(|grad D(x)| - 1)^2`` at points between real and generated pictures; in float32 under autocast too.

    Args:
        critic: pictures (B, ...) -> scores (B,).
        real: (B, ...).
        fake: (B, ...), without a gradient.
        share: (B,) in [0, 1], how much of each point is the real picture.
    """
    with torch.autocast(real.device.type, enabled=False):
        share = share.view(-1, *(1 for _ in real.shape[1:]))
        between = (share * real.float() + (1 - share) * fake.float()).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def critic_loss(real: Tensor, fake: Tensor, penalty: Tensor, penalty_weight: float, drift_weight: float) -> Tensor:
    """``-E D(x) + E D(x~) + penalty + drift``, whose last term keeps scores of real pictures near 0.

    Args:
        real: (B,) scores of real pictures.
        fake: (B,) scores of generated ones.
        penalty: see :func:`gradient_penalty`.
        penalty_weight: 10 [P, C].
        drift_weight: 0.001 [P, C].
    """
    return fake.mean() - real.mean() + penalty_weight * penalty + drift_weight * real.square().mean()
