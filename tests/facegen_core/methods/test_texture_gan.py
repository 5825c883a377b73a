"""The texture GAN's networks: published sizes, and that a network that grows goes on from the one it was."""

import pytest
import torch
from torch import nn

from facegen_core.methods.face3d.config import GrowthConfig, TextureGANConfig, TextureSizes
from facegen_core.methods.face3d.progressive import EqualConv2d, downsample, upsample
from facegen_core.methods.face3d.texture_gan import TextureDiscriminator, TextureGenerator

FACESCAPE = TextureSizes(identity_code_dim=20, identities=847, expressions=20)
CODE = TextureGANConfig(noise_dim=128, negative_slope=0.1, growth=GrowthConfig(first_resolution=8, batch=[128] * 7))
SIZES = TextureSizes(identity_code_dim=3, identities=5, expressions=4)
SMALL = TextureGANConfig(width=16, noise_dim=6, growth=GrowthConfig(8, 32, 10, 10, [4, 4, 4]))
IN_THE_CODE_ALONE = (3 + 1) * 256 + (256 + 1) * 20
"""Layers that are never used: from_rgb at 4 pixels, and a second layer of 20 outputs."""


def _count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def _widths(blocks: nn.ModuleDict) -> dict[int, list[int]]:
    """Resolution -> outputs of its convolutions."""
    return {
        int(name): [layer.out_channels for layer in block.modules() if isinstance(layer, EqualConv2d)]
        for name, block in blocks.items()
    }


def test_networks_have_the_published_size():
    """Settings of the released code [C]: latent 168, from 8 pixels, 847 identities."""
    with torch.device("meta"):
        generator, discriminator = TextureGenerator(CODE, FACESCAPE), TextureDiscriminator(CODE, FACESCAPE)
    assert _count(generator) == 6_113_365
    assert _count(discriminator) + IN_THE_CODE_ALONE == 7_776_760


def test_generator_has_the_published_widths():
    with torch.device("meta"):
        blocks = TextureGenerator(CODE, FACESCAPE).blocks
    widths = {4: 256, 8: 256, 16: 256, 32: 256, 64: 128, 128: 64, 256: 64, 512: 64}
    assert _widths(blocks) == {resolution: [width, width] for resolution, width in widths.items()}


def test_discriminator_has_the_published_widths():
    with torch.device("meta"):
        blocks = TextureDiscriminator(CODE, FACESCAPE).blocks
    widths = {512: 64, 256: 128, 128: 256, 64: 256, 32: 256, 16: 256, 8: 256}
    assert _widths(blocks) == {resolution: [width, width] for resolution, width in widths.items()}


@pytest.fixture
def generator() -> TextureGenerator:
    torch.manual_seed(0)
    return TextureGenerator(SMALL, SIZES)


@pytest.fixture
def discriminator() -> TextureDiscriminator:
    torch.manual_seed(1)
    return TextureDiscriminator(SMALL, SIZES)


@pytest.fixture
def codes() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    return torch.randn(4, 6), torch.randn(4, 3), torch.eye(4)


@pytest.mark.parametrize("resolution", [16, 32])
def test_fade_begins_with_the_former_picture_enlarged(generator, codes, resolution):
    former = generator(*codes, resolution // 2, 1.0)
    assert torch.equal(generator(*codes, resolution, 0.0), upsample(former))


@pytest.mark.parametrize("resolution", [16, 32])
def test_fade_ends_with_the_new_layers_alone(generator, codes, resolution):
    whole = generator(*codes, resolution, 1.0)
    nn.init.constant_(generator.to_rgb[str(resolution // 2)].weight, float("nan"))
    assert torch.equal(generator(*codes, resolution, 1.0), whole)


def test_fade_goes_straight_from_one_to_the_other(generator, codes):
    begun, ended = generator(*codes, 16, 0.0), generator(*codes, 16, 1.0)
    torch.testing.assert_close(generator(*codes, 16, 0.25), 0.75 * begun + 0.25 * ended)


@pytest.mark.parametrize("resolution", [16, 32])
def test_critic_begins_a_fade_with_its_former_verdict(discriminator, resolution):
    pictures = torch.randn(4, 3, resolution, resolution)
    for now, before in zip(discriminator(pictures, 0.0), discriminator(downsample(pictures), 1.0), strict=True):
        assert torch.equal(now, before)


@pytest.mark.parametrize("resolution", [16, 32])
def test_critic_ends_a_fade_without_its_former_entrance(discriminator, resolution):
    pictures = torch.randn(4, 3, resolution, resolution)
    whole = discriminator(pictures, 1.0)
    nn.init.constant_(discriminator.from_rgb[str(resolution // 2)].weight, float("nan"))
    assert all(torch.equal(now, before) for now, before in zip(discriminator(pictures, 1.0), whole, strict=True))


def test_first_resolution_has_nothing_to_fade_from(generator, discriminator, codes):
    assert torch.equal(generator(*codes, 8, 0.3), generator(*codes, 8, 1.0))
    pictures = torch.randn(4, 3, 8, 8)
    assert torch.equal(discriminator(pictures, 0.3).score, discriminator(pictures, 1.0).score)


def test_verdict_has_a_score_and_a_logit_for_every_class(discriminator):
    verdict = discriminator(torch.randn(4, 3, 32, 32), 0.5)
    assert [tuple(part.shape) for part in verdict] == [(4,), (4, 5), (4, 4)]


def test_critic_sees_that_pictures_are_all_alike(discriminator):
    """The minibatch's deviation reaches the score: the same picture among others is judged otherwise."""
    pictures = torch.randn(4, 3, 16, 16)
    among_others = discriminator(pictures, 1.0).score[0]
    among_copies = discriminator(pictures[:1].expand(4, -1, -1, -1), 1.0).score[0]
    assert not torch.isclose(among_others, among_copies, atol=1e-3)


def test_layers_of_later_resolutions_get_no_gradient(generator, codes):
    """Nor is their optimiser's state moved, before their phase begins."""
    generator(*codes, 16, 0.5).sum().backward()
    touched = {name.split(".")[1] for name, p in generator.named_parameters() if p.grad is not None and "." in name}
    assert {"4", "8", "16"} <= touched and "32" not in touched
    assert generator.to_rgb["8"].weight.grad is not None, "the one it fades from"


@pytest.mark.parametrize("changed", ["noise", "identity", "expression"])
def test_every_code_changes_the_picture(generator, codes, changed):
    other = {name: code.clone() for name, code in zip(("noise", "identity", "expression"), codes, strict=True)}
    other[changed] = other[changed].roll(1, 0)
    difference = (generator(*other.values(), 32, 1.0) - generator(*codes, 32, 1.0)).abs().mean((1, 2, 3))
    assert (difference > 1e-3).all()


def test_scores_are_float32_under_autocast(discriminator):
    """Their means are small differences of large numbers, which bfloat16 has no digits for."""
    with torch.autocast("cpu", torch.bfloat16):
        verdict = discriminator(torch.randn(4, 3, 16, 16), 0.5)
    assert verdict.score.dtype == torch.float32
    assert verdict.identity.dtype == torch.bfloat16, "or the test shows nothing"
