"""EmotionClipFinetune over two processes: both keep the same weights, through sampling that is computed twice."""

from pathlib import Path
from typing import Any

import torch
from helpers.finetuning import pool_batch, tuned_module
from helpers.fitting import fit
from helpers.processes import train_ranks

from lightning_modules.callbacks.step_seed import StepSeed
from lightning_modules.emotion_clip import EmotionClipModule

STEPS = 2


def trained(rank: int, seeds: torch.Tensor, **hardware: Any) -> torch.Tensor:
    """All weights after the share ``rank`` of each batch."""
    module = tuned_module()
    batches = [pool_batch(2, int(pair[rank])) for pair in seeds]
    fit(module, batches, StepSeed(0), **hardware)
    return torch.cat([value.detach().flatten() for value in module.parameters()])


def test_two_processes_on_different_pictures_keep_the_same_weights(tmp_path: Path):
    """DDP hears of each weight's gradient once, though every step of the sampling has a share in it."""
    assert not EmotionClipModule.find_unused_parameters
    seeds = torch.arange(2 * STEPS).view(STEPS, 2)
    first, second = train_ranks(trained, tmp_path, seeds, EmotionClipModule.find_unused_parameters)
    assert torch.equal(first, second)
    assert not torch.equal(first, trained(0, seeds, devices=1)), "the second's pictures count"
