"""Photographs of 102 real people as a plain folder: read, checked, cached at several sizes, and in batches."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from skimage.transform import SimilarityTransform, warp

from datamodules.config import PictureDataConfig
from datamodules.picture_folder import PictureFolderDataModule
from datamodules.prepare.aligned import DETECTED
from datamodules.prepare.picture_cache import NO_FACE
from datamodules.prepare.picture_check import check_pictures
from datamodules.prepare.picture_folder import PictureFolder
from facegen_core.encoders.detector import find_faces
from facegen_core.geometry.face_crop import ALIGNED_224
from facegen_core.images import read_image

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


def test_detector_aligns_faces_to_the_template(faces, tmp_path):
    """Twelve photographs, and a wall. Where the crops lie is asked of the detector once more, at another size."""
    (tmp_path / "data").mkdir()
    for path in sorted(faces.rglob("*.jpg"))[::17]:
        (tmp_path / "data" / f"{path.parent.name}-{path.name}").symlink_to(path)
    Image.new("RGB", (300, 200), "tan").save(tmp_path / "data" / "wall.png")
    config = PictureDataConfig(root=str(tmp_path / "data"), pixels=112, crop="align")
    datamodule = PictureFolderDataModule(config, batch_size=12, seed=0)
    datamodule.setup("fit")
    cache = datamodule.pictures
    assert cache.outcomes == {DETECTED: 12, NO_FACE: 1} and [path for path, _ in cache.skipped] == ["wall.png"]
    wanted = ((ALIGNED_224 + 0.5) / 2 - 0.5).numpy()
    errors = []
    for file, row in zip(cache.files, cache.rows, strict=True):
        photograph = F.interpolate(read_image(tmp_path / "data" / file.path)[None], 300, mode="area")
        points = find_faces(photograph)[0][0].points5.numpy()
        to_photograph = SimilarityTransform.from_estimate(wanted, points)
        again = warp(photograph[0].permute(1, 2, 0).numpy(), to_photograph, output_shape=(112, 112), mode="symmetric")
        moved = [again, *(np.roll(again, step, axis) for step in (-6, 6) for axis in (0, 1))]
        errors.append([np.abs(row / 255 - one).mean() for one in moved])
    there, *elsewhere = np.mean(errors, axis=0)
    assert there < 0.5 * min(elsewhere), "six pixels to any side would be seen"


def test_batches_are_photographs(datamodule):
    assert [len(datamodule.rows[split]) for split in ("train", "val", "test")] == [166, 20, 18]
    batch = next(iter(datamodule.train_dataloader()))
    assert batch["image"].shape == (16, 3, 64, 64)
    assert -1 <= batch["image"].min() < -0.5 and 0.5 < batch["image"].max() <= 1
    skin = batch["image"][:, :, 28:36, 28:36].mean(dim=(0, 2, 3))
    assert skin[0] > skin[1] > skin[2], "red, green, blue in that order in the middle of faces"
    assert torch.equal(batch["emotion"], torch.full((16,), -1))
