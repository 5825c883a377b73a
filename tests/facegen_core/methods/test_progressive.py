"""Growth and its layers: the schedule against a table worked out by hand, the layers against numpy."""

import math

import numpy as np
import pytest
import torch

from facegen_core.config import check
from facegen_core.errors import ConfigError
from facegen_core.methods.face3d.config import GrowthConfig
from facegen_core.methods.face3d.progressive import (
    EqualConv2d,
    EqualLinear,
    PixelNorm,
    append_deviation,
    batch_at,
    downsample,
    faded,
    phase_at,
    total_batches,
    upsample,
)

PUBLISHED = GrowthConfig()
SMALL = GrowthConfig(first_resolution=8, last_resolution=32, stable_images=10, fade_images=20, batch=[4, 3, 2])


@pytest.mark.parametrize(
    ("images", "resolution", "alpha", "batch"),
    [
        (0, 16, 1.0, 128),  # nothing to fade from
        (599_999, 16, 1.0, 128),
        (600_000, 32, 0.0, 64),
        (900_000, 32, 0.5, 64),
        (1_199_999, 32, 599_999 / 600_000, 64),
        (1_200_000, 32, 1.0, 64),
        (1_799_999, 32, 1.0, 64),
        (1_800_000, 64, 0.0, 32),
        (3_000_000, 128, 0.0, 16),
        (4_200_000, 256, 0.0, 8),
        (5_400_000, 512, 0.0, 4),
        (5_700_000, 512, 0.5, 4),
        (6_000_000, 512, 1.0, 4),
        (6_599_999, 512, 1.0, 4),
        (9_000_000, 512, 1.0, 4),  # a run that goes on
    ],
)
def test_published_schedule(images, resolution, alpha, batch):
    assert phase_at(images, PUBLISHED) == (resolution, alpha)
    assert batch_at(images, PUBLISHED) == batch


def test_published_schedule_is_as_long_as_worked_out_by_hand():
    """Six phases; 4688 batches of 128 overshoot the first by 64 pictures, so that the second has 18,749 of 64."""
    assert total_batches(PUBLISHED) == 4688 + 18_749 + 37_500 + 75_000 + 150_000 + 300_000


@pytest.mark.parametrize("growth", [SMALL, GrowthConfig(16, 64, 5, 1, [64, 7, 2]), GrowthConfig(64, 64, 9, 9, [4])])
def test_number_of_batches_is_what_counting_them_gives(growth):
    growths = round(math.log2(growth.last_resolution / growth.first_resolution))
    whole = growth.stable_images + growths * (growth.fade_images + growth.stable_images)
    images = batches = 0
    while images < whole:
        images += batch_at(images, growth)
        batches += 1
    assert total_batches(growth) == batches


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first_resolution": 12}, "powers of two"),
        ({"first_resolution": 4, "batch": [4] * 8}, "powers of two from 8"),
        ({"last_resolution": 2048}, "powers of two"),
        ({"batch": [4, 4]}, "needs 6 sizes"),
        ({"batch": [8, 8, 8, 8, 8, 0]}, "needs 6 sizes"),
        ({"first_resolution": 64, "last_resolution": 32, "batch": []}, "needs"),
        ({"fade_images": 0}, "1 or more"),
    ],
)
def test_growth_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        check(GrowthConfig(**changes))


def _numpy_conv(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Valid cross-correlation, by windows."""
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    return np.einsum("bihwkl,oikl->bohw", windows, weight) + bias[:, None, None]


def test_equal_convolution_scales_its_weights_by_he():
    torch.manual_seed(0)
    layer, x = EqualConv2d(5, 4, 3), torch.randn(2, 5, 6, 7)
    layer.bias.data.normal_()
    expected = _numpy_conv(x.numpy(), layer.weight.detach().numpy() * math.sqrt(2 / 45), layer.bias.detach().numpy())
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, atol=1e-5)


def test_equal_layers_are_drawn_from_a_unit_normal_and_answer_with_the_gain():
    """He: unit inputs give outputs of standard deviation ``gain``, whatever the fan-in."""
    torch.manual_seed(0)
    for layer, x, gain in (
        (EqualConv2d(64, 256, 3), torch.randn(64, 64, 3, 3), math.sqrt(2)),
        (EqualConv2d(64, 256, 1, gain=1.0), torch.randn(256, 64, 1, 1), 1.0),
        (EqualLinear(400, 256), torch.randn(256, 400), 1.0),
    ):
        assert float(layer.weight.detach().std()) == pytest.approx(1, rel=0.02) and not layer.bias.any()
        assert float(layer(x).detach().std()) == pytest.approx(gain, rel=0.05)


def test_equal_linear_passes_gradients_on_by_the_same_scale():
    """The rate a weight learns at is what is equalised: dL/dw is the scale times dL/d(effective weight)."""
    torch.manual_seed(0)
    layer, x, push = EqualLinear(9, 4), torch.randn(6, 9), torch.randn(6, 4)
    (layer(x) * push).sum().backward()
    torch.testing.assert_close(layer.weight.grad, push.T @ x / 3)  # gain 1 / sqrt(9)
    torch.testing.assert_close(layer.bias.grad, push.sum(0))


def test_pixel_norm_leaves_unit_mean_square_in_every_pixel():
    x = torch.randn(3, 7, 4, 5, generator=torch.Generator().manual_seed(0)) * 5
    normed = PixelNorm()(x)
    assert torch.allclose(normed.square().mean(1), torch.ones(3, 4, 5), atol=1e-5)
    torch.testing.assert_close(normed / normed[:, :1], x / x[:, :1])


@pytest.mark.parametrize(("count", "group"), [(8, 4), (12, 4), (6, 4), (3, 4), (8, 8), (7, 2)])
def test_deviation_is_numpys_of_each_group(count, group):
    x = torch.randn(count, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    seen = append_deviation(x, group)
    assert torch.equal(seen[:, :3], x)
    groups = max(1, count // group)
    for i in range(count):
        mates = x.numpy()[i % groups :: groups]
        expected = np.sqrt(mates.var(axis=0) + 1e-8).mean()
        np.testing.assert_allclose(seen[i, 3].numpy(), np.full((4, 5), expected), rtol=1e-5)


def test_deviation_of_equal_pictures_has_a_finite_gradient():
    x = torch.ones(4, 2, 4, 4, requires_grad=True)
    append_deviation(x, 4)[:, 2].sum().backward()
    assert torch.isfinite(x.grad).all()


def test_downsampling_takes_the_mean_of_two_by_two():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert downsample(x).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]
    half = torch.nn.functional.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)
    assert torch.equal(downsample(x), half), "which is the bilinear resizing of the released code"


def test_upsampling_keeps_what_is_even():
    assert torch.equal(upsample(torch.full((1, 2, 4, 4), 3.0)), torch.full((1, 2, 8, 8), 3.0))


def test_real_pictures_fade_from_half_their_size():
    """A board of single pixels is flat grey at half the size."""
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 1.0
    pictures = board.expand(2, 3, 8, 8)
    assert torch.equal(faded(pictures, 0.0), torch.full((2, 3, 8, 8), 0.5))
    torch.testing.assert_close(faded(pictures, 0.25), 0.5 + 0.25 * (pictures - 0.5))
    assert torch.equal(faded(pictures, 1.0), pictures)
