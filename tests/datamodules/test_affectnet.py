"""AffectNet of both releases, as it is handed out and as it is found: labels, boxes, gaps and what is wrong in it."""

import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from helpers.raw_pictures import (
    HEADER,
    LABELS,
    picture,
    points,
    row,
    save,
    write_affectnet,
    write_affectnet_2021,
    write_annotations,
    write_folder,
    write_list,
)
from PIL import Image

from datamodules.affectnet import AffectNetDataModule
from datamodules.config import AffectNetConfig
from datamodules.prepare import affectnet, affectnet_2021, aligned, framing, picture_cache, pictures
from datamodules.prepare.affectnet import EXPECTED, find_affectnet, is_affectnet, read_list
from datamodules.prepare.affectnet_labels import BAD_LABEL, DROPPED
from datamodules.prepare.picture_check import check_pictures
from datamodules.prepare.picture_file import BAD_LANDMARKS
from datamodules.prepare.report import Tally
from facegen_core.errors import BadSampleError, DatasetNotFoundError

IMAGES, LISTS = "Manually_Annotated_Images", "Manually_Annotated_file_lists"
KEPT = [label for label in LABELS if label < 8]


def files(root: Path, needs: str = "", annotation: str = "manual", policy="skip"):
    tally = Tally(policy)
    return find_affectnet(root, annotation).files(tally, needs), tally


def opened(root: Path, **settings) -> AffectNetDataModule:
    datamodule = AffectNetDataModule(AffectNetConfig(root=str(root), pixels=8, **settings), batch_size=4, seed=3)
    datamodule.setup("fit")
    return datamodule


def rewrite(root: Path, rows: list[list[str]], header=HEADER, name: str = "training.csv") -> None:
    write_list(root / LISTS / name, rows, header)


# The old release


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("header", [False, True])
def test_old_release_is_found_with_its_labels(tmp_path, nested, header):
    root = write_affectnet(tmp_path, nested, header)
    found, tally = files(root)
    split = {name: [file for file in found if file.split == name] for name in ("train", "val")}
    assert [file.emotion for file in split["train"]] == KEPT
    assert [file.emotion for file in split["val"]] == [1, 0, 7]
    assert all((root / file.path).is_file() for file in found)
    assert {Path(file.path).suffix for file in found} == {".jpg", ".png", ".jpeg", ".JPG", ".bmp", ".tif"}
    assert tally.counts == dict.fromkeys(DROPPED.values(), 1)


def test_lists_may_lie_beside_the_pictures_and_in_the_root(tmp_path):
    root = write_affectnet(tmp_path)
    (root / LISTS / "training.csv").rename(root / "training.csv")
    (root / LISTS / "validation.csv").rename(root / IMAGES / "validation.csv")
    found, _ = files(root)
    assert len(found) == len(KEPT) + 3


def test_pictures_may_lie_in_parts_of_zips(tmp_path):
    root = write_affectnet(tmp_path)
    part = root / "Manually_Annotated_part2" / IMAGES
    part.mkdir(parents=True)
    (root / IMAGES / "2").rename(part / "2")
    found, tally = files(root)
    assert len(found) == len(KEPT) + 3 and pictures.NO_FILE not in tally.counts


def test_automatic_annotations_are_another_list_with_the_same_validation(tmp_path):
    root = write_affectnet(write_affectnet(tmp_path), kind="Automatically")
    found, _ = files(root, annotation="automatic")
    train = [file.path for file in found if file.split == "train"]
    assert len(train) == len(KEPT) and all(path.startswith("Automatically_Annotated_Images/") for path in train)
    assert sum(file.split == "val" for file in found) == 3
    assert not any("Automatically" in file.path for file in files(root)[0])


