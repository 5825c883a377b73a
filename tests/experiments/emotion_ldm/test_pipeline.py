"""The exported folder, opened by diffusers where facegen is not, against facegen's own manipulation."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from diffusers import VQModel
from helpers.manipulation import manipulate
from torch import Tensor

from experiments.emotion_ldm.diffusers_folder import write_folder
from facegen_core.diffusion.schedule import alpha_bars
from facegen_core.emotions import EMOTIONS
from facegen_core.images import from_signed
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.first_stage import build_first_stage, decode, encode
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig

ELSEWHERE = """
import sys
sys.modules["facegen_core"] = sys.modules["experiments"] = None  # importing them fails
import torch
from diffusers import DiffusionPipeline
folder, asked, answer = sys.argv[1:]
pipeline = DiffusionPipeline.from_pretrained(folder, trust_remote_code=True)
pipeline.set_progress_bar_config(disable=True)
image, calls = torch.load(asked)
torch.save([pipeline(image, output_type="pt", **words).images for words in calls], answer)
"""
STAGE = FirstStageConfig(pixels=32, channels=(16, 32), blocks=1, groups=8, codes=32)
DENOISER = DenoiserConfig(
    latent_pixels=16, channels=(16, 32), layers_per_block=1, heads=(1, 2), norm_groups=8, context_dim=24
)


class Trained(NamedTuple):
    first_stage: VQModel
    denoiser: EmotionDenoiser
    folder: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Trained:
    torch.manual_seed(0)
    first_stage, denoiser = build_first_stage(STAGE).eval(), EmotionDenoiser(DENOISER).eval()
    first_stage.quantize.embedding.weight.data.normal_()  # as far apart as latents, so that most are taken
    denoiser.unet.conv_out.weight.data *= 3  # and noise that depends on the emotion
    for network in (first_stage, denoiser):
        network.to(memory_format=torch.channels_last)  # as training leaves them
    folder = tmp_path_factory.mktemp("exported")
    write_folder(first_stage, denoiser, DENOISER, folder, "Made from random weights.")
    return Trained(first_stage, denoiser, folder)


@torch.no_grad()
def ours(trained: Trained, pictures: Tensor, source: list[str], target: list[str], config: EditConfig) -> Tensor:
    """Facegen's own edit of pictures (B, 3, R, R) in [0, 1], likewise."""
    labels = (torch.tensor([EMOTIONS.index(name) for name in names]) for names in (source, target))
    latents = encode(trained.first_stage, pictures * 2 - 1)
    edited = manipulate(trained.denoiser, latents, *labels, config, alpha_bars(DENOISER.schedule))
    return from_signed(decode(trained.first_stage, edited))


def test_folder_gives_facegens_pictures_without_facegen(trained, tmp_path):
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    source, target = ["sad", "neutral"], ["happy", "contempt"]
    calls = [
        {"source": source, "target": target, "strength": 500, "num_inference_steps": 6},
        {"source": source, "target": target, "strength": 399, "num_inference_steps": 4, "guide_inversion": False},
        {"target": "anger", "guidance_scale": 1.0, "num_inference_steps": 5},
    ]
    wanted = [
        ours(trained, pictures, source, target, EditConfig(steps=6)),
        ours(trained, pictures, source, target, EditConfig(strength=399, steps=4, inversion_guidance="none")),
        ours(trained, pictures, ["neutral"] * 2, ["anger"] * 2, EditConfig(guidance=1.0, steps=5)),
    ]
    torch.save((pictures, calls), tmp_path / "asked.pt")
    command = [
        sys.executable,
        "-c",
        ELSEWHERE,
        str(trained.folder),
        *(str(tmp_path / n) for n in ("asked.pt", "made.pt")),
    ]
    environment = os.environ | {"HF_HOME": str(tmp_path), "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    made = torch.load(tmp_path / "made.pt")
    for here, there in zip(wanted, made, strict=True):
        torch.testing.assert_close(there, here, rtol=0, atol=1e-4)
    unchanged = from_signed(decode(trained.first_stage, encode(trained.first_stage, pictures * 2 - 1)))
    assert all((here - unchanged).abs().mean() > 0.01 for here in wanted)
    assert (wanted[0] - wanted[1]).abs().mean() > 0.01


def test_networks_lie_there_as_safetensors_for_diffusers_alone(trained):
    files = {path.relative_to(trained.folder).as_posix() for path in trained.folder.rglob("*") if path.is_file()}
    weights = {f"{part}/diffusion_pytorch_model.safetensors" for part in ("vqvae", "unet", "emotions")}
    code = {"pipeline.py", "emotions/emotion_tokens.py"}
    configs = {f"{part}/config.json" for part in ("vqvae", "unet", "emotions")}
    assert files == weights | code | configs | {"model_index.json", "scheduler/scheduler_config.json", "README.md"}
    opened = VQModel.from_pretrained(trained.folder, subfolder="vqvae", low_cpu_mem_usage=False)
    there = trained.first_stage.state_dict()
    assert opened.config.scaling_factor == 1.0
    assert all(torch.equal(value, there[name]) for name, value in opened.state_dict().items())
