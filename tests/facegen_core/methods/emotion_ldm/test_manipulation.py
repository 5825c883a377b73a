"""Manipulation with a network of which everything is known: each emotion is normal data of its own."""

import math
import subprocess
import sys

import pytest
import torch
from helpers.gaussian_diffusion import Gaussian
from helpers.manipulation import manipulate

from facegen_core.config import check, load_config
from facegen_core.diffusion.schedule import ScheduleConfig, alpha_bars
from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.manipulation import invert_emotion, reverse_emotion
from facegen_core.seeding import torch_generator

BARS = alpha_bars(ScheduleConfig("scaled_linear", 0.0015, 0.0205))
HAPPY, SAD, ANGRY = 1, 2, 6


class Emotions:
    """An emotion's faces are N(emotion / 2, 0.5^2 I), those of none N(-1/2, 0.5^2 I); remembers sizes of batches."""

    def __init__(self):
        self.batches, self.told = [], []

    def context(self, emotion):
        return emotion.double().view(-1, 1, 1) / 2

    def __call__(self, latents, t, context):
        self.batches.append(len(latents))
        self.told.append(int(t[0]))
        return data(context[..., None]).noise(latents, t)


def data(mean):
    return Gaussian(mean, 0.5, BARS)


def latents():
    return torch.randn(3, 3, 2, 2, generator=torch_generator(1), dtype=torch.float64)


def labels(*emotions):
    return torch.tensor(emotions)


def test_the_same_emotion_there_and_back_returns_the_latent_better_with_more_steps():
    source, misses = labels(HAPPY, SAD, 0), []
    for steps in (20, 40, 80, 160):
        for at in ("destination", "origin"):
            config = EditConfig(steps=steps, guidance=1.0, at=at)
            found = manipulate(Emotions(), latents(), source, source, config, BARS)
            misses.append(float((found - latents()).norm() / latents().norm()))
    for coarse, fine in zip(misses, misses[2:], strict=False):
        assert 1.7 < coarse / fine < 2.3
    assert max(misses[-2:]) < 0.05


def test_another_emotion_moves_faces_from_its_mean_to_the_others():
    """Two exact paths in a row: the same place in the target's distribution, as far as noise at t0 tells them apart."""
    source, target = labels(HAPPY, SAD, 0), labels(SAD, ANGRY, HAPPY)
    found = manipulate(Emotions(), latents(), source, target, EditConfig(steps=200, guidance=1.0), BARS)
    means = (emotion.double().view(-1, 1, 1, 1) / 2 for emotion in (source, target))
    start, goal = (data(mean) for mean in means)
    expected = goal.moved(start.moved(latents(), 0, 500), 500, 0)
    assert float((found - expected).abs().max()) < 0.06
    assert float((expected - latents()).abs().max()) > 0.5


def test_guidance_aims_beyond_the_target():
    """Guided noise of equal spreads is that of a mean moved away from no emotion's: gamma (mean + 1/2) - 1/2."""
    gamma, target = 3.0, labels(HAPPY, SAD, 0)
    beyond = gamma * (target.double().view(-1, 1, 1, 1) / 2 + 0.5) - 0.5
    found = reverse_emotion(Emotions(), latents(), target, EditConfig(steps=200, guidance=gamma), BARS)
    assert float((found - data(beyond).moved(latents(), 500, 0)).abs().max()) < 0.06


def test_guidance_holds_in_both_passes_or_in_the_reverse_alone():
    counts = {}
    for inversion in ("same", "none"):
        model = Emotions()
        config = EditConfig(steps=4, guidance=5.0, inversion_guidance=inversion)
        manipulate(model, latents(), labels(0, 0, 0), labels(1, 1, 1), config, BARS)
        counts[inversion] = model.batches
    assert counts == {"same": [6] * 8, "none": [3] * 4 + [6] * 4}


def test_inversion_without_guidance_is_that_of_gamma_1():
    source = labels(HAPPY, SAD, 0)
    found = invert_emotion(Emotions(), latents(), source, EditConfig(inversion_guidance="none"), BARS)
    assert torch.equal(found, invert_emotion(Emotions(), latents(), source, EditConfig(guidance=1.0), BARS))
    assert not torch.equal(found, invert_emotion(Emotions(), latents(), source, EditConfig(), BARS))


@pytest.mark.parametrize(("at", "inversion"), [("destination", [1, 100, 200]), ("origin", [0, 1, 100])])
def test_times_told_to_the_network(at, inversion):
    model = Emotions()
    config = EditConfig(strength=200, steps=3, at=at)
    manipulate(model, latents(), labels(0, 0, 0), labels(1, 1, 1), config, BARS)
    assert model.told == [*inversion, 200, 100, 1]


def test_noise_comes_from_the_generator():
    target, config = labels(HAPPY, SAD, 0), EditConfig(steps=10, eta=0.5)
    runs = [manipulate(Emotions(), latents(), target, target, config, BARS, torch_generator(s)) for s in (1, 1, 2)]
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_gradients_pass_through_the_reverse_alone():
    start = latents().requires_grad_()
    config = EditConfig(steps=3)
    assert reverse_emotion(Emotions(), start, labels(1, 1, 1), config, BARS).requires_grad
    assert not invert_emotion(Emotions(), start, labels(1, 1, 1), config, BARS).requires_grad


def test_a_strength_outside_the_schedule_is_refused():
    with pytest.raises(ConfigError, match="from 1 to 999"):
        manipulate(Emotions(), latents(), labels(0, 0, 0), labels(1, 1, 1), EditConfig(strength=1000), BARS)


def test_defaults_are_the_papers_own_row():
    check(EditConfig())
    assert EditConfig() == EditConfig(500, 40, 5.0, "same", "destination", 0.0)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("strength=0", "edit.strength, edit.steps: 40 steps up to time 0"),
        ("strength=60", "40 steps up to time 60 coincide: take at most 31 steps"),
        ("steps=0", "edit.strength, edit.steps: 0 steps"),
        ("steps=300", "take at most 251 steps"),
        ("guidance=nan", "edit.guidance = nan"),
        ("guidance=inf", "edit.guidance = inf"),
        ("guidance=-1", "edit.guidance = -1.0"),
        ("eta=1.5", "edit.eta = 1.5"),
        ("eta=nan", "edit.eta = nan"),
        ("at=middle", "key 'at'"),
        ("inversion_guidance=half", "key 'inversion_guidance'"),
    ],
)
def test_what_cannot_be_an_edit_is_refused(override, message):
    with pytest.raises(ConfigError, match=message):
        load_config(EditConfig, None, [override])


def test_configurations_are_read_without_torch():
    lines = (
        "import sys",
        "from facegen_core.config import load_config",
        "from facegen_core.diffusion.schedule import ScheduleConfig",
        "from facegen_core.methods.emotion_ldm.edit_config import EditConfig",
        "load_config(EditConfig, None, ['guidance=2'])",
        "load_config(ScheduleConfig, None, ['kind=linear', 'first=0.1', 'last=0.2'])",
        "assert 'torch' not in sys.modules",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)


def test_guidance_that_is_no_number_is_refused_at_the_edit_too():
    with pytest.raises(ConfigError, match="guidance = nan"):
        manipulate(Emotions(), latents(), labels(0, 0, 0), labels(1, 1, 1), EditConfig(guidance=math.nan), BARS)
