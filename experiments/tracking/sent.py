"""How much of a run's journal has reached which tracking server: ``<run_dir>/tracking/sent.json``."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from experiments.tracking.journal import tracking_folder

SENT = "sent.json"
SENDER_LOCK = "sender.lock"


@dataclass
class Sent:
    """What one tracking server has acknowledged of one run.

    Attributes:
        run_id: MLflow's id of the run there, "" before it was created.
        offset: bytes of the journal that have arrived.
        status: the status that MLflow was last told.
        parent_linked: whether the run is filed under its parent there (true if it has none).
    """

    run_id: str = ""
    offset: int = 0
    status: str = ""
    parent_linked: bool = False


def load_sent(run_dir: Path, uri: str) -> Sent:
    """What ``uri`` has acknowledged; a fresh :class:`Sent` if nothing or if the file is unreadable."""
    entry = _read(run_dir).get(public_uri(uri))
    try:
        return Sent(**entry) if isinstance(entry, dict) else Sent()
    except TypeError:
        return Sent()


def save_sent(run_dir: Path, uri: str, sent: Sent) -> None:
    """Writes the acknowledgement atomically, beside those of other servers."""
    path = tracking_folder(run_dir) / SENT
    # Not synced to the disk's platter: an acknowledgement lost with the machine's power is sent again, harmlessly.
    partial = path.with_name(f"{SENT}.{os.getpid()}.partial")
    partial.write_text(json.dumps(_read(run_dir) | {public_uri(uri): asdict(sent)}, indent=1))
    partial.replace(path)


def destinations(run_dir: Path) -> set[str]:
    """The servers this run was ever meant for, without passwords."""
    return set(_read(run_dir))


def public_uri(uri: str) -> str:
    """The URI without user and password, fit to be written into a file."""
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else uri


@contextmanager
def sender_lock(run_dir: Path) -> Iterator[bool]:
    """Tries to become the one process that delivers a run's journal; yields whether it is."""
    with (tracking_folder(run_dir) / SENDER_LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def _read(run_dir: Path) -> dict[str, Any]:
    try:
        content = json.loads((tracking_folder(run_dir) / SENT).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
