"""Crops through first stage and manipulation, with a tiny first stage and a denoiser known by heart."""

import pytest
import torch
from torch import Tensor

from facegen_core.diffusion.schedule import ScheduleConfig, alpha_bars
from facegen_core.images import from_signed
from facegen_core.methods.emotion_ldm import latent_editor
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.first_stage import build_first_stage, decode, encode
from facegen_core.methods.emotion_ldm.latent_editor import LatentEditor
from facegen_core.methods.emotion_ldm.manipulation import invert_emotion, reverse_emotion
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig

SCHEDULE = ScheduleConfig("scaled_linear", 0.0015, 0.0205)
SOURCE, TARGETS = torch.tensor([0, 3, 0]), [2, 1]


class Shifted:
    """Normal data whose mean is a number of the emotion; counts what it is asked."""

    def __init__(self) -> None:
        self.rows = 0

    def context(self, emotion: Tensor) -> Tensor:
        return emotion.float()[:, None, None] / 4

    def __call__(self, latents: Tensor, t: Tensor, context: Tensor) -> Tensor:
        self.rows += len(latents)
        bars = alpha_bars(SCHEDULE)[t].float()[:, None, None, None]
        return (1 - bars).sqrt() * (latents - bars.sqrt() * context[..., None])


@pytest.fixture(scope="module")
def first_stage():
    torch.manual_seed(0)
    sizes = FirstStageConfig(pixels=16, channels=(8, 16), blocks=1, groups=4, codes=4096)
    network = build_first_stage(sizes).eval().requires_grad_(False)
    network.quantize.embedding.weight.data = torch.randn(4096, 3)
    return network


@pytest.fixture
def crops() -> Tensor:
    return torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def editor(first_stage, **settings) -> LatentEditor:
    model = Shifted()
    return LatentEditor(first_stage, model, model, SCHEDULE, 16, EditConfig(steps=5, guidance=1.0, **settings))


def test_every_pair_is_what_manipulation_alone_makes_of_it(first_stage, crops, monkeypatch):
    """However they are shared out."""
    made, bars = editor(first_stage), alpha_bars(SCHEDULE)
    monkeypatch.setattr(latent_editor, "AT_ONCE", 2)
    edited = made.edit_crops(crops, SOURCE, TARGETS)
    assert edited.shape == (2, *crops.shape)
    for i, target in enumerate(TARGETS):
        for k in range(3):
            latents = encode(first_stage, crops[k : k + 1] * 2 - 1)
            noisy = invert_emotion(made.there, latents, SOURCE[k : k + 1], made.config, bars)
            alone = reverse_emotion(made.back, noisy, torch.tensor([target]), made.config, bars)
            assert (edited[i, k] - from_signed(decode(first_stage, alone))[0]).abs().max() < 1e-4


def test_crop_is_inverted_once_for_all_targets(first_stage, crops):
    made = editor(first_stage)
    made.edit_crops(crops, SOURCE, TARGETS)
    assert made.there.rows == 5 * (3 + 2 * 3)


def test_one_network_inverts_and_another_brings_back(first_stage, crops):
    there, back = Shifted(), Shifted()
    made = LatentEditor(first_stage, there, back, SCHEDULE, 16, EditConfig(steps=5, guidance=1.0))
    made.edit_crops(crops, SOURCE, TARGETS)
    assert (there.rows, back.rows) == (5 * 3, 5 * 2 * 3)


def test_reconstruction_is_the_first_stages(first_stage, crops):
    expected = from_signed(decode(first_stage, encode(first_stage, crops * 2 - 1)))
    assert torch.equal(editor(first_stage).reconstruct(crops), expected)


def test_new_noise_is_the_same_at_every_call(first_stage, crops):
    noisy = editor(first_stage, eta=1.0)
    first = noisy.edit_crops(crops, SOURCE, TARGETS)
    assert torch.equal(first, noisy.edit_crops(crops, SOURCE, TARGETS))
    assert not torch.equal(first, editor(first_stage).edit_crops(crops, SOURCE, TARGETS))
