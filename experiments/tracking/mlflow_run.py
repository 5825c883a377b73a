"""Brings one run's journal to one MLflow server, in order and exactly once."""

import json
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from experiments.tracking.journal import FILES, JOURNAL, Record, count_records, read_records, tracking_folder
from experiments.tracking.sent import Sent, load_sent, save_sent

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, Run, RunTag

REFUSED = "refused.jsonl"
RUN_KEY_TAG = "facegen.run_key"
METRICS_PER_BATCH = 800  # the server takes 1000 entities and 1 MB a request, at about 130 bytes each in JSON
TEXTS_PER_BATCH = 90  # it takes 100 parameters and 100 tags, and this bounds the bytes
PARENT_SEARCH_SECONDS = 2.0
THUMBNAIL_SIDE = 256  # [code mlflow 3.17 tracking/multimedia.py]
REFUSAL_CODES = {400, 409, 413, 422}  # of the content itself; all others (no login, no route, 5xx) may pass with time


class UnreachableError(Exception):
    """The server cannot take records now. What was not acknowledged is to be sent again later."""


class MlflowRun:
    """One run's journal on its way to one server. Not for two threads; see :func:`sent.sender_lock` for processes.

    Args:
        run_dir: the run's folder.
        uri: MLflow's tracking URI, as :func:`resolve_tracking_uri` gives it.
    """

    def __init__(self, run_dir: Path, uri: str) -> None:
        self.run_dir, self.uri = run_dir, uri
        self.journal = tracking_folder(run_dir) / JOURNAL
        self.sent = load_sent(run_dir, uri)
        self.refused = 0
        self.last_refusal = ""
        self._client: MlflowClient | None = None
        self._pictures_announced = False
        self._parent_tried = float("-inf")

    def waiting(self) -> int:
        """How many records the server has not acknowledged."""
        return count_records(self.journal, self.sent.offset)

    def send_waiting(self) -> int:
        """Sends all that the journal holds now.

        Returns:
            How many records were acknowledged.

        Raises:
            UnreachableError: if the server (or its database, or its artifact store) does not take them now.
        """
        total = 0
        try:
            first = read_records(self.journal, 0, 1) if self.journal.exists() else []
            if not first:
                return 0
            if self._client is None:
                self._client = self._connect(first[0])
            while records := read_records(self.journal, self.sent.offset):
                for group in _groups(records):
                    self._send(self._client, group)
                    self.sent.offset = group[-1].end
                    save_sent(self.run_dir, self.uri, self.sent)
                    total += len(group)
            if not self.sent.parent_linked:
                self._link_parent(self._client, first[0].data["parent"])
        except Exception as error:
            self._client = None  # so that the next attempt first looks whether the run is still there
            raise UnreachableError(_reason(error)) from error
        return total

    def mark_killed(self) -> None:
        """Tells the server that the run's process died without an end record.

        Raises:
            UnreachableError: as :meth:`send_waiting`.
        """
        try:
            first = read_records(self.journal, 0, 1)[0]
            client = self._client or self._connect(first)
            last_ms = int(self.journal.stat().st_mtime * 1000)
            client.set_terminated(self.sent.run_id, "KILLED", end_time=last_ms)
        except Exception as error:
            raise UnreachableError(_reason(error)) from error
        self._acknowledge_status("KILLED")

    def _connect(self, first: Record) -> "MlflowClient":
        """Opens the server and finds or creates the run there."""
        prepare_environment()
        from mlflow import MlflowClient

        if self.uri.startswith("sqlite:///"):
            _sqlite_path(self.uri).parent.mkdir(parents=True, exist_ok=True)
        client = MlflowClient(tracking_uri=self.uri)
        run = self._known_run(client) or self._find_run(client, first.data["run_key"])
        if run is None:
            # Also where a database was deleted or replaced: the journal holds all, so it is told again from the start.
            self.sent = Sent()
            run = self._create_run(client, first.data)
        if run.info.lifecycle_stage == "deleted":
            raise UnreachableError(
                f"run {run.info.run_id} is in MLflow's trash; restore it there, or delete its folder"
            )
        self.sent.run_id = run.info.run_id
        save_sent(self.run_dir, self.uri, self.sent)
        return client

    def _known_run(self, client: "MlflowClient") -> "Run | None":
        from mlflow.exceptions import MlflowException

        if not self.sent.run_id or self.sent.offset > self.journal.stat().st_size:
            return None
        try:
            return client.get_run(self.sent.run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def _find_run(self, client: "MlflowClient", run_key: str) -> "Run | None":
        """The run with a key in any experiment: one whose creation was never answered, or a parent."""
        from mlflow.entities import ViewType

        if self.sent.offset > self.journal.stat().st_size:
            self.sent.offset = 0  # the journal was replaced by a shorter one
        experiments = [found.experiment_id for found in client.search_experiments(view_type=ViewType.ALL)]
        condition = f"tags.`{RUN_KEY_TAG}` = '{run_key}'"
        runs = client.search_runs(experiments, condition, ViewType.ALL, max_results=1) if experiments else []
        return runs[0] if runs else None

    def _create_run(self, client: "MlflowClient", first: dict[str, Any]) -> "Run":
        from mlflow.exceptions import MlflowException

        experiment = client.get_experiment_by_name(first["experiment"])
        if experiment is None:
            location = _artifact_location(self.uri)
            try:
                experiment_id = client.create_experiment(
                    first["experiment"],
                    artifact_location=location,
                    tags={
                        "mlflow.experimentKind": "custom_model_development"
                    },  # opens on training runs, not on prompts
                )
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                raise UnreachableError("another run made the experiment at this moment") from error  # found next time
        else:
            experiment_id = experiment.experiment_id
            if experiment.lifecycle_stage == "deleted":
                client.restore_experiment(experiment_id)
        tags = first["tags"] | {RUN_KEY_TAG: first["run_key"]}
        return client.create_run(experiment_id, first["time"], tags, first["name"])

    def _link_parent(self, client: "MlflowClient", parent: str | None) -> None:
        """Files the run under its parent, as soon as the parent has arrived too."""
        if parent:
            if time.monotonic() - self._parent_tried < PARENT_SEARCH_SECONDS:
                return
            self._parent_tried = time.monotonic()
            found = self._find_run(client, parent)
            if found is None:
                return
            client.set_tag(self.sent.run_id, "mlflow.parentRunId", found.info.run_id)
        self.sent.parent_linked = True
        save_sent(self.run_dir, self.uri, self.sent)

    def _send(self, client: "MlflowClient", group: list[Record]) -> None:
        """Sends records that travel together, all of them safe to be sent a second time."""
        if group[0].data["kind"] in ("metrics", "params", "tags"):
            self._send_entities(client, [entity for record in group for entity in _entities(record.data)])
            return
        for record in group:
            try:
                self._send_single(client, record.data)
            except Exception as error:
                if not self._is_refusal(client, error):
                    raise
                self._refuse(record.data, error)

    def _send_entities(self, client: "MlflowClient", entities: "list[Metric | Param | RunTag]") -> None:
        from mlflow.entities import Metric, Param

        metrics = [entity for entity in entities if isinstance(entity, Metric)]
        params = [entity for entity in entities if isinstance(entity, Param)]
        tags = [entity for entity in entities if not isinstance(entity, (Metric, Param))]
        try:
            client.log_batch(self.sent.run_id, metrics=metrics, params=params, tags=tags, synchronous=True)
        except Exception as error:
            if not self._is_refusal(client, error):
                raise
            if len(entities) == 1:
                self._refuse({"kind": type(entities[0]).__name__, **dict(entities[0])}, error)
                return
            half = len(entities) // 2  # one bad value refuses its whole batch: halves find it
            self._send_entities(client, entities[:half])
            self._send_entities(client, entities[half:])

    def _send_single(self, client: "MlflowClient", data: dict[str, Any]) -> None:
        run_id, kind, files = self.sent.run_id, data["kind"], self.journal.parent / FILES
        if kind == "image":
            self._send_picture(client, files / data["file"])
        elif kind == "artifact":
            _require(files / data["file"])
            client.log_artifact(run_id, str(files / data["file"]), data["dir"] or None)
        elif kind == "dict":
            client.log_dict(run_id, data["value"], data["name"])
        elif kind == "end":
            client.set_terminated(run_id, data["status"], end_time=data["time"])
            self._acknowledge_status(data["status"])
        elif kind in ("run", "resume"):
            client.update_run(run_id, status="RUNNING")
            self._acknowledge_status("RUNNING")
        else:
            raise ValueError(f"a journal line of no known kind: {kind}")

    def _send_picture(self, client: "MlflowClient", path: Path) -> None:
        """Uploads a picture and its thumbnail under names that do not change, so that twice is once."""
        _require(path)
        if not self._pictures_announced:
            client.set_tag(self.sent.run_id, "mlflow.loggedImages", "True")  # the dashboard then shows the Image Grid
            self._pictures_announced = True
        with tempfile.TemporaryDirectory() as folder, Image.open(path) as image:
            thumbnail = Path(folder) / f"{path.stem}+compressed.webp"
            scale = THUMBNAIL_SIDE / max(image.size)
            small = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))))
            small.save(thumbnail)
            client.log_artifact(self.sent.run_id, str(path), "images")
            client.log_artifact(self.sent.run_id, str(thumbnail), "images")

    def _is_refusal(self, client: "MlflowClient", error: Exception) -> bool:
        """Whether the server (or MLflow's own check) will never take this record, as opposed to: not now."""
        from mlflow.exceptions import MlflowException
        from requests import HTTPError

        if isinstance(error, MlflowException):
            refused = int(error.get_http_status_code()) in REFUSAL_CODES  # type: ignore[no-untyped-call]
        elif isinstance(error, HTTPError) and error.response is not None:
            refused = error.response.status_code in REFUSAL_CODES
        elif isinstance(error, OSError):  # of the network (requests' errors are OSErrors) or of a disk
            refused = isinstance(error, FileNotFoundError)
        else:
            refused = isinstance(error, (ValueError, TypeError, KeyError))
        # A run that was thrown away refuses everything: that is no fault of the record.
        return refused and client.get_run(self.sent.run_id).info.lifecycle_stage != "deleted"

    def _refuse(self, data: dict[str, Any], error: Exception) -> None:
        self.refused += 1
        self.last_refusal = f"{data.get('kind')} {data.get('key', data.get('name', ''))}: {_reason(error)}"
        with (self.journal.parent / REFUSED).open("a") as file:
            file.write(json.dumps({"record": data, "error": str(error)}, default=str) + "\n")

    def _acknowledge_status(self, status: str) -> None:
        self.sent.status = status
        save_sent(self.run_dir, self.uri, self.sent)


