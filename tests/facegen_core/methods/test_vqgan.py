"""The VQGAN's networks and losses: published sizes, and closed forms of what they compute."""

import math

import pytest
import torch
from torch import nn

from facegen_core.encoders.judge import identity_judge
from facegen_core.errors import ConfigError, WeightsNotFoundError
from facegen_core.methods.emotion_ldm.discriminator import PatchDiscriminator
from facegen_core.methods.emotion_ldm.first_stage import build_first_stage, decode, encode, reconstruct
from facegen_core.methods.emotion_ldm.perceptual import JudgeDistance, build_perceptual
from facegen_core.methods.emotion_ldm.vqgan_config import DiscriminatorConfig, FirstStageConfig, VQGANConfig
from facegen_core.methods.emotion_ldm.vqgan_losses import adaptive_weight, hinge_discriminator_loss
from facegen_core.methods.face_judge.config import FaceJudgeConfig, TrunkConfig
from facegen_core.methods.face_judge.files import save_judge
from facegen_core.methods.face_judge.networks import Block, IdentityJudge
from facegen_core.metrics.codebook import CodebookPerplexity, CodebookUsage
from facegen_core.weights.files import FOLDER_VARIABLE

SMALL = FirstStageConfig(pixels=16, channels=(8, 8, 16), blocks=1, groups=4, codes=32)


def count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


# Sizes


def test_first_stage_has_the_published_parts():
    """The counts of the facts: CompVis' own network with the authors' settings has the same."""
    with torch.device("meta"):
        network = build_first_stage(FirstStageConfig())
    convs = count(network.quant_conv) + count(network.post_quant_conv)
    parts = (count(network.encoder), count(network.decoder), count(network.quantize), convs)
    assert parts == (24_440_707, 36_115_715, 49_152, 24)
    assert count(network) == sum(parts) == 60_605_598
    assert network.config.scaling_factor == 1.0


def test_without_attention_in_the_last_level_it_is_another_network():
    with torch.device("meta"):
        assert count(build_first_stage(FirstStageConfig(attention=False))) == 55_347_358


@pytest.mark.parametrize(("layers", "parameters", "side"), [(3, 2_765_633, 14), (2, 663_361, 30)])
def test_discriminator_has_the_published_size(layers, parameters, side):
    with torch.device("meta"):
        network = PatchDiscriminator(DiscriminatorConfig(layers=layers))
        assert network(torch.empty(2, 3, 128, 128)).shape == (2, 1, side, side)
    assert count(network) == parameters


def test_discriminator_judges_patches_of_seventy_pixels():
    """Isola et al.: a score of three halving layers sees 70 x 70 pixels."""
    torch.manual_seed(0)
    network = PatchDiscriminator(DiscriminatorConfig(width=4)).eval()
    pictures = torch.randn(1, 3, 256, 256, requires_grad=True)
    scores = network(pictures)
    (gradient,) = torch.autograd.grad(scores[0, 0, 15, 15], pictures)
    seen = gradient.abs().sum((0, 1)) > 0
    assert [int(seen.any(axis).sum()) for axis in (0, 1)] == [70, 70]


def test_discriminator_is_drawn_as_the_authors_draw_it():
    torch.manual_seed(0)
    network = PatchDiscriminator(DiscriminatorConfig())
    convolution, norm = network.layers[8], network.layers[9]
    assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    assert float(convolution.weight.detach().std()) == pytest.approx(0.02, rel=0.01)
    assert float(norm.weight.detach().mean()) == pytest.approx(1, abs=0.01)
    assert float(norm.weight.detach().std()) == pytest.approx(0.02, rel=0.15)
    assert not norm.bias.any()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (FirstStageConfig(channels=(32, 48)), "channels"),
        (FirstStageConfig(pixels=66), "multiple of 4"),
        (FirstStageConfig(codes=0), "codes"),
        (FirstStageConfig(code_range=0.0), "code_range"),
        (DiscriminatorConfig(layers=0), "layers"),
        (VQGANConfig(disc_start=-1), "disc_start"),
        (VQGANConfig(SMALL, DiscriminatorConfig(layers=3)), "leaves nothing of pictures of 16 pixels"),
    ],
)
def test_settings_that_cannot_be_built_are_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        config.check()


