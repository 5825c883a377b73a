"""The mean of whole texture maps, which generated faces are put into."""

import numpy as np
import pytest
from PIL import Image

from datamodules.prepare.texture_cache import mean_map
from facegen_core.errors import BadSampleError


def test_mean_is_that_of_all_maps(tmp_path):
    colours = [(10, 200, 30), (20, 100, 60), (60, 0, 90)]
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for path, colour, side in zip(paths, colours, (16, 32, 64), strict=True):
        Image.new("RGB", (side, side), colour).save(path)
    mean = mean_map(paths, 16)
    assert mean.shape == (3, 16, 16)
    np.testing.assert_array_equal(mean.flatten(1).unique(dim=1)[:, 0].numpy(), np.mean(colours, axis=0))


def test_picture_keeps_its_place(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "map.png")
    np.testing.assert_array_equal(mean_map([tmp_path / "map.png"], 16).permute(1, 2, 0).numpy(), pixels)


def test_map_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "cut.jpg").write_bytes(b"no picture")
    with pytest.raises(BadSampleError, match=r"cut\.jpg: the picture cannot be read"):
        mean_map([tmp_path / "cut.jpg"], 16)
