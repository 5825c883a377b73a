"""FFHQ as it is handed out: versions, the list read as a stream, the official split, and faces in the wild."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from helpers.raw_pictures import FFHQ_NUMBERS, ffhq_entry, picture, points, save, write_ffhq
from PIL import Image

from datamodules.config import FFHQConfig
from datamodules.ffhq import FFHQDataModule
from datamodules.prepare import aligned, ffhq, framing
from datamodules.prepare.ffhq import EXPECTED, LIST, find_ffhq, is_ffhq, read_list
from datamodules.prepare.picture_check import check_pictures
from datamodules.prepare.report import Tally
from facegen_core.errors import BadSampleError, ConfigError, DatasetNotFoundError

WILD = "in-the-wild-images"


def splits(root: Path, version: str | None = None, needs: str = "") -> dict[int, str]:
    files = find_ffhq(root, version).files(Tally(), needs)
    return {int(Path(file.path).stem): file.split for file in files}


def opened(root: Path, **settings) -> FFHQDataModule:
    datamodule = FFHQDataModule(FFHQConfig(root=str(root), **({"pixels": 16} | settings)), batch_size=4, seed=3)
    datamodule.setup("fit")
    return datamodule


# Split


def test_official_split_is_that_of_the_list(tmp_path):
    expected = {n: "val" if n in (1, 60_000, 69_999) else "train" for n in FFHQ_NUMBERS}
    assert splits(write_ffhq(tmp_path)) == expected


def test_without_the_list_the_first_60000_are_trained_on(tmp_path):
    root = write_ffhq(tmp_path, listed=False)
    assert splits(root) == {n: "train" if n < 60_000 else "val" for n in FFHQ_NUMBERS}


def test_picture_that_the_list_lacks_is_split_by_its_number(tmp_path):
    root = write_ffhq(tmp_path)
    (root / LIST).write_text(json.dumps({"1": ffhq_entry(1, "validation")}))
    assert splits(root) == {n: "val" if n == 1 or n >= 60_000 else "train" for n in FFHQ_NUMBERS}


def test_list_is_read_as_a_stream(tmp_path):
    """500 entries, 1.5 MB of text, of which a small part is in memory at a time."""
    body = json.dumps(ffhq_entry(0, "training"))
    (tmp_path / LIST).write_text("{" + ", ".join(f'"{i}": {body}' for i in range(500)) + "}")
    size = (tmp_path / LIST).stat().st_size
    tracemalloc.start()
    entries = read_list(tmp_path / LIST, "image", "")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert entries == {i: {"split": "train"} for i in range(500)}
    assert size > 1.2e6 and peak < 0.4 * size


@pytest.mark.parametrize("part", ["image", "thumbnail", "in_the_wild"])
@pytest.mark.parametrize("needs", ["", "box", "landmarks"])
def test_list_says_of_each_version_what_it_has(tmp_path, part, needs):
    root = write_ffhq(tmp_path)
    entry = read_list(root / LIST, part, needs)[999]
    raw = json.loads((root / LIST).read_text())["999"][part]
    assert entry.pop("split") == "train"
    if part == "in_the_wild" and needs:
        assert entry == ({"box": (30, 14, 50, 30)} if needs == "box" else {"quad": raw["face_quad"]})
    elif part == "image" and needs == "landmarks":
        np.testing.assert_allclose(entry["landmarks"], raw["face_landmarks"], rtol=1e-6)
    else:
        assert entry == {}


BROKEN = {
    "cut short": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "no JSON": lambda text: "<html>quota exceeded</html>",
    "another list": lambda text: '{"0": {"photos": []}}',
    "no numbers": lambda text: text.replace('"999"', '"nine"'),
    "no object": lambda text: "[1, 2]",
    "another split": lambda text: text.replace('"training"', '"testing"'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_list_that_cannot_be_read_is_named(tmp_path, name):
    root = write_ffhq(tmp_path)
    (root / LIST).write_text(BROKEN[name]((root / LIST).read_text()))
    with pytest.raises(DatasetNotFoundError, match=rf"{LIST}: the list cannot be read.*Download it again"):
        splits(root)


# Pictures


def test_versions_are_found_by_name_and_the_largest_is_usual(tmp_path):
    root = write_ffhq(tmp_path, ("thumbnails128x128", WILD))
    assert find_ffhq(root).version == "thumbnails"
    assert find_ffhq(root, "in_the_wild").crops[0].name == "align"
    with pytest.raises(DatasetNotFoundError, match=r"no images1024x1024 found.*version=thumbnails, .*in_the_wild"):
        find_ffhq(root, "images")


def test_names_without_numbers_and_doubles_are_counted(tmp_path):
    root = write_ffhq(tmp_path)
    save(root / "images1024x1024" / "00000" / "cat.png", picture(1))
    save(root / "images1024x1024" / "00000" / "00001.webp", picture(1))
    tally = Tally()
    assert len(find_ffhq(root).files(tally, "")) == len(FFHQ_NUMBERS)
    assert tally.counts == {ffhq.NO_NUMBER: 1, ffhq.TWICE: 1}
    with pytest.raises(BadSampleError, match=r"cat\.png"):
        find_ffhq(root).files(Tally("raise"), "")


def test_batches_are_the_pictures_without_labels(tmp_path):
    datamodule = opened(write_ffhq(tmp_path), pixels=64)
    (batch,) = datamodule.val_dataloader()
    for image, number in zip(batch["image"], (1, 60_000, 69_999), strict=True):
        np.testing.assert_allclose(image.permute(1, 2, 0), picture(number, 64, 64) / 127.5 - 1, atol=1e-6)
    assert batch["emotion"].tolist() == batch["identity"].tolist() == [-1] * 3
    assert batch["index"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_pictures_in_the_wild_are_cut_to_the_listed_corners(tmp_path, angle):
    """As Pillow samples that quadrilateral from the file."""
    root = write_ffhq(tmp_path, (WILD,), angle=angle)
    datamodule = opened(root, version="in_the_wild", pixels=28)
    quad = np.array(ffhq_entry(0, "training", angle=angle)["in_the_wild"]["face_quad"]).ravel().tolist()
    for file, pixels in zip(datamodule.pictures.files, datamodule.pictures.rows, strict=True):
        own = Image.open(root / file.path).transform((28, 28), Image.Transform.QUAD, quad, Image.Resampling.BILINEAR)
        assert np.abs(pixels.astype(int) - np.asarray(own))[2:-2, 2:-2].max() <= 6


def test_pictures_in_the_wild_need_the_list_unless_whole(tmp_path):
    root = write_ffhq(tmp_path, (WILD,), listed=False)
    with pytest.raises(DatasetNotFoundError, match=rf"{LIST}: no such file.*data\.crop=as_is"):
        opened(root, version="in_the_wild")
    assert len(opened(root, version="in_the_wild", crop="as_is").pictures.files) == len(FFHQ_NUMBERS)
    (root / LIST).write_text(json.dumps({str(n): ffhq_entry(n, "training") for n in FFHQ_NUMBERS[1:]}))
    assert opened(root, version="in_the_wild").pictures.outcomes == {aligned.NO_LANDMARKS: 1}
    assert opened(root, version="in_the_wild", crop="box").pictures.outcomes[framing.NO_BOX] == 1


def test_aligned_pictures_can_be_levelled_by_their_landmarks(tmp_path):
    root = write_ffhq(tmp_path)
    cache = opened(root, crop="align").pictures
    number = int(Path(cache.files[0].path).stem)
    left, right = np.ptp(points(64, 64), axis=0) / 2
    whole = Image.fromarray(picture(number, 64, 64))
    half = max(left, right)
    middle = (points(64, 64).max(axis=0) + points(64, 64).min(axis=0)) / 2
    box = (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
    own = np.asarray(whole.resize((16, 16), Image.Resampling.LANCZOS, box)).astype(int)
    assert np.abs(cache.rows[0] - own).max() <= 3
    with pytest.raises(ConfigError, match=r"data\.crop=box"):
        opened(root, crop="box")


# What is there


def test_check_counts_both_splits(tmp_path):
    root = write_ffhq(tmp_path)
    (root / "images1024x1024" / "00000" / "00000.png").write_bytes(b"")
    text = check_pictures(find_ffhq(root), deep=True)
    assert "FFHQ, images1024x1024, 7 pictures to use; usual crop: as_is" in text
    assert "train: 4 (no labels)" in text and "val: 3 (no labels)" in text
    assert "zero bytes: 1" in text and "of which can be used: 6" in text


def test_missing_parts_are_said_with_the_expected_tree(tmp_path):
    assert is_ffhq(write_ffhq(tmp_path / "there")) and not is_ffhq(tmp_path / "absent")
    (tmp_path / "empty" / "images1024x1024").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    for name, says in (("absent", "no such folder"), ("empty", "no pictures in it"), ("other", "no of FFHQ's folders")):
        with pytest.raises(DatasetNotFoundError, match=says) as caught:
            find_ffhq(tmp_path / name)
        assert str(caught.value).endswith(EXPECTED)
    assert "https://github.com/NVlabs/ffhq-dataset" in EXPECTED and "CC BY-NC-SA 4.0" in EXPECTED
