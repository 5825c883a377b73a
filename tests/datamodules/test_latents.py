"""Cached latents: those of their pictures, encoded once, gone on with after a stop, refused where they do not fit."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.raw_pictures import write_affectnet, write_folder

from datamodules.affectnet import AffectNetDataModule
from datamodules.config import AffectNetConfig, PictureDataConfig
from datamodules.latents import LatentDataModule
from datamodules.picture_folder import PictureFolderDataModule
from datamodules.prepare import latents
from datamodules.prepare.latents import build_latent_cache, open_latent_cache
from facegen_core.errors import BadSampleError, DatasetNotFoundError

PROVENANCE = {"weights": "a1b2", "channels": 4, "factor": 4}


def encode(images: torch.Tensor) -> torch.Tensor:
    """(B, 4, h, w): means of blocks of 4, and how red the left half is, which mirroring changes."""
    assert images.min() >= -1 and images.max() <= 1 and images.shape[1:] == (3, 16, 16)
    small = torch.nn.functional.avg_pool2d(images, 4)
    left = images[:, :1, :, :8].mean(dim=(2, 3), keepdim=True).expand(-1, -1, 4, 4)
    return torch.cat([small, left], dim=1)


@pytest.fixture
def pictures(tmp_path) -> PictureFolderDataModule:
    config = PictureDataConfig(root=str(write_folder(tmp_path / "data")), pixels=16, val_fraction=0.3)
    datamodule = PictureFolderDataModule(config, batch_size=4, seed=3)
    datamodule.setup("fit")
    return datamodule


def images_of(pictures: PictureFolderDataModule) -> torch.Tensor:
    return torch.from_numpy(np.array(pictures.pictures.rows)).permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.mark.parametrize("flips", [False, True])
@pytest.mark.parametrize(("precision", "error"), [("float16", 1e-3), ("float32", 1e-6)])
def test_rows_are_the_encoders_latents_of_the_pictures_and_their_mirrors(pictures, tmp_path, flips, precision, error):
    arguments = {"flips": flips, "precision": precision}
    folder = build_latent_cache(pictures.pictures, encode, PROVENANCE, tmp_path, batch_size=3, **arguments)
    cache = open_latent_cache(folder, pictures.pictures, PROVENANCE, **arguments)
    images = images_of(pictures)
    assert cache.rows.shape == (10, 1 + flips, 4, 4, 4) and cache.rows.dtype == precision
    for view, shown in enumerate([images, images.flip(3)][: 1 + flips]):
        np.testing.assert_allclose(cache.rows[:, view], encode(shown), atol=error)


def test_build_stopped_and_continued_equals_an_uninterrupted_one(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(latents, "NOTED_EVERY", 4)
    calls = []

    def stops(images):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(len(images))
        return encode(images)

    arguments = {"flips": False, "batch_size": 2}
    with pytest.raises(KeyboardInterrupt):
        build_latent_cache(pictures.pictures, stops, PROVENANCE, tmp_path / "a", **arguments)
    again = []
    folder = build_latent_cache(
        pictures.pictures, lambda x: again.append(len(x)) or encode(x), PROVENANCE, tmp_path / "a", **arguments
    )
    assert sum(again) == 6, "of six encoded four are noted, and are not encoded twice"
    whole = build_latent_cache(pictures.pictures, encode, PROVENANCE, tmp_path / "b", **arguments)
    one, two = (open_latent_cache(path, pictures.pictures, PROVENANCE, flips=False) for path in (folder, whole))
    np.testing.assert_array_equal(one.rows, two.rows)
    assert not (folder / "done.jsonl").exists()


def test_finished_latents_are_used_again(pictures, tmp_path):
    first = build_latent_cache(pictures.pictures, encode, PROVENANCE, tmp_path)
    assert build_latent_cache(pictures.pictures, None, PROVENANCE, tmp_path) == first


def test_other_pictures_encoders_and_settings_have_other_folders(pictures, tmp_path):
    def make(provenance=PROVENANCE, **settings) -> Path:
        return build_latent_cache(pictures.pictures, encode, provenance, tmp_path, **settings)

    made = {make(), make({**PROVENANCE, "weights": "c3"}), make(flips=False), make(precision="float32")}
    assert len(made) == 4


def test_latents_of_something_else_are_refused_by_the_keys_that_differ(pictures, tmp_path):
    folder = build_latent_cache(pictures.pictures, encode, PROVENANCE, tmp_path)
    for provenance, settings, says in (
        ({**PROVENANCE, "weights": "c3"}, {}, "encoder.weights is a1b2 there and c3 here"),
        ({"weights": "a1b2", "channels": 4}, {}, "encoder.factor is 4 there and not given here"),
        (PROVENANCE, {"flips": False}, "flips is True there and False here"),
        (PROVENANCE, {"precision": "float32"}, "precision is float16 there and float32 here"),
    ):
        with pytest.raises(DatasetNotFoundError) as caught:
            open_latent_cache(folder, pictures.pictures, provenance, **settings)
        assert f"latents of something else: {says}. Encode the pictures anew." in str(caught.value)
    other = PictureFolderDataModule(PictureDataConfig(root=str(write_folder(tmp_path / "o", "xyz")), pixels=16), 4, 3)
    other.setup("fit")
    with pytest.raises(DatasetNotFoundError, match=r"pictures is .* there and .* here"):
        open_latent_cache(folder, other.pictures, PROVENANCE)


def test_damaged_latents_are_refused(pictures, tmp_path):
    folder = build_latent_cache(pictures.pictures, encode, PROVENANCE, tmp_path)
    rows = folder / "rows.raw"
    rows.write_bytes(rows.read_bytes()[:-2])
    with pytest.raises(DatasetNotFoundError, match=r"rows\.raw: not the 2560 bytes"):
        open_latent_cache(folder, pictures.pictures, PROVENANCE)
    (folder / "latents.json").write_text(json.dumps({})[:1])
    with pytest.raises(DatasetNotFoundError, match="no latents here"):
        open_latent_cache(folder, pictures.pictures, PROVENANCE)


@pytest.mark.parametrize("value", [float("nan"), 1e6])
def test_latent_that_is_not_finite_names_its_picture(pictures, tmp_path, value):
    """A million does not fit float16."""

    def spoilt(images):
        found = encode(images)
        if len(images) == 2:  # the last batch
            found[1, 0, 0, 0] = value
        return found

    with pytest.raises(BadSampleError, match=r"b/4\.png: its latent is not finite in float16"):
        build_latent_cache(pictures.pictures, spoilt, PROVENANCE, tmp_path, batch_size=4)


# Batches


def test_batches_are_those_of_the_pictures(pictures, tmp_path):
    """The same stream, places, labels and mirrors; the latent is that of the picture shown there."""
    datamodule = LatentDataModule(pictures, encode, PROVENANCE, tmp_path / "latents")
    datamodule.setup("fit")
    for shown, latent in zip(islice(pictures.train_dataloader(), 8), datamodule.train_dataloader(), strict=False):
        for key in ("emotion", "identity", "index"):
            assert torch.equal(shown[key], latent[key])
        assert latent["latent"].dtype == torch.float32
        np.testing.assert_allclose(latent["latent"], encode(shown["image"]), atol=1e-3)
    (shown,), (latent,) = pictures.val_dataloader(), datamodule.val_dataloader()
    np.testing.assert_allclose(latent["latent"], encode(shown["image"]), atol=1e-3)


def test_labels_are_those_of_the_pictures_data_module(tmp_path):
    config = AffectNetConfig(root=str(write_affectnet(tmp_path / "data")), pixels=16, contempt="drop", flip=False)
    datamodule = LatentDataModule(AffectNetDataModule(config, batch_size=4, seed=3), encode, PROVENANCE, tmp_path / "l")
    datamodule.setup("fit")
    assert datamodule.datasets["train"].expression.tolist() == [0, 1, 2, 3, 4, 5, 6, 1]
    assert datamodule.datasets["train"].cache.shape[1] == 1
    assert len(datamodule.digest()) == 64 and datamodule.digest() != datamodule.pictures.digest()


def test_worker_processes_give_the_same_latents(pictures, tmp_path):
    alone = LatentDataModule(pictures, encode, PROVENANCE, tmp_path / "latents")
    alone.setup("fit")
    shared = LatentDataModule(pictures, encode, PROVENANCE, tmp_path / "latents")
    shared.num_workers = 2
    shared.setup("fit")
    for one, two in islice(zip(alone.train_dataloader(), shared.train_dataloader(), strict=False), 5):
        assert all(torch.equal(one[key], two[key]) for key in one)
