"""What a run must carry to be understood later: which code, which packages, which machine."""

import contextlib
import getpass
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import facegen_core

PACKAGES = (
    "torch", "torchvision", "lightning", "torchmetrics", "numpy", "scipy", "scikit-learn", "pillow", "omegaconf",
    "mlflow", "anny", "diffusers", "open_clip_torch", "facenet-pytorch", "onnxruntime",
)  # fmt: skip


def run_record() -> dict[str, str]:
    """Tags of a run: code, versions that numbers hang on, machine. MLflow's own names where its tables show them."""
    import torch

    commit, dirty = git_state()
    tags = {
        "facegen.version": facegen_core.__version__,
        "git.dirty": dirty,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "torch": str(torch.__version__),
        "device": ", ".join(device_names()),
        "mlflow.source.name": Path(sys.argv[0]).name or "python",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": commit,
    }
    with contextlib.suppress(OSError, KeyError):  # a container's user can be without a name
        tags["mlflow.user"] = getpass.getuser()
    return tags


def environment() -> dict[str, Any]:
    """The artifact ``environment.json``: all that :func:`run_record` says, and every package's version."""
    import torch

    commit, dirty = git_state()
    return {
        "facegen": facegen_core.__version__,
        "git": {"commit": commit, "dirty": dirty},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "python": sys.version,
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "devices": device_names(),
        "cuda": torch.version.cuda,
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }


def device_names() -> list[str]:
    """Names of the GPUs that torch sees, or the processor's."""
    import torch

    if torch.cuda.is_available():
        return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return [f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors"]


def git_state() -> tuple[str, str]:
    """The commit this code is at and whether it was changed since ("true" or "false"); both "unknown" if not in git."""
    root = Path(facegen_core.__file__).parent.parent
    # Asked for by name: an installed copy can lie inside somebody's repository without being part of it.
    if _git(root, "ls-files", "--error-unmatch", "facegen_core/__init__.py") is None:
        return "unknown", "unknown"
    commit, changes = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain", "--untracked-files=no")
    return commit or "unknown", "unknown" if changes is None else str(bool(changes)).lower()


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
