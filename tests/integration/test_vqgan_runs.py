"""VQGAN over two processes: both keep the same weights, before and after the discriminator's start."""

from pathlib import Path
from typing import Any

import torch
from helpers.fitting import fit
from helpers.processes import train_ranks

from facegen_core.config import OptimConfig
from facegen_core.methods.emotion_ldm.vqgan_config import DiscriminatorConfig, FirstStageConfig, VQGANConfig
from lightning_modules.callbacks.step_seed import StepSeed
from lightning_modules.vqgan import VQGANModule

PIXELS, START, STEPS = 16, 1, 3


def trained(rank: int, data: torch.Tensor, **hardware: Any) -> torch.Tensor:
    """All weights after the share ``rank`` of each batch."""
    torch.manual_seed(0)
    sizes = FirstStageConfig(PIXELS, channels=(8, 8), blocks=1, groups=4, codes=16)
    config = VQGANConfig(sizes, DiscriminatorConfig(width=4, layers=2), "none", disc_start=START)
    module = VQGANModule(config, OptimConfig(1e-3, [0.5, 0.9]))
    batches = [{"image": part[rank]} for part in data]
    fit(module, batches, StepSeed(0), **hardware)
    assert module.trainer.global_step == 2 * STEPS, "both optimisers' steps are counted, before the start too"
    return torch.cat([weight.detach().reshape(-1) for weight in module.parameters()])


def test_two_processes_on_different_pictures_keep_the_same_weights(tmp_path: Path):
    generator = torch.Generator().manual_seed(0)
    data = torch.rand(STEPS, 2, 4, 3, PIXELS, PIXELS, generator=generator) * 2 - 1
    first, second = train_ranks(trained, tmp_path, data, VQGANModule.find_unused_parameters)
    assert torch.equal(first, second)
    assert not torch.equal(first, trained(0, data, devices=1)), "the second's pictures count"
