"""The face's square in a texture map: its place, and that cutting and pasting leave everything else alone."""

import numpy as np
import pytest
import torch
from PIL import Image

from facegen_core.geometry.uv import crop_face, face_rectangle, paste_face, surround_face


def _maps(pixels: int, *leading: int) -> torch.Tensor:
    return torch.rand(*leading, pixels, pixels, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("pixels", "expected"), [(1024, (51, 204, 616)), (4096, (205, 819, 2458))])
def test_square_is_that_of_the_released_code(pixels, expected):
    assert face_rectangle(pixels) == expected


def test_square_is_rows_5_to_65_and_columns_20_to_80_percent_to_two_pixels():
    for pixels in range(16, 600):
        top, left, length = face_rectangle(pixels)
        edges = np.array([top, left, top + length, left + length])
        assert np.abs(edges - np.array([0.05, 0.20, 0.65, 0.80]) * pixels).max() < 2, pixels
        assert top >= 0


def test_crop_is_that_part_of_the_map():
    maps = _maps(100, 2, 3)
    torch.testing.assert_close(crop_face(maps), maps[..., 5:66, 20:81], rtol=0, atol=0)


def test_crop_is_resized_with_antialiasing_as_pillow_does_it():
    face = crop_face(_maps(256))
    expected = np.asarray(Image.fromarray(face.numpy()).resize((32, 32), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(crop_face(_maps(256), 32), expected, atol=1e-4)


@pytest.mark.parametrize("feather", [0.0, 0.1, 0.5])
def test_pasting_a_crop_back_changes_nothing(feather):
    maps = _maps(128, 3)
    torch.testing.assert_close(paste_face(maps, crop_face(maps), feather), maps)


def test_what_lies_around_the_face_is_left_alone():
    maps = _maps(128, 1, 3)
    pasted = paste_face(maps, torch.full((1, 3, 40, 40), 5.0))
    top, left, length = face_rectangle(128)
    outside = torch.ones(128, 128, dtype=torch.bool)
    outside[top : top + length, left : left + length] = False
    assert torch.equal(pasted[..., outside], maps[..., outside])
    assert (pasted[..., ~outside] > maps[..., ~outside]).all()


def test_without_feather_the_face_stands_as_it_is():
    face = _maps(78)
    torch.testing.assert_close(crop_face(paste_face(torch.zeros(128, 128), face, feather=0)), face)


def test_feather_fades_evenly_from_the_edge_to_its_width():
    row = crop_face(paste_face(torch.zeros(1024, 1024), torch.ones(616, 616), feather=0.25))[308]
    rising = (torch.arange(154) + 0.5) / 154
    torch.testing.assert_close(row[:154], rising)
    torch.testing.assert_close(row[-154:], rising.flip(0))
    assert (row[154:-154] == 1).all()


def test_maps_pasted_into_are_not_written_to():
    maps = _maps(64)
    before = maps.clone()
    paste_face(maps, torch.ones(20, 20))
    assert torch.equal(maps, before)


def test_bad_shapes_and_feathers_are_refused():
    with pytest.raises(ValueError, match="square maps"):
        crop_face(torch.zeros(3, 64, 32))
    with pytest.raises(ValueError, match="square maps"):
        paste_face(torch.zeros(64, 64), torch.zeros(20, 21))
    with pytest.raises(ValueError, match="feather"):
        paste_face(torch.zeros(64, 64), torch.zeros(20, 20), feather=0.6)


@pytest.mark.parametrize("pixels", [64, 100])
def test_face_is_the_same_in_the_map_around_it(pixels):
    length = face_rectangle(pixels)[2]
    faces, template = _maps(length, 2, 3), _maps(48, 3)
    for around in (None, template):
        maps = surround_face(faces, pixels, around)
        assert maps.shape == (2, 3, pixels, pixels)
        torch.testing.assert_close(crop_face(maps), faces, atol=1e-6, rtol=0)


def test_face_that_differs_from_the_template_by_one_colour_shifts_all_of_it():
    template, shift = _maps(64, 3), torch.tensor([0.1, -0.2, 0.3])[:, None, None]
    maps = surround_face((crop_face(template) + shift)[None], 64, template)
    torch.testing.assert_close(maps[0], template + shift, atol=1e-6, rtol=0)


def test_without_a_template_colours_go_on_outwards():
    """A face dark on its left: so is what lies beside it there, and no step is at the edge."""
    face = torch.linspace(0, 1, 61).expand(1, 1, 61, 61)
    (row,) = surround_face(face, 100)[:, 0, 35]
    assert row[17:20].max() < 0.2
    assert row[81:84].min() > 0.8
    assert row.diff().abs().max() < 0.06


def test_halves_of_a_head_meet_in_one_colour():
    """At the back the map's left edge lies beside its right one."""
    maps = surround_face(_maps(32, 4, 3), 96)
    torch.testing.assert_close(maps[..., :1], maps[..., -1:], atol=0.01, rtol=0)


def test_map_around_a_face_keeps_to_its_colours():
    face = _maps(32, 4, 3)
    maps = surround_face(face, 96)
    assert face.min() <= maps.min()
    assert maps.max() <= face.max()
