"""Pictures as tensors, bytes and files."""

import numpy as np
import pytest
import torch
from PIL import Image

from facegen_core.images import from_signed, from_uint8, grid, linear, read_image, save_png, srgb, to_uint8


def all_levels() -> np.ndarray:
    return np.arange(256 * 3, dtype=np.uint8).reshape(16, 16, 3)


def test_bytes_survive_the_way_to_tensor_and_back():
    assert np.array_equal(to_uint8(from_uint8(all_levels())), all_levels())


def test_bytes_become_channels_first_in_zero_to_one():
    picture = from_uint8(np.array([[[0, 51, 255]]], dtype=np.uint8))
    assert picture.shape == (3, 1, 1) and picture.dtype == torch.float32
    assert torch.allclose(picture.flatten(), torch.tensor([0.0, 0.2, 1.0]))


def test_values_are_clipped_and_rounded_to_the_nearest_byte():
    values = torch.tensor([-1.0, 0.4 / 255, 0.6 / 255, 254.4 / 255, 7.0]).expand(3, 1, 5)
    assert to_uint8(values)[0, :, 0].tolist() == [0, 0, 1, 254, 255]


@pytest.mark.parametrize("shape", [(1, 4, 4), (4, 4, 3), (3, 4), (2, 3, 4, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected a picture of shape \(3, H, W\)"):
        to_uint8(torch.zeros(shape))


def test_png_file_holds_the_bytes_themselves(tmp_path):
    save_png(from_uint8(all_levels()), tmp_path / "new" / "a.png")
    with Image.open(tmp_path / "new" / "a.png") as image:
        assert image.format == "PNG" and np.array_equal(np.asarray(image), all_levels())
    assert torch.equal(read_image(tmp_path / "new" / "a.png"), from_uint8(all_levels()))


@pytest.mark.parametrize(
    ("mode", "value", "expected"), [("L", 51, (0.2, 0.2, 0.2)), ("RGBA", (255, 0, 51, 7), (1, 0, 0.2))]
)
def test_grey_and_alpha_files_are_read_as_rgb(tmp_path, mode, value, expected):
    Image.new(mode, (5, 4), value).save(tmp_path / "a.png")
    picture = read_image(tmp_path / "a.png")
    assert picture.shape == (3, 4, 5) and torch.allclose(picture[:, 1, 1], torch.tensor(expected))


def test_grid_places_pictures_row_by_row_on_white():
    pictures = torch.stack([torch.full((3, 2, 4), i / 10) for i in range(5)])
    sheet = grid(pictures, columns=2, gap=1)
    assert sheet.shape == (3, 3 * 3 - 1, 2 * 5 - 1)
    for i in range(5):
        top, left = i // 2 * 3, i % 2 * 5
        assert torch.equal(sheet[:, top : top + 2, left : left + 4], pictures[i])
    assert (sheet[:, 2] == 1).all() and (sheet[:, :, 4] == 1).all(), "the gaps"
    assert (sheet[:, 6:, 5:] == 1).all(), "the empty last place"


def test_signed_pictures_are_brought_to_the_unit_range_and_clipped():
    assert from_signed(torch.tensor([-1.5, -1.0, 0.0, 1.0, 1.2])).tolist() == [0, 0, 0.5, 1, 1]


def test_srgb_and_back():
    values = torch.linspace(0, 1, 101)
    assert torch.allclose(srgb(linear(values)), values, atol=1e-5)
    assert float(linear(torch.tensor(0.5))) == pytest.approx(0.21404, abs=1e-5), "IEC 61966-2-1"