def test_boxes_and_landmarks_are_read_where_they_are_needed(tmp_path):
    root = write_affectnet(tmp_path)
    turned = points(angle=0.4)
    rewrite(root, [row("1/0000hash.jpg", 3, (5, 6, 20, 30), turned)])
    (plain, *_), (boxed, *_), (marked, *_) = (files(root, needs)[0][3:] for needs in ("", "box", "landmarks"))
    assert plain.box is None and plain.landmarks is None
    assert boxed.box == (5, 6, 25, 36) and boxed.landmarks is None
    np.testing.assert_allclose(marked.landmarks, turned, atol=0.006)


def test_columns_are_found_by_their_header_in_any_order(tmp_path):
    root = write_affectnet(tmp_path)
    line = row("1/0000hash.jpg", 5)
    header = ["", *reversed(HEADER)]
    rewrite(root, [["0", *reversed(line)]], header)
    found, _ = files(root, "box")
    assert (found[-1].path, found[-1].emotion, found[-1].box) == (f"{IMAGES}/1/0000hash.jpg", 5, (16, 8, 48, 40))


def test_windows_paths_and_other_endings_are_found(tmp_path):
    root = write_affectnet(tmp_path)
    rewrite(root, [row("1\\0000hash.jpg", 1), row("2/0001hash.jpg", 2)])  # the second is a .png
    found, tally = files(root)
    assert [file.path for file in found[3:]] == [f"{IMAGES}/1/0000hash.jpg", f"{IMAGES}/2/0001hash.png"]
    assert tally.counts == {affectnet.RENAMED: 1}


# What is wrong in it


@pytest.mark.parametrize("needs", ["", "box", "landmarks"])
@pytest.mark.parametrize("header", [False, True])
def test_missing_columns_are_named(tmp_path, needs, header):
    root = write_affectnet(tmp_path)
    gone = {"": "expression", "box": "face_x", "landmarks": "facial_landmarks"}[needs]
    place = HEADER.index(gone)
    if header:
        without = [name for name in HEADER if name != gone]
        rewrite(root, [[v for i, v in enumerate(row("1/0000hash.jpg", 1)) if i != place]], without)
    else:
        rewrite(root, [row("1/0000hash.jpg", 1)[:place]], None)
    with pytest.raises(DatasetNotFoundError, match=rf"training\.csv: columns missing: .*{gone}.*data\.crop=as_is"):
        files(root, needs)


def test_empty_list_is_said(tmp_path):
    root = write_affectnet(tmp_path)
    (root / LISTS / "training.csv").write_text("")
    with pytest.raises(DatasetNotFoundError, match=r"training\.csv: the list is empty"):
        files(root)


