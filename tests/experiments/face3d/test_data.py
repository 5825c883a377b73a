"""Which data set a stage reads, through the command."""

import json
from pathlib import Path

import pytest
from helpers.judge_people import write_people
from helpers.raw_pictures import write_ffhq, write_folder

from experiments.cli import main
from experiments.doctor import doctor
from experiments.face3d import sae
from experiments.stage import load_stage_config
from facegen_core.errors import ConfigError
from facegen_core.population.writing import VERSION

SMALL = ["profile=smoke", "population.people=3", "data.frames_per_sequence=4", "trainer.max_steps=8"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """The SAE, trained for eight steps on people written as BP4D."""
    outputs = tmp_path_factory.mktemp("outputs")
    words = [*SMALL, "data.dataset=bp4d", f"outputs={outputs}", "tracking.uri=null", "name=units"]
    assert main(["train", "sae", *words]) == 0
    return outputs


def test_sae_trains_on_action_units_and_is_measured(trained, capsys):
    assert main(["evaluate", "sae", f"outputs={trained}", "run=units"]) == 0
    values = json.loads((trained / "face3d" / "sae" / "units" / "metrics.json").read_text())
    assert values["step"] == 8
    assert 0 <= values["au_f1"] <= 1
    assert 0 < values["au_f1_if_always_present"] < 1
    assert -1 <= values["au_intensity_correlation"] <= 1
    assert "au_f1" in capsys.readouterr().out


def test_population_is_written_in_the_data_sets_layout(trained):
    (folder,) = (trained / "data").iterdir()
    assert folder.name == f"bp4d-3-seed0-v{VERSION}"
    assert len(list((folder / "AUCoding" / "AU_OCC").glob("*.csv"))) == 3 * 8


def test_written_population_passes_the_check(trained, capsys):
    assert main(["data", "check", str(next((trained / "data").iterdir())), "--deep"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert "24 sequences of 3 subjects" in first
    assert all(line.endswith(": none") or line.startswith("coded frames: 240; with a mesh: 240") for line in lines)


@pytest.mark.parametrize(
    ("layout", "words", "people"), [("bp4d", [], 41), ("bp4d", ["--people", "3"], 3), ("facescape", [], 200)]
)
def test_population_command_writes_as_many_people_as_the_layout_has(monkeypatch, tmp_path, layout, words, people):
    asked = []
    monkeypatch.setattr(f"facegen_core.population.{layout}_layout.write_{layout}", lambda *found: asked.append(found))
    assert main(["data", "population", "--layout", layout, *words, "--out", str(tmp_path)]) == 0
    assert asked == [(tmp_path, people, 0, 256)]


@pytest.mark.parametrize(("layout", "pictures"), [("affectnet", "0"), ("ffhq", "-1"), ("pairs", "2")])
def test_numbers_of_pictures_that_no_person_has_are_refused(capsys, tmp_path, layout, pictures):
    words = ["--layout", layout, "--pictures", pictures, "--out", str(tmp_path / "people")]
    assert main(["data", "population", *words]) == 2
    assert "--pictures" in capsys.readouterr().err
    assert not (tmp_path / "people").exists()


def test_doctor_counts_the_people_of_both_layouts(monkeypatch, tmp_path):
    (tmp_path / "outputs/data/a/Sequences(2D+3D)/F001").mkdir(parents=True)
    (tmp_path / "outputs/data/b/1/models_reg").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    report = doctor()
    assert "outputs/data/a: 1 people" in report
    assert "outputs/data/b: 1 people" in report


def test_doctor_counts_pictures_and_their_people(monkeypatch, tmp_path):
    data = tmp_path / "outputs/data"
    write_folder(data / "a")
    write_people(data / "b", people=3, pictures=2)
    write_ffhq(data / "c", ("thumbnails128x128",))
    (data / "d").mkdir()
    monkeypatch.chdir(tmp_path)
    report = doctor()
    assert "outputs/data/a: pictures in a plain folder, 10 pictures\n" in report
    assert "outputs/data/b: pictures in a plain folder, 6 pictures of 3 people" in report
    assert "outputs/data/c: FFHQ, thumbnails128x128, 7 pictures" in report
    assert "outputs/data/d: no data set" in report


@pytest.mark.parametrize(("dataset", "asked"), [("bp4d", "classes"), ("facescape", "action_units")])
def test_labels_that_contradict_the_data_are_refused(dataset, asked):
    words = [f"data.dataset={dataset}", f"model.expression_labels={asked}"]
    with pytest.raises(ConfigError, match=rf"model\.expression_labels = {asked}: data\.dataset={dataset} is labelled"):
        load_stage_config(sae, "smoke", words)


@pytest.mark.parametrize(("dataset", "labels"), [("bp4d", "action_units"), ("facescape", "classes")])
def test_labels_follow_from_the_data(dataset, labels):
    for words in ([], [f"model.expression_labels={labels}"]):
        config = load_stage_config(sae, "smoke", [f"data.dataset={dataset}", *words])
        assert sae.expression_labels(config.data, config.model.expression_labels) == labels


def test_missing_folder_names_the_data_set():
    with pytest.raises(ConfigError, match="Give the folder of your BP4D data"):
        load_stage_config(sae, "paper", ["data.dataset=bp4d"])


def test_unknown_data_set_is_refused():
    with pytest.raises(ConfigError, match=r"facescape.*bp4d"):
        load_stage_config(sae, "smoke", ["data.dataset=affectnet"])


def test_no_frames_are_refused():
    with pytest.raises(ConfigError, match=r"data\.frames_per_sequence = 0"):
        load_stage_config(sae, "smoke", ["data.frames_per_sequence=0"])
