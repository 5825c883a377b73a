"""What only a GPU shows of EmotionLDM: its stages in half precision and compiled, and guidance from one forward."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.processes import metrics
from helpers.raw_pictures import write_affectnet

from facegen_core.diffusion.guidance import guided
from facegen_core.methods.emotion_ldm.denoiser import NULL, EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]
STEPS = 8
LOSSES = {
    "vqgan": {"loss", "d_loss", "adaptive_weight"},  # the discriminator's from step 4 on
    "emotion_ldm": {"loss"},
    "emotion_clip": {"loss", "judge_direction_loss", "identity_loss", "l2_loss", "grad_norm"},
}


@pytest.mark.parametrize("words", [["trainer.precision=bf16-mixed"], ["trainer.compile=true"]])
def test_stages_train_one_after_the_other_with_finite_losses(tmp_path: Path, words: list[str]):
    write_affectnet(tmp_path / "faces")
    for stage, data in (("vqgan", [f"data.root={tmp_path / 'faces'}"]), ("emotion_ldm", []), ("emotion_clip", [])):
        command = [sys.executable, "-m", "experiments.cli", "train", "--quiet", stage, "profile=smoke", "name=run",
                   "trainer.accelerator=gpu", f"outputs={tmp_path}", "tracking.uri=null", *data, *words]  # fmt: skip
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        subprocess.run(command, check=True, env=environment)
        found = metrics(tmp_path / "emotion_ldm" / stage / "run")
        losses = {(key.removeprefix("train/"), step): v for (key, step), v in found.items() if key.startswith("train/")}
        assert {key for key, _ in losses} >= LOSSES[stage]
        assert len([key for key, _ in losses if key == "loss"]) == STEPS
        assert all(isinstance(value, float) and math.isfinite(value) for value in losses.values())


@torch.no_grad()
def test_guidance_from_one_forward_is_that_of_two():
    """In double precision: in single, a GPU may compute batches of other sizes in other ways."""
    torch.manual_seed(0)
    config = DenoiserConfig(latent_pixels=8, channels=(32, 64), layers_per_block=1, heads=(1, 2), context_dim=8)
    model = EmotionDenoiser(config).cuda().double().eval()
    latents = torch.randn(4, 3, 8, 8, device="cuda", dtype=torch.float64)
    t, emotion = torch.tensor([1, 100, 500, 999], device="cuda"), torch.tensor([0, 1, 3, 7], device="cuda")
    context, null = model.context(emotion), model.context(torch.full_like(emotion, NULL))
    made = guided(model, context, null, 3.0)(latents, t)
    without, conditioned = model(latents, t, null), model(latents, t, context)
    torch.testing.assert_close(made, without + 3 * (conditioned - without), rtol=0, atol=1e-9)
    assert (made - without).abs().max() > 1e-4, "or the test would show nothing"
