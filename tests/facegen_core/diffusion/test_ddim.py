"""DDIM against diffusers, and against what is known of normal data.

Along the noise ratio r = sqrt(1/abar - 1) DDIM is Euler's method, so its errors fall as 1/steps. With normal data the
leading error can be worked out: for w = z - sqrt(abar) mean, q = deviation^2 + r^2, and steps of length h in r,

* inversion at the origin's time and back: -h deviation^2 w int dr / q^2; nothing for the mean;
* at the destination's time: -h (1 - deviation^2) w int r^2 / (q^2 (1 + r^2)) dr
  + h mean sqrt(abar_0 q_0) int r^2 / (q^1.5 (1 + r^2)) dr;
* reverse alone, from where the exact path ends: half of the first.
"""

import itertools

import pytest
import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler
from helpers.gaussian_diffusion import Gaussian

from facegen_core.diffusion.ddim import invert, reverse, sdedit
from facegen_core.diffusion.schedule import ScheduleConfig, alpha_bars
from facegen_core.diffusion.timesteps import strided_steps
from facegen_core.errors import ConfigError
from facegen_core.seeding import torch_generator

BARS = alpha_bars(ScheduleConfig("scaled_linear", 0.0015, 0.0205))
THEIRS = {
    "beta_schedule": "scaled_linear", "beta_start": 0.0015, "beta_end": 0.0205, "clip_sample": False,
    "set_alpha_to_one": False, "steps_offset": 1,
}  # fmt: skip
STRIDE = [1, 101, 201, 301, 401, 501, 601, 701, 801, 901]
"""The grid that diffusers' schedulers can make too."""
MEAN, DEVIATION = 0.7, 0.5
RATIO = torch.linspace(0.04, 3.0, 4097, dtype=torch.float64)


def latents(dtype=torch.float64):
    return torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


def network(z, t):
    """Neither linear nor the same at all times."""
    return torch.sin(2 * z + t.view(-1, 1, 1, 1) / 300) + 0.3 * z.roll(1, -1)


def leading_error(at, step, z):
    """Of inversion and reverse, of first order in the length of steps in r; see the top of the file."""
    q, s2 = DEVIATION**2 + RATIO**2, DEVIATION**2
    bar = 1 / (1 + RATIO[0] ** 2)
    w = z - bar.sqrt() * MEAN
    if at == "origin":
        return -step * s2 * torch.trapezoid(1 / q**2, RATIO) * w
    weight = RATIO**2 / (1 + RATIO**2)
    spread = -(1 - s2) * torch.trapezoid(weight / q**2, RATIO) * w
    return step * (spread + MEAN * (bar * q[0]).sqrt() * torch.trapezoid(weight / q**1.5, RATIO))


