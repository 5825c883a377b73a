"""The pool of inverted pictures: which are drawn, inverted once, gone on with after a stop, refused where another's."""

import pickle
from itertools import islice

import numpy as np
import pytest
import torch
from helpers.raw_pictures import write_affectnet
from torch import Tensor

from datamodules.affectnet import AffectNetDataModule
from datamodules.config import AffectNetConfig, PoolConfig
from datamodules.pool import PoolDataModule
from datamodules.prepare.pool import build_pool, draw_pool, open_pool, pool_type
from facegen_core.errors import BadSampleError, ConfigError, DatasetNotFoundError

PROVENANCE = {"denoiser": "a1b2", "edit.guidance": 3.0}
LATENT = (1, 4, 4)
TYPE = pool_type(LATENT, 16)


def invert(pictures: Tensor, emotion: Tensor) -> tuple[Tensor, Tensor]:
    """A latent that tells the emotion, and a reconstruction of half the contrast."""
    grey = torch.nn.functional.avg_pool2d(pictures.mean(1, keepdim=True), 4)
    return grey + 10 * emotion.view(-1, 1, 1, 1), pictures / 2


@pytest.fixture
def pictures(tmp_path) -> AffectNetDataModule:
    config = AffectNetConfig(root=str(write_affectnet(tmp_path / "data")), pixels=16, flip=False)
    datamodule = AffectNetDataModule(config, batch_size=4, seed=3)
    datamodule.setup("fit")
    return datamodule


def pool_of(pictures: AffectNetDataModule, inverted=invert, provenance=PROVENANCE, **config) -> PoolDataModule:
    settings = PoolConfig(**{"per_class": 2, "size": 6, "validation": 3, "invert_batch": 4} | config)
    return PoolDataModule(pictures, inverted, LATENT, provenance, settings, seed=5)


# Which are drawn


def test_as_many_of_each_emotion_are_drawn_as_asked_for_and_of_these_some_at_random():
    emotion = np.repeat([0, 1, 2, 7], [50, 3, 20, 30])
    places = draw_pool(emotion, per_class=10, size=1000, seed=0)
    assert np.bincount(emotion[places], minlength=8).tolist() == [10, 3, 10, 0, 0, 0, 0, 10]
    fewer = draw_pool(emotion, per_class=10, size=12, seed=0)
    assert len(fewer) == len(set(fewer)) == 12 and set(fewer) <= set(places)
    assert (np.diff(fewer) > 0).all()


def test_draw_is_the_seeds():
    emotion = np.arange(400) % 8
    first = draw_pool(emotion, 20, 30, seed=1)
    assert np.array_equal(first, draw_pool(emotion, 20, 30, seed=1))
    assert not np.array_equal(first, draw_pool(emotion, 20, 30, seed=2))
    often = np.bincount(emotion[np.concatenate([draw_pool(emotion, 20, 80, seed=s) for s in range(40)])])
    assert often == pytest.approx(400, abs=70), "of every emotion alike"


# What is kept


def test_batches_hold_the_inverted_latents_and_the_reconstructions_in_8_bits(pictures):
    datamodule = pool_of(pictures)
    datamodule.setup("fit")
    emotions = datamodule.datasets["train"].expression
    assert len(emotions) == 6 and len(datamodule.datasets["val"]) == 3
    for batch in islice(datamodule.train_dataloader(), 3):
        assert torch.equal(batch["emotion"], emotions[batch["index"]])
        assert torch.equal((batch["latent"].mean((1, 2, 3)) / 10).round().long(), batch["emotion"])
        grey = batch["latent"] - 10 * batch["emotion"].view(-1, 1, 1, 1)
        flat = torch.nn.functional.avg_pool2d(batch["reference"].mean(1, keepdim=True), 4)
        torch.testing.assert_close(flat, grey / 2, atol=1 / 255, rtol=0)
        assert batch["reference"].shape == (4, 3, 16, 16)
        bytes_of = (batch["reference"] + 1) * 127.5
        torch.testing.assert_close(bytes_of, bytes_of.round(), atol=1e-4, rtol=0)


