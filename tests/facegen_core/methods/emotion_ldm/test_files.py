"""A trained EmotionLDM as one file."""

from pathlib import Path

import pytest
import torch

from facegen_core.errors import WeightsNotFoundError
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.files import Networks, load_networks, save_networks
from facegen_core.methods.emotion_ldm.first_stage import build_first_stage, decode, encode
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig

FIRST = FirstStageConfig(pixels=16, channels=(8, 16), blocks=1, groups=4, attention=False, codes=32, code_range=1.0)
DENOISER = DenoiserConfig(
    latent_pixels=8, channels=(8, 16), layers_per_block=1, heads=(1, 2), norm_groups=4, context_dim=8
)


@pytest.fixture
def networks() -> Networks:
    torch.manual_seed(0)
    return Networks(build_first_stage(FIRST).eval(), FIRST, EmotionDenoiser(DENOISER).eval(), DENOISER)


@pytest.fixture
def file(networks: Networks, tmp_path: Path) -> Path:
    save_networks(networks, tmp_path / "n.safetensors")
    return tmp_path / "n.safetensors"


def test_sizes_come_back(file: Path):
    found = load_networks(file)
    assert (found.first_stage_config, found.config) == (FIRST, DENOISER)


def test_denoiser_computes_the_same_but_for_rounding(networks: Networks, file: Path):
    emotion, t, latents = torch.tensor([0, -1]), torch.tensor([3, 700]), torch.randn(2, 3, 8, 8)
    found = load_networks(file).denoiser
    with torch.no_grad():
        expected = networks.denoiser(latents, t, networks.denoiser.context(emotion))
        torch.testing.assert_close(found(latents, t, found.context(emotion)), expected, atol=5e-3, rtol=5e-3)


def test_first_stage_computes_the_same_but_for_rounding(networks: Networks, file: Path):
    pictures = torch.rand(2, 3, 16, 16) * 2 - 1
    found = load_networks(file).first_stage
    with torch.no_grad():
        latents = encode(networks.first_stage, pictures)
        torch.testing.assert_close(encode(found, pictures), latents, atol=5e-3, rtol=5e-3)
        codes = found.quantize.embedding.weight[None, :4].mT.reshape(1, 3, 2, 2)  # each its own nearest in both
        torch.testing.assert_close(decode(found, codes), decode(networks.first_stage, codes), atol=5e-3, rtol=5e-3)


def test_a_file_is_the_same_each_time(networks: Networks, file: Path, tmp_path: Path):
    save_networks(networks, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"no tensors", b"\x02\0\0\0\0\0\0\0{}"])
def test_what_is_no_such_file_is_named(content: bytes | None, tmp_path: Path):
    path = tmp_path / "n.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsNotFoundError, match=r"n\.safetensors"):
        load_networks(path)
