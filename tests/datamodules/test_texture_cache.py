"""The cache of textures: what it holds, which pictures it takes, and that stopping and going on leaves no trace."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.textures import NAMES, texture_map, texture_path, write_textures
from PIL import Image

from datamodules.prepare import texture_cache
from datamodules.prepare.facescape import TextureMap, find_meshes, find_textures
from datamodules.prepare.row_cache import RowCache
from datamodules.prepare.texture_cache import FaceMips, build_texture_cache, open_texture_cache
from facegen_core.errors import BadSampleError, DatasetNotFoundError
from facegen_core.geometry.uv import face_rectangle

MIPS = FaceMips((8, 16))


def _build(root: Path, folder: Path, mips: FaceMips = MIPS, on_bad_sample="skip") -> RowCache:
    textures = find_textures(root, find_meshes(root))
    built = build_texture_cache(root, textures, mips, folder, on_bad_sample)
    return open_texture_cache(built, mips, on_bad_sample, TextureMap)


def _pictures(cache: RowCache, side: int, mips: FaceMips = MIPS) -> np.ndarray:
    """(N, side, side, 3)."""
    return mips.pictures(cache.rows, side).permute(0, 2, 3, 1).numpy()


def _same(one: RowCache, two: RowCache) -> None:
    np.testing.assert_array_equal(one.rows, two.rows)
    assert (one.files, one.skipped, one.digest) == (two.files, two.skipped, two.digest)


# What it holds


def test_every_size_is_pillows_resize_of_the_published_crop(tmp_path):
    """The released code's square: 616 pixels from row 51 and column 204 of a map of 1024."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    write_textures(tmp_path / "data", 1)
    Image.fromarray(pixels).save(texture_path(tmp_path / "data", 1, 0), format="PNG")
    mips = FaceMips((16, 128, 512))
    cache = _build(tmp_path / "data", tmp_path / "cache", mips)
    face = Image.fromarray(pixels).crop((204, 51, 820, 667))
    for side in mips.resolutions:
        expected = np.asarray(face.resize((side, side), Image.Resampling.BILINEAR)).astype(int)
        assert np.abs(_pictures(cache, side, mips)[0] - expected).max() <= 1


def test_whole_maps_are_kept_whole(tmp_path):
    root, mips = write_textures(tmp_path / "data", 1), FaceMips((32, 64), whole=True)
    cache = _build(root, tmp_path / "cache", mips)
    for k, picture in enumerate(_pictures(cache, 64, mips)):
        np.testing.assert_array_equal(picture, texture_map(1, k))
    half = Image.fromarray(texture_map(1, 2)).resize((32, 32), Image.Resampling.BILINEAR)
    assert np.abs(_pictures(cache, 32, mips)[2] - np.asarray(half).astype(int)).max() <= 1


def test_rows_are_in_the_order_of_their_files(tmp_path):
    cache = _build(write_textures(tmp_path / "data", 11), tmp_path / "cache")
    assert [(f.identity, f.expression, f.name) for f in cache.files] == [
        (person, k, name) for person in range(1, 12) for k, name in enumerate(NAMES)
    ]
    top, left, length = face_rectangle(64)
    for file, picture in zip(cache.files, _pictures(cache, 8), strict=True):
        face = Image.fromarray(texture_map(file.identity, file.expression)[top : top + length, left : left + length])
        assert np.abs(picture - np.asarray(face.resize((8, 8), Image.Resampling.BILINEAR)).astype(int)).max() <= 1


# Which pictures it takes


def _replaced(root: Path, image: Image.Image, **settings) -> np.ndarray:
    """The smallest picture made of ``image``, put in the place of a texture."""
    image.save(texture_path(root, 1, 1), **settings)
    return _pictures(_build(root, root.parent / "cache", on_bad_sample="raise"), 8)[1]


def test_grey_picture_becomes_colour(tmp_path):
    root = write_textures(tmp_path / "data", 1)
    assert (_replaced(root, Image.new("L", (64, 64), 77), format="PNG") == 77).all()


def test_levels_of_16_bits_are_scaled(tmp_path):
    root = write_textures(tmp_path / "data", 1)
    assert (_replaced(root, Image.new("I;16", (64, 64), 77 * 257), format="PNG") == 77).all()


def test_palette_and_alpha_are_resolved(tmp_path):
    root = write_textures(tmp_path / "data", 1)
    image = Image.new("RGBA", (64, 64), (10, 20, 30, 0))
    assert (_replaced(root, image, format="PNG") == [10, 20, 30]).all()
    palette = Image.new("RGB", (64, 64), (40, 50, 60)).convert("P", palette=Image.Palette.ADAPTIVE)
    assert (_replaced(root, palette, format="PNG") == [40, 50, 60]).all()


def test_printers_colours_become_the_screens(tmp_path):
    """All magenta and yellow is red."""
    root = write_textures(tmp_path / "data", 1)
    red = _replaced(root, Image.new("CMYK", (64, 64), (0, 255, 255, 0)), format="JPEG", quality=95)
    assert np.abs(red.astype(int) - [255, 0, 0]).max() <= 3


def _jpeg_cut_short(path: Path) -> None:
    Image.fromarray(texture_map(1, 1, 512)).save(path, format="JPEG")
    path.write_bytes(path.read_bytes()[:3000])


def _png_cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:500])


def _bomb(path: Path) -> None:
    """A header that promises 30,000 x 30,000 pixels."""
    Image.new("1", (30_000, 30_000)).save(path, format="PNG")