def even(steps):
    """Normal data under a schedule whose times are even in r, the grid, and the length of its steps in r."""
    last = len(RATIO) - 1
    grid = list(range(last // steps, last + 1, last // steps))
    return Gaussian(MEAN, DEVIATION, 1 / (1 + RATIO**2)), grid, float(RATIO[-1] - RATIO[0]) / steps


@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
def test_reverse_is_diffusers_ddim(eta):
    theirs = DDIMScheduler(**THEIRS)
    theirs.set_timesteps(10)
    assert theirs.timesteps.tolist() == STRIDE[::-1]
    expected, random = latents(torch.float32), torch_generator(3)
    for t in theirs.timesteps:
        fresh = torch.randn(expected.shape, generator=random) if eta else None
        noise = network(expected, t.expand(2))
        expected = theirs.step(noise, t, expected, eta=eta, variance_noise=fresh).prev_sample
    found = reverse(latents(torch.float32), network, STRIDE, BARS, eta, torch_generator(3))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)  # theirs keeps its schedule in float32


def test_inversion_at_the_destinations_time_is_diffusers_inverse():
    theirs = DDIMInverseScheduler(**THEIRS)
    theirs.set_timesteps(10)
    expected = latents(torch.float32)
    for t in theirs.timesteps:
        expected = theirs.step(network(expected, t.expand(2)), int(t), expected).prev_sample
    found = invert(latents(torch.float32), network, STRIDE, BARS)
    torch.testing.assert_close(found, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(("at", "told"), [("destination", [1, 100, 200]), ("origin", [0, 1, 100])])
def test_inversion_tells_the_network_the_time_asked_for(at, told):
    asked = []
    invert(latents(), lambda z, t: asked.append(t) or z, [1, 100, 200], BARS, at)
    assert [t.tolist() for t in asked] == [[t, t] for t in told] and asked[0].dtype == torch.int64


def test_one_step_each_way_is_worked_out_by_hand():
    """abar before the first step is that of time 0, not 1."""
    bars, z = torch.tensor([0.8, 0.5, 0.2], dtype=torch.float64), latents()
    there = invert(z, lambda z, t: 0.5 * z, [2], bars)
    clean = (z - 0.2**0.5 * 0.5 * z) / 0.8**0.5
    torch.testing.assert_close(there, 0.2**0.5 * clean + 0.8**0.5 * 0.5 * z)
    back = reverse(there, lambda z, t: 0.5 * z, [2], bars)
    clean = (there - 0.8**0.5 * 0.5 * there) / 0.2**0.5
    torch.testing.assert_close(back, 0.8**0.5 * clean + 0.2**0.5 * 0.5 * there)


@pytest.mark.parametrize("at", ["destination", "origin"])
def test_a_network_that_says_the_same_everywhere_is_undone_exactly(at):
    """Then the path is straight and Euler's method has no error."""
    noise = latents().flip(0)
    there = invert(latents(), lambda z, t: noise, strided_steps(500, 40), BARS, at)
    torch.testing.assert_close(reverse(there, lambda z, t: noise, strided_steps(500, 40), BARS), latents())


@pytest.mark.parametrize("at", ["destination", "origin"])
def test_there_and_back_misses_by_the_leading_error_of_theory(at):
    misses = []
    for steps in (128, 256, 512):
        data, grid, step = even(steps)
        miss = reverse(invert(latents(), data.noise, grid, data.bars, at), data.noise, grid, data.bars) - latents()
        expected = leading_error(at, step, latents())
        assert float((miss - expected).norm() / expected.norm()) < 3 / steps
        misses.append(float(miss.norm()))
    for coarse, fine in itertools.pairwise(misses):
        assert coarse / fine == pytest.approx(2, abs=0.06), "first order: twice the steps, half the error"


def test_reverse_reaches_the_exact_path_with_half_the_error_of_there_and_back():
    for steps in (128, 256, 512):
        data, grid, step = even(steps)
        miss = reverse(data.moved(latents(), 0, grid[-1]), data.noise, grid, data.bars) - latents()
        expected = leading_error("origin", step, latents()) / 2
        assert float((miss - expected).norm() / expected.norm()) < 3 / steps


def test_inversion_reaches_the_exact_path_as_steps_grow():
    for at in ("destination", "origin"):
        misses = []
        for steps in (256, 512):
            data, grid, _ = even(steps)
            end = data.moved(latents(), 0, grid[-1])
            misses.append(float((invert(latents(), data.noise, grid, data.bars, at) - end).norm()))
        assert misses[0] / misses[1] == pytest.approx(2, abs=0.06)


def test_the_mean_is_carried_exactly_at_the_origins_time_and_not_at_the_destinations():
    data = Gaussian(MEAN, DEVIATION, BARS)
    mean = torch.full((1, 3, 4, 4), float(BARS[0].sqrt() * MEAN), dtype=torch.float64)
    ends = {at: invert(mean, data.noise, strided_steps(500, 40), BARS, at) for at in ("destination", "origin")}
    exact = torch.full_like(mean, float(BARS[500].sqrt() * MEAN))
    torch.testing.assert_close(ends["origin"], exact)
    assert float((ends["destination"] - exact).abs().min()) > 1e-3


@pytest.mark.parametrize(("at", "order"), [("destination", (1.0, 1.15)), ("origin", (0.88, 1.0))])
def test_there_and_back_under_the_papers_schedule_is_of_first_order(at, order):
    """Even times are not even in r, which grows as the root of time at first: that bends the order a little."""
    data, misses = Gaussian(MEAN, DEVIATION, BARS), []
    for steps in (20, 40, 80, 160):
        grid = strided_steps(500, steps)
        there = invert(latents(), data.noise, grid, BARS, at)
        misses.append(float((reverse(there, data.noise, grid, BARS) - latents()).norm()))
    orders = [float(torch.tensor(coarse / fine).log2()) for coarse, fine in itertools.pairwise(misses)]
    assert all(order[0] < found < order[1] for found in orders), orders


def test_single_precision_stays_near_double():
    data, grid = Gaussian(MEAN, DEVIATION, BARS), strided_steps(500, 40)
    doubles, singles = (
        reverse(invert(z, data.noise, grid, BARS), data.noise, grid, BARS)
        for z in (latents(), latents(torch.float32))
    )  # fmt: skip
    assert singles.dtype == torch.float32
    torch.testing.assert_close(singles.double(), doubles, rtol=0, atol=3e-6)


def test_predictions_in_half_precision_leave_latents_as_they_are():
    found = reverse(latents(torch.float32), lambda z, t: z.bfloat16(), [1, 100], BARS)
    assert found.dtype == torch.float32


def test_noise_makes_the_best_denoisers_samples_normal_again():
    """With eta = 1 and small steps, noise at time 999 becomes draws of the data, and paths are forgotten."""
    data, grid = Gaussian(MEAN, DEVIATION, BARS), strided_steps(999, 300)
    start = torch.randn(2000, 1, 2, 2, generator=torch_generator(0), dtype=torch.float64)
    end = reverse(start, data.noise, grid, BARS, eta=1.0, random=torch_generator(1))
    assert float(end.mean()) == pytest.approx(float(BARS[0].sqrt()) * MEAN, abs=0.03)
    assert float(end.std()) == pytest.approx(float(data.variance(torch.zeros(1).long()).sqrt()), abs=0.03)
    assert abs(float(torch.corrcoef(torch.stack([start.flatten(), end.flatten()]))[0, 1])) < 0.05


def test_noise_comes_from_the_generator_alone():
    runs = [reverse(latents(), network, STRIDE, BARS, 0.5, torch_generator(seed)) for seed in (5, 5, 6)]
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_without_noise_a_generator_is_left_as_it_is():
    random = torch_generator(5)
    before = random.get_state()
    with_one = reverse(latents(), network, STRIDE, BARS, 0.0, random)
    assert torch.equal(random.get_state(), before)
    assert torch.equal(with_one, reverse(latents(), network, STRIDE, BARS))


def test_sdedit_adds_noise_of_the_last_time_and_takes_it_away():
    data, grid, clean = Gaussian(MEAN, DEVIATION, BARS), strided_steps(500, 40), latents()
    noise = latents().flip(0)
    start = BARS[500].sqrt() * clean + (1 - BARS[500]).sqrt() * noise
    expected = data.moved(start, 500, 0)
    found = sdedit(clean, noise, data.noise, grid, BARS)
    assert float((found - expected).abs().max()) < 0.1 < float((found - clean).abs().max())
    assert torch.equal(found, reverse(start, data.noise, grid, BARS))


def test_gradients_pass_through_all_steps():
    """Of a straight path the derivative is known: the noise told enters with one factor in all."""
    bar, last = BARS[0], BARS[500]
    noise = torch.zeros(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    reverse(latents(), lambda z, t: noise, strided_steps(500, 6), BARS).sum().backward()
    factor = (1 - bar).sqrt() - (bar / last).sqrt() * (1 - last).sqrt()
    torch.testing.assert_close(noise.grad, factor.expand_as(noise))


@pytest.mark.parametrize("steps", [[], [0, 5], [5, 5], [7, 5], [1, 500, 1000]])
def test_steps_that_are_no_grid_are_refused(steps):
    for run in (invert, reverse):
        with pytest.raises(ConfigError, match="must be ascending times from 1 to 999"):
            run(latents(), network, steps, BARS)
    with pytest.raises(ConfigError, match="must be ascending times from 1 to 999"):
        sdedit(latents(), latents(), network, steps, BARS)


@pytest.mark.parametrize("eta", [-0.1, 1.1, float("nan")])
def test_noise_outside_its_range_is_refused(eta):
    with pytest.raises(ConfigError, match="eta = "):
        reverse(latents(), network, STRIDE, BARS, eta, torch_generator(0))


def test_noise_without_a_generator_is_refused():
    with pytest.raises(ValueError, match="give a generator"):
        reverse(latents(), network, STRIDE, BARS, 0.5)
