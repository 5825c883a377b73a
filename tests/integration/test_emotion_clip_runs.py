"""EmotionClipFinetune over two processes: both keep the same weights, through sampling that is computed twice."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from helpers.finetuning import pool_batch, tuned_module
from helpers.processes import run_ranks

from experiments.stage import quiet_lightning
from lightning_modules.callbacks.step_seed import StepSeed
from lightning_modules.emotion_clip import EmotionClipModule

STEPS = 2


def trained(rank: int, seeds: torch.Tensor, **hardware: Any) -> torch.Tensor:
    """All weights after the share ``rank`` of each batch."""
    quiet_lightning()
    module = tuned_module()
    batches = [pool_batch(2, int(pair[rank])) for pair in seeds]
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False, callbacks=[StepSeed(0)], **hardware,
    )  # fmt: skip
    trainer.fit(module, torch.utils.data.DataLoader(batches, batch_size=None))
    return torch.cat([value.detach().flatten() for value in module.parameters()])


RANK = f"""
import os
os.environ |= {{"LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "x"}}
sys.path += [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1])!r}]
from lightning.pytorch.strategies import DDPStrategy
from test_emotion_clip_runs import trained

strategy = DDPStrategy(process_group_backend="gloo", find_unused_parameters=False)
value = trained(rank, data, devices=2, strategy=strategy)
"""


def test_two_processes_on_different_pictures_keep_the_same_weights(tmp_path: Path):
    """DDP hears of each weight's gradient once, though every step of the sampling has a share in it."""
    assert not EmotionClipModule.find_unused_parameters
    seeds = torch.arange(2 * STEPS).view(STEPS, 2)
    first, second = run_ranks(RANK, tmp_path, seeds)
    assert torch.equal(first, second)
    assert not torch.equal(first, trained(0, seeds, devices=1)), "the second's pictures count"
