"""The append-only record of one run on disk, from which MLflow is fed.

What a run logs is written here first and only here: ``<run_dir>/tracking/journal.jsonl`` holds one JSON object a line,
``<run_dir>/tracking/files/`` the pictures and files those lines name. A tracking server that is slow, or away for a
night, therefore costs the training nothing and loses nothing. Every line reaches the kernel before the call returns, so
SIGKILL of this process loses no line either.
"""

import bisect
import errno
import fcntl
import hashlib
import json
import math
import os
import re
import shutil
import threading
import time
import uuid
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from facegen_core.errors import FacegenError
from facegen_core.files import file_digest
from facegen_core.progress import say

JOURNAL = "journal.jsonl"
WRITER_LOCK = "writer.lock"
FILES = "files"
LONGEST_KEY = 250  # [code mlflow 3.17 utils/validation.py]
LONGEST_PARAM = 250
LONGEST_TAG = 5000
LONGEST_PICTURE_KEY = 120  # the key is part of a file name, of which 255 bytes are allowed
READ_BYTES = 1 << 20
WRITER_WAIT_SECONDS = 5.0

_open_here: set[Path] = set()  # folders whose journal this process writes: its own locks never stop a process


class Record(NamedTuple):
    """One line of a journal, and the byte offset of the line after it."""

    data: dict[str, Any]
    end: int


