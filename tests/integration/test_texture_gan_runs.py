"""Real runs of the texture GAN with tiny networks: killed inside a fade and resumed; over two processes."""

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.fitting import fit
from helpers.processes import differences, finish, kill_at_step, metrics, start_toy, train_ranks
from helpers.textures import write_textures

from facegen_core.config import OptimConfig
from facegen_core.methods.face3d.config import GrowthConfig, TextureGANConfig, TextureSizes
from facegen_core.methods.face3d.identity_codes import IdentityCodes
from facegen_core.methods.face3d.progressive import phase_at
from lightning_modules.texture_progan import TextureProGANModule

STEPS, BEFORE_FADE, PEOPLE = 60, 4, 6
GROWTH = {"first_resolution": 8, "last_resolution": 16, "stable_images": 32, "fade_images": 400, "batch": [8, 4]}
WORDS = (
    "profile=smoke", "name=run", f"trainer.max_steps={STEPS}", "trainer.checkpoint_every=4", "trainer.val_every=20",
    "trainer.log_every=1", "model.width=8",
    *(f"model.growth.{key}={value}" for key, value in GROWTH.items()),
)  # fmt: skip


def test_run_killed_in_a_fade_resumes_bit_identical(tmp_path: Path):
    """Two processes. Step 4 ends the first resolution; the fade would last to step 104."""
    IdentityCodes.draw(torch.arange(1, 1 + PEOPLE), 5, 0).save(tmp_path / "z_id.safetensors")
    words = [*WORDS, f"data.root={write_textures(tmp_path / 'data', PEOPLE)}", "trainer.devices=2",
             f"identity_codes={tmp_path / 'z_id.safetensors'}"]  # fmt: skip
    step = random.SystemRandom().randrange(BEFORE_FADE + 5, STEPS - 20)
    print("killed at step", step)
    whole = start_toy("texture_progan", tmp_path / "whole", *words)
    runs = [tmp_path / name / "face3d" / "texture_progan" / "run" for name in ("whole", "cut")]
    kill_at_step(start_toy("texture_progan", tmp_path / "cut", *words), runs[1], step)

    newest = max((runs[1] / "checkpoints").glob("*.ckpt"))
    left = torch.load(newest, weights_only=True)
    assert left["state_dict"]["resolution"] == 16
    assert 0 < left["state_dict"]["alpha"] < 1, "killed too late"
    finish(start_toy("texture_progan", tmp_path / "cut", "resume=last"))
    finish(whole)

    ends = [torch.load(run / "checkpoints" / f"{STEPS:07d}.ckpt", weights_only=True) for run in runs]
    parts = ("state_dict", "optimizer_states", "callbacks", "FaceScapeTextureDataModule", "global_step")
    kept = [{key: end[key] for key in parts} for end in ends]
    assert "ema" in kept[0]["callbacks"]
    assert differences(*kept) == []
    assert metrics(runs[0]) == metrics(runs[1])

    seen = 8 * BEFORE_FADE + 4 * (STEPS - BEFORE_FADE)
    assert kept[0]["FaceScapeTextureDataModule"] == {"seen": seen}
    last_batch = phase_at(seen - 4, GrowthConfig(**GROWTH))
    assert (int(kept[0]["state_dict"]["resolution"]), float(kept[0]["state_dict"]["alpha"])) == pytest.approx(
        last_batch
    )


def build() -> TextureProGANModule:
    """A module, the same wherever it is built."""
    torch.manual_seed(0)
    config = TextureGANConfig(width=8, noise_dim=4, growth=GrowthConfig(8, 16, 8, 8, [4, 4]))
    table = IdentityCodes.draw(torch.arange(1, 4), 5, 0)
    return TextureProGANModule(config, TextureSizes(5, 3, 2), OptimConfig(1e-3, [0.0, 0.99]), ["a", "b"], table)


def trained(rank: int, data: list[dict[str, Any]], **hardware: Any) -> torch.Tensor:
    """All weights after the share ``rank`` of each batch, with noise of its own."""
    module = build()
    torch.manual_seed(1 + rank)
    batches = [{key: part[rank] if part.ndim else part for key, part in batch.items()} for batch in data]
    fit(module, batches, **hardware)
    return torch.nn.utils.parameters_to_vector(module.parameters()).detach()


def test_two_processes_on_different_pictures_keep_the_same_weights(tmp_path: Path):
    """Through both resolutions and a fade: in each, other weights have no gradient."""
    generator = torch.Generator().manual_seed(0)
    data = [
        {
            "image": torch.rand(2, 4, 3, side, side, generator=generator) * 2 - 1,
            "identity": torch.randint(3, (2, 4), generator=generator),
            "expression": torch.randint(2, (2, 4), generator=generator),
            "alpha": torch.tensor(alpha),
        }
        for side, alpha in ((8, 1.0), (16, 0.0), (16, 0.5), (16, 1.0))
    ]
    first, second = train_ranks(trained, tmp_path, data, TextureProGANModule.find_unused_parameters)
    assert torch.equal(first, second)
    assert not torch.equal(first, trained(0, data, devices=1)), "the second's pictures count"
