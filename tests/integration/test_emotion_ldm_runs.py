"""EmotionLDM over two processes: both keep the same weights, whichever of them withholds its labels."""

from pathlib import Path
from typing import Any

import torch
from helpers.fitting import fit
from helpers.processes import train_ranks

from facegen_core.config import OptimConfig
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from lightning_modules.callbacks.ema import EMA
from lightning_modules.callbacks.step_seed import StepSeed
from lightning_modules.emotion_ldm import EmotionLDMModule

TINY = DenoiserConfig(
    latent_pixels=4, channels=(8,), layers_per_block=1, heads=(1,), norm_groups=4, context_dim=6, label_drop=0.5
)
STEPS = 6


def trained(rank: int, data: torch.Tensor, **hardware: Any) -> torch.Tensor:
    """All weights, and the U-Net's average, after the share ``rank`` of each batch."""
    torch.manual_seed(0)
    module, ema = EmotionLDMModule(TINY, OptimConfig(1e-3)), EMA(0.9)
    emotion = torch.arange(4)
    batches = [{"latent": part[rank], "emotion": emotion, "identity": emotion, "index": emotion} for part in data]
    fit(module, batches, StepSeed(0), ema, **hardware)
    return torch.cat([value.detach().flatten() for value in (*module.parameters(), *ema.average.values())])


def test_two_processes_on_different_latents_keep_the_same_weights(tmp_path: Path):
    """DDP is told of no unused weights: those that attention to one token leaves out are frozen."""
    assert not EmotionLDMModule.find_unused_parameters
    data = torch.randn(STEPS, 2, 4, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    first, second = train_ranks(trained, tmp_path, data, EmotionLDMModule.find_unused_parameters)
    assert torch.equal(first, second)
    assert not torch.equal(first, trained(0, data, devices=1)), "the second's latents count"
