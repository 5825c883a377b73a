"""The shape GAN: published sizes, losses against formulas written out, and who gets a gradient."""

import numpy as np
import pytest
import torch
from torch import nn

from facegen_core.methods.face3d.config import CodeSizes, ShapeGANConfig
from facegen_core.methods.face3d.shape_gan import (
    FaceCodes,
    ShapeDiscriminator,
    ShapeGenerator,
    discriminator_loss,
    generator_loss,
)

FACESCAPE = CodeSizes(identity_dim=100, expression_dim=30, identity_code_dim=20, identities=847, expressions=20)
SMALL = CodeSizes(identity_dim=6, expression_dim=4, identity_code_dim=3, identities=5, expressions=3)
NARROW = {"generator_hidden": (8, 8, 8), "discriminator_hidden": (8, 8, 8), "dropout": 0.0}
CODE_WIDTHS = (256, 512, 1024)


def _count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


@pytest.mark.parametrize(
    ("hidden", "identity", "expression"),
    [((512, 512, 1024), 903_780, 842_270), (CODE_WIDTHS, 766_052, 699_422)],
    ids=["paper", "code"],
)
def test_generators_have_the_published_size(hidden, identity, expression):
    with torch.device("meta"):
        network = ShapeGenerator(ShapeGANConfig(generator_hidden=hidden), FACESCAPE)
    assert (_count(network.identity), _count(network.expression)) == (identity, expression)


@pytest.mark.parametrize(("kind", "size"), [("trunk", 1_013_348), ("branches", 1_148_516)])
def test_discriminators_have_the_published_size(kind, size):
    with torch.device("meta"):
        assert _count(ShapeDiscriminator(ShapeGANConfig(discriminator=kind), FACESCAPE)) == size


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    real, fake = (
        FaceCodes(torch.randn(4, 6, generator=generator), torch.randn(4, 4, generator=generator)) for _ in range(2)
    )
    return real, fake, torch.tensor([0, 4, 2, 1]), torch.tensor([2, 0, 1, 1])


def _network(**changes) -> tuple[ShapeDiscriminator, ShapeGANConfig]:
    torch.manual_seed(1)
    config = ShapeGANConfig(**(NARROW | changes))
    return ShapeDiscriminator(config, SMALL), config


def _log_sigmoid(x):
    return -np.log1p(np.exp(-x))


def _cross_entropy(logits, labels):
    shifted = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return -shifted[np.arange(len(labels)), labels].mean()


def _numbers(network, codes):
    return [part.detach().double().numpy() for part in network(codes)]


@pytest.mark.parametrize("objective", ["code", "paper"])
def test_discriminator_loss_is_the_formula(batch, objective):
    real, fake, identity, expression = batch
    network, config = _network(objective=objective)
    (s, who, what), (s_fake, who_fake, what_fake) = _numbers(network, real), _numbers(network, fake)
    expected = -_log_sigmoid(s).mean() - _log_sigmoid(-s_fake).mean()
    expected += _cross_entropy(who, identity) + _cross_entropy(what, expression)
    if objective == "paper":
        expected += _cross_entropy(who_fake, identity) + _cross_entropy(what_fake, expression)
    losses = discriminator_loss(network, real, fake, identity, expression, config)
    assert float(losses["d_loss"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("objective", ["code", "paper"])
def test_generator_loss_is_the_formula(batch, objective):
    _, fake, identity, expression = batch
    network, config = _network(objective=objective)
    s, who, what = _numbers(network, fake)
    classes = _cross_entropy(who, identity) + _cross_entropy(what, expression)
    saturating = 2 * _log_sigmoid(-s).mean()  # once for either generator
    expected = classes + (-_log_sigmoid(s).mean() if objective == "code" else saturating)
    assert float(generator_loss(network, fake, identity, expression, config)["loss"]) == pytest.approx(expected, 1e-5)


def _pull(network, config, fake, identity, expression, part: str) -> tuple[float, float]:
    """Size of one loss's gradient with respect to the two codes."""
    codes = FaceCodes(*(code.clone().requires_grad_() for code in fake))
    loss = generator_loss(network, codes, identity, expression, config)[part]
    pulls = torch.autograd.grad(loss, codes, allow_unused=True)
    return tuple(0.0 if pull is None else float(pull.norm()) for pull in pulls)


def test_in_the_papers_objective_each_generator_answers_for_its_own_factor(batch):
    network, config = _network(objective="paper")
    identity, expression = _pull(network, config, *batch[1:], "g_identity")
    assert identity > 0 == expression
    identity, expression = _pull(network, config, *batch[1:], "g_expression")
    assert expression > 0 == identity


def test_class_heads_of_branches_see_their_own_factor_alone(batch):
    network, config = _network(discriminator="branches")
    assert _pull(network, config, *batch[1:], "g_identity")[1] == 0
    assert _pull(network, config, *batch[1:], "g_expression")[0] == 0


def test_trunk_mixes_the_factors_in_the_codes_objective(batch):
    network, config = _network()
    assert min(_pull(network, config, *batch[1:], "g_identity")) > 0


def test_dropout_follows_every_hidden_layer():
    network, _ = _network(discriminator="branches", dropout=0.5)
    hidden = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][:-3]
    assert len([layer for layer in network.modules() if isinstance(layer, nn.Dropout)]) == len(hidden)


def test_action_units_are_judged_where_they_are_known(batch):
    _, fake, identity, _ = batch
    network, config = _network()
    units = torch.tensor([[1, 0, -1], [0, 0, 1], [-1, -1, -1], [1, 1, 0]])
    losses = generator_loss(network, fake, identity, units, config)
    logits = _numbers(network, fake)[2]
    known = units.numpy() >= 0
    expected = -np.where(units.numpy() == 1, _log_sigmoid(logits), _log_sigmoid(-logits))[known].mean()
    assert float(losses["g_expression"]) == pytest.approx(expected, rel=1e-5)


def test_style_reaches_the_expression_alone():
    torch.manual_seed(0)
    network = ShapeGenerator(ShapeGANConfig(**NARROW), SMALL)
    noise, who, style, what = torch.randn(2, 5), torch.randn(2, 3), torch.randn(2, 3), torch.eye(3)[:2]
    own, other = network(noise, who, what), network(noise, who, what, style)
    assert torch.equal(own.identity, other.identity)
    assert not torch.isclose(own.expression, other.expression).any()


def test_expression_does_not_reach_the_identity():
    torch.manual_seed(0)
    network = ShapeGenerator(ShapeGANConfig(**NARROW), SMALL)
    noise, who = torch.randn(2, 5), torch.randn(2, 3)
    one, other = (network(noise, who, torch.eye(3)[k].expand(2, 3)) for k in (0, 1))
    assert torch.equal(one.identity, other.identity)
