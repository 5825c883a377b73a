"""Which overrides a stage of a table gets, and which run it takes."""

from pathlib import Path

import pytest

from experiments import table_runs
from experiments.face3d import sae
from experiments.stage import load_stage_config
from experiments.table_runs import cost, stage_words, train_once
from facegen_core.config import to_yaml
from facegen_core.errors import ConfigError

WORDS = [
    "data.last_person=5",
    "seed=3",
    "data.root=/x",
    "coma.trainer.max_steps=7",
    "sae.model.hidden=[8]",
    "identity_codes=/y",
]


@pytest.mark.parametrize(
    ("stage", "own"),
    [
        ("sae", ["seed=3", "data.root=/x", "model.hidden=[8]"]),
        ("coma", ["seed=3", "data.root=/x", "trainer.max_steps=7"]),
        ("shape_cgan", ["seed=3", "identity_codes=/y"]),
        ("texture_progan", ["data.last_person=5", "seed=3", "data.root=/x", "identity_codes=/y"]),
    ],
)
def test_a_stage_gets_its_own_words_and_those_for_all(stage, own):
    assert stage_words("face3d", stage, WORDS) == own


def test_a_key_of_no_stage_is_refused():
    with pytest.raises(ConfigError, match=r"'datta.root=/x': no stage .* sae, shape_cgan, texture_progan, coma"):
        stage_words("face3d", "sae", ["datta.root=/x"])


def test_a_run_is_taken_again_only_with_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    trained_runs = []

    def training(paper, name, stage, config, run, checkpoint) -> None:
        trained_runs.append(run.name)
        (run / "config.yaml").write_text(to_yaml(config))
        (run / "checkpoints").mkdir()
        (run / "checkpoints" / f"{config.trainer.max_steps:07d}.ckpt").touch()

    monkeypatch.setattr(table_runs, "run_training", training)

    def run(*words: str) -> str:
        return train_once(
            "face3d", "sae", load_stage_config(sae, "smoke", [f"outputs={tmp_path}", "name=row", *words])
        ).name

    assert run() == "row"
    assert run("evaluation.vertex_mask=other.txt") == "row", "how it is measured decides nothing"
    assert run("trainer.devices=2", "data.num_workers=1", "trainer.log_every=3") == "row", "nor on how many devices"
    assert run("optim.lr=1e-5") == "row-2"
    assert run() == "row" and run("optim.lr=1e-5") == "row-2"
    assert trained_runs == ["row", "row-2"]


def test_a_run_stopped_before_it_told_its_cost_is_done(tmp_path: Path):
    assert cost(tmp_path) == {}
