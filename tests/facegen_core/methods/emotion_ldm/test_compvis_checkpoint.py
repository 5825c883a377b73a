"""Sorting of CompVis checkpoint files, and their noise schedules."""

import pytest
import torch
from diffusers import DDIMScheduler

from facegen_core.diffusion.schedule import ScheduleConfig
from facegen_core.errors import CheckpointError
from facegen_core.methods.emotion_ldm.compvis_checkpoint import (
    schedule_from_compvis,
    schedule_to_compvis,
    sort_checkpoint,
)

PAPER = ScheduleConfig("scaled_linear", 0.0015, 0.0205)
ONE = torch.ones(1)


def latent_diffusion(**more: torch.Tensor) -> dict[str, torch.Tensor]:
    return {
        "model.diffusion_model.out.0.bias": ONE,
        "cond_stage_model.embedding.weight": ONE,
        "model_ema.diffusion_modelout0bias": ONE,
        "first_stage_model.quant_conv.bias": ONE,
        **schedule_to_compvis(PAPER),
        **more,
    }


def test_latent_diffusion_is_sorted():
    found = sort_checkpoint(latent_diffusion(logvar=ONE, scale_factor=torch.tensor(1.0)), "ldm.ckpt")
    assert found.first_stage == {"quant_conv.bias": ONE}
    assert found.denoiser.keys() == {"model.diffusion_model.out.0.bias", "cond_stage_model.embedding.weight"}
    assert found.average.keys() == {"model_ema.diffusion_modelout0bias"}
    assert found.schedule == PAPER
    assert found.left == ["logvar (1 tensor)"]


def test_first_stage_leaves_what_only_training_needs():
    stage = {"encoder.conv_in.bias": ONE, "loss.discriminator.main.0.bias": ONE, "loss.perceptual_loss.lin0": ONE}
    found = sort_checkpoint(stage, "vqgan.ckpt")
    assert found.first_stage.keys() == {"encoder.conv_in.bias"}
    assert found.denoiser == found.average == {} and found.schedule is None
    assert found.left == ["loss (2 tensors)"]


@pytest.mark.parametrize(
    "more, says",
    [
        ({"control_model.out.bias": ONE}, r"ldm\.ckpt: control_model\.out\.bias not known"),
        ({"scale_factor": torch.tensor(0.18215)}, "multiplied by 0.18215"),
        ({"betas": torch.sin(torch.linspace(0.1, 1.5, 1000)) / 50}, "neither linear nor scaled_linear"),
    ],
)
def test_what_facegen_lacks_is_refused(more, says):
    with pytest.raises(CheckpointError, match=says):
        sort_checkpoint(latent_diffusion(**more), "ldm.ckpt")


@pytest.mark.parametrize("kind", ["linear", "scaled_linear"])
def test_schedule_is_read_off_the_variances_of_diffusers(kind):
    scheduler = DDIMScheduler(num_train_timesteps=1000, beta_start=0.0015, beta_end=0.0205, beta_schedule=kind)
    assert schedule_from_compvis(scheduler.betas, "it") == ScheduleConfig(kind, 0.0015, 0.0205, 1000)


def test_tables_of_the_schedule_agree_with_ddpm():
    """Against the paper's values [M] and, for the posterior, its definition by Bayes' rule."""
    tables = {name: value.double() for name, value in schedule_to_compvis(PAPER).items()}
    assert len(tables) == 12
    torch.testing.assert_close(tables["alphas_cumprod"][500], torch.tensor(0.107677).double(), rtol=0, atol=5e-7)
    t, betas, before = 400, tables["betas"], tables["alphas_cumprod_prev"]
    # q(z_{t-1} | z_t, z_0): precisions of q(z_t | z_{t-1}) and q(z_{t-1} | z_0) add up
    precision = (1 - betas[t]) / betas[t] + 1 / (1 - before[t])
    torch.testing.assert_close(tables["posterior_variance"][t], 1 / precision, rtol=1e-5, atol=0)
    coefficient = (1 - betas[t]).sqrt() / betas[t] / precision
    torch.testing.assert_close(tables["posterior_mean_coef2"][t], coefficient, rtol=1e-5, atol=0)
    coefficient = before[t].sqrt() / (1 - before[t]) / precision
    torch.testing.assert_close(tables["posterior_mean_coef1"][t], coefficient, rtol=1e-5, atol=0)