def resolve_tracking_uri(uri: str) -> str:
    """A tracking URI that means the same from every folder: sqlite's path made absolute; "" (disk only) stays."""
    if not uri.startswith("sqlite:///"):
        return uri.rstrip("/")
    return f"sqlite:///{_sqlite_path(uri).absolute()}"


def prepare_environment() -> None:
    """Sets how MLflow behaves here, where the user has not: no calls home, no retries of its own, no chatter."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # MLflow would repeat even a run's creation without looking whether the first one arrived; we look.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _sqlite_path(uri: str) -> Path:
    return Path(uri.removeprefix("sqlite:///"))


def _artifact_location(uri: str) -> str | None:
    """Beside the database for sqlite; for a server None, which leaves it to the server."""
    return str(_sqlite_path(uri).parent / "mlartifacts") if uri.startswith("sqlite:///") else None


def _groups(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Cuts records into what one request can carry, without changing their order."""
    group: list[Record] = []
    count = 0
    for record in records:
        kind = record.data["kind"]
        size = len(record.data["values"]) if kind in ("metrics", "params", "tags") else 0
        limit = METRICS_PER_BATCH if kind == "metrics" else TEXTS_PER_BATCH
        if group and (kind != group[0].data["kind"] or size == 0 or kind == "tags" or count + size > limit):
            yield group
            group, count = [], 0
        group.append(record)
        count += size
    if group:
        yield group


def _entities(data: dict[str, Any]) -> "list[Metric | Param | RunTag]":
    from mlflow.entities import Metric, Param, RunTag

    values = data["values"]
    if data["kind"] == "metrics":
        return [Metric(key, float(value), data["time"], data["step"]) for key, value in values.items()]
    return [(Param if data["kind"] == "params" else RunTag)(key, value) for key, value in values.items()]


def _require(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(f"{path} is gone")


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
