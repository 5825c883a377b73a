"""Checkpoint files: written atomically with their SHA-256 beside them, read without unpickling code."""

import hashlib
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from facegen_core.errors import CheckpointError
from facegen_core.files import atomic_path, file_digest


def save_checkpoint(checkpoint: dict[str, Any], path: Path) -> None:
    """Writes ``checkpoint`` and its digest so that a reader sees the whole file or none.

    The digest goes first: a process killed between the two leaves a digest without a checkpoint, which no one lists,
    and not a checkpoint that cannot be checked.
    """
    with atomic_path(path) as temporary:
        torch.save(checkpoint, temporary)
        with atomic_path(digest_path(path)) as note:
            note.write_text(f"{file_digest(temporary)}  {path.name}\n")


def load_checkpoint(path: Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Reads a checkpoint written by :func:`save_checkpoint`.

    Raises:
        CheckpointError: the file is missing, truncated, altered or holds objects other than tensors and plain values;
            the message names it and the newest good checkpoint in the same folder.
    """
    if problem := find_problem(path):
        raise CheckpointError(f"{path}: {problem}.{_offer(path)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location=map_location, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(f"{path}: not a checkpoint of plain tensors ({reason}).{_offer(path)}") from None


def find_problem(path: Path) -> str | None:
    """Why ``path`` cannot be trusted, or None if it is whole."""
    if not path.is_file():
        return "no such checkpoint"
    if not digest_path(path).is_file():
        return f"its digest {digest_path(path).name} is missing, so it cannot be told whether it is whole"
    if digest_path(path).read_text().split()[:1] != [file_digest(path)]:
        return "truncated or altered since it was written (its SHA-256 differs)"
    return None


def last_good(folder: Path, besides: Path | None = None) -> Path | None:
    """The whole checkpoint of the highest step in ``folder``, or None; ``besides`` is left out."""
    for path in list_checkpoints(folder):
        if path != besides and find_problem(path) is None:
            return path
    return None


def list_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints ``<step>.ckpt`` of a run, newest first."""
    found = [path for path in folder.glob("*.ckpt") if re.fullmatch(r"\d+", path.stem)]
    return sorted(found, key=lambda path: int(path.stem), reverse=True)


def digest_path(path: Path) -> Path:
    """Where the SHA-256 of ``path`` is kept."""
    return path.with_suffix(path.suffix + ".sha256")


def without(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix``, which they lose."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def weights_digest(network: nn.Module) -> str:
    """SHA-256 of a network's weights: the same wherever they lie, and however often they are saved."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.cpu().contiguous().numpy())
    return digest.hexdigest()


def _offer(path: Path) -> str:
    good = last_good(path.parent, besides=path)
    return (
        f" The last good checkpoint here is {good}: use resume={good}" if good else " There is no other good one here."
    )
