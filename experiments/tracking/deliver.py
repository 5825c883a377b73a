"""Delivers what earlier runs left on disk because their server was away."""

from collections.abc import Iterator
from pathlib import Path

from experiments.tracking.journal import JOURNAL, has_writer, tracking_folder
from experiments.tracking.mlflow_run import MlflowRun, UnreachableError, resolve_tracking_uri
from experiments.tracking.sent import destinations, load_sent, public_uri, sender_lock
from facegen_core.progress import say, track


def deliver_waiting(outputs: Path, tracking_uri: str) -> int:
    """Sends all records that wait in the run folders below ``outputs``, those of living runs excepted.

    A run whose process died without saying so is marked KILLED. Runs meant for other servers are left alone.

    Args:
        outputs: the folder that holds run folders, at any depth.
        tracking_uri: where to send to.

    Returns:
        How many records were delivered. Stops at a server that does not answer, and says so.
    """
    uri = resolve_tracking_uri(tracking_uri)
    folders = [folder for folder in _run_folders(outputs) if uri and _needs_delivery(folder, uri)]
    total = 0
    if not folders:
        return total
    for folder in track(folders, "delivering tracking records", "runs"):
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
                    break
            if run.refused:
                say(f"tracking: MLflow refused {run.refused} records of {folder}; the last: {run.last_refusal}")
    return total


def _run_folders(outputs: Path) -> Iterator[Path]:
    for journal in sorted(outputs.rglob(f"tracking/{JOURNAL}")):
        yield journal.parent.parent


def _needs_delivery(folder: Path, uri: str) -> bool:
    meant_for = destinations(folder)
    if meant_for and public_uri(uri) not in meant_for:
        return False
    journal, sent = tracking_folder(folder) / JOURNAL, load_sent(folder, uri)
    unsent = sent.offset != journal.stat().st_size or not sent.parent_linked
    return unsent or (sent.status == "RUNNING" and not has_writer(folder))
