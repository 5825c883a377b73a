"""Guidance: its algebra, and how often the network is asked."""

import math

import pytest
import torch

from facegen_core.diffusion.guidance import guided
from facegen_core.errors import ConfigError


class Recorder:
    """A network whose noise differs by sample, time and context, and that remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, z, t, context):
        self.asked.append((z, t, context))
        return z.sin() * t.view(-1, 1, 1, 1) + context.mean(dim=(1, 2)).view(-1, 1, 1, 1) * z


@pytest.fixture
def inputs():
    random = torch.Generator().manual_seed(0)
    shapes = ((2, 3, 4, 4), (2, 1, 5), (1, 5))
    z, context, null = (torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes)
    return z, torch.tensor([7, 300]), context, null


@pytest.mark.parametrize("scale", [-0.5, 0.0, 0.3, 1.0, 2.0, 5.0])
def test_guidance_is_the_papers_sum(inputs, scale):
    z, t, context, null = inputs
    network = Recorder()
    found = guided(network, context, null, scale)(z, t)
    blank = null.expand(2, 1, 5)
    torch.testing.assert_close(found, (1 - scale) * network(z, t, blank) + scale * network(z, t, context))


def test_guidance_asks_once_for_both_halves(inputs):
    z, t, context, null = inputs
    network = Recorder()
    guided(network, context, null, 5.0)(z, t)
    ((asked_z, asked_t, asked_context),) = network.asked
    assert torch.equal(asked_z, torch.cat([z, z])) and asked_t.tolist() == [7, 300, 7, 300]
    assert torch.equal(asked_context, torch.cat([null.expand(2, 1, 5), context]))


def test_scale_1_asks_once_for_the_condition_alone(inputs):
    z, t, context, null = inputs
    network = Recorder()
    guided(network, context, null, 1.0)(z, t)
    ((asked_z, _, asked_context),) = network.asked
    assert asked_z is z and asked_context is context


def test_an_empty_condition_is_not_moved_by_guidance(inputs):
    z, t, _, null = inputs
    blank = null.expand(2, 1, 5)
    torch.testing.assert_close(guided(Recorder(), blank, null, 5.0)(z, t), Recorder()(z, t, blank))


def test_predictions_in_half_precision_are_put_together_in_that_of_the_latents(inputs):
    z, t, context, null = inputs
    network = Recorder()
    found = guided(lambda *asked: network(*asked).bfloat16(), context, null, 5.0)(z, t)
    without, conditioned = network(z, t, null.expand(2, 1, 5)).bfloat16(), network(z, t, context).bfloat16()
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, without.double() + 5 * (conditioned.double() - without.double()))


@pytest.mark.parametrize("scale", [math.nan, math.inf])
def test_guidance_that_is_no_number_is_refused(inputs, scale):
    with pytest.raises(ConfigError, match="guidance = "):
        guided(Recorder(), inputs[2], inputs[3], scale)
