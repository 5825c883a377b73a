"""The process that delivers a run's journal while the run goes on, and the handle by which the run holds it.

A process and not a thread: importing MLflow in a thread would share the interpreter with the first training steps, and
a data loader that forks its workers at that moment would leave them with import locks that nobody ever releases. It
also outlives a training that is killed, and then brings the last records home.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from experiments.tracking.journal import JOURNAL, count_records, tracking_folder
from experiments.tracking.mlflow_run import MlflowRun, UnreachableError, resolve_tracking_uri
from experiments.tracking.sent import load_sent, public_uri, save_sent, sender_lock
from facegen_core.progress import say

LOG = "sender.log"
POLL_SECONDS = 0.5
SHORTEST_BACKOFF, LONGEST_BACKOFF = 1.0, 15.0
LOCK_WAIT_SECONDS = 10.0
PARENT_WAIT_SECONDS = 6.0
CLOSE = "close"


class Sender:
    """Starts the delivering process of one run, passes on what it has to say, and ends it.

    Args:
        run_dir: the run's folder.
        tracking_uri: MLflow's tracking URI.
    """

    def __init__(self, run_dir: Path, tracking_uri: str) -> None:
        self.run_dir, self.uri = run_dir.absolute(), resolve_tracking_uri(tracking_uri)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts delivering. Returns at once, whether there is a server or not."""
        folder = tracking_folder(self.run_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_sent(self.run_dir, self.uri, load_sent(self.run_dir, self.uri))  # notes where this run is meant to go
        root = str(Path(__file__).parents[2])
        paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        try:
            with (folder / LOG).open("a") as log:
                # The URI travels in the environment: it may hold a password, and command lines are public.
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "experiments.tracking.sender", str(self.run_dir)],
                    env={**os.environ, "PYTHONPATH": paths, "FACEGEN_SENDER_URI": self.uri, "CUDA_VISIBLE_DEVICES": ""},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
        except OSError as error:
            say(f"tracking: nothing is sent to MLflow ({error.strerror}); the record on disk is complete: {folder}")
            return
        threading.Thread(target=self._relay, args=(self._process,), daemon=True, name="tracking-messages").start()

    def waiting(self) -> int:
        """How many records the server has not acknowledged."""
        return count_records(tracking_folder(self.run_dir) / JOURNAL, load_sent(self.run_dir, self.uri).offset)

    def close(self, timeout: float) -> int:
        """Lets the process send what is left, and ends it.

        Args:
            timeout: seconds to wait. A server that does not answer is given one last attempt, not all this time.

        Returns:
            How many records still wait on disk. After a timeout the process goes on by itself and then ends.
        """
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return self.waiting()
        try:
            # Said in words, since workers forked from this process hold the pipe open too and no end would arrive.
            process.stdin.write(f"{CLOSE}\n")
            process.stdin.close()
        except OSError:
            pass  # it is already gone
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout)
        return self.waiting()

    @staticmethod
    def _relay(process: "subprocess.Popen[str]") -> None:
        if process.stdout is not None:
            with process.stdout as lines:
                for line in lines:
                    say(line.rstrip())


class _Delivery:
    """The loop of the delivering process."""

    def __init__(self, run_dir: Path, uri: str) -> None:
        self.run = MlflowRun(run_dir, uri)
        self.closing = threading.Event()
        self.failures = 0
        self.told_down = self.told_refused = False

    def loop(self) -> int:
        backoff, parent_deadline = SHORTEST_BACKOFF, float("inf")
        while True:
            last = self.closing.is_set()  # asked before the pass, so that the pass sees all that came before the asking
            try:
                self._deliver()
                backoff = SHORTEST_BACKOFF
            except UnreachableError as error:
                self._failed(str(error))
                if last:
                    return 1
                self.closing.wait(backoff)
                backoff = min(2 * backoff, LONGEST_BACKOFF)
                continue
            if last:
                # A parent that began a moment earlier may still be on its way; a later delivery links it otherwise.
                parent_deadline = min(parent_deadline, time.monotonic() + PARENT_WAIT_SECONDS)
                if self.run.sent.parent_linked or time.monotonic() > parent_deadline:
                    return 0
                time.sleep(POLL_SECONDS)
            self.closing.wait(POLL_SECONDS)

    def _deliver(self) -> None:
        self.run.send_waiting()
        if self.run.refused and not self.told_refused:
            self.told_refused = True
            _tell(f"tracking: MLflow refused {self.run.last_refusal} (kept in {self.run.journal.parent}/refused.jsonl)")
        if self.told_down:
            self.told_down = False
            _tell("tracking: MLflow is back, all that waited on disk has been delivered")
        self.failures = 0

    def _failed(self, reason: str) -> None:
        self.failures += 1
        print(reason, file=sys.stderr, flush=True)  # into sender.log
        # Not at the first: a server closing an idle connection looks the same and is over in a second.
        if self.failures == 2 and not self.told_down:
            self.told_down = True
            uri = public_uri(self.run.uri)
            _tell(f"tracking: MLflow at {uri} takes no records now ({reason[:100]}); they wait on disk")


def main() -> int:
    """Delivers the run named on the command line until its process says close, or is gone."""
    # Ctrl-C and a scheduler's SIGTERM go to all processes; the training ends by them, and its last words are then sent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    run_dir, uri = Path(sys.argv[1]), os.environ.pop("FACEGEN_SENDER_URI")
    os.nice(5)  # training comes first
    closing = threading.Event()

    def listen() -> None:
        sys.stdin.readline()  # "close", or the end of the pipe
        closing.set()

    threading.Thread(target=listen, daemon=True).start()
    refused_for = time.monotonic()
    while True:
        with sender_lock(run_dir) as mine:
            if mine:
                delivery = _Delivery(run_dir, uri)  # reads sent.json, hence only now
                delivery.closing = closing
                return delivery.loop()
        # The sender of a training that was killed a moment ago may still be at work here.
        if closing.is_set() and time.monotonic() - refused_for > LOCK_WAIT_SECONDS:
            return 1
        time.sleep(POLL_SECONDS)


def _tell(message: str) -> None:
    """Prints a line that the training process shows above its progress bar."""
    try:
        print(message, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  the training process is gone


if __name__ == "__main__":
    # os._exit: the thread that still reads standard input would hold up an ordinary exit.
    os._exit(main())
