"""The one reader of pictures: what each kind becomes, and the name of everything that can be wrong."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from helpers.raw_pictures import picture, save, write_header
from PIL import Image, ImageFile

from datamodules.prepare import pictures
from datamodules.prepare.pictures import BadPictureError, find_pictures, read_picture

RGB = picture(1)


def read(path: Path, **settings) -> np.ndarray:
    return np.asarray(read_picture(path, **settings).image).astype(int)


def made(path: Path, image: Image.Image, **settings) -> Path:
    image.save(path, **settings)
    return path


# What is read


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "webp", "ppm"])
def test_lossless_kinds_come_back_exactly(tmp_path, ending):
    path = save(tmp_path / f"a.{ending}", RGB, **({"lossless": True} if ending == "webp" else {}))
    found = read_picture(path)
    np.testing.assert_array_equal(found.image, RGB)
    assert (found.scale, found.notes) == (1, [])


def test_content_decides_and_not_the_name(tmp_path):
    made(tmp_path / "a.jpg", Image.fromarray(RGB), format="PNG")
    np.testing.assert_array_equal(read(tmp_path / "a.jpg"), RGB)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_a_picture_upright(tmp_path, orientation, kind):
    """Stored is what a camera held that way would store; the table is that of the EXIF standard."""
    table = [RGB, RGB[:, ::-1], RGB[::-1, ::-1], RGB[::-1], RGB.transpose(1, 0, 2), np.rot90(RGB, 1)]
    stored = [*table, RGB[::-1, ::-1].transpose(1, 0, 2), np.rot90(RGB, -1)][orientation - 1]
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    path = made(tmp_path / "a", Image.fromarray(np.ascontiguousarray(stored)), format=kind, exif=exif, **lossless)
    found = read_picture(path)
    assert np.abs(np.asarray(found.image).astype(int) - RGB).max() <= (8 if kind == "JPEG" else 0)
    assert found.notes == ([pictures.TURNED] if orientation > 1 else [])


def test_damaged_exif_is_passed_over(tmp_path):
    save(tmp_path / "a.jpg", RGB, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\0\0")
    assert read_picture(tmp_path / "a.jpg").notes == []


def test_grey_and_indexed_pictures_become_colour(tmp_path):
    grey = read_picture(made(tmp_path / "grey.png", Image.fromarray(RGB[..., 0])))
    np.testing.assert_array_equal(grey.image, np.repeat(RGB[..., :1], 3, axis=2))
    assert grey.notes == [pictures.FROM_GREY]
    bits = read_picture(made(tmp_path / "bits.png", Image.new("1", (8, 8), 1)))
    assert (np.asarray(bits.image) == 255).all() and bits.notes == [pictures.FROM_GREY]
    indexed = Image.fromarray(RGB).convert("P", palette=Image.Palette.ADAPTIVE)
    found = read_picture(made(tmp_path / "indexed.png", indexed))
    np.testing.assert_array_equal(found.image, indexed.convert("RGB"))
    assert found.notes == [pictures.FROM_PALETTE]


def test_printers_colours_become_the_screens(tmp_path):
    """All magenta and yellow is red; all black is black."""
    for ink, colour in (((0, 255, 255, 0), [255, 0, 0]), ((0, 0, 0, 255), [0, 0, 0]), ((0, 0, 0, 0), [255] * 3)):
        found = read_picture(made(tmp_path / "a.jpg", Image.new("CMYK", (16, 16), ink), quality=98))
        assert np.abs(np.asarray(found.image).astype(int) - colour).max() <= 3
        assert found.notes == [pictures.FROM_CMYK]


@pytest.mark.parametrize("ending", ["png", "tif", "ppm"])
def test_16_bits_are_scaled_and_not_cut_off(tmp_path, ending):
    levels = np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)
    found = read_picture(made(tmp_path / f"a.{ending}", Image.fromarray(levels)))
    assert np.abs(np.asarray(found.image)[..., 1] - levels / 257.0).max() <= 0.5
    assert pictures.FROM_16_BITS in found.notes


def test_colour_of_16_bits_is_scaled(tmp_path):
    """Written by hand, since Pillow does not write it."""
    levels = (RGB.astype(">u2") * 257).reshape(48, -1)
    rows = b"".join(b"\0" + line.tobytes() for line in levels)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 64, 48, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    data = b"".join(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
                    for name, body in chunks)  # fmt: skip
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), RGB)


def test_transparent_pictures_are_laid_on_white(tmp_path):
    half = np.dstack([RGB, np.full(RGB.shape[:2], 128, np.uint8)])
    found = read_picture(save(tmp_path / "half.png", half))
    expected = RGB * (128 / 255) + 255 * (127 / 255)
    assert np.abs(np.asarray(found.image) - expected).max() <= 1
    assert found.notes == [pictures.ON_WHITE]
    below = read_picture(tmp_path / "half.png", on_white=False)
    assert np.array_equal(below.image, RGB) and (np.asarray(below.alpha) == 128).all() and below.notes == []
    indexed = Image.new("P", (8, 8), 0)
    indexed.putpalette([10, 20, 30])
    assert (read(made(tmp_path / "p.png", indexed, transparency=0)) == 255).all()
    opaque = read_picture(save(tmp_path / "opaque.png", np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)])))
    np.testing.assert_array_equal(opaque.image, RGB)
    assert opaque.notes == [] and opaque.alpha is None


def test_texture_keeps_the_colours_below_transparency(tmp_path):
    made(tmp_path / "a.png", Image.new("RGBA", (8, 8), (10, 20, 30, 0)))
    assert (pictures.read_pixels(tmp_path / "a.png") == [10, 20, 30]).all()


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "tif"])
def test_first_of_several_frames_is_taken(tmp_path, ending):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    settings = {"lossless": True} if ending == "webp" else {}
    path = made(tmp_path / f"a.{ending}", frames[0], save_all=True, append_images=frames[1:], **settings)
    found = read_picture(path)
    assert (np.asarray(found.image) == [255, 0, 0]).all()
    assert pictures.FIRST_FRAME in found.notes


@pytest.mark.parametrize(("share", "scale"), [(0.5, 1), (0.25, 2), (0.12, 4), (0.01, 8)])
def test_jpeg_is_decoded_no_smaller_than_twice_what_is_asked(tmp_path, share, scale):
    save(tmp_path / "a.jpg", picture(3, 800, 600))
    found = read_picture(tmp_path / "a.jpg", lambda size: share)
    assert found.scale == scale
    assert found.image.size == (800 // scale, 600 // scale)


# What is not


def _cut(path: Path, kind: str, share: float) -> None:
    data = io.BytesIO()
    Image.fromarray(picture(2, 256, 256)).save(data, kind)
    path.write_bytes(data.getvalue()[: int(share * len(data.getvalue()))])


def _damaged(path: Path) -> None:
    data = io.BytesIO()
    Image.fromarray(picture(2, 256, 256)).save(data, "PNG")
    spoilt = bytearray(data.getvalue())
    spoilt[200:260] = bytes(60)
    path.write_bytes(spoilt)


BAD = {
    "zero bytes": (lambda path: path.write_bytes(b""), pictures.EMPTY),
    "a web page": (lambda path: path.write_text("<html>404 not found</html>"), pictures.NOT_A_PICTURE),
    "a program": (
        lambda path: path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        pictures.NOT_A_PICTURE,
    ),
    "JPEG, half": (lambda path: _cut(path, "JPEG", 0.5), pictures.CUT_SHORT),
    "JPEG, all but the end": (lambda path: _cut(path, "JPEG", 0.95), pictures.CUT_SHORT),
    "PNG, half": (lambda path: _cut(path, "PNG", 0.5), pictures.CUT_SHORT),
    "GIF, half": (lambda path: _cut(path, "GIF", 0.5), pictures.CUT_SHORT),
    "BMP, half": (lambda path: _cut(path, "BMP", 0.5), pictures.CUT_SHORT),
    "TIFF, half": (lambda path: _cut(path, "TIFF", 0.5), pictures.CUT_SHORT),
    "WebP, half": (lambda path: _cut(path, "WEBP", 0.5), pictures.DAMAGED),
    "PNG, damaged": (_damaged, pictures.DAMAGED),
    "floats": (lambda path: Image.new("F", (8, 8), 0.5).save(path, "TIFF"), pictures.TOO_DEEP),
    "32 bits": (lambda path: Image.new("I", (8, 8), 1 << 20).save(path, "TIFF"), pictures.TOO_DEEP),
    "a folder": (lambda path: path.mkdir(), pictures.DAMAGED),
    "nothing": (lambda path: None, pictures.NO_FILE),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_picture_has_a_named_outcome(tmp_path, name):
    make, outcome = BAD[name]
    make(tmp_path / "bad.jpg")
    with pytest.raises(BadPictureError, match=r"bad\.jpg") as caught:
        read_picture(tmp_path / "bad.jpg")
    assert caught.value.outcome == outcome


def test_over_200_megapixels_is_refused_by_its_header_alone(tmp_path, monkeypatch):
    write_header(tmp_path / "a.png", 20_000, 10_001)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(BadPictureError, match="20000 x 10001 pixels") as caught:
        read_picture(tmp_path / "a.png")
    assert caught.value.outcome == pictures.TOO_LARGE


@pytest.mark.parametrize("size", [(20_000, 10_000), (10_000, 9_000)])
def test_pillows_own_limits_are_not_in_the_way(tmp_path, size):
    """It refuses from 179 megapixels and warns from 89; these files lack their pixels, which is what is said."""
    write_header(tmp_path / "a.png", *size)
    before = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BadPictureError) as caught:
            read_picture(tmp_path / "a.png")
    assert caught.value.outcome == pictures.CUT_SHORT
    assert before == Image.MAX_IMAGE_PIXELS


def test_whatever_the_decoder_raises_is_that_pictures_outcome(tmp_path, monkeypatch):
    save(tmp_path / "a.png", RGB)
    for error in (struct.error("odd"), IndexError(), KeyError(7), MemoryError(), OverflowError("wide"), RuntimeError()):

        def load(self, error=error):
            raise error

        monkeypatch.setattr(ImageFile.ImageFile, "load", load)
        with pytest.raises(BadPictureError, match=r"a\.png") as caught:
            read_picture(tmp_path / "a.png")
        assert caught.value.outcome == pictures.DAMAGED


# Which are found


def test_pictures_are_found_below_by_name_and_hidden_ones_are_not(tmp_path):
    names = ["b/2.png", "b/1.JPG", "a.jpeg", "c/d/e.tiff", ".cache/x.png", "b/._1.jpg", "notes.txt", "a.npy"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(find_pictures(tmp_path)) == ["a.jpeg", "b/1.JPG", "b/2.png", "c/d/e.tiff"]
    assert list(find_pictures(tmp_path, "b")) == ["b/1.JPG", "b/2.png"]


def test_linked_folders_are_searched_and_links_back_are_not(tmp_path):
    for name in ("elsewhere/1.png", "data/a/2.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "data" / "b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "a" / "back").symlink_to(tmp_path / "data")
    assert list(find_pictures(tmp_path / "data")) == ["a/2.png", "b/1.png"]
