"""Delivery to MLflow's sqlite store: everything arrives, once, also where an answer is lost."""

import json
import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from experiments.tracking.deliver import deliver_waiting
from experiments.tracking.journal import Journal
from experiments.tracking.logger import JournalLogger
from experiments.tracking.mlflow_run import MlflowRun, UnreachableError, prepare_environment, resolve_tracking_uri
from experiments.tracking.sent import load_sent, public_uri, save_sent, sender_lock

prepare_environment()
import mlflow  # noqa: E402
from mlflow.entities import ViewType  # noqa: E402


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One sqlite store for the module, since making one takes seconds."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"
    return uri, mlflow.MlflowClient(tracking_uri=uri)


def find_runs(client, run_key):
    experiments = [found.experiment_id for found in client.search_experiments()]
    return client.search_runs(experiments, f"tags.`facegen.run_key` = '{run_key}'", ViewType.ALL)


def image_files(client, run_id):
    return sorted(Path(item.path).name for item in client.list_artifacts(run_id, "images"))


def fill(journal, steps):
    for step in steps:
        journal.metrics({"loss": 1.0 / (step + 1)}, step)
        if step % 2 == 0:
            journal.picture("val/faces", Image.fromarray(np.full((300, 400, 3), step, np.uint8)), step)
    journal.file(Path(__file__), "code")


def test_everything_of_a_run_arrives_and_a_resumed_run_continues_it(tmp_path, store):
    uri, client = store
    patient = {"system_metrics": False, "drain_seconds": 120}  # however busy the machine
    parent = JournalLogger(tmp_path / "table", "paper", "table 2", uri, {}, **patient)
    parent.set_tags({"kind": "table"})
    logger = JournalLogger(tmp_path / "row", "paper", "row", uri, {"judge": "tiny"}, parent=parent.run_key, **patient)
    logger.log_hyperparams({"optimizer": {"lr": 1e-4}, "long": "x" * 900})
    logger.log_dict_artifact({"optimizer": {"lr": 1e-4}}, "config.yaml")
    logger.log_metrics({"psnr": torch.tensor(20.5), "bad@name": math.nan, "big": math.inf}, 5)
    logger.log_picture("faces", torch.rand(3, 32, 48), 5)
    parent.finalize("success")
    logger.finalize("failed")
    run = find_runs(client, logger_key := load_key(tmp_path / "row"))[0]
    assert run.info.status == "FAILED" and run.info.run_name == "row"
    assert run.data.params == {"optimizer.lr": "0.0001", "long": "x" * 250}
    assert run.data.metrics["psnr"] == 20.5 and math.isnan(run.data.metrics["bad_name"])
    assert run.data.tags["judge"] == "tiny" and run.data.tags["mlflow.loggedImages"] == "True"
    assert run.data.tags["mlflow.parentRunId"] == find_runs(client, load_key(tmp_path / "table"))[0].info.run_id
    assert {item.path for item in client.list_artifacts(run.info.run_id)} >= {"config.yaml", "environment.json"}
    assert run.info.artifact_uri.startswith(str(Path(uri.removeprefix("sqlite:///")).parent / "mlartifacts"))
    assert len(image_files(client, run.info.run_id)) == 2

    resumed = JournalLogger(tmp_path / "row", "paper", "row", uri, {"judge": "tiny"}, system_metrics=False)
    resumed.log_metrics({"psnr": 20.5}, 5)  # replayed
    resumed.log_metrics({"psnr": 21.0}, 6)
    resumed.log_metrics({"psnr": 22.0}, 6)  # measured again, otherwise
    resumed.finalize("success")
    (run,) = find_runs(client, logger_key)
    assert run.info.status == "FINISHED"
    assert [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "psnr")] == [
        (5, 20.5),
        (6, 21.0),
        (6, 22.0),
    ]


def test_a_child_that_arrives_before_its_parent_is_linked_later(tmp_path, store):
    uri, client = store
    parent = Journal(tmp_path / "parent", "tables", "table", {})
    child = Journal(tmp_path / "child", "rows", "row", {}, parent.run_key)
    parent.end("FINISHED")
    child.end("FINISHED")
    parent.close()
    child.close()
    run = MlflowRun(tmp_path / "child", uri)
    run.send_waiting()
    assert not run.sent.parent_linked and "mlflow.parentRunId" not in client.get_run(run.sent.run_id).data.tags
    MlflowRun(tmp_path / "parent", uri).send_waiting()
    assert deliver_waiting(tmp_path, uri) == 0
    (found,) = find_runs(client, parent.run_key)
    assert client.get_run(run.sent.run_id).data.tags["mlflow.parentRunId"] == found.info.run_id


