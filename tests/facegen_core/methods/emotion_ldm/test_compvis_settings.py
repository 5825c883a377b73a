"""The YAML that opens a checkpoint in CompVis' code."""

import pytest
import torch

from facegen_core.diffusion.schedule import ScheduleConfig, alpha_bars
from facegen_core.methods.emotion_ldm.compvis_settings import denoiser_settings
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig


def their_betas(beta_schedule: str, linear_start: float, linear_end: float, timesteps: int) -> torch.Tensor:
    """What latent-diffusion makes of its settings."""
    power = {"linear": 2, "sqrt_linear": 1}[beta_schedule]
    return torch.linspace(linear_start ** (1 / power), linear_end ** (1 / power), timesteps).double() ** power


@pytest.mark.parametrize("kind", ["linear", "scaled_linear"])
def test_schedule_they_are_told_is_ours(kind):
    schedule = ScheduleConfig(kind, 0.001, 0.02, 500)
    settings = denoiser_settings(DenoiserConfig(schedule=schedule), FirstStageConfig(), averaged=True)["params"]
    names = ("beta_schedule", "linear_start", "linear_end", "timesteps")
    bars = (1 - their_betas(*(settings[name] for name in names))).cumprod(0)
    torch.testing.assert_close(bars, alpha_bars(schedule), rtol=1e-4, atol=0)