def test_reconstructions_beyond_black_and_white_are_cut_off(pictures):
    datamodule = pool_of(pictures, lambda x, e: (invert(x, e)[0], 1.5 * x))
    datamodule.setup("fit")
    reference = next(iter(datamodule.train_dataloader()))["reference"]
    assert reference.min() == -1 and reference.max() == 1 and reference.abs().mean() < 0.95


def test_pictures_for_the_end_are_inverted_at_the_end(pictures):
    asked = []

    def noted(images: Tensor, emotion: Tensor) -> tuple[Tensor, Tensor]:
        asked.append(len(images))
        return invert(images, emotion)

    datamodule = pool_of(pictures, noted)
    datamodule.setup("fit")
    assert sum(asked) == 6 + 3
    digest = datamodule.digest()
    datamodule.setup("test")
    assert len(datamodule.datasets["test"]) == len(pictures.datasets["test"]), "all of them"
    assert datamodule.digest() == digest
    again = pool_of(pictures, None)
    again.setup("fit")
    again.setup("test")
    assert again.digest() == digest, "found, not made"


def test_rows_reach_loader_processes_as_a_file_and_not_as_content(pictures):
    datamodule = pool_of(pictures)
    datamodule.setup("fit")
    dataset = datamodule.datasets["train"]
    sent = pickle.dumps(dataset)
    places = [(2, 0), (0, 0)]
    assert len(sent) < 4000
    for key, value in pickle.loads(sent).__getitems__(places).items():
        assert torch.equal(value, dataset.__getitems__(places)[key])


# Whose it is


def test_stopped_and_continued_it_is_the_same(pictures, tmp_path):
    calls = []

    def stops(images: Tensor, emotion: Tensor) -> tuple[Tensor, Tensor]:
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(len(images))
        return invert(images, emotion)

    rows = pictures.rows["train"]
    made_of = pictures.pictures, rows, pictures.datasets["train"].emotion.numpy()
    with pytest.raises(KeyboardInterrupt):
        build_pool(*made_of, stops, TYPE, PROVENANCE, tmp_path / "a", batch_size=3)
    again = []
    counted = lambda x, e: again.append(len(x)) or invert(x, e)  # noqa: E731
    folder = build_pool(*made_of, counted, TYPE, PROVENANCE, tmp_path / "a", batch_size=3)
    assert sum(again) == len(rows) - 6
    whole = build_pool(*made_of, invert, TYPE, PROVENANCE, tmp_path / "b", batch_size=3)
    one, two = (open_pool(path, *made_of, TYPE, PROVENANCE) for path in (folder, whole))
    assert one.tobytes() == two.tobytes()


def test_another_models_pool_is_another_and_refused_by_name(pictures, tmp_path):
    made_of = pictures.pictures, pictures.rows["train"], pictures.datasets["train"].emotion.numpy()
    folder = build_pool(*made_of, invert, TYPE, PROVENANCE, tmp_path, batch_size=4)
    other = PROVENANCE | {"denoiser": "c3"}
    assert build_pool(*made_of, invert, TYPE, other, tmp_path, batch_size=4) != folder
    with pytest.raises(DatasetNotFoundError, match="pool of something else: denoiser is a1b2 there and c3 here"):
        open_pool(folder, *made_of, TYPE, other)
    with pytest.raises(DatasetNotFoundError, match=r"rows is .* there and .* here"):
        open_pool(folder, made_of[0], made_of[1][:-1], made_of[2][:-1], TYPE, PROVENANCE)
    assert pool_of(pictures).digest() != pool_of(pictures, provenance=other).digest()
    assert pool_of(pictures).digest() != pool_of(pictures, size=5).digest()


def test_latent_that_is_not_finite_names_its_picture(pictures):
    def spoilt(images: Tensor, emotion: Tensor) -> tuple[Tensor, Tensor]:
        return invert(images, emotion)[0] * torch.nan, images

    with pytest.raises(BadSampleError, match="its latent is not finite once it is inverted"):
        pool_of(pictures, spoilt).setup("fit")


@pytest.mark.parametrize("key", ["per_class", "size", "validation", "invert_batch"])
def test_empty_pool_is_refused(key):
    with pytest.raises(ConfigError, match=rf"pool\.{key} = 0"):
        PoolConfig(**{key: 0}).check()
