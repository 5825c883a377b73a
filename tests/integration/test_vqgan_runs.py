"""VQGAN over two processes: both keep the same weights, before and after the discriminator's start."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from helpers.processes import run_ranks

from experiments.stage import quiet_lightning
from facegen_core.config import OptimConfig
from facegen_core.methods.emotion_ldm.vqgan_config import DiscriminatorConfig, FirstStageConfig, VQGANConfig
from lightning_modules.callbacks.step_seed import StepSeed
from lightning_modules.vqgan import VQGANModule

PIXELS, START, STEPS = 16, 1, 3


def trained(rank: int, data: torch.Tensor, **hardware: Any) -> torch.Tensor:
    """All weights after the share ``rank`` of each batch."""
    quiet_lightning()
    torch.manual_seed(0)
    sizes = FirstStageConfig(PIXELS, channels=(8, 8), blocks=1, groups=4, codes=16)
    config = VQGANConfig(sizes, DiscriminatorConfig(width=4, layers=2), "none", disc_start=START)
    module = VQGANModule(config, OptimConfig(1e-3, [0.5, 0.9]))
    batches = [{"image": part[rank]} for part in data]
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False, callbacks=[StepSeed(0)], **hardware,
    )  # fmt: skip
    trainer.fit(module, torch.utils.data.DataLoader(batches, batch_size=None))
    assert trainer.global_step == 2 * STEPS, "both optimisers' steps are counted, before the start too"
    return torch.cat([weight.detach().reshape(-1) for weight in module.parameters()])


RANK = f"""
import os
os.environ |= {{"LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "x"}}
sys.path += [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1])!r}]
from lightning.pytorch.strategies import DDPStrategy
from test_vqgan_runs import trained

strategy = DDPStrategy(process_group_backend="gloo", find_unused_parameters=True)
value = trained(rank, data, devices=2, strategy=strategy)
"""


def test_two_processes_on_different_pictures_keep_the_same_weights(tmp_path: Path):
    generator = torch.Generator().manual_seed(0)
    data = torch.rand(STEPS, 2, 4, 3, PIXELS, PIXELS, generator=generator) * 2 - 1
    first, second = run_ranks(RANK, tmp_path, data)
    assert torch.equal(first, second)
    assert not torch.equal(first, trained(0, data, devices=1)), "the second's pictures count"