def test_smallest_pictures_a_discriminator_takes_give_one_patch():
    VQGANConfig(FirstStageConfig(pixels=24), DiscriminatorConfig(layers=3)).check()
    with torch.device("meta"):
        assert PatchDiscriminator(DiscriminatorConfig()).eval()(torch.empty(1, 3, 24, 24)).shape == (1, 1, 1, 1)


# Latents and codes


@pytest.mark.parametrize(("asked", "most"), [(None, 1 / 4096), (0.5, 0.5)])
def test_codes_are_drawn_evenly_from_their_range(asked, most):
    torch.manual_seed(0)
    config = FirstStageConfig(16, (8, 8, 16), 1, 4, codes=4096, code_range=asked)
    codes = build_first_stage(config).quantize.embedding.weight.detach() / most
    assert codes.abs().max() <= 1
    assert float(codes.std()) == pytest.approx(3**-0.5, rel=0.02)


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = build_first_stage(SMALL)
    network.quantize.embedding.weight.data.normal_()
    return network


def test_latents_are_those_before_quantisation_and_decoding_quantises(network):
    pictures = torch.rand(2, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        latents = encode(network, pictures)
        codes = network.quantize.embedding.weight
        nearest = torch.stack([(code[:, None, None] - latents).square().sum(1) for code in codes]).argmin(0)
        quantised = codes[nearest].permute(0, 3, 1, 2)
        made = reconstruct(network, pictures)
        assert latents.shape == (2, 3, SMALL.latent_pixels, SMALL.latent_pixels)
        assert not torch.isclose(latents, quantised).all()
        assert torch.equal(made.codes, nearest)
        torch.testing.assert_close(decode(network, latents), decode(network, quantised))
        torch.testing.assert_close(made.pictures, decode(network, latents))


def test_quantisers_loss_pulls_latents_fully_and_codes_by_a_quarter(network):
    """One code, one latent: 1.25 d^2 / 3 and its gradients."""
    quantiser = build_first_stage(FirstStageConfig(16, (8, 8, 16), 1, 4, codes=1)).quantize
    code, latent = quantiser.embedding.weight, torch.tensor([0.5, -1.0, 2.0]).view(1, 3, 1, 1).requires_grad_()
    _, loss, _ = quantiser(latent)
    apart = (latent.flatten() - code[0]).detach()
    assert float(loss.detach()) == pytest.approx(1.25 * float(apart.square().mean()), rel=1e-5)
    loss.backward()
    torch.testing.assert_close(latent.grad.flatten(), 2 * apart / 3)
    torch.testing.assert_close(code.grad[0], -0.25 * 2 * apart / 3)


def test_gradients_pass_decoding_as_if_nothing_were_quantised(network):
    latents = torch.randn(1, 3, 4, 4, requires_grad=True)
    with torch.no_grad():
        quantised, *_ = network.quantize(latents)
    quantised.requires_grad_()
    target = torch.randn(1, 3, 16, 16)
    (through,) = torch.autograd.grad((decode(network, latents) * target).sum(), latents)
    plain = network.decoder(network.post_quant_conv(quantised))
    (direct,) = torch.autograd.grad((plain * target).sum(), quantised)
    torch.testing.assert_close(through, direct)


@pytest.mark.parametrize(("value", "code"), [(1.001, 0), (1.0035, 1)])
def test_codes_are_chosen_in_full_precision_under_autocast(network, value, code):
    """Both latents are 1 in bfloat16."""
    network.quantize.embedding.weight.data[:2] = torch.tensor([[1.0, 1, 1], [1.0045, 1.0045, 1.0045]])
    network.quant_conv.weight.data.zero_()
    network.quant_conv.bias.data.fill_(value)
    with torch.autocast("cpu", torch.bfloat16):
        made = reconstruct(network, torch.zeros(1, 3, 16, 16))
    assert made.codes.unique().tolist() == [code]
    assert made.pictures.dtype == torch.float32


# Losses


def test_hinge_loss_is_the_one_worked_out_by_hand():
    real, made = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-2.0, 0.5])
    assert float(hinge_discriminator_loss(real, made)) == pytest.approx(0.5 * ((0 + 0.5 + 2) / 3 + (0 + 1.5) / 2))


