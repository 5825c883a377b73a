"""``facegen reproduce emotion_ldm`` as a user runs it: once, stopped, shared, again."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from experiments.cli import main
from experiments.emotion_ldm import emotion_clip
from experiments.emotion_ldm.tables import config as settings
from experiments.emotion_ldm.tables import networks, runs
from experiments.emotion_ldm.tables.networks import Networks
from experiments.emotion_ldm.tables.runs import finetune_missing, settle, tuned_cells
from experiments.stage import load_stage_config
from facegen_core.config import load_config, to_yaml

WORDS = ["reproduce", "--quiet", "emotion_ldm", "profile=smoke", "tracking.uri=null", "grid.strengths=[500]",
         "grid.guidances=[1.0,5.0]", "grid.steps=[2,3]", "grid.steps_guidance=5.0",
         "sdedit.strengths=[600]"]  # fmt: skip
OUR_EDITS = 3
"""Of that grid: two of table 3, one of them table 1's; and of table 4, which shares that one, one more."""
CELLS, PARTS = OUR_EDITS + 1 + 3, 2
"""With SDEdit's, and the source, its reconstruction and the truth; each of two pictures, one at a time."""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> Path:
    """Outputs with tiny networks trained for a step on two people, one of them held out, and tables of them."""
    outputs = tmp_path_factory.mktemp("reproduce")
    words = ("vqgan.trainer.max_steps=1", "emotion_ldm.trainer.max_steps=1", "emotion_ldm.model.channels=[8]",
             "emotion_ldm.model.heads=[1]", "population.people=2",
             "population.pictures=2", "population.pixels=48")  # fmt: skip
    assert main([*WORDS, f"outputs={outputs}", "label=once", *words]) == 0
    return outputs


def again(outputs: Path, label: str, *words: str) -> Path:
    """Tables of the same networks under another label; returns their folder."""
    assert main([*WORDS, f"outputs={outputs}", f"label={label}", *words]) == 0
    return outputs / "emotion_ldm" / "reproduce" / label


def result(folder: Path) -> dict:
    """What the page is made of, but for the label and the command."""
    values = json.loads((folder / "results" / f"{folder.name}.json").read_text())
    return {name: value for name, value in values.items() if name not in ("label", "command")}


@pytest.fixture(scope="module")
def once(outputs) -> Path:
    return outputs / "emotion_ldm" / "reproduce" / "once"


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """Names of cells, noted whenever pictures are made."""
    names: list[str] = []
    make = Networks.make
    monkeypatch.setattr(
        Networks, "make", lambda self, cell, sources: names.append(cell.name) or make(self, cell, sources)
    )
    return names


def test_what_is_missing_is_trained_and_all_is_measured(outputs, once):
    assert [path.name for path in (outputs / "emotion_ldm" / "emotion_ldm").iterdir()] == ["once"]
    rows = result(once)["rows"]
    assert len({(row["strength"], row["guidance"], row["steps"]) for row in rows if row["kind"] == "ours"}) == OUR_EDITS
    assert all(np.isfinite(row["psnr"]) and 0 <= row["emotion_accuracy"] <= 1 for row in rows)
    own = next(row for row in rows if row["kind"] == "reconstruction")
    assert own["psnr"] == pytest.approx(80) and own["id_cosine"] == pytest.approx(1), "the reference itself"
    source = next(row for row in rows if row["kind"] == "source")
    assert own["laid_psnr_raw"] == pytest.approx(80), "nothing changed, laid onto the source"
    assert source["psnr_raw"] == pytest.approx(80) and source["psnr"] == pytest.approx(own["psnr_raw"], abs=1e-4)


def test_the_judges_read_true_pictures(once):
    """Framed by their landmarks; true pictures of two sources, each with the six targets."""
    truth = next(row for row in result(once)["rows"] if (row["kind"], row["target"]) == ("truth", "all"))
    assert truth["emotion_accuracy"] > 0.6 and truth["counterfactual_psnr"] == pytest.approx(80)
    assert 0.3 < result(once)["reference"]["id_cosine_true_pairs"] < 1
    assert result(once)["reference"]["true_pairs"] == 1


