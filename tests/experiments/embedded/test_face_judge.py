"""The FaceJudge stage as a user runs it: trained, stopped and resumed, evaluated, exported."""

import json
import shutil
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch
from helpers.judge_people import write_people
from helpers.processes import REPOSITORY, metrics

from experiments.cli import main
from experiments.embedded.face_judge.card import CARD, FILES
from facegen_core.checkpoint import list_checkpoints, load_checkpoint
from facegen_core.encoders.emotion import emotion_encoder
from facegen_core.encoders.identity import identity_encoder
from facegen_core.weights import WEIGHTS
from facegen_core.weights.files import FOLDER_VARIABLE


def facegen(*words: str) -> None:
    """Runs a command, which must succeed."""
    assert main(list(words)) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Outputs with a finished run, stopped nowhere, of four steps, a checkpoint after every second."""
    folder = tmp_path_factory.mktemp("judge")
    root = write_people(folder / "data")
    facegen(
        "train", "--quiet", "face_judge", "profile=smoke", "name=run", f"data.root={root}", f"outputs={folder}",
        "tracking.uri=null", "data.val_fraction=0.2", "data.test_fraction=0.2", "ema.decay=0.5",
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def run(folder) -> Path:
    return folder / "embedded" / "face_judge" / "run"


def test_losses_and_figures_of_people_held_out_are_recorded(run):
    found = metrics(run)
    assert {step for key, step in found if key == "train/loss"} == {1, 2, 3, 4}
    for key in ("val/identity_auc", "val/emotion_accuracy"):
        assert 0 <= found[key, 4] <= 1


def test_learning_rate_and_augmentation_follow_the_step(run):
    saved = load_checkpoint(list_checkpoints(run / "checkpoints")[0])
    assert saved["lr_schedulers"][0]["last_epoch"] == 4 and saved["lr_schedulers"][0]["_last_lr"] == [0.0]


def test_resumed_run_ends_with_the_same_weights(folder, run):
    other = shutil.copytree(run, run.with_name("other"))
    for path in (other / "checkpoints").glob("0000004.*"):
        path.unlink()
    facegen("train", "--quiet", "face_judge", f"resume={other}", f"outputs={folder}")
    whole, resumed = (load_checkpoint(list_checkpoints(path / "checkpoints")[0]) for path in (run, other))
    assert all(torch.equal(value, resumed["state_dict"][name]) for name, value in whole["state_dict"].items())
    averages = [saved["callbacks"]["ema"]["average"] for saved in (whole, resumed)]
    assert all(torch.equal(value, averages[1][name]) for name, value in averages[0].items())


def test_exported_judges_are_those_that_were_measured(folder, run, tmp_path, monkeypatch):
    facegen("evaluate", "--quiet", "face_judge", f"run={run}", f"outputs={folder}")
    (run / "photographs.md").write_text("* identity, masked: 0.99\n")
    facegen("export", "--quiet", "face_judge", f"run={run}", f"out={tmp_path}")
    card = (tmp_path / "JUDGES.md").read_text()
    score = json.loads((run / "metrics.json").read_text())["emotion_accuracy"]
    assert "synthetic people only" in card and f"emotion_accuracy: {score:.4f}" in card
    assert "\n* identity, masked: 0.99\n" in card
    assert str(folder) not in card, "no place of this machine"
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    seen = torch.rand(2, 3, 112, 112)
    assert torch.allclose(identity_encoder("judge")(seen).norm(dim=1), torch.ones(2), atol=1e-5)
    assert emotion_encoder("judge")(seen).shape == (2, 8)


def test_judges_and_their_card_ship_where_the_readme_says():
    """Beside the loader that looks for them; with the sheet of people that the README shows."""
    patterns = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    readme = (REPOSITORY / "README.md").read_text()
    for file in (*FILES.values(), CARD):
        assert any(fnmatch(f"weights/{file}", pattern) for pattern in patterns["facegen_core"]), file
    assert {WEIGHTS[f"{kind}_judge"].file for kind in FILES} == set(FILES.values())
    assert f"(facegen_core/weights/{CARD})" in readme
    assert any(fnmatch("population/people.jpg", pattern) for pattern in patterns["facegen_core"])
    assert "(facegen_core/population/people.jpg)" in readme


def test_export_of_nothing_says_what_to_do(folder, capsys):
    assert main(["export", "face_judge", "run=nowhere", f"outputs={folder}"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_population_without_people_is_refused(capsys, tmp_path):
    assert main(["train", "face_judge", "profile=smoke", "population.people=0", f"outputs={tmp_path}"]) == 2
    assert "population.people" in capsys.readouterr().err