BAD = {
    "empty": (lambda path: path.write_bytes(b""), "cannot be read"),
    "text": (lambda path: path.write_text("<html>404</html>"), "cannot be read"),
    "JPEG cut short": (_jpeg_cut_short, "cannot be read: .*truncated"),
    "PNG cut short": (_png_cut_short, "cannot be read"),
    "far too large": (_bomb, "over 200 megapixels"),
    "floats": (lambda path: Image.new("F", (64, 64), 0.5).save(path, format="TIFF"), "more than 16 bits"),
    "not square": (lambda path: Image.new("RGB", (64, 48)).save(path, format="PNG"), "64 x 48 pixels.* square"),
}


@pytest.mark.parametrize("name", BAD)
def test_texture_that_cannot_be_used_is_skipped_by_name(tmp_path, name):
    root, (spoil, says) = write_textures(tmp_path / "data", 2), BAD[name]
    whole = _build(root, tmp_path / "whole")
    spoil(texture_path(root, 1, 1))
    cache = _build(root, tmp_path / "cache")
    ((path, reason),) = cache.skipped
    assert path == "1/models_reg/2_smile.jpg"
    assert path in reason
    np.testing.assert_array_equal(cache.rows, np.delete(whole.rows, 1, axis=0))
    assert [(f.identity, f.expression) for f in cache.files] == [(1, 0), (1, 2), (2, 0), (2, 1), (2, 2)]
    with pytest.raises(BadSampleError, match=rf"2_smile\.jpg.*{says}.*on_bad_sample=skip"):
        _build(root, tmp_path / "strict", on_bad_sample="raise")


def test_cache_made_leniently_is_refused_to_a_strict_reader(tmp_path):
    root = write_textures(tmp_path / "data", 2)
    texture_path(root, 2, 0).write_bytes(b"")
    _build(root, tmp_path / "cache")
    with pytest.raises(BadSampleError, match=r"2/models_reg/1_neutral\.jpg.*on_bad_sample=skip"):
        _build(root, tmp_path / "cache", on_bad_sample="raise")


def test_nothing_but_bad_textures_is_an_error_that_names_one(tmp_path):
    root = write_textures(tmp_path / "data", 1)
    for k in range(3):
        texture_path(root, 1, k).write_bytes(b"")
    with pytest.raises(BadSampleError, match=r"no texture.*1_neutral\.jpg"):
        _build(root, tmp_path / "cache")


# Stopping, going on, and when it is made anew


def test_build_stopped_and_continued_equals_an_uninterrupted_one(tmp_path, monkeypatch):
    root = write_textures(tmp_path / "data", 12)
    texture_path(root, 2, 2).write_bytes(b"")  # skipped, so rows move up
    read, row = [], FaceMips.row

    def stops(mips, folder, file):
        if len(read) == 20:
            raise KeyboardInterrupt
        read.append(file.path)
        return row(mips, folder, file)

    with monkeypatch.context() as patched:
        patched.setattr(FaceMips, "row", stops)
        with pytest.raises(KeyboardInterrupt):
            _build(root, tmp_path / "cache")
    again = []
    monkeypatch.setattr(FaceMips, "row", lambda *words: again.append(words[2].path) or row(*words))
    continued = _build(root, tmp_path / "cache")
    assert len(again) == 36 - 16, "16 files are noted at a time, and are not read twice"
    assert set(again).isdisjoint(read[:16])
    monkeypatch.setattr(FaceMips, "row", row)
    _same(continued, _build(root, tmp_path / "whole"))


def test_finished_cache_is_used_again(tmp_path, monkeypatch):
    root = write_textures(tmp_path / "data", 2)
    first = _build(root, tmp_path / "cache")
    monkeypatch.setattr(FaceMips, "row", None)
    _same(_build(root, tmp_path / "cache"), first)


def test_cache_is_made_anew_for_other_sizes_other_files_and_another_format(tmp_path, monkeypatch):
    root = write_textures(tmp_path / "data", 2)
    folders = set()

    def make(mips: FaceMips = MIPS) -> None:
        textures = find_textures(root, find_meshes(root))
        folders.add(build_texture_cache(root, textures, mips, tmp_path / "cache", "skip"))

    make()
    make()
    assert len(folders) == 1
    make(FaceMips((8, 32)))
    make(FaceMips((8, 16), whole=True))
    Image.fromarray(texture_map(9, 0)).save(texture_path(root, 1, 0), format="PNG")
    make()
    texture_path(root, 2, 2).unlink()
    make()
    monkeypatch.setattr(texture_cache, "FORMAT", texture_cache.FORMAT + 1)
    make()
    assert len(folders) == 6


def test_copy_elsewhere_has_the_same_digest_and_another_picture_another(tmp_path):
    root, copy = write_textures(tmp_path / "data", 2), tmp_path / "copy"
    shutil.copytree(root, copy)
    for path in copy.rglob("*.jpg"):
        os.utime(path, (0, 0))
    digest = _build(root, tmp_path / "cache").digest
    assert _build(copy, tmp_path / "cache2").digest == digest
    Image.fromarray(texture_map(9, 0)).save(texture_path(copy, 1, 0), format="PNG")
    assert _build(copy, tmp_path / "cache2").digest != digest


def test_folder_that_cannot_be_written_says_how_to_choose_another(tmp_path):
    root = write_textures(tmp_path / "data", 1)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatasetNotFoundError, match=r"data\.cache=DIR"):
        _build(root, tmp_path / "file" / "cache")
