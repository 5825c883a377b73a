"""Conversion of CompVis checkpoints, against networks written anew from their description and diffusers' converter."""

import copy

import pytest
import torch
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from helpers.compvis_networks import CompVisFirstStage, CompVisLatentDiffusion, CompVisUNet

from facegen_core.diffusion.schedule import ScheduleConfig
from facegen_core.errors import CheckpointError, ConfigError
from facegen_core.methods.emotion_ldm.compvis_denoiser import (
    Average,
    average_from_compvis,
    denoiser_from_compvis,
    denoiser_to_compvis,
)
from facegen_core.methods.emotion_ldm.compvis_first_stage import first_stage_from_compvis, first_stage_to_compvis
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.first_stage import build_first_stage, decode, encode
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig

EXACT = {"rtol": 0, "atol": 1e-5}
"""Networks compute in float64, so that rounding is that of the angles of times alone, which both have in float32."""
PAPER = ScheduleConfig("scaled_linear", 0.0015, 0.0205)
"""Schedule of the original release."""


def stirred(network: torch.nn.Module) -> torch.nn.Module:
    """With all weights random, those too that begin as 0 or 1; small enough that outputs stay near 1."""
    random = torch.Generator().manual_seed(4)
    for name, weight in network.named_parameters():
        noise = torch.randn(weight.shape, generator=random)
        if weight.ndim > 1:
            weight.data = noise / max(weight[0].numel(), 1) ** 0.5
        else:
            weight.data = 0.1 * noise + (1.0 if "norm" in name and name.endswith("weight") else 0.0)
    return network.eval()


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def there_and_back(network, pictures: torch.Tensor, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents of pictures and pictures of latents, by an autoencoder of diffusers."""
    network = copy.deepcopy(network).double()
    return network.encode(pictures).latents, network.decode(latents).sample


def small_unet() -> CompVisUNet:
    return CompVisUNet([32, 64, 128], blocks=2, latent=3, context=16, head=16)


@pytest.fixture(scope="module")
def theirs() -> CompVisLatentDiffusion:
    """At the paper's layout, with small widths."""
    unet = small_unet()
    first_stage = CompVisFirstStage([32, 64, 128], blocks=2, latent=3, codes=64)
    return stirred(CompVisLatentDiffusion(unet, first_stage, context=16))


@pytest.fixture(scope="module")
def first_stage(theirs):
    config, tensors = first_stage_from_compvis(theirs.first_stage_model.state_dict(), pixels=32)
    ours = build_first_stage(config).eval()
    ours.load_state_dict(tensors)
    return config, ours


@pytest.fixture(scope="module")
def denoiser(theirs):
    config, tensors = denoiser_from_compvis(denoiser_tensors(theirs), PAPER, latent_pixels=8, head_channels=16)
    ours = EmotionDenoiser(config).eval()
    ours.load_state_dict(tensors)
    return config, ours


def denoiser_tensors(theirs: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {k: v for k, v in theirs.state_dict().items() if k.startswith(("model.", "cond_stage_model."))}


def flat_average(theirs: torch.nn.Module) -> dict[str, torch.Tensor]:
    """As latent-diffusion keeps it: one buffer a weight, names without dots; here another network's weights."""
    names = [name for name in theirs.state_dict() if name.startswith("model.")]
    other = stirred(small_unet()).state_dict()
    average = {f"model_ema.{n.removeprefix('model.').replace('.', '')}": 2 * other[n[22:]] for n in names}
    return average | {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(7)}


def test_sizes_are_read_off_the_tensors(first_stage, denoiser):
    assert first_stage[0] == FirstStageConfig(pixels=32, channels=(32, 64, 128), codes=64)
    assert denoiser[0] == DenoiserConfig(
        latent_pixels=8, channels=(32, 64, 128), heads=(2, 4, 8), context_dim=16, schedule=PAPER
    )


@torch.no_grad()
def test_first_stage_computes_as_theirs(theirs, first_stage):
    pictures, latents = drawn(2, 3, 32, 32), drawn(2, 3, 8, 8)
    reference = copy.deepcopy(theirs.first_stage_model).double()
    wanted = reference.encode(pictures), reference.decode(latents)
    assert all(result.std() > 0.1 for result in wanted)
    torch.testing.assert_close(there_and_back(first_stage[1], pictures, latents), wanted, **EXACT)


@torch.no_grad()
def test_facegens_own_functions_take_it_from_there(theirs, first_stage):
    pictures, latents = drawn(2, 3, 32, 32).float(), drawn(2, 3, 8, 8).float()
    stage = theirs.first_stage_model
    torch.testing.assert_close(encode(first_stage[1], pictures), stage.encode(pictures), rtol=0, atol=1e-4)
    torch.testing.assert_close(decode(first_stage[1], latents), stage.decode(latents), rtol=0, atol=1e-4)


@torch.no_grad()
def test_denoiser_predicts_as_theirs(theirs, denoiser):
    latents, t, emotion = drawn(3, 3, 8, 8), torch.tensor([0, 431, 999]), torch.tensor([7, 2, -1])
    ours, reference = copy.deepcopy(denoiser[1]).double(), copy.deepcopy(theirs).double()
    tokens = reference.cond_stage_model
    context = torch.stack([tokens.embedding.weight[7], tokens.embedding.weight[2], tokens.uncond_embedding.weight[0]])
    wanted = reference.model.diffusion_model(latents, t, context[:, None])
    assert wanted.std() > 0.1
    torch.testing.assert_close(ours(latents, t, ours.context(emotion)), wanted, **EXACT)


@torch.no_grad()
def test_their_average_predicts_as_theirs(theirs, denoiser):
    config, average = denoiser[0], flat_average(theirs)
    ours = EmotionDenoiser(config).unet.double()
    ours.load_state_dict(average_from_compvis(config, average).weights)
    reference = small_unet().double()
    reference.load_state_dict(
        {name: average[f"model_ema.diffusion_model{name.replace('.', '')}"] for name in reference.state_dict()}
    )
    latents, t, context = drawn(2, 3, 8, 8), torch.tensor([3, 500]), drawn(2, 1, 16)
    wanted = reference(latents, t, context)
    torch.testing.assert_close(ours(latents, t, context).sample, wanted, **EXACT)


@torch.no_grad()
def test_ours_works_in_their_networks():
    """Back: weights of ours, of other sizes than above, in networks of theirs."""
    config = FirstStageConfig(pixels=16, channels=(32, 64), blocks=1, codes=8, latent_channels=4)
    stage = stirred(build_first_stage(config))
    reference = CompVisFirstStage([32, 64], blocks=1, latent=4, codes=8)
    reference.load_state_dict(first_stage_to_compvis(config, stage.state_dict()))
    reference.double()
    pictures, latents = drawn(1, 3, 16, 16), drawn(1, 4, 8, 8)
    wanted = there_and_back(stage, pictures, latents)
    torch.testing.assert_close((reference.encode(pictures), reference.decode(latents)), wanted, **EXACT)

    sizes = DenoiserConfig(
        latent_pixels=8, latent_channels=4, channels=(64, 32), layers_per_block=1, heads=(2, 1), context_dim=8
    )
    model = stirred(EmotionDenoiser(sizes)).double()
    unet = CompVisUNet([64, 32], blocks=1, latent=4, context=8, head=32)
    whole = CompVisLatentDiffusion(unet, reference, context=8).double()
    done = whole.load_state_dict(denoiser_to_compvis(sizes, model.state_dict()), strict=False)
    assert done.unexpected_keys == [] and all(name.startswith("first_stage") for name in done.missing_keys)
    t, emotion = torch.tensor([5]), torch.tensor([6])
    wanted = model(latents, t, model.context(emotion))
    torch.testing.assert_close(unet(latents, t, whole.cond_stage_model.embedding(emotion)[:, None]), wanted, **EXACT)


def test_there_and_back_gives_the_same_tensors(theirs, first_stage, denoiser):
    stage = first_stage_to_compvis(first_stage[0], first_stage[1].state_dict())
    average = flat_average(theirs)
    ours = average_from_compvis(denoiser[0], average)
    tensors = denoiser_to_compvis(denoiser[0], denoiser[1].state_dict(), ours)
    wanted = {f"first_stage_model.{k}": v for k, v in stage.items()} | tensors
    expected = theirs.state_dict() | average
    assert wanted.keys() == expected.keys()
    assert all(torch.equal(wanted[name], expected[name]) for name in expected)


def test_weights_that_ours_does_not_average_are_those_of_the_network(denoiser):
    config, ours = denoiser
    trained = {n: 2 * w for n, w in ours.unet.named_parameters() if w.requires_grad}
    tensors = denoiser_to_compvis(config, ours.state_dict(), Average(trained, 0.9, 3))
    back, unet = (
        average_from_compvis(config, {n: v for n, v in tensors.items() if n.startswith("model_ema.")}),
        ours.unet.state_dict(),
    )
    assert (back.decay, back.updates) == (pytest.approx(0.9), 3) and back.weights.keys() == unet.keys()
    assert 0 < len(unet.keys() - trained.keys()) < len(trained)
    assert all(torch.equal(value, trained.get(name, unet[name])) for name, value in back.weights.items())


def test_unet_agrees_with_the_converter_of_diffusers(theirs, denoiser):
    config = dict(denoiser[1].unet.config)
    wanted = convert_ldm_unet_checkpoint(theirs.state_dict(), config)
    ours = denoiser[1].unet.state_dict()
    assert ours.keys() == wanted.keys() and all(torch.equal(ours[name], wanted[name]) for name in ours)


def test_first_stage_agrees_with_the_converter_of_diffusers(theirs, first_stage):
    """Its converter knows no codebook and no attention outside the middle; of those it leaves names as they are."""
    wanted = convert_ldm_vae_checkpoint(theirs.state_dict(), dict(first_stage[1].config))
    ours = first_stage[1].state_dict()
    common = [name for name in wanted if name in ours]
    assert len(common) > 100 and all(torch.equal(ours[name], wanted[name]) for name in common)
    assert all(".attentions." in name or name.startswith("quantize.") for name in ours.keys() - wanted.keys())


def test_published_sizes_are_read_whole():
    """Every name and shape of the original release's networks, none of whose tensors are made."""
    with torch.device("meta"):
        unet = CompVisUNet([160, 320, 640], blocks=2, latent=3, context=512, head=32)
        stage = CompVisFirstStage([128, 256, 512], blocks=2, latent=3, codes=16384)
        tensors = CompVisLatentDiffusion(unet, stage, context=512).state_dict()
    stage_tensors = {k[18:]: v for k, v in tensors.items() if k.startswith("first_stage_model.")}
    rest = {k: v for k, v in tensors.items() if not k.startswith("first_stage_model.")}
    config, ours = first_stage_from_compvis(stage_tensors, pixels=128)
    assert config == FirstStageConfig() and sum(t.numel() for t in ours.values()) == 60_605_598
    sizes, weights = denoiser_from_compvis(rest, PAPER, latent_pixels=config.latent_pixels, head_channels=32)
    assert sizes == DenoiserConfig()
    assert sum(t.numel() for name, t in weights.items() if name.startswith("unet.")) == 156_760_483
    assert sum(t.numel() for t in weights.values()) == 156_765_091


def changed(tensors, drop=None, **more):
    return {name: value for name, value in tensors.items() if name != drop} | more


@pytest.mark.parametrize(
    "drop, more, says",
    [
        ("decoder.up.0.block.1.norm2.bias", {}, r"decoder\.up\.0\.block\.1\.norm2\.bias missing"),
        (None, {"encoder.down.0.attn.0.q.bias": torch.zeros(32)}, r"encoder\.down\.0\.attn\.0\.q\.bias not known"),
        ("quantize.embedding.weight", {}, r"no quantize\.embedding\.weight"),
        (None, {"decoder.conv_in.bias": torch.zeros(5)}, r"decoder\.conv_in\.bias has shape \(5,\), where \(128,\)"),
    ],
)
def test_first_stage_of_another_layout_is_told_by_name(theirs, drop, more, says):
    with pytest.raises(CheckpointError, match=says):
        first_stage_from_compvis(changed(theirs.first_stage_model.state_dict(), drop, **more), 32, "stage.ckpt")


def test_unet_of_another_layout_is_told_by_name(theirs):
    tensors = denoiser_tensors(theirs)
    deeper = changed(
        tensors, **{"model.diffusion_model.input_blocks.1.1.transformer_blocks.1.norm1.bias": torch.zeros(32)}
    )
    with pytest.raises(CheckpointError, match=r"transformer_blocks\.1\.norm1\.bias not known"):
        denoiser_from_compvis(deeper, PAPER, 8, 16)
    with pytest.raises(CheckpointError, match=r"cond_stage_model\.uncond_embedding\.weight missing"):
        denoiser_from_compvis(changed(tensors, "cond_stage_model.uncond_embedding.weight"), PAPER, 8, 16)
    with pytest.raises(ConfigError, match="heads of 48"):
        denoiser_from_compvis(tensors, PAPER, 8, 48)


def test_networks_with_other_groups_cannot_go_back():
    config = FirstStageConfig(pixels=16, channels=(16, 16), groups=8, codes=4)
    with pytest.raises(ConfigError, match="32 groups"):
        first_stage_to_compvis(config, {})
    with pytest.raises(ConfigError, match="32 groups"):
        denoiser_to_compvis(DenoiserConfig(channels=(16,), heads=(1,), norm_groups=8), {})