def test_adaptive_weight_is_the_ratio_of_the_two_pulls():
    last = torch.ones(2, 3, requires_grad=True)
    reconstruction, adversarial = 3 * last.sum(), (last * torch.tensor([0.0, 0.0, 2.0])).sum()
    expected = 3 * math.sqrt(6) / (2 * math.sqrt(2) + 1e-4)
    weight = adaptive_weight(reconstruction, adversarial, last)
    assert float(weight) == pytest.approx(expected, rel=1e-6) and not weight.requires_grad


def test_adaptive_weight_is_at_most_ten_thousand():
    last = torch.ones(1, requires_grad=True)
    assert float(adaptive_weight(100 * last.sum(), 0 * last.sum(), last)) == 1e4


@pytest.mark.parametrize(
    ("codes", "perplexity", "usage"),
    [([[0, 1, 2, 3]], 4.0, 0.5), ([[5, 5], [5, 5]], 1.0, 1 / 8), ([[0, 0], [0, 1]], 4 / 3**0.75, 0.25)],
)
def test_codebook_figures_are_those_of_all_batches_together(codes, perplexity, usage):
    metrics = CodebookPerplexity(8), CodebookUsage(8)
    for batch in codes:
        for metric in metrics:
            metric.update(torch.tensor(batch))
    assert [float(metric.compute()) for metric in metrics] == pytest.approx([perplexity, usage])


# Perceptual distances


@pytest.fixture
def judge_file(tmp_path):
    torch.manual_seed(0)
    config = FaceJudgeConfig(identity=TrunkConfig(8, (8, 16), (1, 1)))
    network = IdentityJudge(config.identity)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    path = tmp_path / "identity_judge.safetensors"
    save_judge(network, "identity", config, [], path)
    return path


def test_judges_distance_is_lpips_written_out(judge_file):
    judge = identity_judge(judge_file)
    generator = torch.Generator().manual_seed(0)
    first, second = torch.rand(2, 2, 3, 32, 32, generator=generator)
    expected = torch.zeros(2)
    with torch.no_grad():
        for b in range(2):
            seen = [(x[b : b + 1] - second[b].mean()) / (second[b].std() + 0.02) for x in (first, second)]
            for layer in judge.network.trunk:
                seen = [layer(x) for x in seen]
                if isinstance(layer, nn.ReLU | Block):
                    unit = [x / x.square().sum(1, keepdim=True).sqrt().clamp(min=1e-12) for x in seen]
                    expected[b] += (unit[0] - unit[1]).square().sum(1).mean()
    found = JudgeDistance(judge)(first, second)
    torch.testing.assert_close(found, expected)
    assert (found > 0.01).all()


def test_judges_distance_is_none_between_equals_and_feels_brightness(judge_file):
    distance = JudgeDistance(identity_judge(judge_file))
    pictures = torch.rand(2, 3, 32, 32) / 2
    assert distance(pictures, pictures).tolist() == [0, 0]
    assert (distance(pictures + 0.3, pictures) > 1e-3).all(), "each seen with its own brightness would be alike"


def test_judges_distance_teaches_even_a_black_picture(judge_file):
    pictures = torch.zeros(1, 3, 32, 32, requires_grad=True)
    JudgeDistance(identity_judge(judge_file))(pictures, torch.rand(1, 3, 32, 32)).sum().backward()
    assert pictures.grad.isfinite().all() and pictures.grad.any()


def test_judge_is_chosen_by_name_and_stays_frozen(judge_file, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(judge_file.parent))
    distance = build_perceptual("judge")
    assert isinstance(distance, JudgeDistance) and "embedded identity judge" in distance.name
    assert not any(weight.requires_grad for weight in distance.parameters())
    assert not distance.train().training
    assert build_perceptual("none") is None


@pytest.mark.parametrize(
    ("name", "file", "others"),
    [
        ("lpips", "vgg16-397923af.pth", ["model.perceptual=judge", "model.perceptual=none"]),
        ("judge", "identity_judge.safetensors", ["model.perceptual=none"]),
    ],
)
def test_missing_weights_name_the_file_and_what_else_can_be_chosen(tmp_path, monkeypatch, name, file, others):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr("facegen_core.weights.files.EMBEDDED", tmp_path)
    monkeypatch.setattr("torch.hub.download_url_to_file", lambda *_, **__: pytest.fail("something was downloaded"))
    with pytest.raises(WeightsNotFoundError, match=file) as caught:
        build_perceptual(name)
    assert str(caught.value).startswith(f"model.perceptual = {name}: ")
    assert [other for other in others if other not in str(caught.value)] == []
