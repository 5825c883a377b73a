"""Runs that are told to stop, fail, or are continued from what must not be trusted: exit codes, messages, results."""

import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers.processes import differences, kill_at_step, metrics, start_toy
from helpers.toy_stage import ToyData, ToyOne, toy

import experiments
from experiments.cli import main
from facegen_core.checkpoint import list_checkpoints

STAGE = "toys/toy_one"


class Toys:
    """A paper with one stage, in this process."""

    STAGES = {"toy_one": toy(ToyOne)}  # noqa: RUF012


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def stopped(outputs) -> dict[str, tuple[int, str]]:
    """Three real trainings side by side, and how they ended: exit code and all they printed.

    "one" is sent SIGTERM and records into MLflow; "two" are two processes of which the first is sent SIGTERM; "nan" are
    two processes whose loss is not finite in the sixth step.
    """
    words = {
        "one": ["seconds_per_step=0.05", f"tracking.uri=sqlite:///{outputs}/mlflow.db"],
        "two": ["seconds_per_step=0.05", "trainer.devices=2"],
        "nan": ["nan_at=5", "trainer.devices=2"],
    }
    processes = {name: start_toy("toy_one", outputs, f"name={name}", *more) for name, more in words.items()}
    try:
        for name in ("one", "two"):
            kill_at_step(processes[name], outputs / STAGE / name, 5, signal.SIGTERM)
        return {name: end(process) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.kill()


def end(process: "subprocess.Popen[str]") -> tuple[int, str]:
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


@pytest.fixture
def facegen(monkeypatch, capfd) -> Callable[..., tuple[int, str]]:
    """``facegen train --quiet toy_one ...`` in this process: exit code and what was printed on standard error."""
    monkeypatch.setitem(experiments.EXPERIMENTS, "toys", Toys)
    monkeypatch.setenv("FACEGEN_QUIET", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the processes: sums are then in the same order

    def run(outputs: Path, *words: str) -> tuple[int, str]:
        capfd.readouterr()
        code = main(["train", "--quiet", "toy_one", f"outputs={outputs}", "tracking.uri=null", *words])
        return code, capfd.readouterr().err

    yield run
    torch.set_num_threads(threads)


@pytest.fixture
def copy(tmp_path, outputs, stopped) -> Path:
    """The run that SIGTERM stopped, in a folder of its own; returns its ``outputs``."""
    shutil.copytree(outputs / STAGE / "one", tmp_path / STAGE / "one")
    return tmp_path


def only_message(error: str) -> str:
    """The one line that the command prints for a mistake."""
    assert "Traceback" not in error
    (line,) = [line for line in error.splitlines() if line.startswith("facegen: ")]
    return line


@pytest.mark.parametrize("name", ["one", "two"])
def test_sigterm_saves_the_step_reached_and_ends_with_143(stopped, outputs, name):
    code, output = stopped[name]
    assert code == 128 + signal.SIGTERM, output
    (said,) = re.findall(r"stopped on request: step (\d+) is saved; continue with resume=(.*)", output)
    run = outputs / STAGE / name
    assert 5 <= int(said[0]) < 24 and said[1] == str(run)
    assert list_checkpoints(run / "checkpoints")[0].name == f"{int(said[0]):07d}.ckpt"
    assert max(step for _, step in metrics(run)) == int(said[0]), "and what was logged ends there too"
    assert "Traceback" not in output


def test_sigterm_marks_the_run_killed_in_mlflow(stopped, outputs):
    with sqlite3.connect(outputs / "mlflow.db") as database:
        assert database.execute("select name, status from runs").fetchall() == [("toy_one-one", "KILLED")]
        stored = database.execute("select max(step) from metrics where key='train/loss'").fetchone()[0]
    assert stored == max(step for _, step in metrics(outputs / STAGE / "one")), "all was delivered before it ended"


def test_run_stopped_by_sigterm_resumes_to_the_result_of_the_uninterrupted_run(copy, facegen):
    assert facegen(copy, "name=whole")[0] == 0
    shutil.move(copy / STAGE / "whole", copy / "whole")
    assert facegen(copy, "resume=last", "seconds_per_step=0")[0] == 0
    runs = (copy / "whole", copy / STAGE / "one")
    ends = [torch.load(run / "checkpoints" / "0000024.ckpt", weights_only=True) for run in runs]
    parts = ("state_dict", "optimizer_states", "callbacks", "ToyData", "global_step")
    assert differences(*({part: end[part] for part in parts} for end in ends)) == []
    assert metrics(runs[0]) == metrics(runs[1])


def test_truncated_newest_checkpoint_is_refused_and_the_one_offered_works(copy, facegen):
    newest, good, *_ = list_checkpoints(copy / STAGE / "one" / "checkpoints")
    newest.write_bytes(newest.read_bytes()[:-1])
    code, error = facegen(copy, "resume=last")
    assert code == 2
    message = only_message(error)
    assert str(newest) in message and "truncated or altered" in message
    offered = re.search(r"use resume=(\S+)$", message)[1]  # type: ignore[index]
    assert offered == str(good)
    code, error = facegen(copy, f"resume={offered}", "seconds_per_step=0")
    assert code == 0, error
    assert list_checkpoints(copy / STAGE / "one" / "checkpoints")[0].name == "0000024.ckpt"


def test_resuming_with_another_global_batch_is_refused(copy, facegen):
    code, error = facegen(copy, "resume=last", "trainer.global_batch=4")
    assert code == 2
    assert "begun with trainer.global_batch = 8, now it is 4" in only_message(error)


def test_resuming_with_other_data_is_refused(copy, facegen, monkeypatch):
    monkeypatch.setattr(ToyData, "digest", lambda self: "other points")
    code, error = facegen(copy, "resume=last")
    assert code == 2
    assert "begun with data = points, now it is other points" in only_message(error)


def test_refused_resume_leaves_the_run_as_it_was(copy, facegen):
    """A second try without the mistake must not inherit it from the run's own config.yaml."""
    assert facegen(copy, "resume=last", "trainer.global_batch=4")[0] == 2
    assert facegen(copy, "resume=last", "seconds_per_step=0")[0] == 0


def test_loss_that_is_not_finite_ends_with_one_message_and_code_2(stopped, outputs):
    code, output = stopped["nan"]
    assert code == 2, output
    message = only_message(output)
    kept = outputs / STAGE / "nan" / "nonfinite_batch_rank0.pt"
    assert "the loss became nan in step 6" in message and str(kept) in message
    assert torch.load(kept, weights_only=True)["x"].shape == (4, 4)
    assert list_checkpoints(outputs / STAGE / "nan" / "checkpoints")[0].name == "0000004.ckpt"


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    return torch.load(checkpoint, weights_only=True)["state_dict"]


def test_resumed_run_follows_its_present_learning_rate(facegen, tmp_path):
    """With a rate too small for float32 to notice, the weights stay; Adam's saved state alone would move them."""
    facegen(tmp_path, "name=a", "trainer.max_steps=4", "trainer.checkpoint_every=4")
    code, error = facegen(tmp_path, f"resume={tmp_path / STAGE / 'a'}", "trainer.max_steps=8", "optim.lr=1e-30")
    assert code == 0, error
    last, before = list_checkpoints(tmp_path / STAGE / "a" / "checkpoints")[:2]
    assert (last.name, before.name) == ("0000008.ckpt", "0000004.ckpt")
    assert not differences(weights(last), weights(before))


def test_refused_resume_leaves_the_settings_as_they_were(facegen, copy):
    settings = copy / STAGE / "one" / "config.yaml"
    before = settings.read_text()
    for mistake in ("trainer.global_batch=16", "seed=7"):
        code, error = facegen(copy, "resume=last", mistake)
        assert code == 2 and mistake.partition("=")[0] in only_message(error)
        assert settings.read_text() == before


def test_checkpoints_after_the_one_resumed_from_are_set_aside(facegen, tmp_path):
    facegen(tmp_path, "name=a", "trainer.max_steps=6", "trainer.checkpoint_every=2", "trainer.keep_checkpoints=1")
    folder = tmp_path / STAGE / "a" / "checkpoints"
    facegen(tmp_path, "resume=last", "trainer.max_steps=8", "trainer.checkpoint_every=2", "trainer.keep_checkpoints=5")
    assert [path.name for path in list_checkpoints(folder)] == ["0000008.ckpt", "0000006.ckpt"]
    code, error = facegen(tmp_path, f"resume={folder / '0000006.ckpt'}", "trainer.max_steps=7")
    assert code == 0 and "1 checkpoints after step 6 are set aside" in error
    assert list_checkpoints(folder)[0].name == "0000007.ckpt"
    assert (folder / "0000008.ckpt.set_aside").is_file()


def test_data_without_validation_saves_all_the_same(facegen, tmp_path, monkeypatch):
    full = ToyData.setup

    def without_validation(self, stage):
        full(self, stage)
        self.datasets["val"] = torch.utils.data.Subset(self.datasets["val"], [])

    monkeypatch.setattr(ToyData, "setup", without_validation)
    words = ("trainer.max_steps=4", "trainer.val_every=2", "trainer.checkpoint_every=2", "trainer.keep_checkpoints=9")
    code, error = facegen(tmp_path, "name=a", *words)
    assert code == 0, error
    assert len(list_checkpoints(tmp_path / STAGE / "a" / "checkpoints")) == 2
