"""Running, watching and killing real training processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

TOY = Path(__file__).parent / "toy_stage.py"


def start_toy(stage: str, outputs: Path, *words: str) -> subprocess.Popen[str]:
    """``facegen train <toy stage>`` in a process group of its own."""
    command = [sys.executable, str(TOY), "train", "--quiet", stage, f"outputs={outputs}",
               f"tracking.uri=sqlite:///{outputs}/mlflow.db", *words]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, env=environment
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """Waits for a process and returns what it printed; fails if it ended otherwise than with ``code``."""
    output, _ = process.communicate(timeout=180)
    assert process.returncode == code, f"exit code {process.returncode}, expected {code}:\n{output}"
    return output


def kill_at_step(process: subprocess.Popen[str], run: Path, step: int, signum: int = signal.SIGKILL) -> None:
    """Sends a signal to the whole process group (SIGKILL) or the first process (others) once ``step`` is logged."""
    deadline = time.monotonic() + 120
    while not any(record_step >= step for record_step in logged(run).values()):
        assert process.poll() is None, f"ended before step {step}:\n{process.communicate()[0]}"
        assert time.monotonic() < deadline, f"step {step} was not reached in two minutes"
        time.sleep(0.01)
    if signum == signal.SIGKILL:
        os.killpg(process.pid, signum)
        process.communicate()
    else:
        process.send_signal(signum)


def logged(run: Path) -> dict[int, int]:
    """Steps with a recorded training loss, as line number -> step."""
    return {i: step for i, (key, step) in enumerate(metrics(run)) if key == "train/loss"}


def metrics(run: Path) -> dict[tuple[str, int], Any]:
    """(metric, step) -> value of everything a run recorded, timings left out; fails on a value recorded twice."""
    found: dict[tuple[str, int], Any] = {}
    path = run / "tracking" / "journal.jsonl"
    for line in path.read_text().splitlines() if path.is_file() else []:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue  # being written at this moment
        if record["kind"] == "metrics":
            for key, value in record["values"].items():
                if not key.startswith(("speed/", "system/")):
                    assert (key, record["step"]) not in found, f"{key} of step {record['step']} was recorded twice"
                    found[key, record["step"]] = value
    return found


def differences(a: Any, b: Any, where: str = "") -> list[str]:
    """Places in which two checkpoints differ by a bit."""
    if isinstance(a, torch.Tensor):
        return [] if isinstance(b, torch.Tensor) and torch.equal(a, b) else [where]
    if isinstance(a, dict):
        if set(a) != set(b):
            return [f"{where}: keys {set(a) ^ set(b)}"]
        return [d for key in a for d in differences(a[key], b[key], f"{where}/{key}")]
    if isinstance(a, list | tuple):
        if len(a) != len(b):
            return [f"{where}: length"]
        return [d for i, (x, y) in enumerate(zip(a, b, strict=True)) for d in differences(x, y, f"{where}/{i}")]
    return [] if a == b else [f"{where}: {a} != {b}"]