BAD_ROWS = {
    "no file": (row("9/absent.jpg", 1), pictures.NO_FILE, "9/absent.jpg"),
    "short": (["1/0000hash.jpg", "1"], affectnet.SHORT_ROW, "training.csv, line 3"),
    "no number": (row("1/0000hash.jpg", "happy"), BAD_LABEL, "training.csv, line 3"),
    "no such label": (row("1/0000hash.jpg", 11), BAD_LABEL, "training.csv, line 3"),
    "half a label": (row("1/0000hash.jpg", "1.5"), BAD_LABEL, "training.csv, line 3"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_row_is_named_and_counted_or_raised(tmp_path, name):
    root, (bad, outcome, place) = write_affectnet(tmp_path), BAD_ROWS[name]
    rewrite(root, [row("2/0001hash.png", "2.0"), bad])
    found, tally = files(root)
    assert [file.emotion for file in found] == [1, 0, 7, 2]
    assert tally.counts == {outcome: 1} and tally.names[outcome] == [place]
    with pytest.raises(BadSampleError, match=rf"{re.escape(place)}: {outcome}.*on_bad_sample=skip"):
        files(root, policy="raise")
    opened(root)
    with pytest.raises(BadSampleError, match=outcome):
        opened(root, on_bad_sample="raise")


def test_second_listing_is_counted_and_the_first_kept(tmp_path):
    """Twice in training; and in both lists, of which validation keeps it."""
    root = write_affectnet(tmp_path)
    validation = "1/1000hash.jpg"
    rewrite(root, [row("2/0001hash.png", 2), row("2/0001hash.png", 3), row(validation, 4)])
    found, tally = files(root, policy="raise")
    assert [(file.emotion, file.split) for file in found] == [(1, "val"), (0, "val"), (7, "val"), (2, "train")]
    assert tally.counts == {affectnet.LISTED_AGAIN: 2}


def test_boxes_and_landmarks_of_all_kinds_end_in_named_outcomes(tmp_path):
    root = write_affectnet(tmp_path)
    boxes = {0: (16, 8, 32, 32), 1: (16, 8, 0, 32), 2: (200, 8, 32, 32), 3: ("NULL", "x", "", ""), 4: (-4, -4, 32, 32)}
    names = sorted(p.relative_to(root / IMAGES).as_posix() for p in (root / IMAGES).rglob("0*"))[:7]
    marks = {0: points(), 1: points() + 500, 2: np.zeros((60, 2)), 3: np.full((68, 2), np.nan), 4: points() - [0, 18]}
    rows = [row(names[i], 1, boxes[i], marks[i]) for i in boxes]
    for name, text in ((names[5], "1;x;3"), (names[6], " ")):
        rows.append(row(name, 1))
        rows[-1][HEADER.index("facial_landmarks")] = text
    rewrite(root, rows)
    outcomes = opened(root, crop="box").pictures.outcomes
    assert outcomes == {framing.BOX_OUTSIDE: 2, framing.NO_BOX: 1, framing.REFLECTED: 1}
    outcomes = opened(root, crop="align").pictures.outcomes
    assert outcomes[aligned.LANDMARKS_OUTSIDE] == 1
    assert outcomes[BAD_LANDMARKS] == 3
    assert outcomes[picture_cache.NO_FACE] == 1, "no landmarks are given: the detector looks"
    assert outcomes[aligned.SOME_OUTSIDE] == 1


def test_broken_pictures_are_skipped_by_name(tmp_path):
    root = write_affectnet(tmp_path)
    (root / IMAGES / "1" / "0000hash.jpg").write_bytes(b"")
    datamodule = opened(root)
    assert datamodule.pictures.outcomes[pictures.EMPTY] == 1
    assert [path for path, _ in datamodule.pictures.skipped] == [f"{IMAGES}/1/0000hash.jpg"]
    assert len(datamodule.rows["train"]) == len(KEPT) - 1


def test_long_list_is_streamed(tmp_path):
    """10,000 rows with landmarks, 9 MB of text, of which a small part is in memory at a time."""
    line = ",".join(row("1/{:056d}.jpg", 1))
    rows = "\n".join(line.replace("{:056d}", f"{i:056d}") for i in range(10_000))
    (tmp_path / "training.csv").write_text(",".join(HEADER) + "\n" + rows)
    size = (tmp_path / "training.csv").stat().st_size
    tracemalloc.start()
    count = sum(1 for _ in read_list(tmp_path / "training.csv", "box", Tally()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 10_000 and size > 8e6
    assert peak < 0.1 * size


# The release of 2021


def test_release_of_2021_is_found_with_its_labels(tmp_path):
    root = write_affectnet_2021(tmp_path)
    found, tally = files(root)
    assert [(file.split, file.emotion) for file in found if file.split == "val"] == [("val", 3), ("val", 1)]
    train = {int(Path(file.path).stem): file.emotion for file in found if file.split == "train"}
    assert train == {3 * label: label for label in range(8)}
    assert tally.counts == {}


def write_label(root: Path, value, number: int = 3) -> None:
    np.save(root / "train_set" / "annotations" / f"{number}_exp.npy", value)


@pytest.mark.parametrize("value", [np.array("6"), np.array(["6"]), np.array([["6"]]), np.array(6), np.array([6.0]),
                                   np.array(b"6".decode("ascii"), dtype="U3")])  # fmt: skip
def test_labels_are_read_from_texts_and_numbers_of_any_shape(tmp_path, value):
    root = write_affectnet_2021(tmp_path)
    write_label(root, value)
    assert {file.path: file.emotion for file in files(root)[0]}["train_set/images/3.jpg"] == 6


@pytest.mark.parametrize("value", [np.array("happy"), np.array([1, 2]), np.array("11"), np.array([])])
def test_label_that_cannot_be_read_is_counted(tmp_path, value):
    root = write_affectnet_2021(tmp_path)
    write_label(root, value)
    found, tally = files(root)
    assert len(found) == 9
    assert tally.names == {BAD_LABEL: ["train_set/annotations/3_exp.npy"]}


def test_label_file_is_never_run_as_a_program(tmp_path):
    """A pickle in an array is refused, not opened."""

    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    root = write_affectnet_2021(tmp_path / "data")
    path = root / "train_set" / "annotations" / "3_exp.npy"
    np.save(path, np.array([Trap()], dtype=object), allow_pickle=True)
    _, tally = files(root)
    assert tally.counts == {BAD_LABEL: 1} and not (tmp_path / "sprung").exists()
    path.write_bytes(b"")
    assert files(root)[1].counts == {BAD_LABEL: 1}


DAMAGED = {
    "as an archive begins": b"PK\x03\x04 and no more",
    "larger than any memory": b"\x93NUMPY\x01\x00\x76\x00"
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }".ljust(117) + b"\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_arrays_are_counted_whatever_numpy_raises(tmp_path, kind):
    root = write_affectnet_2021(tmp_path)
    for array in ("3_exp", "6_lnd"):
        (root / "train_set" / "annotations" / f"{array}.npy").write_bytes(DAMAGED[kind])
    cache = opened(root, crop="align").pictures
    assert cache.listed.counts == {BAD_LABEL: 1}
    assert cache.outcomes[BAD_LANDMARKS] == 1 and len(cache.files) == 8


def test_linked_folder_of_pictures_is_found(tmp_path):
    root = write_affectnet(tmp_path / "data")
    (root / IMAGES).rename(tmp_path / "elsewhere")
    (root / IMAGES).symlink_to(tmp_path / "elsewhere")
    assert len(files(root)[0]) == len(KEPT) + 3


def test_gaps_doubles_and_dropped_labels_of_2021_are_counted(tmp_path):
    root = write_affectnet_2021(tmp_path)
    annotations = root / "train_set" / "annotations"
    (annotations / "0_exp.npy").unlink()
    (root / "train_set" / "images" / "6.jpg").unlink()
    save(root / "train_set" / "images" / "9.png", picture(1))
    write_annotations(annotations, 12, 9)
    found, tally = files(root)
    assert len(found) == 7
    assert tally.counts == {
        affectnet_2021.NO_LABEL: 1,
        pictures.NO_FILE: 1,
        affectnet_2021.NAMED_AGAIN: 1,
        DROPPED[9]: 1,
    }


def test_landmarks_of_2021_align_and_their_absence_is_counted(tmp_path):
    root = write_affectnet_2021(tmp_path)
    (root / "train_set" / "annotations" / "9_lnd.npy").unlink()
    cache = opened(root, crop="align").pictures
    assert len(cache.files) == 9
    assert [path for path, _ in cache.skipped] == ["train_set/images/9.jpg"]


# The data module


def test_usual_crop_is_the_box_in_the_old_release_and_the_picture_in_the_new(tmp_path):
    old = opened(write_affectnet(tmp_path / "old"))
    for file, pixels in zip(old.pictures.files, old.pictures.rows, strict=True):
        box = Image.open(tmp_path / "old" / file.path).convert("RGB")
        own = np.asarray(box.resize((8, 8), Image.Resampling.LANCZOS, (16, 8, 48, 40))).astype(int)
        assert np.abs(pixels - own).max() <= 3
    new = opened(write_affectnet_2021(tmp_path / "new"))
    assert "-as_is-" in new.cache_folder.name


@pytest.mark.parametrize(("contempt", "labels"), [("keep", KEPT), ("neutral", [0, 1, 2, 3, 4, 5, 6, 0, 1]),
                                                  ("drop", [0, 1, 2, 3, 4, 5, 6, 1])])  # fmt: skip
def test_contempt_is_kept_counted_as_neutral_or_dropped(tmp_path, contempt, labels):
    root = write_affectnet(tmp_path)
    datamodule = opened(root, contempt=contempt)
    assert datamodule.datasets["train"].emotion.tolist() == labels
    (batch,) = datamodule.val_dataloader()
    assert batch["emotion"].tolist() == {"keep": [1, 0, 7], "neutral": [1, 0, 0], "drop": [1, 0]}[contempt]
    assert batch["identity"].tolist() == [-1] * len(batch["emotion"])
    assert len(list((root / ".facegen_cache").glob("pictures-*"))) == 1


def test_digests_differ_by_what_is_trained_on(tmp_path):
    root = write_affectnet(tmp_path)
    digests = [opened(root, **settings).digest() for settings in ({}, {"contempt": "neutral"}, {"crop": "as_is"}, {})]
    assert len(set(digests)) == 3 and digests[0] == digests[-1]


def test_labels_are_not_read_again_once_the_cache_is_there(tmp_path, monkeypatch):
    """A start of training costs no opening of 300,000 small files."""
    root = write_affectnet_2021(tmp_path)
    first = opened(root)
    monkeypatch.setattr(np, "load", None)
    assert opened(root).digest() == first.digest()


def test_edited_labels_make_the_cache_anew(tmp_path):
    root = write_affectnet_2021(tmp_path)
    opened(root)
    write_label(root, np.array("6 "))  # another size
    assert opened(root).datasets["train"].emotion.tolist().count(6) == 2


# What is there


def test_check_counts_labels_and_what_is_left_out(tmp_path):
    root = write_affectnet(tmp_path)
    (root / IMAGES / "1" / "0003hash.JPG").unlink()
    text = check_pictures(find_affectnet(root))
    assert "old release, manual annotations, 11 pictures to use; usual crop: box" in text
    assert "train: 8 (neutral 1, happy 2, sad 1, fear 1, disgust 1, anger 1, contempt 1)" in text
    assert "val: 3 (neutral 1, happy 1, contempt 1)" in text
    assert "labelled none, dropped: 1" in text and "no file: 1 (1/0003hash.JPG)" in text


def test_each_release_is_told_from_other_folders(tmp_path):
    assert is_affectnet(write_affectnet(tmp_path / "old"))
    assert is_affectnet(write_affectnet(tmp_path / "auto", kind="Automatically"))
    assert is_affectnet(write_affectnet_2021(tmp_path / "new"))
    plain = write_folder(tmp_path / "plain", ("1", "2"))
    (plain / "training.csv").write_text("file,score\na,1\n")
    assert not is_affectnet(plain)
    (plain / "training.csv").write_text("x" * 200_000)  # more than csv takes for a field
    assert not is_affectnet(plain)
    assert not is_affectnet(tmp_path / "absent")


def test_missing_parts_are_said_with_the_expected_tree(tmp_path):
    (tmp_path / "empty").mkdir()
    lists = write_affectnet(tmp_path / "lists")
    (lists / IMAGES).rename(tmp_path / "gone")
    new = write_affectnet_2021(tmp_path / "new")
    for root, annotation, says in ((tmp_path / "absent", "manual", "no such folder"), (lists, "manual", "no folder of"),
                                   (tmp_path / "empty", "manual", "no list"), (lists, "automatic", "no list"),
                                   (new, "automatic", "no automatic")):  # fmt: skip
        with pytest.raises(DatasetNotFoundError, match=says) as caught:
            find_affectnet(root, annotation)
        assert str(caught.value).endswith(EXPECTED)
    assert "http://mohammadmahoor.com/affectnet/" in EXPECTED and "facegen data population" in EXPECTED