class Journal:
    """The journal of one run, opened for writing. Opening the journal of an earlier process continues it.

    Each (metric, step) and each (picture, step) is recorded once: a run resumed from a checkpoint repeats the steps
    since that checkpoint, and what it logs there is already written.

    Args:
        run_dir: the run's folder; ``tracking/`` is made in it.
        experiment: MLflow's experiment. A journal that exists keeps the experiment, name and parent it began with.
        run_name: what MLflow calls the run.
        tags: tags of the run.
        parent: ``run_key`` of the run that this one belongs to, or None.

    Raises:
        FacegenError: if another process has this run open.
    """

    def __init__(
        self, run_dir: Path, experiment: str, run_name: str, tags: Mapping[str, str], parent: str | None = None
    ) -> None:
        self.folder = tracking_folder(run_dir)
        (self.folder / FILES).mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._unwritten = b""
        self._metrics: dict[str, _Series] = {}
        self._pictures: dict[tuple[str, int], str] = {}  # key and step -> digest of what was last recorded there
        self._params: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._artifacts: dict[str, str] = {}  # name -> digest of what was last recorded under it
        self._status = "RUNNING"
        self._writer_lock = self._take_lock()
        self._fd = -1
        try:
            self._fd = os.open(self.folder / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            first = self._load()
        except BaseException:
            self._release()
            raise
        self.run_key: str = first["run_key"] if first else uuid.uuid4().hex
        if first:
            self._append({"kind": "resume"})
            self._status = "RUNNING"
            self.set_tags(tags)
        else:
            named = {"run_key": self.run_key, "experiment": experiment, "name": run_name, "parent": parent}
            self._append({"kind": "run", **named, "tags": self._new_tags(tags)})

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Records metrics of one step, less those that have this value there already. NaN and infinities are kept.

        A resumed run repeats steps with the same values; a run that is measured again, otherwise, may have others.
        """
        with self._lock:
            named = {metric_key(key): float(value) for key, value in values.items()}
            fresh = {k: v for k, v in named.items() if self._metrics.setdefault(k, _Series()).note(step, v)}
            if fresh:
                encoded = {key: encode_number(value) for key, value in fresh.items()}
                self._write({"kind": "metrics", "step": step, "values": encoded})

    def last_step(self, key: str) -> int:
        """The highest step recorded for a metric, or -1."""
        return self._metrics[key].steps[-1] if key in self._metrics else -1

    def params(self, values: Mapping[str, Any]) -> None:
        """Records parameters (flat), less those recorded already with the same value."""
        with self._lock:
            flat = {metric_key(key): str(value)[:LONGEST_PARAM] for key, value in values.items()}
            fresh = {key: value for key, value in flat.items() if self._params.get(key) != value}
            if fresh:
                self._params |= fresh
                self._write({"kind": "params", "values": fresh})

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Records tags, less those that already have the same value."""
        with self._lock:
            if fresh := self._new_tags(tags):
                self._write({"kind": "tags", "values": fresh})

    def picture(self, key: str, image: Image.Image, step: int) -> None:
        """Records a picture of one step, unless it is the last recorded for that key and step.

        Raises:
            OSError: if the picture cannot be written to disk.
        """
        key = picture_key(key)
        digest = hashlib.sha256(image.tobytes()).hexdigest()
        with self._lock:
            if self._pictures.get((key, step)) == digest:
                return
            now = _now_ms()
            name = picture_file_name(self.run_key, key, step, digest, now)
            path = self.folder / FILES / name
            image.save(path.with_suffix(".partial"), format="png", compress_level=1)  # 1: three times as fast as 6
            path.with_suffix(".partial").rename(path)
            self._pictures[key, step] = digest
            self._write({"kind": "image", "key": key, "step": step, "file": name, "digest": digest}, now)

    def file(self, path: Path, artifact_dir: str = "") -> None:
        """Records a copy of a file, unless its content was the last recorded under that name.

        Raises:
            OSError: if the file cannot be read or copied.
        """
        digest = file_digest(path)
        artifact = f"{artifact_dir.strip('/')}/{path.name}".lstrip("/")
        with self._lock:
            if self._artifacts.get(artifact) == digest:
                return
            kept = self.folder / FILES / digest[:16] / path.name
            kept.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, kept)
            self._artifacts[artifact] = digest
            where = {"file": f"{digest[:16]}/{path.name}", "dir": artifact_dir.strip("/")}
            self._write({"kind": "artifact", **where, "digest": digest})

    def dictionary(self, values: Mapping[str, Any], name: str) -> None:
        """Records a dictionary as the artifact ``name`` (.json or .yaml), unless it is the last recorded there."""
        plain = _plain(values)
        digest = hashlib.sha256(json.dumps(plain).encode()).hexdigest()
        with self._lock:
            if self._artifacts.get(name) != digest:
                self._artifacts[name] = digest
                self._write({"kind": "dict", "name": name, "value": plain, "digest": digest})

    def end(self, status: str) -> None:
        """Records that the run ended. ``status``: FINISHED, FAILED or KILLED, as MLflow calls them."""
        with self._lock:
            if self._status != status:
                self._write({"kind": "end", "status": status})
                self._status = status

    def close(self) -> None:
        """Releases the journal. What could not be written for want of disk space is tried once more."""
        with self._lock:
            if self._fd >= 0:
                self._flush()
                self._release()

    def _take_lock(self) -> int:
        """Waits a little for a process that is just ending; returns the lock's file descriptor."""
        busy = f"another writer is at the run {self.folder.parent}; wait for it to end, or name another run"
        if self.folder in _open_here:
            raise FacegenError(busy)
        lock = os.open(self.folder / WRITER_LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + WRITER_WAIT_SECONDS
        while not _lock_without_waiting(lock):
            if time.monotonic() > deadline:
                os.close(lock)
                raise FacegenError(busy)
            time.sleep(0.1)
        _open_here.add(self.folder)
        return lock

    def _release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        os.close(self._writer_lock)
        self._fd = -1
        _open_here.discard(self.folder)

    def _load(self) -> dict[str, Any] | None:
        """Reads what is recorded and drops a last line that was cut short. Returns the first record, if any."""
        path, offset, first = self.folder / JOURNAL, 0, None
        while records := read_records(path, offset):
            offset = records[-1].end
            for record in records:
                first = first or record.data
                self._remember(record.data)
        if offset < path.stat().st_size:
            os.ftruncate(self._fd, offset)
        if first and first["kind"] != "run":
            raise FacegenError(f"{path} does not begin as a journal does; move it away, or restore it")
        return first

    def _remember(self, data: dict[str, Any]) -> None:
        kind = data["kind"]
        if kind == "metrics":
            for key, value in data["values"].items():
                self._metrics.setdefault(key, _Series()).note(data["step"], float(value))
        elif kind == "image":
            self._pictures[data["key"], data["step"]] = data["digest"]
        elif kind == "params":
            self._params |= data["values"]
        elif kind == "tags":
            self._tags |= data["values"]
        elif kind == "run":
            self._tags |= data["tags"]
        elif kind == "artifact":
            self._artifacts[f"{data['dir']}/{Path(data['file']).name}".lstrip("/")] = data["digest"]
        elif kind == "dict":
            self._artifacts[data["name"]] = data["digest"]

    def _new_tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        flat = {metric_key(key): str(value)[:LONGEST_TAG] for key, value in tags.items()}
        fresh = {key: value for key, value in flat.items() if self._tags.get(key) != value}
        self._tags |= fresh
        return fresh

    def _append(self, data: dict[str, Any]) -> None:
        with self._lock:
            self._write(data)

    def _write(self, data: dict[str, Any], time_ms: int | None = None) -> None:
        if self._fd < 0:
            raise ValueError(f"the journal in {self.folder} is closed")
        line = {"kind": data["kind"], "time": time_ms or _now_ms(), **data}
        self._unwritten += json.dumps(line, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        self._flush()

    def _flush(self) -> None:
        # A full disk must not end a training that could go on: what does not fit stays in memory, and the next line
        # continues exactly where the disk stopped.
        try:
            while self._unwritten:
                self._unwritten = self._unwritten[os.write(self._fd, self._unwritten) :]
        except OSError as error:
            say(f"tracking: {self.folder / JOURNAL} cannot be written ({error.strerror}); kept in memory, tried again")


def tracking_folder(run_dir: Path) -> Path:
    """Where a run's journal and all that belongs to it lie."""
    return run_dir.absolute() / "tracking"


def read_records(path: Path, offset: int, limit: int = READ_BYTES) -> list[Record]:
    """Reads the complete lines from a byte offset on, at least one if there is one, and about ``limit`` bytes at most.

    A line that is not yet whole is left for later; a line that is not JSON comes back with the kind "unreadable".
    """
    with path.open("rb") as file:
        file.seek(offset)
        block = file.read(limit)
        if block and b"\n" not in block:
            block += file.readline()
    records = []
    for line in block[: block.rfind(b"\n") + 1].splitlines(keepends=True):
        offset += len(line)
        try:
            data = json.loads(line)
            readable = isinstance(data, dict) and "kind" in data
        except ValueError:
            readable = False
        records.append(Record(data if readable else {"kind": "unreadable", "line": repr(line[:200])}, offset))
    return records


def count_records(path: Path, offset: int) -> int:
    """How many complete lines there are from a byte offset on."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        file.seek(offset)
        blocks = iter(lambda: file.read(READ_BYTES), b"")
        return sum(block.count(b"\n") for block in blocks)


def has_writer(run_dir: Path) -> bool:
    """Whether a living process, this one included, has the run's journal open for writing."""
    folder = tracking_folder(run_dir)
    if folder in _open_here:
        return True
    lock = os.open(folder / WRITER_LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        return not _lock_without_waiting(lock)
    finally:
        os.close(lock)


def metric_key(key: str) -> str:
    """A name that MLflow takes for metrics, parameters and tags; what it refuses (``@ ( ) +`` ...) becomes ``_``."""
    parts = re.sub(r"[^a-zA-Z0-9_\-.: /]", "_", key)[:LONGEST_KEY].split("/")
    return "/".join(re.sub(r"^\.\.?$", "_", part) for part in parts if part) or "_"


def picture_key(key: str) -> str:
    """A name that MLflow takes for pictures: as :func:`metric_key`, without colons."""
    return metric_key(key.replace(":", "_"))[:LONGEST_PICTURE_KEY].rstrip("/")


def picture_file_name(run_key: str, key: str, step: int, digest: str, time_ms: int) -> str:
    """The name under which MLflow's Image Grid finds a picture of a step.

    [code mlflow 3.17 tracking/client.py log_image]: ``log_image`` draws a new UUID at every call, so that sending once
    more would show the picture twice. Here the UUID follows from run, key, step and content: the second copy lands on
    the first. A test holds this name against ``log_image``'s own.
    """
    unique = uuid.uuid5(uuid.NAMESPACE_OID, f"{run_key}/{key}/{step}/{digest}")
    return f"{key.replace('/', '~')}+step+{step}+timestamp+{time_ms}+{unique}.png"


def encode_number(value: float) -> float | str:
    """A number as JSON can hold it: NaN and the infinities, for which it has no sign, as strings."""
    value = float(value)
    return value if math.isfinite(value) else str(value)


def _lock_without_waiting(lock: int) -> bool:
    # A POSIX lock, because the workers that a training process forks do not inherit it: when training is killed, its
    # orphaned workers live on for seconds and must not keep the resumed run out.
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Any other error: a file system without locks, where one writer is the user's to see to.
        return error.errno not in (errno.EACCES, errno.EAGAIN)
    return True


def _plain(value: Any) -> Any:
    """A copy of JSON types alone; what JSON does not know becomes its ``str``."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return encode_number(value) if isinstance(value, float) else str(value)


class _Series:
    """The last value of each step of one metric, in sorted arrays: 16 bytes a step, where a dictionary takes 150."""

    def __init__(self) -> None:
        self.steps, self.values = array("q"), array("d")

    def note(self, step: int, value: float) -> bool:
        """Takes in a value, and says whether it is another than the step had."""
        place = bisect.bisect_left(self.steps, step)
        if place == len(self.steps) or self.steps[place] != step:
            self.steps.insert(place, step)
            self.values.insert(place, value)
            return True
        same = self.values[place] == value or (value != value and self.values[place] != self.values[place])
        self.values[place] = value
        return not same


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