def load_key(run_dir: Path) -> str:
    with (run_dir / "tracking" / "journal.jsonl").open() as lines:
        return json.loads(next(lines))["run_key"]


@pytest.mark.parametrize("method", ["create_run", "log_batch", "log_artifact", "set_tag", "set_terminated"])
def test_a_lost_answer_doubles_nothing(tmp_path, store, monkeypatch, method):
    uri, client = store
    journal = Journal(tmp_path, "lost answers", method, {})
    fill(journal, range(6))
    journal.end("FINISHED")
    real, lost = getattr(mlflow.MlflowClient, method), []

    def answer_lost(self, *args, **kwargs):
        result = real(self, *args, **kwargs)
        if len(lost) < 2:
            lost.append(args)
            raise ConnectionError("connection reset after the request")
        return result

    monkeypatch.setattr(mlflow.MlflowClient, method, answer_lost)
    for attempt in range(5):
        try:
            MlflowRun(tmp_path, uri).send_waiting()  # a fresh one: as after a restart of the process
            break
        except UnreachableError:
            assert attempt < 4
    journal.close()
    (run,) = find_runs(client, journal.run_key)
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(step, 1.0 / (step + 1)) for step in range(6)]
    names = image_files(client, run.info.run_id)
    assert len(names) == 6 and sum(name.endswith(".png") for name in names) == 3
    assert run.info.status == "FINISHED" and lost


def test_a_refused_record_does_not_block_the_rest(tmp_path, store):
    uri, client = store
    journal = Journal(tmp_path, "refusals", "run", {})
    journal.params({"lr": 1, "steps": 10})
    run = MlflowRun(tmp_path, uri)
    run.send_waiting()
    journal._append({"kind": "params", "values": {"lr": "2", "new": "3"}})  # MLflow never lets a parameter change
    journal._append({"kind": "metrics", "step": 0, "values": {"good": 1.0, "bad@": 1.0, "fine": 2.0}})
    journal._append({"kind": "image", "key": "k", "step": 0, "file": "gone.png"})
    with journal._lock:
        os.write(journal._fd, b"this is no record\n")
    journal.metrics({"last": 1.0}, 1)
    assert run.send_waiting() == 5 and run.waiting() == 0
    journal.close()
    (found,) = find_runs(client, journal.run_key)
    assert found.data.params == {"lr": "1", "steps": "10", "new": "3"}
    assert found.data.metrics == {"good": 1.0, "fine": 2.0, "last": 1.0}
    refused = [json.loads(line) for line in (tmp_path / "tracking" / "refused.jsonl").read_text().splitlines()]
    assert len(refused) == run.refused == 4
    assert refused[0]["record"]["key"] == "lr" and "not allowed" in refused[0]["error"]


def test_a_lost_database_is_told_everything_again(tmp_path, store):
    _, other = store
    journal = Journal(tmp_path / "run", "paper", "run", {})
    fill(journal, range(4))
    journal.close()
    uri = resolve_tracking_uri(f"sqlite:///{tmp_path}/new.db")
    save_sent(tmp_path / "run", uri, load_sent(tmp_path / "run", uri).__class__("0" * 32, 400, "RUNNING", True))
    assert MlflowRun(tmp_path / "run", uri).send_waiting() == 4 + 2 + 2
    (run,) = find_runs(mlflow.MlflowClient(tracking_uri=uri), journal.run_key)
    assert len(run.data.metrics) == 1 and not find_runs(other, journal.run_key)


def test_a_run_in_the_trash_waits_instead_of_being_refused(tmp_path, store):
    uri, client = store
    journal = Journal(tmp_path, "trash", "run", {})
    journal.metrics({"loss": 1.0}, 0)
    run = MlflowRun(tmp_path, uri)
    run.send_waiting()
    client.delete_run(run.sent.run_id)
    journal.metrics({"loss": 2.0}, 1)
    for _ in range(2):
        with pytest.raises(UnreachableError):
            run.send_waiting()
    client.restore_run(run.sent.run_id)
    assert run.send_waiting() == 1 and run.refused == 0
    journal.close()


