"""A real MLflow server that stops answering, is killed and started again while runs are being logged."""

import itertools
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import torch

from experiments.tracking.logger import JournalLogger
from experiments.tracking.mlflow_run import MlflowRun, prepare_environment

HANG_SECONDS = 900
"""What has not come by then never will, however busy the machine."""
PATIENCE_SECONDS = "3600"
"""Of MLflow's client with a server that does not answer: longer than the test may take."""
PICTURE_EVERY = 20


class Server:
    """``mlflow server`` on a port that stays the same over restarts; it and its workers are one process group."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = {
            "--backend-store-uri": f"sqlite:///{self.folder}/server.db",
            "--artifacts-destination": str(self.folder / "artifacts"),
            "--host": "127.0.0.1",
            "--port": str(self.port),
            "--workers": "1",
        }
        command = [sys.executable, "-m", "mlflow", "server", *(part for pair in options.items() for part in pair)]
        environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=self.folder
            )

    def wait(self) -> None:
        while True:
            assert self.process is not None and self.process.poll() is None, (self.folder / "server.log").read_text()
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)

    def freeze(self) -> None:
        """It takes connections and answers none, until it is killed."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


class Writer:
    """Logs a metric a step and a picture now and then."""

    def __init__(self, run_dir: Path, uri: str, name: str) -> None:
        self.logger = JournalLogger(run_dir, "outage", name, uri, {}, system_metrics=False, drain_seconds=3600)
        self.step = 0

    def write(self, steps: int) -> None:
        for _ in range(steps):
            self.logger.log_metrics({"loss": value(self.step), "twice": 2 * value(self.step)}, self.step)
            if self.step % PICTURE_EVERY == 0:
                self.logger.log_picture("val/faces", picture(self.step), self.step)
            self.step += 1
            time.sleep(0.01)

    def waiting(self) -> int:
        """Records that no server has acknowledged."""
        return MlflowRun(self.logger.run_dir, self.logger.tracking_uri).waiting()

    def write_until(self, condition) -> None:
        """Slowly, or a slow machine would have the more to deliver."""
        while not condition():
            self.write(5)
            time.sleep(0.5)


def value(step: int) -> float:
    return float("nan") if step == 3 else 1.0 / (step + 1)


def picture(step: int) -> torch.Tensor:
    return torch.full((3, 64, 96), (step // PICTURE_EVERY % 200) / 255)


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    try:
        yield server
    finally:
        server.kill()


def stored(server: Server, table: str) -> int:
    """Rows in the server's database, read past the server; 0 before there is one."""
    try:
        with sqlite3.connect(f"file:{server.folder}/server.db?mode=ro", uri=True, timeout=5) as database:
            return database.execute(f"select count(*) from {table}").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


@pytest.mark.timeout(HANG_SECONDS)
def test_nothing_is_lost_or_doubled_when_the_server_dies(tmp_path, server, capfd, monkeypatch):
    """And no call that logs waits for an answer: it would wait for longer than this test may take."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", PATIENCE_SECONDS)
    server.start()
    first = Writer(tmp_path / "first", server.uri, "first")
    first.write_until(lambda: stored(server, "metrics") > 100)  # logged from before the server could answer
    first.write(100)
    server.freeze()  # in the middle of a delivery
    first.write(100)
    assert first.waiting() >= 100, "the calls returned, and nobody has taken what they logged"
    server.kill()
    second = Writer(tmp_path / "second", server.uri, "second")  # begins while there is no server
    for _ in range(10):
        first.write(20)
        second.write(20)
    assert second.waiting() >= 200
    server.start()
    now = stored(server, "metrics")
    first.write_until(lambda: stored(server, "metrics") > now)
    server.kill()  # again, amid catching up
    first.write(100)
    server.start()
    server.wait()
    second.write(20)
    first.logger.finalize("success")
    second.logger.finalize("failed")
    output = capfd.readouterr().err
    assert "records wait in" not in output
    assert "takes no records now" in output and "MLflow is back" in output
    for writer, status in ((first, "FINISHED"), (second, "FAILED")):
        check(server, writer, status)


def check(server: Server, writer: Writer, status: str) -> None:
    """Every metric and picture is there once, in the order and with the values that were logged."""
    prepare_environment()
    import mlflow
    from PIL import Image

    client = mlflow.MlflowClient(tracking_uri=server.uri)
    experiment = client.get_experiment_by_name("outage").experiment_id
    (run,) = client.search_runs([experiment], f"attributes.run_name = '{writer.logger.version}'")
    assert run.info.status == status
    with sqlite3.connect(f"file:{server.folder}/server.db?mode=ro", uri=True) as database:
        for key, factor in (("loss", 1), ("twice", 2)):
            query = "select step, value, is_nan, timestamp from metrics where run_uuid=? and key=? order by rowid"
            rows = database.execute(query, (run.info.run_id, key)).fetchall()
            assert [row[0] for row in rows] == list(range(writer.step)), "lost, doubled or out of order"
            assert all(bool(nan) or got == factor * value(step) for step, got, nan, _ in rows)
            assert [step for step, _, nan, _ in rows if nan] == [3]
            assert all(earlier[3] <= later[3] for earlier, later in itertools.pairwise(rows))
    images = run.info.artifact_uri.removeprefix("mlflow-artifacts:")
    folder = server.folder / "artifacts" / images.lstrip("/") / "images"
    # A server killed amid an upload leaves the part it had under this name; the picture itself was then sent again.
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".artifact.uploading."))
    steps = [int(name.split("+step+")[1].split("+")[0]) for name in names]
    expected = range(0, writer.step, PICTURE_EVERY)
    assert sorted(steps) == sorted([*expected, *expected]), "one picture and one thumbnail for each step"
    for name, step in zip(names, steps, strict=True):
        if name.endswith(".png"):
            with Image.open(folder / name) as image:
                assert image.size == (96, 64) and image.getpixel((0, 0))[0] == step // PICTURE_EVERY % 200
