"""Photographs of 102 real people as a plain folder: read, checked, cached at several sizes, and in batches."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.config import PictureDataConfig
from datamodules.picture_folder import PictureFolderDataModule
from datamodules.prepare.picture_check import check_pictures
from datamodules.prepare.picture_folder import PictureFolder

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def faces(real) -> Path:
    folder = real / "data" / "london_faces"
    if not folder.is_dir():
        pytest.skip(f"no photographs: {folder}")
    return folder


@pytest.fixture(scope="module")
def datamodule(faces, tmp_path_factory) -> PictureFolderDataModule:
    cache = tmp_path_factory.mktemp("photographs")
    config = PictureDataConfig(root=str(faces), pixels=64, cache=str(cache), val_fraction=0.1, test_fraction=0.1)
    datamodule = PictureFolderDataModule(config, batch_size=16, seed=3)
    datamodule.setup("fit")
    return datamodule


def test_every_photograph_can_be_used(faces):
    text = check_pictures(PictureFolder(faces), deep=True)
    count = len(list(faces.rglob("*.jpg")))
    assert count == 204
    assert f"pictures opened: {count}, of which can be used: {count}" in text
    assert f"all: {count} (no labels)" in text, "neutral_front names no emotion alone"


def test_cached_photographs_are_close_to_pillows_resize_of_the_whole_file(datamodule, faces):
    """A JPEG is decoded at a fraction of its size, which is at most a level or two from decoding all of it."""
    cache = datamodule.pictures
    assert len(cache.files) == 204 and not cache.skipped
    for row in range(0, 204, 40):
        with Image.open(faces / cache.files[row].path) as image:
            own = np.asarray(image.convert("RGB").resize((64, 64), Image.Resampling.LANCZOS)).astype(float)
        error = np.abs(cache.rows[row].astype(float) - own)
        assert error.mean() < 1 and np.sqrt((error**2).mean()) < 2


def test_batches_are_photographs(datamodule):
    assert [len(datamodule.rows[split]) for split in ("train", "val", "test")] == [166, 20, 18]
    batch = next(iter(datamodule.train_dataloader()))
    assert batch["image"].shape == (16, 3, 64, 64)
    assert -1 <= batch["image"].min() < -0.5 and 0.5 < batch["image"].max() <= 1
    skin = batch["image"][:, :, 28:36, 28:36].mean(dim=(0, 2, 3))
    assert skin[0] > skin[1] > skin[2], "red, green, blue in that order in the middle of faces"
    assert torch.equal(batch["emotion"], torch.full((16,), -1))