def test_what_a_dead_process_left_is_delivered_later_and_its_run_marked_killed(tmp_path, store, capsys):
    uri, client = store
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom experiments.tracking.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), 'paper', 'killed', {})\njournal.metrics({'loss': 0.5}, 0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    dead = subprocess.run([sys.executable, "-c", code, str(tmp_path / "outputs" / "a" / "run")])
    assert dead.returncode == -signal.SIGKILL
    living = Journal(tmp_path / "outputs" / "b", "paper", "living", {})
    elsewhere = Journal(tmp_path / "outputs" / "c", "paper", "elsewhere", {})
    elsewhere.close()
    save_sent(tmp_path / "outputs" / "c", "http://user:secret@127.0.0.1:9", load_sent(tmp_path / "outputs" / "c", "x"))
    assert "secret" not in (tmp_path / "outputs" / "c" / "tracking" / "sent.json").read_text()
    with sender_lock(tmp_path / "outputs" / "b") as mine:
        assert mine
        assert deliver_waiting(tmp_path / "outputs", uri) == 2
    assert deliver_waiting(tmp_path / "outputs", uri) == 1  # the living run's
    assert deliver_waiting(tmp_path / "outputs", uri) == 0
    (killed,) = find_runs(client, load_key(tmp_path / "outputs" / "a" / "run"))
    assert killed.info.status == "KILLED" and killed.info.end_time and killed.data.metrics == {"loss": 0.5}
    assert find_runs(client, living.run_key)[0].info.status == "RUNNING"
    assert not find_runs(client, elsewhere.run_key)
    living.close()


def test_a_server_that_is_not_there_is_said_and_costs_little(tmp_path, capsys):
    uri = "http://127.0.0.1:9"  # the discard port: nothing listens
    longer_than_a_test = 3600  # so that finalize cannot sit out its whole time when nobody answers
    logger = JournalLogger(
        tmp_path / "run", "paper", "run", uri, {}, system_metrics=False, drain_seconds=longer_than_a_test
    )
    logger.log_metrics({"loss": 1.0}, 0)
    logger.finalize("success")
    assert "records wait" in capsys.readouterr().err
    assert deliver_waiting(tmp_path, uri) == 0
    assert "still wait on disk" in capsys.readouterr().err


def test_pictures_are_named_as_mlflow_names_them(tmp_path, store):
    uri, client = store
    journal = Journal(tmp_path, "names", "run", {})
    journal.picture("val/faces", Image.new("RGB", (600, 300)), 7)
    journal.close()
    run = MlflowRun(tmp_path, uri)
    run.send_waiting()
    ours = image_files(client, run.sent.run_id)
    reference = client.create_run(client.create_experiment("reference", artifact_location=str(tmp_path / "reference")))
    client.log_image(reference.info.run_id, Image.new("RGB", (600, 300)), key="val/faces", step=7)
    theirs = image_files(client, reference.info.run_id)

    def shape(names):
        return [re.sub(r"timestamp\+\d+\+[0-9a-f-]{36}", "timestamp+T+U", name) for name in names]

    assert shape(ours) == shape(theirs)
    thumbnails = [
        Image.open(client.download_artifacts(run_id, f"images/{names[0]}"))
        for run_id, names in ((run.sent.run_id, ours), (reference.info.run_id, theirs))
    ]
    assert thumbnails[0].size == thumbnails[1].size == (256, 128)
    assert client.get_run(reference.info.run_id).data.tags["mlflow.loggedImages"] == "True"


def test_uris():
    assert resolve_tracking_uri("") == ""
    assert resolve_tracking_uri("sqlite:///outputs/mlflow.db") == f"sqlite:///{Path.cwd()}/outputs/mlflow.db"
    assert resolve_tracking_uri("http://host:5000/") == "http://host:5000"
    assert public_uri("https://me:word@host:5000/x") == "https://host:5000/x"


def test_only_the_delivering_process_imports_mlflow():
    code = (
        "import sys, experiments.tracking.logger, experiments.tracking.deliver\n"
        "assert not {'mlflow', 'sqlalchemy', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