def test_page_says_which_weights_are_missing_and_which_rows_stay_empty(once):
    text = (once / "RESULTS.md").read_text()
    assert "LPIPS (alex): its weights are not there, so its column is empty." in text
    assert 'those of "ours, with CGF" stay empty' in text
    assert "### Against the truth" in text and "| SDEdit, t0 600, gamma 1 |" in text
    assert (once / "results" / "once.csv").is_file()
    assert all((once / "results" / "once" / f"{name}.png").is_file() for name in result(once)["figures"])


def test_every_cell_is_a_run_below_the_tables(once):
    cells = {path.parent.name for path in (once / "runs").glob("*/tracking")}
    assert len(cells) == CELLS and "reconstruction" in cells and (once / "tracking").is_dir()


def test_a_second_call_computes_nothing_and_says_the_same(outputs, once, made):
    before = result(once), (once / "RESULTS.md").read_text()
    again(outputs, "once")
    assert made == [] and result(once) == before[0]
    lines = [
        [line for line in text.splitlines() if "Made by" not in line]
        for text in (before[1], (once / "RESULTS.md").read_text())
    ]
    assert lines[0] == lines[1]


@pytest.fixture(scope="module")
def table_1(outputs, once) -> dict:
    """The result of table 1 alone, labelled "step by step"."""
    return result(again(outputs, "step by step", "table=1"))


def test_another_table_adds_to_those_that_are_there(outputs, table_1, made):
    edits = [row for row in table_1["rows"] if row["kind"] == "ours" and row["target"] == "all"]
    assert len(edits) == 1
    folder = again(outputs, "step by step", "table=3")
    assert len(made) == PARTS, "one cell"
    edits = [row for row in result(folder)["rows"] if row["kind"] == "ours" and row["target"] == "all"]
    assert len(edits) == 2


def test_a_stopped_call_goes_on_where_it_stopped(outputs, table_1, made, monkeypatch):
    make = Networks.make

    def stops(self, cell, sources):
        if len(made) == 3:
            raise KeyboardInterrupt
        return make(self, cell, sources)

    with monkeypatch.context() as patch:
        patch.setattr(Networks, "make", stops)
        assert main([*WORDS, f"outputs={outputs}", "label=stopped", "table=1"]) == 130
    parts = len(list((outputs / "emotion_ldm" / "reproduce" / "stopped" / "cells").rglob("*.npz")))
    assert parts == 3
    made.clear()
    folder = again(outputs, "stopped", "table=1")
    assert len(made) == 4 * PARTS - 3, "an edit, and the source, its reconstruction and the truth"
    assert result(folder) == table_1


def test_two_shards_give_what_one_process_gives(outputs, once, made):
    folder = again(outputs, "shared", "shard=1/2")
    first = list(made)
    assert not (folder / "RESULTS.md").exists(), "half of it is to be done yet"
    again(outputs, "shared", "shard=2/2")
    assert len(first) == len(made) - len(first) == CELLS * PARTS // 2
    assert result(folder) == result(once)


def test_cells_of_another_model_are_refused(outputs, once, capsys):
    folder = again(outputs, "other", "seed=1", "table=1", "shard=1/99")
    (theirs,) = (folder / "cells").iterdir()
    (ours,) = (once / "cells").iterdir()
    assert theirs.name != ours.name, "a seed of SDEdit's noise: other facts, another folder"
    for cell in ours.glob("*/"):
        shutil.copytree(cell, theirs / cell.name, dirs_exist_ok=True)
    assert main([*WORDS, f"outputs={outputs}", "label=other", "seed=1", "table=1"]) == 2
    assert "made by another model, with other judges or of other pictures" in capsys.readouterr().err


def test_a_damaged_part_is_named(outputs, once, capsys):
    part = next((once / "cells").rglob("source/000001.npz"))
    whole = part.read_bytes()
    part.write_bytes(b"no archive")
    try:
        assert main([*WORDS, f"outputs={outputs}", "label=once", "table=1"]) == 2
    finally:
        part.write_bytes(whole)
    assert f"{part}: cannot be read" in capsys.readouterr().err


def test_missing_judges_are_an_error_that_says_what_to_do(outputs, capsys):
    assert main([*WORDS, f"outputs={outputs}", "label=judged", "metrics.identity=glint360k_r50"]) == 2
    assert "glint360k_r50" in capsys.readouterr().err


