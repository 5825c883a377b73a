"""The journal: what was logged is on disk, once, whatever happens to the process."""

import json
import math
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from experiments.tracking.journal import FILES, JOURNAL, Journal, has_writer, metric_key, picture_key, read_records
from experiments.tracking.logger import JournalLogger, flatten
from facegen_core.errors import FacegenError


def open_journal(run_dir: Path) -> Journal:
    return Journal(run_dir, "paper", "run", {"judge": "tiny"})


def records(run_dir: Path, kind: str) -> list[dict]:
    found, offset, path = [], 0, run_dir / "tracking" / JOURNAL
    while block := read_records(path, offset, 100):  # small blocks: lines longer than a block must come whole
        found += [record.data for record in block]
        offset = block[-1].end
    return [data for data in found if data["kind"] == kind]


def test_a_resumed_run_keeps_its_key_and_writes_nothing_twice(tmp_path):
    first = open_journal(tmp_path)
    for step in (0, 1, 2):
        first.metrics({"loss": 1.0 / (step + 1), "lr": 0.1}, step)
        first.picture("faces", Image.new("RGB", (4, 4), (step, 0, 0)), step)
    first.params({"lr": 0.1})
    first.dictionary({"a": 1}, "config.yaml")
    first.close()
    again = open_journal(tmp_path)
    assert again.run_key == first.run_key
    for step in (1, 2, 3):  # resumed from a checkpoint after step 0
        again.metrics({"loss": 1.0 / (step + 1), "lr": 0.1, "new": 5.0}, step)
        again.picture("faces", Image.new("RGB", (4, 4), (step, 0, 0)), step)
    again.params({"lr": 0.1, "steps": 4})
    again.dictionary({"a": 1}, "config.yaml")
    again.metrics({"loss": 7.0}, -1)  # an evaluation out of order
    again.close()
    pairs = [(key, data["step"]) for data in records(tmp_path, "metrics") for key in data["values"]]
    assert len(pairs) == len(set(pairs)) == 4 + 4 + 3 + 1
    loss = {data["step"]: data["values"]["loss"] for data in records(tmp_path, "metrics") if "loss" in data["values"]}
    assert loss == {0: 1.0, 1: 0.5, 2: 1.0 / 3, 3: 0.25, -1: 7.0}
    assert [data["step"] for data in records(tmp_path, "image")] == [0, 1, 2, 3]
    assert len(list((tmp_path / "tracking" / FILES).iterdir())) == 4
    assert [data["values"] for data in records(tmp_path, "params")] == [{"lr": "0.1"}, {"steps": "4"}]
    assert len(records(tmp_path, "dict")) == len(records(tmp_path, "run")) == len(records(tmp_path, "resume")) == 1


def test_a_line_cut_short_is_dropped_and_the_next_is_whole(tmp_path):
    journal = open_journal(tmp_path)
    journal.metrics({"loss": 1.0}, 0)
    journal.close()
    path = tmp_path / "tracking" / JOURNAL
    whole = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'{"kind":"metrics","time":1,"step":1,"val')
    assert read_records(path, whole) == []
    again = open_journal(tmp_path)
    again.metrics({"loss": 2.0}, 1)
    again.close()
    assert [data["step"] for data in records(tmp_path, "metrics")] == [0, 1]
    assert all(json.loads(line) for line in path.read_bytes().splitlines())


def test_numbers_survive(tmp_path):
    values = {"nan": math.nan, "inf": math.inf, "minus": -math.inf, "tiny": 5e-324, "third": 1 / 3, "whole": 3}
    journal = open_journal(tmp_path)
    journal.metrics(values, 0)
    journal.close()
    back = {key: float(value) for key, value in records(tmp_path, "metrics")[0]["values"].items()}
    assert math.isnan(back.pop("nan")) and values.pop("nan")
    assert back == values


def test_names_become_what_mlflow_takes():
    from mlflow.utils.validation import _validate_metric_name

    awkward = [
        "val/fid@50k",
        "a(b)+c",
        "/leading",
        "trailing/",
        "a//b",
        "..",
        "a/../b",
        "é",
        "",
        "x" * 400,
        "ok/id:0 m",
    ]
    for key in awkward:
        _validate_metric_name(metric_key(key))
        assert len(metric_key(key)) <= 250
    assert metric_key("ok/id:0 m") == "ok/id:0 m"
    assert picture_key("a:b/c") == "a_b/c"


