"""The cache of pictures: what it holds, what it counts, and that stopping and going on leaves no trace."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.fatal_reader import FatalReader, NumberFile
from helpers.raw_pictures import picture, points, save, write_folder, write_header
from PIL import Image

from datamodules.prepare import framing, picture_cache, pictures, row_cache
from datamodules.prepare.framing import AsIs
from datamodules.prepare.picture_cache import (
    PictureCache,
    PictureReader,
    build_picture_cache,
    choose_framing,
    open_picture_cache,
)
from datamodules.prepare.picture_check import check_pictures
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.picture_folder import PictureFolder
from datamodules.prepare.row_cache import build_once, fill_rows, open_rows
from facegen_core.errors import BadSampleError, ConfigError, DatasetNotFoundError, NoFaceError


def build(root: Path, folder: Path, pixels: int = 8, on_bad_sample="skip", crop=None) -> PictureCache:
    built = build_picture_cache(PictureFolder(root), pixels, crop or AsIs(), folder, on_bad_sample)
    return open_picture_cache(built, on_bad_sample)


def same(one: PictureCache, two: PictureCache) -> None:
    np.testing.assert_array_equal(one.rows, two.rows)
    assert (one.files, one.skipped, one.digest, one.outcomes) == (two.files, two.skipped, two.digest, two.outcomes)


def spoil(root: Path) -> dict[str, str]:
    """One file of each kind of trouble in a folder; path -> the outcome it is counted under."""
    (root / "empty.jpg").write_bytes(b"")
    (root / "page.jpg").write_text("<html>")
    whole = save(root / "cut.jpg", picture(1, 256, 256)).read_bytes()
    (root / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    write_header(root / "huge.png", 30_000, 30_000)
    Image.new("F", (8, 8)).save(root / "floats.tif")
    return {"empty.jpg": pictures.EMPTY, "page.jpg": pictures.NOT_A_PICTURE, "cut.jpg": pictures.CUT_SHORT,
            "huge.png": pictures.TOO_LARGE, "floats.tif": pictures.TOO_DEEP}  # fmt: skip


def mend(root: Path) -> dict[str, str]:
    """One file of each kind that needs something done; path -> the outcome it is counted under."""
    exif = Image.Exif()
    exif[0x0112] = 6
    save(root / "turned.jpg", picture(2), exif=exif)
    Image.fromarray(picture(3)[..., 0]).save(root / "grey.png")
    Image.fromarray(picture(3)[..., 0].astype(np.uint16) * 257).save(root / "deep.png")
    Image.fromarray(picture(4)).convert("CMYK").save(root / "ink.jpg")
    Image.new("RGBA", (16, 16), (0, 0, 0, 10)).save(root / "clear.png")
    frames = [Image.fromarray(picture(i)) for i in (5, 6)]
    frames[0].save(root / "moving.gif", save_all=True, append_images=frames[1:])
    save(root / "small.png", picture(7, 4, 4))
    return {"turned.jpg": pictures.TURNED, "grey.png": pictures.FROM_GREY, "deep.png": pictures.FROM_16_BITS,
            "ink.jpg": pictures.FROM_CMYK, "clear.png": pictures.ON_WHITE, "moving.gif": pictures.FIRST_FRAME,
            "small.png": framing.ENLARGED}  # fmt: skip


# What it holds


def test_rows_are_the_files_in_their_order(tmp_path):
    root = write_folder(tmp_path / "data", ("b", "a"))
    cache = build(root, tmp_path / "cache")
    assert [file.path for file in cache.files] == [f"{name}/{i}.png" for name in "ab" for i in range(5)]
    for file, row in zip(cache.files, cache.rows, strict=True):
        own = Image.open(root / file.path).resize((8, 8), Image.Resampling.LANCZOS, reducing_gap=3.0)
        np.testing.assert_array_equal(row, np.asarray(own))


def test_every_bad_picture_is_skipped_named_and_counted(tmp_path):
    root = write_folder(tmp_path / "data")
    whole = build(root, tmp_path / "whole")
    bad = spoil(root)
    cache = build(root, tmp_path / "cache")
    np.testing.assert_array_equal(cache.rows, whole.rows)
    assert {path for path, _ in cache.skipped} == set(bad)
    assert all(path in reason for path, reason in cache.skipped)
    assert cache.outcomes == Counter(bad.values())
    report = "\n".join(cache.report())
    assert "10 pictures of 8 x 8 pixels" in report and f"{pictures.CUT_SHORT}: 1" in report and "huge.png" in report


def test_bad_picture_stops_a_strict_build_and_a_strict_reader(tmp_path):
    root = write_folder(tmp_path / "data")
    spoil(root)
    with pytest.raises(BadSampleError, match=r"on_bad_sample=skip"):
        build(root, tmp_path / "cache", on_bad_sample="raise")
    build(root, tmp_path / "cache")
    with pytest.raises(BadSampleError, match=r"5 such files.*on_bad_sample=skip"):
        build(root, tmp_path / "cache", on_bad_sample="raise")


def test_what_was_done_to_pictures_is_counted(tmp_path):
    root = write_folder(tmp_path / "data")
    done = mend(root)
    cache = build(root, tmp_path / "cache")
    assert len(cache.files) == 10 + len(done) and not cache.skipped
    for outcome in done.values():
        assert cache.outcomes[outcome] == (2 if outcome == pictures.FROM_GREY else 1), outcome  # deep.png is grey too


def test_link_to_nothing_is_a_missing_file(tmp_path):
    root = write_folder(tmp_path / "data")
    (root / "a" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    cache = build(root, tmp_path / "cache")
    assert cache.outcomes == {pictures.NO_FILE: 1} and len(cache.files) == 10


def test_names_that_are_no_text_are_read_and_told(tmp_path):
    """Bytes of an old code page, as archives from elsewhere have them; printed with their numbers."""
    root = write_folder(tmp_path / "data")
    folder = os.fsencode(root / "a")
    (root / "a" / "0.png").rename(os.fsdecode(folder + b"/m\xfcller.png"))
    Path(os.fsdecode(folder + b"/\xff.png")).touch()
    cache = build(root, tmp_path / "cache")
    assert len(cache.files) == 10 and cache.outcomes == {pictures.EMPTY: 1}
    words = [sys.executable, "-m", "experiments.cli", "data", "prepare", str(root)]
    done = subprocess.run(words, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True)
    assert done.returncode == 0 and rb"data/a/\udcff.png: the picture cannot be read" in done.stdout


def test_nothing_but_bad_pictures_is_an_error_that_names_one(tmp_path):
    (tmp_path / "data").mkdir()
    spoil(tmp_path / "data")
    with pytest.raises(BadSampleError, match=r"no picture.*cut\.jpg"):
        build(tmp_path / "data", tmp_path / "cache")


def test_crop_that_fails_is_that_pictures_outcome(tmp_path):
    class Detector(AsIs):
        def __call__(self, root, picture, file, pixels):
            if file.path == "a/1.png":
                raise NoFaceError("no face in it")
            if file.path == "b/2.png":
                raise ZeroDivisionError("odd eyes")
            if file.path == "b/3.png":
                return Image.new("RGB", (pixels, pixels + 1))
            return super().__call__(root, picture, file, pixels)

    cache = build(write_folder(tmp_path / "data"), tmp_path / "cache", crop=Detector("detector"))
    assert cache.outcomes == {picture_cache.NO_FACE: 1, picture_cache.NOT_CROPPED: 2}
    assert [path for path, _ in cache.skipped] == ["a/1.png", "b/2.png", "b/3.png"]
    assert len(cache.files) == 7


def test_crop_that_the_data_cannot_have_is_a_mistake_that_lists_the_others(tmp_path):
    with pytest.raises(ConfigError, match=r"data\.crop=box: .*: as_is, align\."):
        choose_framing(PictureFolder(tmp_path), "box")


def test_too_small_pictures_are_a_mistake(tmp_path):
    with pytest.raises(ConfigError, match=r"data\.pixels = 7"):
        build(write_folder(tmp_path / "data"), tmp_path / "cache", 7)


# People


def test_people_are_numbered_by_the_truth_that_lies_with_them(tmp_path):
    root = write_folder(tmp_path / "data")
    for person, files in ((7, ["a/0.png", "b/1.png"]), (3, ["a/1.png"])):
        truth = {"person": person, "pictures": [{"file": file, "caption": "x"} for file in files]}
        (root / "truth").mkdir(exist_ok=True)
        (root / "truth" / f"{person}.json").write_text(json.dumps(truth))
    cache = build(root, tmp_path / "cache")
    labels = {file.path: file.identity for file in cache.files}
    assert {path: label for path, label in labels.items() if label >= 0} == {"a/1.png": 0, "a/0.png": 1, "b/1.png": 1}
    (root / "truth" / "3.json").write_text("{}")
    cache = build(root, tmp_path / "cache")
    assert max(file.identity for file in cache.files) == 0
    assert cache.listed.counts == {picture_cache.BAD_TRUTH: 1} and "truth/3.json" in "\n".join(cache.report())


# Stopping, going on, and when it is made anew


def test_build_stopped_and_continued_equals_an_uninterrupted_one(tmp_path, monkeypatch):
    root = write_folder(tmp_path / "data", "abcdefgh")
    (root / "b" / "3.png").write_bytes(b"")  # skipped, so rows move up
    read, row = [], PictureReader.row

    def stops(reader, folder, file):
        if len(read) == 20:
            raise KeyboardInterrupt
        read.append(file.path)
        return row(reader, folder, file)

    with monkeypatch.context() as patched:
        patched.setattr(PictureReader, "row", stops)
        with pytest.raises(KeyboardInterrupt):
            build(root, tmp_path / "cache")
    again = []
    monkeypatch.setattr(PictureReader, "row", lambda *words: again.append(words[2].path) or row(*words))
    continued = build(root, tmp_path / "cache")
    assert len(again) == 40 - 16 and set(again).isdisjoint(read[:16])
    monkeypatch.setattr(PictureReader, "row", row)
    same(continued, build(root, tmp_path / "whole"))


def test_many_pictures_are_read_in_processes_with_the_same_result(tmp_path, monkeypatch):
    root = write_folder(tmp_path / "data", "abcdefghijklmnopqrstu")
    spoil(root)
    mend(root)
    many = build(root, tmp_path / "many")
    monkeypatch.setattr(row_cache, "FILES_WORTH_PROCESSES", 10_000)
    same(many, build(root, tmp_path / "one"))


def test_file_that_ends_its_reader_costs_that_file_alone(tmp_path):
    """The first, one in the middle, and the very last of many."""
    files, fatal = [NumberFile(str(i)) for i in range(130)], ("0", "60", "129")
    folder = build_once(
        tmp_path / "cache", lambda work: fill_rows(tmp_path, files, work, FatalReader(fatal), "skip", "number")
    )
    cache = open_rows(folder, (1,), np.int64, "skip", NumberFile)
    assert [path for path, _ in cache.skipped] == list(fatal)
    assert cache.outcomes == {row_cache.FATAL: 3}
    assert cache.rows[:, 0].tolist() == [i for i in range(130) if str(i) not in fatal]


def test_cache_is_made_anew_for_other_pictures_sizes_crops_and_formats(tmp_path, monkeypatch):
    root, folder = write_folder(tmp_path / "data"), tmp_path / "cache"
    made = set()

    def make(pixels: int = 8, crop=None) -> None:
        made.add(build_picture_cache(PictureFolder(root), pixels, crop or AsIs(), folder, "skip"))

    make()
    make()
    assert len(made) == 1
    make(16)
    make(crop=AsIs("other"))
    save(root / "a" / "0.png", picture(99))
    make()
    (root / "b" / "4.png").unlink()
    make()
    monkeypatch.setattr(picture_cache, "FORMAT", picture_cache.FORMAT + 1)
    make()
    assert len(made) == 6


def test_copy_elsewhere_has_the_same_digest(tmp_path):
    root, copy = write_folder(tmp_path / "data"), tmp_path / "copy"
    shutil.copytree(root, copy)
    for path in copy.rglob("*.png"):
        os.utime(path, (0, 0))
    digest = build(root, tmp_path / "cache").digest
    assert build(copy, tmp_path / "cache2").digest == digest
    save(copy / "a" / "0.png", picture(99))
    assert build(copy, tmp_path / "cache2").digest != digest


def test_index_keeps_labels_and_not_what_only_cropping_needs(tmp_path, monkeypatch):
    """Landmarks of 300,000 pictures would be most of a gigabyte of text."""
    root = write_folder(tmp_path / "data")
    files = PictureFolder.files
    rich = {"box": (1.0, 2.0, 3.0, 4.0), "landmarks": points(), "emotion": 3, "split": "val"}
    monkeypatch.setattr(PictureFolder, "files", lambda *a: [replace(file, **rich) for file in files(*a)])
    cache = build(root, tmp_path / "cache")
    assert cache.files[0] == PictureFile("a/0.png", 3, -1, "val")
    (index,) = (tmp_path / "cache").glob("*/index.json")
    assert set(json.loads(index.read_text())["files"][0]) == {"path", "emotion", "identity", "split"}


def test_folder_that_cannot_be_written_says_how_to_choose_another(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatasetNotFoundError, match=r"data\.cache=DIR"):
        build(write_folder(tmp_path / "data"), tmp_path / "file" / "cache")


# Checking


def test_deep_check_says_of_every_picture_what_a_build_would(tmp_path):
    root = write_folder(tmp_path / "data")
    outcomes = spoil(root) | mend(root)
    plain, deep = (check_pictures(PictureFolder(root), deep) for deep in (False, True))
    assert "22 pictures to use" in plain and "--deep" in plain
    assert "pictures opened: 22, of which can be used: 17" in deep
    for outcome in outcomes.values():
        assert f"{outcome}: " in deep and outcome not in plain
    assert not (root / ".facegen_cache").exists()