def test_tables_as_options(outputs, capsys):
    assert main(["reproduce", "--quiet", "emotion_ldm", "--table", "9", f"outputs={outputs}"]) == 2
    assert "table=9: no such table" in capsys.readouterr().err


# Networks fine-tuned for one emotion


@pytest.fixture(scope="module")
def tuned(outputs, once) -> Path:
    """Table 1 of the same model with a network that the judge tuned for sadness, and as if CLIP had tuned it.

    Of CLIP's there are three: two guidances at one weight, two weights at one guidance; the last is the newest.
    """
    model = outputs / "emotion_ldm" / "emotion_ldm" / "once"
    words = ["train", "--quiet", "emotion_clip", "profile=smoke", f"outputs={outputs}", "tracking.uri=null",
             f"model={model}", "trainer.max_steps=1", "population.people=2", "population.pictures=2",
             "population.pixels=48", "edit.strength=500", "edit.guidance=1", "directional_weight=1",
             "name=judged"]  # fmt: skip
    assert main(words) == 0
    judged = outputs / "emotion_ldm" / "emotion_clip" / "judged"
    config = load_config(emotion_clip.Config, judged / "config.yaml")
    config.guide = "clip"
    for number, (guidance, weight) in enumerate(((1.0, 1.0), (5.0, 2.0), (1.0, 2.0))):
        run = shutil.copytree(judged, judged.with_name(f"clip-{number}"))
        config.edit.guidance, config.directional_weight = guidance, weight
        (run / "config.yaml").write_text(to_yaml(config))
        os.utime(run / "config.yaml", (number, number))
    return again(outputs, "tuned", "table=1")


def test_the_newest_network_of_a_target_is_ours_with_cgf(outputs, tuned):
    rows = [row for row in result(tuned)["rows"] if row["kind"] == "tuned"]
    assert sorted((row["guide"], row["guidance"], row["directional_weight"]) for row in rows) == [
        ("clip", 1, 1), ("clip", 1, 2), ("clip", 5, 2), ("judge", 1, 1),
    ]  # fmt: skip
    newest, judged = sorted((row for row in rows if row.get("newest")), key=lambda row: row["guide"])
    assert (newest["target"], newest["guide"]) == ("sad", "clip") and judged["guide"] == "judge"
    assert (newest["guidance"], newest["directional_weight"]) == (1, 2)
    text = (tuned / "RESULTS.md").read_text()
    assert f"| ours, with CGF | 0.883 / - | 0.875 / {newest['emotion_accuracy']:.3f} | 0.752 / - |" in text
    assert f"| ours, tuned by the judge | - | - / {judged['emotion_accuracy']:.3f} | - |" in text
    assert "No network is tuned by CLIP on this model for happy, surprise, fear, disgust, anger" in text


def test_a_tuned_network_is_opened_once_for_all_pictures(tuned):
    assert networks._open_tuned.cache_info().misses == 4


def test_figures_6_to_9_are_drawn_of_the_networks_there_are(tuned):
    drawn = {name for name in result(tuned)["figures"] if "tuned" in name}
    assert drawn == {"figure-06-tuned-guidance", "figure-07-tuned-weight", "figure-08-tuned-guidance",
                     "figure-09-tuned-weight", "figure-07-tuned-weight-by-judge"}  # fmt: skip
    assert all((tuned / "results" / "tuned" / f"{name}.png").is_file() for name in drawn)


def test_networks_tuned_on_another_model_are_not_taken(outputs, tuned, tmp_path):
    config = load_stage_config(settings, "smoke", [f"outputs={outputs}", "model=elsewhere"])
    assert tuned_cells(config) == []


def test_finetune_trains_what_is_missing_on_the_model(outputs, tuned, monkeypatch):
    trained = []
    monkeypatch.setattr(runs, "train_once", lambda paper, name, config: trained.append((name, config)))
    config = load_stage_config(settings, "smoke", [f"outputs={outputs}"])
    settle(config)
    finetune_missing(config, "smoke", "label", [f"outputs={outputs}", "emotion_clip.trainer.max_steps=3"])
    assert [config.target for _, config in trained] == ["happy", "surprise", "fear", "disgust", "anger"]
    assert {name for name, _ in trained} == {"emotion_clip"} and {own.guide for _, own in trained} == {"judge"}
    assert {(own.model, own.trainer.max_steps) for _, own in trained} == {(config.model, 3)}
