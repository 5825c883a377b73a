"""EmotionLDM over two processes: both keep the same weights, whichever of them withholds its labels."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from helpers.processes import run_ranks

from experiments.stage import quiet_lightning
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
    quiet_lightning()
    torch.manual_seed(0)
    module, ema = EmotionLDMModule(TINY, OptimConfig(1e-3)), EMA(0.9)
    emotion = torch.arange(4)
    batches = [{"latent": part[rank], "emotion": emotion, "identity": emotion, "index": emotion} for part in data]
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False, callbacks=[StepSeed(0), ema], **hardware,
    )  # fmt: skip
    trainer.fit(module, torch.utils.data.DataLoader(batches, batch_size=None))
    return torch.cat([value.detach().flatten() for value in (*module.parameters(), *ema.average.values())])


RANK = f"""
import os
os.environ |= {{"LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "x"}}
sys.path += [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1])!r}]
from lightning.pytorch.strategies import DDPStrategy
from test_emotion_ldm_runs import trained

strategy = DDPStrategy(process_group_backend="gloo", find_unused_parameters=False)
value = trained(rank, data, devices=2, strategy=strategy)
"""


def test_two_processes_on_different_latents_keep_the_same_weights(tmp_path: Path):
    """DDP is told of no unused weights: those that attention to one token leaves out are frozen."""
    assert not EmotionLDMModule.find_unused_parameters
    data = torch.randn(STEPS, 2, 4, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    first, second = run_ranks(RANK, tmp_path, data)
    assert torch.equal(first, second)
    assert not torch.equal(first, trained(0, data, devices=1)), "the second's latents count"
