import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.measure import Measurement, measure
from facegen_core.errors import ConfigError, DatasetNotFoundError


def write(folder: Path, names: list[str], level: int, size: int = 24) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        Image.fromarray(np.full((size, size, 3), level, dtype=np.uint8)).save(folder / name)
    return folder


@pytest.fixture
def folders(tmp_path):
    return write(tmp_path / "ours", ["a.png", "b.png"], 51), write(tmp_path / "theirs", ["a.jpg", "b.jpg"], 102)


def test_psnr_of_pictures_that_differ_by_a_fifth(folders, tmp_path):
    """-10 log10(0.2^2) = 13.979 dB."""
    ours, theirs = folders
    said = measure(Measurement(ours, against=theirs, metrics=["psnr", "ssim"], out=tmp_path / "figures.json"))
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["psnr"]["value"] == pytest.approx(13.979, abs=0.02), "JPEG holds one level"
    assert figures["psnr"]["protocol"]["count"] == 2
    assert said.splitlines()[0].split() == ["psnr", f"{figures['psnr']['value']:.4f}"]


def test_pictures_with_other_names_go_by_their_order(tmp_path):
    ours = write(tmp_path / "ours", ["1_a.png", "2_a.png"], 10)
    theirs = write(tmp_path / "theirs", ["1_b.png", "2_b.png"], 10)
    assert "80.0" in measure(Measurement(ours, against=theirs, metrics=["psnr"])), "equal but for 1e-8"


def test_edit_is_measured_against_the_truth_and_against_no_edit(tmp_path, monkeypatch):
    truth, source = write(tmp_path / "truth", ["a.png"], 100), write(tmp_path / "source", ["a.png"], 151)
    edited = write(tmp_path / "edited", ["a.png"], 110)
    monkeypatch.setattr("facegen_core.encoders.identity.identity_encoder", lambda name: Mean())
    monkeypatch.setattr("facegen_core.encoders.emotion.emotion_encoder", lambda name: Mean())
    out = tmp_path / "figures.json"
    measure(Measurement(edited, truth, source, ["counterfactual"], target="happy", whole=True, out=out))
    figures = json.loads(out.read_text())
    assert figures["counterfactual_psnr"]["value"] == pytest.approx(-20 * np.log10(10 / 255), abs=1e-3)
    assert figures["counterfactual_psnr_no_edit"]["value"] == pytest.approx(-20 * np.log10(51 / 255), abs=1e-3)


class Mean:
    name, dim = "mean", 8

    def __call__(self, pictures):
        return pictures.mean((1, 2, 3))[:, None].repeat(1, 8)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"metrics": ["psrn"]}, "no such metric"),
        ({"metrics": ["id_cosine"], "against": None}, "--against DIR"),
        ({"metrics": ["emotion_accuracy"]}, "--target EMOTION"),
        ({"metrics": ["psnr"], "target": "joy"}, "no such emotion"),
        ({"metrics": ["counterfactual"], "target": "happy"}, "--source DIR"),
        ({"metrics": ["face_found"], "whole": True}, "--whole"),
    ],
)
def test_what_a_metric_lacks_is_said(folders, changes, told):
    with pytest.raises(ConfigError, match=told):
        measure(Measurement(**{"pictures": folders[0], "against": folders[1], **changes}))


def test_pictures_without_a_partner_are_not_left_out_silently(folders):
    write(folders[0] / "more", ["c.png"], 1)
    with pytest.raises(ConfigError, match=r"1 of .*without a partner"):
        measure(Measurement(folders[0], against=folders[1], metrics=["psnr"]))


def test_pictures_of_several_sizes_need_one(tmp_path):
    ours = write(tmp_path / "ours", ["a.png"], 5)
    Image.new("RGB", (30, 24)).save(ours / "b.png")
    theirs = write(tmp_path / "theirs", ["a.png", "b.png"], 5)
    with pytest.raises(ConfigError, match="--pixels"):
        measure(Measurement(ours, against=theirs, metrics=["psnr"]))
    assert "psnr" in measure(Measurement(ours, against=theirs, metrics=["psnr"], pixels=24))


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="nowhere"):
        measure(Measurement(tmp_path / "nowhere", metrics=["face_found"]))
