import csv
import json

import numpy as np
import pytest
from PIL import Image

from facegen_core.emotions import EMOTIONS
from facegen_core.errors import FacegenError
from facegen_core.population.affectnet_layout import COLUMNS, write_affectnet
from facegen_core.population.emotions import FAINT, IDLE_MOST, UNIT_SPREAD, WAYS
from facegen_core.population.ffhq_layout import write_ffhq
from facegen_core.population.pairs_layout import write_pairs
from facegen_core.population.truth import read_truths

PIXELS = 48


@pytest.fixture(scope="module")
def affectnet(tmp_path_factory):
    out = tmp_path_factory.mktemp("affectnet") / "people"
    write_affectnet(out, people=2, seed=3, pixels=PIXELS, pictures=2)
    return out


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    out = tmp_path_factory.mktemp("pairs") / "people"
    write_pairs(out, people=1, seed=3, pixels=PIXELS)
    return out


def rows(path, header):
    with path.open(newline="") as file:
        return list(csv.DictReader(file) if header else csv.DictReader(file, fieldnames=COLUMNS))


def lists(out):
    folder = out / "Manually_Annotated_file_lists"
    return rows(folder / "training.csv", header=True), rows(folder / "validation.csv", header=False)


def test_affectnet_lists_name_every_picture(affectnet):
    training, validation = lists(affectnet)
    assert len(training) == len(validation) == 2, "the second person is held out"
    for row in training + validation:
        with Image.open(affectnet / "Manually_Annotated_Images" / row["subDirectory_filePath"]) as image:
            assert image.size == (PIXELS, PIXELS)
        assert int(row["expression"]) in range(8) and len(row["facial_landmarks"].split(";")) == 136
        assert row["face_width"] == row["face_height"]


def test_affectnet_box_holds_the_landmarks(affectnet):
    for row in lists(affectnet)[0]:
        points = np.array(row["facial_landmarks"].split(";"), dtype=float).reshape(68, 2)
        corner, side = np.array([row["face_x"], row["face_y"]], dtype=float), float(row["face_width"])
        assert (points >= corner - 1).all() and (points <= corner + side + 1).all()


def test_truth_agrees_with_the_lists(affectnet):
    listed = {row["subDirectory_filePath"]: row for part in lists(affectnet) for row in part}
    truths = read_truths(affectnet)
    assert [truth["person"] for truth in truths] == [0, 1]
    pictures = [p for truth in truths for p in truth["pictures"] if "counterfactual_of" not in p]
    assert len(pictures) == len(listed)
    for picture in pictures:
        row = listed[picture["file"].removeprefix("Manually_Annotated_Images/")]
        assert int(row["expression"]) == picture["emotion"]
        with Image.open(affectnet / picture["mask"]) as mask:
            assert np.asarray(mask).max() == 255
        assert EMOTIONS[picture["emotion"]] == "neutral" or max(picture["action_units"].values()) > 0.1
        assert ("woman" in picture["caption"]) == truths[int(row["subDirectory_filePath"].split("/")[0]) - 1]["female"]


def test_counterfactuals_differ_in_the_face_alone(affectnet):
    held_out = read_truths(affectnet)[1]["pictures"]
    source, *others = [
        p for p in held_out if p["file"] == held_out[0]["file"] or p.get("counterfactual_of") == held_out[0]["file"]
    ]
    assert sorted([source["emotion"], *(p["emotion"] for p in others)]) == list(range(8))
    face = np.asarray(Image.open(affectnet / source["mask"])) > 0
    shown, *rest = (np.asarray(Image.open(affectnet / p["file"]).convert("RGB"), float) for p in [source, *others])
    for other, picture in zip(others, rest, strict=True):
        assert other["pose"] == source["pose"] and other["place"] == source["place"]
        assert np.corrcoef(picture[~face].ravel(), shown[~face].ravel())[0, 1] > 0.95, "the source is a JPEG"
    for picture in rest[1:]:
        changed = np.abs(picture - rest[0]).mean(-1)
        assert changed[face].mean() > 4 * changed[~face].mean(), "but for hair and neck, which move along"


