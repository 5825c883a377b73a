"""The shape GAN (ShapeCGAN): two generators and a discriminator over the SAE's codes [P 3.2, tables 5, 6]."""

import itertools
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facegen_core.losses.classification import label_loss
from facegen_core.methods.face3d.config import CodeSizes, ShapeGANConfig


class FaceCodes(NamedTuple):
    """The SAE's two codes of a batch.

    Attributes:
        identity: (B, identity_dim).
        expression: (B, expression_dim).
    """

    identity: Tensor
    expression: Tensor

    def detach(self) -> "FaceCodes":
        """The same without a gradient."""
        return FaceCodes(self.identity.detach(), self.expression.detach())


class Verdict(NamedTuple):
    """What the discriminator says of codes.

    Attributes:
        real: (B,) logit of being real.
        identity: (B, identities) logits.
        expression: (B, expressions) logits.
    """

    real: Tensor
    identity: Tensor
    expression: Tensor


class ShapeGenerator(nn.Module):
    """G_id makes the identity code from noise and z_id, G_exp the expression code from noise, z_id and z_exp."""

    def __init__(self, config: ShapeGANConfig, sizes: CodeSizes) -> None:
        super().__init__()
        inputs = config.noise_dim + sizes.identity_code_dim
        slope = config.negative_slope
        self.identity = _mlp(inputs, *config.generator_hidden, sizes.identity_dim, slope=slope)
        self.expression = _mlp(inputs + sizes.expressions, *config.generator_hidden, sizes.expression_dim, slope=slope)

    def forward(self, noise: Tensor, identity: Tensor, expression: Tensor, style: Tensor | None = None) -> FaceCodes:
        """Codes of faces.

        Args:
            noise: (B, noise_dim).
            identity: (B, identity_code_dim), z_id.
            expression: (B, expressions), z_exp: one-hot or multi-hot, times the level of intensity.
            style: (B, identity_code_dim), the z_id that G_exp alone is given: another person's way of making the
                expression [P figure 12; C]. The same as ``identity`` if None.
        """
        style = identity if style is None else style
        return FaceCodes(
            self.identity(torch.cat([noise, identity], 1)), self.expression(torch.cat([noise, style, expression], 1))
        )


class ShapeDiscriminator(nn.Module):
    """Tells real codes from generated ones, and whose and which expression's they are."""

    def __init__(self, config: ShapeGANConfig, sizes: CodeSizes) -> None:
        super().__init__()
        first, *_, last = config.discriminator_hidden
        pair = sizes.identity_dim + sizes.expression_dim
        slope, dropout = config.negative_slope, config.dropout
        self.pair = _hidden(pair, first, slope, dropout)
        self.branches = config.discriminator == "branches"
        if self.branches:
            self.identity_branch = _hidden(sizes.identity_dim, first, slope, dropout)
            self.expression_branch = _hidden(sizes.expression_dim, first, slope, dropout)
        widths = config.discriminator_hidden
        self.trunk = nn.Sequential(*(_hidden(a, b, slope, dropout) for a, b in itertools.pairwise(widths)))
        self.real = nn.Linear(last, 1)
        self.identity = nn.Linear(last, sizes.identities)
        self.expression = nn.Linear(last, sizes.expressions)

    def forward(self, codes: FaceCodes) -> Verdict:
        """Logits of a batch of codes."""
        pair = self.trunk(self.pair(torch.cat(codes, 1)))
        identity = self.trunk(self.identity_branch(codes.identity)) if self.branches else pair
        expression = self.trunk(self.expression_branch(codes.expression)) if self.branches else pair
        return Verdict(self.real(pair).squeeze(1), self.identity(identity), self.expression(expression))


def discriminator_loss(
    network: ShapeDiscriminator,
    real: FaceCodes,
    fake: FaceCodes,
    identity: Tensor,
    expression: Tensor,
    config: ShapeGANConfig,
) -> dict[str, Tensor]:
    """The discriminator's loss and its parts; generated codes carry the real batch's labels.

    The released code gives the identity head the expression's label; here it gets the identity's.

    Args:
        network: the discriminator.
        real: the SAE's codes.
        fake: generated codes, without a gradient.
        identity: (B,) labels.
        expression: (B,) class labels, or (B, A) action units.
        config: which objective.
    """
    seen, made = network(real), network(fake)
    adversarial = _against(seen.real, 1.0) + _against(made.real, 0.0)
    classes = F.cross_entropy(seen.identity, identity) + label_loss(seen.expression, expression)
    if config.objective == "paper":
        classes = classes + F.cross_entropy(made.identity, identity) + label_loss(made.expression, expression)
    return {"d_loss": adversarial + classes, "d_adversarial": adversarial, "d_classes": classes}


def generator_loss(
    network: ShapeDiscriminator, fake: FaceCodes, identity: Tensor, expression: Tensor, config: ShapeGANConfig
) -> dict[str, Tensor]:
    """The generators' loss and its parts, arguments as in :func:`discriminator_loss`, ``fake`` with its gradient.

    In the paper's form G_id answers for the identity and G_exp for the expression. A discriminator with one trunk would
    send each loss into both, so the other factor is cut off.
    """
    if config.objective == "code":
        verdict = network(fake)
        adversarial = _against(verdict.real, 1.0)
        of_identity, of_expression = verdict, verdict
    else:
        of_identity = network(FaceCodes(fake.identity, fake.expression.detach()))
        of_expression = network(FaceCodes(fake.identity.detach(), fake.expression))
        adversarial = -_against(of_identity.real, 0.0) - _against(of_expression.real, 0.0)
    who = F.cross_entropy(of_identity.identity, identity)
    what = label_loss(of_expression.expression, expression)
    return {"loss": adversarial + who + what, "g_adversarial": adversarial, "g_identity": who, "g_expression": what}


def _against(logits: Tensor, target: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def _hidden(inputs: int, outputs: int, slope: float, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.LeakyReLU(slope), nn.Dropout(dropout))


def _mlp(*widths: int, slope: float) -> nn.Sequential:
    *hidden, last = [nn.Linear(a, b) for a, b in itertools.pairwise(widths)]
    return nn.Sequential(*(layer for linear in hidden for layer in (linear, nn.LeakyReLU(slope))), last)