def test_one_writer_at_a_time(tmp_path):
    journal = open_journal(tmp_path)
    assert has_writer(tmp_path)
    with pytest.raises(FacegenError, match="another writer"):
        open_journal(tmp_path)
    journal.close()
    assert not has_writer(tmp_path)


def test_sigkill_loses_nothing_that_was_logged(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom experiments.tracking.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), 'paper', 'run', {})\n"
        "for step in range(10**9):\n"
        "    journal.metrics({'loss': step * 0.5}, step)\n"
        "    print(step, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) > 500:
                break
        assert has_writer(tmp_path)
        os.kill(writer.pid, signal.SIGKILL)
        said = [int(line) for line in writer.stdout if line.endswith("\n")]
    last = said[-1] if said else 501
    steps = [data["step"] for data in records(tmp_path, "metrics")]
    assert steps == list(range(len(steps))) and len(steps) > last
    open_journal(tmp_path).close()


def test_a_full_disk_keeps_lines_in_memory_until_there_is_room(tmp_path, monkeypatch, capsys):
    journal = open_journal(tmp_path)
    real_write, calls = os.write, []

    def full_disk(descriptor, data):
        calls.append(data)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real_write(descriptor, data[:7])  # the disk fills up in the middle of a line

    monkeypatch.setattr(os, "write", full_disk)
    journal.metrics({"loss": 1.0}, 0)
    journal.metrics({"loss": 2.0}, 1)
    monkeypatch.setattr(os, "write", real_write)
    journal.metrics({"loss": 3.0}, 2)
    journal.close()
    assert [data["values"]["loss"] for data in records(tmp_path, "metrics")] == [1.0, 2.0, 3.0]
    assert "No space left" in capsys.readouterr().err


def test_what_is_measured_again_is_recorded_where_it_differs(tmp_path):
    journal = open_journal(tmp_path)
    for value in (2.0, 2.0, 3.0, float("nan"), float("nan")):
        journal.metrics({"test/error": value}, 5)
    for red in (0, 0, 9):
        journal.picture("sheet", Image.new("RGB", (4, 4), (red, 0, 0)), 5)
    journal.close()
    assert [data["values"]["test/error"] for data in records(tmp_path, "metrics")] == [2.0, 3.0, "nan"]
    names = [data["file"] for data in records(tmp_path, "image")]
    assert len(names) == len(set(names)) == 2


def test_flatten_joins_names_by_dots():
    assert flatten({"a": {"b": 1, "c": {"d": (2, 3)}}, "e": None}) == {"a.b": 1, "a.c.d": (2, 3), "e": None}


def test_logger_alone_on_disk(tmp_path, capsys):
    logger = JournalLogger(tmp_path, "paper", "run", "", {"judge": "tiny"}, system_metrics=True)
    assert not (tmp_path / "tracking").exists(), "nothing may be opened before something is logged"
    pickle.loads(pickle.dumps(logger))  # launchers that spawn pickle it
    logger.log_metrics({"loss": torch.tensor(0.25), "text": "no"}, 3)  # type: ignore[dict-item]
    time.sleep(1.3)
    logger.finalize("success")
    logger.finalize("success")
    logger.log_metrics({"test/loss": 0.5}, 3)  # trainer.test after trainer.fit
    logger.finalize("success")
    assert records(tmp_path, "metrics")[0]["values"] == {"loss": 0.25}
    assert "system/cpu_utilization_percentage" in records(tmp_path, "metrics")[1]["values"]
    assert [data["status"] for data in records(tmp_path, "end")] == ["FINISHED", "FINISHED"]
    environment = next(data["value"] for data in records(tmp_path, "dict") if data["name"] == "environment.json")
    assert environment["packages"]["torch"] and environment["devices"]
    assert capsys.readouterr().err.count("not a number") == 1


def test_other_ranks_do_nothing(tmp_path, monkeypatch):
    from lightning.pytorch.utilities import rank_zero_only

    monkeypatch.setattr(rank_zero_only, "rank", 1)
    logger = JournalLogger(tmp_path / "run", "paper", "run", "", {})
    logger.log_metrics({"loss": 1.0}, 0)
    logger.log_picture("faces", torch.zeros(3, 2, 2), 0)
    logger.experiment.anything()  # type: ignore[attr-defined]
    assert logger.run_key == ""
    logger.finalize("success")
    assert not (tmp_path / "run").exists()