@pytest.fixture(scope="module")
def ffhq(tmp_path_factory):
    """Three people, of whom one was there before the others."""
    out = tmp_path_factory.mktemp("ffhq") / "people"
    write_ffhq(out, people=1, seed=3, pixels=PIXELS)
    first = (out / "images1024x1024/00000/00000.png").read_bytes()
    write_ffhq(out, people=3, seed=3, pixels=PIXELS)
    assert (out / "images1024x1024/00000/00000.png").read_bytes() == first, "a grown population leaves them as they are"
    return out


def test_ffhq_lists_every_picture_with_its_points_and_thumbnail(ffhq):
    table = json.loads((ffhq / "ffhq-dataset-v2.json").read_text())
    assert list(table) == ["0", "1", "2"]
    for number, entry in table.items():
        assert entry["image"]["file_path"] == f"images1024x1024/00000/{int(number):05d}.png"
        assert np.shape(entry["image"]["face_landmarks"]) == (68, 2)
        with Image.open(ffhq / entry["thumbnail"]["file_path"]) as image:
            assert image.size == (128, 128)


def test_ffhq_pictures_are_aligned_as_ffhq_is(ffhq):
    """The eyes of a relaxed face are level, and eyes and mouth lie where FFHQ's crop puts them."""
    for entry in json.loads((ffhq / "ffhq-dataset-v2.json").read_text()).values():
        points = np.array(entry["image"]["face_landmarks"]) / PIXELS
        right, left = points[36:42].mean(0), points[42:48].mean(0)
        assert (
            abs(right[1] - left[1]) < 0.04 and 0.38 < (right + left)[1] / 2 < 0.53 and 0.4 < (right + left)[0] / 2 < 0.6
        )


def test_ffhq_split_keeps_a_persons_pictures_together(tmp_path):
    out = tmp_path / "people"
    write_ffhq(out, people=3, seed=3, pixels=16, pictures=2)
    table = json.loads((out / "ffhq-dataset-v2.json").read_text())
    assert len(table) == 6
    for number, entry in table.items():
        assert entry["category"] == table[str(int(number) // 2 * 2)]["category"]


def test_pairs_are_two_pictures_of_one_person(pairs):
    lines = [json.loads(line) for line in (pairs / "train/prompts.jsonl").read_text().splitlines()]
    assert {line["direction"] for line in lines} == {
        "flower",
        "sheep",
        "santa",
        "royal",
        "angry",
        "shocked",
        "laughing",
        "crying",
    }
    for line in lines:
        source, target = (np.asarray(Image.open(pairs / line[side]), dtype=float) for side in ("source", "target"))
        assert source.shape == (PIXELS, PIXELS, 3) and np.abs(source - target).mean() > 1
        assert line["source"].startswith("train/condition/") and line["target"].startswith("train/gt/")
        assert line["source_prompt"].split(",")[0] == line["prompt"].split(",")[0]
    assert any(line["prompt"].endswith("Santa Claus costume") for line in lines)


def test_complete_folder_keeps_its_times_which_caches_are_named_by(affectnet):
    times = {path: path.stat().st_mtime_ns for path in affectnet.rglob("*.*") if path.name != ".lock"}
    write_affectnet(affectnet, people=2, seed=3, pixels=PIXELS, pictures=2)
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_faint_pictures_come_after_the_others_as_faint_smiles_and_faces_at_rest(tmp_path):
    write_affectnet(tmp_path / "out", people=1, seed=3, pixels=16, pictures=1, faint=2)
    usual, smile, rest = read_truths(tmp_path / "out")[0]["pictures"]
    assert "faint" not in usual and smile["faint"] and rest["faint"]
    assert (smile["emotion"], rest["emotion"]) == (EMOTIONS.index("happy"), EMOTIONS.index("neutral"))
    strongest = max(way[12] for way in WAYS["happy"])
    assert 0.05 < smile["action_units"]["AU12"] < strongest * FAINT[1] * (1 + 4 * UNIT_SPREAD)
    assert rest["action_units"].get("AU12", 0) <= IDLE_MOST


def test_another_size_is_refused(affectnet):
    with pytest.raises(FacegenError, match="holds another population"):
        write_affectnet(affectnet, people=2, seed=3, pixels=PIXELS + 1, pictures=2)
