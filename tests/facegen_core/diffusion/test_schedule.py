"""Schedules against the figures of EmotionLDM's schedule and against diffusers."""

import math

import pytest
import torch
from diffusers import DDIMScheduler

from facegen_core.config import check
from facegen_core.diffusion.schedule import ScheduleConfig, alpha_bars, noised
from facegen_core.errors import ConfigError

EMOTION_LDM = ScheduleConfig("scaled_linear", 0.0015, 0.0205)
MEASURED = {
    0: 0.998500, 1: 0.996994, 100: 0.821773, 200: 0.610001, 300: 0.399487, 400: 0.225763, 500: 0.107677, 600: 0.042384,
}  # fmt: skip


def test_bars_of_emotion_ldm_are_those_measured_on_the_released_network():
    bars = alpha_bars(EMOTION_LDM)
    assert bars.shape == (1000,) and bars.dtype == torch.float64
    assert {t: round(float(bars[t]), 6) for t in MEASURED} == MEASURED
    assert float(bars[999]) == pytest.approx(9.69e-5, abs=5e-8)


def test_a_literally_linear_schedule_is_another_one():
    bars = alpha_bars(ScheduleConfig("linear", 0.0015, 0.0205))
    assert float(bars[500]) == pytest.approx(0.043, abs=5e-4)


@pytest.mark.parametrize("kind", ["linear", "scaled_linear"])
@pytest.mark.parametrize(("first", "last"), [(0.0015, 0.0205), (0.00085, 0.012)])
def test_bars_are_those_of_diffusers(kind, first, last):
    theirs = DDIMScheduler(beta_schedule=kind, beta_start=first, beta_end=last).alphas_cumprod
    torch.testing.assert_close(alpha_bars(ScheduleConfig(kind, first, last)).float(), theirs, rtol=1e-4, atol=0)


def test_bars_are_the_product_of_what_each_time_leaves():
    bars = alpha_bars(ScheduleConfig("linear", 0.1, 0.3, steps=3))
    torch.testing.assert_close(bars, torch.tensor([0.9, 0.9 * 0.8, 0.9 * 0.8 * 0.7], dtype=torch.float64))


def test_noised_takes_each_sample_to_its_own_time():
    torch.manual_seed(0)
    clean, noise, t = torch.randn(3, 3, 4, 4), torch.randn(3, 3, 4, 4), torch.tensor([0, 500, 999])
    found = noised(clean, noise, t, alpha_bars(EMOTION_LDM))
    theirs = DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.0015, beta_end=0.0205)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, theirs.add_noise(clean, noise, t))


@pytest.mark.parametrize(
    "numbers",
    [(0.0, 0.02, 1000), (0.03, 0.02, 1000), (0.1, 1.0, 1000), (math.nan, 0.02, 1000), (0.001, math.nan, 1000),
     (0.001, 0.02, 1)],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(numbers):
    with pytest.raises(ConfigError, match="schedule: first"):
        check(ScheduleConfig("linear", *numbers))
