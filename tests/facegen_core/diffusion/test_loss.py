"""The denoising loss and its fixed draws on held-out samples."""

import math

import pytest
import torch

from facegen_core.diffusion.loss import TimedError, held_out_noise, held_out_times, noise_error, timed_errors


def test_error_is_the_mean_square_of_each_sample():
    predicted = torch.tensor([[[1.0, 2.0]], [[0.0, 0.0]]])
    noise = torch.tensor([[[0.0, 0.0]], [[3.0, 0.0]]])
    assert noise_error(predicted, noise).tolist() == [2.5, 4.5]


def test_error_of_half_precision_is_taken_in_single():
    predicted = torch.full((1, 10_000), 1.0, dtype=torch.bfloat16)
    error = noise_error(predicted, torch.zeros(1, 10_000))
    assert error.dtype == torch.float32
    assert float(error) == 1.0


def test_times_are_the_golden_ratios_multiples():
    golden = (math.sqrt(5) - 1) / 2
    places = [0, 1, 7, 3999, 287_650, 10_000_019]
    expected = [int((i + 0.5) * golden % 1 * 1000) for i in places]
    assert held_out_times(torch.tensor(places), 1000).tolist() == expected


@pytest.mark.parametrize("first", [0, 500, 3900, 30_000_000])
def test_times_of_any_run_of_samples_lie_in_all_bands_alike(first):
    times = held_out_times(torch.arange(first, first + 100), 1000)
    assert times.min() >= 0 and times.max() < 1000
    counts = torch.bincount(times // 100, minlength=10)
    assert counts.min() >= 8 and counts.max() <= 12


def test_noise_hangs_on_the_sample_alone():
    like = torch.empty(4, 3, 8, 8)
    together = held_out_noise(torch.tensor([5, 6, 7, 8]), like)
    torch.manual_seed(99)
    assert torch.equal(held_out_noise(torch.tensor([7, 5]), like[:2]), together[[2, 0]])
    assert not torch.equal(together[0], together[1])


def test_noise_is_standard_normal():
    noise = held_out_noise(torch.arange(200), torch.empty(200, 3, 16, 16)).flatten()
    sure = 5 / len(noise) ** 0.5
    assert abs(float(noise.mean())) < sure
    assert abs(float(noise.var()) - 1) < sure * 2**0.5
    assert abs(float((noise**4).mean()) - 3) < sure * 96**0.5


def test_bands_are_named_by_their_times_and_hold_their_samples():
    metrics = timed_errors(1000, 4)
    assert list(metrics) == ["loss", "loss_t000_249", "loss_t250_499", "loss_t500_749", "loss_t750_999"]
    error, t = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0]), torch.tensor([0, 249, 250, 999, 999])
    for metric, fields in metrics.values():
        assert fields == ("error", "t")
        metric.update(error[:3], t[:3])
        metric.update(error[3:], t[3:])
    found = [float(metric.compute()) for metric, _ in metrics.values()]
    assert found[:3] == [31 / 5, 1.5, 4.0]
    assert math.isnan(found[3]), "no sample was there"
    assert found[4] == 12.0


def test_bands_that_do_not_divide_the_times_miss_none():
    spans = [(metric.first, metric.last) for metric, _ in timed_errors(1000, 7).values()][1:]
    assert [t for first, last in spans for t in range(first, last + 1)] == list(range(1000))


def test_sum_of_many_errors_keeps_its_digits():
    metric = TimedError(0, 9)
    for _ in range(100):
        metric.update(torch.full((1000,), 0.1), torch.zeros(1000).long())
    assert float(metric.compute()) == pytest.approx(float(torch.tensor(0.1)), rel=1e-12)
