"""Delivers what earlier runs left on disk because their server was away."""

from collections.abc import Iterator
from pathlib import Path

from experiments.tracking.journal import JOURNAL, has_writer, tracking_folder
from experiments.tracking.mlflow_run import MlflowRun, UnreachableError, resolve_tracking_uri
from experiments.tracking.sent import destinations, load_sent, public_uri, sender_lock
from facegen_core.progress import say, track


def deliver_waiting(outputs: Path, tracking_uri: str) -> int:
    """Sends all records that wait in the run folders below ``outputs`` where they were meant to go.

    Those of living runs are left to them. A run whose process died without saying so is marked KILLED.

    Args:
        outputs: the folder that holds run folders, at any depth.
        tracking_uri: where records go that never got as far as naming a destination.

    Returns:
        How many records were delivered. A server that does not answer is said, and not tried again.
    """
    waiting = [(folder, uri) for folder in _run_folders(outputs) for uri in _undelivered(folder, tracking_uri)]
    total, away = 0, set[str]()
    if not waiting:
        return total
    for folder, uri in track(waiting, "delivering tracking records", "runs"):
        if uri in away:
            continue
        with sender_lock(folder) as mine:
            if not mine:  # a living run's own sender is at it
                continue
            run = MlflowRun(folder, uri)
            try:
                total += run.send_waiting()
                if run.sent.status == "RUNNING" and not has_writer(folder):
                    run.mark_killed()
            except UnreachableError as error:
                say(f"tracking: {run.waiting()} records of {folder} still wait on disk for {public_uri(uri)}: {error}")
                if "trash" not in str(error):
                    away.add(uri)
            if run.refused:
                say(f"tracking: MLflow refused {run.refused} records of {folder}; the last: {run.last_refusal}")
    return total


def _run_folders(outputs: Path) -> Iterator[Path]:
    for journal in sorted(outputs.rglob(f"tracking/{JOURNAL}")):
        yield journal.parent.parent


def _undelivered(folder: Path, otherwise: str) -> Iterator[str]:
    """The destinations that lack something of a run. Passwords are not kept: a server that asks for one takes them from
    MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.
    """
    for uri in map(resolve_tracking_uri, destinations(folder) or [otherwise]):
        journal, sent = tracking_folder(folder) / JOURNAL, load_sent(folder, uri)
        unsent = sent.offset != journal.stat().st_size or not sent.parent_linked
        if unsent or (sent.status == "RUNNING" and not has_writer(folder)):
            yield uri
