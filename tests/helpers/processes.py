"""Running, watching and killing real training processes."""

import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

TOY = Path(__file__).parent / "toy_stage.py"
REPOSITORY = Path(__file__).parents[2]
HANG_SECONDS = 280
"""A process that has not ended by then never will, however busy the machine; a little less than pytest's own limit."""
RANK = """
import sys
import torch
import torch.distributed as dist
dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()
data = torch.load(f"{sys.argv[1]}/data.pt")
"""
TRAINING_RANK = """
import os
os.environ |= {{"LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "x"}}
sys.path += {folders!r}
from lightning.pytorch.strategies import DDPStrategy
from {file} import {trained}

strategy = DDPStrategy(process_group_backend="gloo", find_unused_parameters={find_unused})
value = {trained}(rank, data, devices=2, strategy=strategy)
"""


def run_ranks(body: str, folder: Path, data: Any) -> list[torch.Tensor]:
    """Runs code as ranks 0 and 1 of a gloo group and returns the ``value`` that each leaves.

    Args:
        body: may use ``torch``, ``rank``, ``size`` and ``data``; sets ``value``, a tensor.
        folder: an empty one.
        data: anything that ``torch.load`` trusts.
    """
    torch.save(data, folder / "data.pt")
    ending = (
        'torch.save(value, f"{sys.argv[1]}/rank{rank}.pt")\n'
        "dist.barrier()\n"  # a rank that leaves first can bring the other down
        "dist.destroy_process_group()\n"
    )
    (folder / "rank.py").write_text(RANK + body + ending)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1",
             "PYTHONPATH": str(REPOSITORY)}  # fmt: skip
    processes = [
        subprocess.Popen(
            [sys.executable, str(folder / "rank.py"), str(folder)],
            env=os.environ | group | {"RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for process in processes:
            output, _ = process.communicate(timeout=HANG_SECONDS)
            assert process.returncode == 0, output
    finally:
        for process in processes:
            process.kill()
    return [torch.load(folder / f"rank{rank}.pt") for rank in range(2)]


def train_ranks(trained: Callable[..., torch.Tensor], folder: Path, data: Any, find_unused: bool) -> list[torch.Tensor]:
    """Runs a test's own training as ranks 0 and 1 of DDP and returns what each gives.

    Args:
        trained: at the top of a test file; called with the rank, the data, and the Trainer's words for two processes.
        folder: as for :func:`run_ranks`.
        data: likewise.
        find_unused: whether DDP is told that weights may be left without a gradient.
    """
    file = Path(inspect.getfile(trained))
    folders = [str(file.parent), str(REPOSITORY / "tests")]
    words = {"file": file.stem, "trained": trained.__name__, "find_unused": find_unused}
    return run_ranks(TRAINING_RANK.format(folders=folders, **words), folder, data)


def start_toy(stage: str, outputs: Path, *words: str) -> subprocess.Popen[str]:
    """``facegen train <toy stage>`` in a process group of its own; recorded on disk alone unless ``words`` say more."""
    command = [sys.executable, str(TOY), "train", "--quiet", stage, f"outputs={outputs}",
               "tracking.uri=null", *words]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, env=environment
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """Waits for a process and returns what it printed; fails if it ended otherwise than with ``code``."""
    output, _ = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == code, f"exit code {process.returncode}, expected {code}:\n{output}"
    return output


def kill_at_step(process: subprocess.Popen[str], run: Path, step: int, signum: int = signal.SIGKILL) -> None:
    """Sends a signal to the whole process group (SIGKILL) or the first process (others) once ``step`` is logged."""
    deadline = time.monotonic() + HANG_SECONDS
    while not any(record_step >= step for record_step in logged(run).values()):
        assert process.poll() is None, f"ended before step {step}:\n{process.communicate()[0]}"
        assert time.monotonic() < deadline, f"step {step} was not reached"
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
