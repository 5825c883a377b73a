"""Tensors of a weights file of any usual format, and their way into a network."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from facegen_core.errors import WeightsNotFoundError
from facegen_core.weights.files import trouble
from facegen_core.weights.kinds import describe
from facegen_core.weights.pickled_module import read_pickled_module

_INSIDE = ("state_dict", "model", "net", "params")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Named tensors of a file, on the CPU; no code of the file is run.

    Reads safetensors, a ``state_dict`` saved by torch, one inside a dictionary, and networks that were pickled whole.
    Names of a network that was trained in parallel lose their ``module.``.

    Raises:
        WeightsNotFoundError: the file is missing or damaged, or of another format; says which it seems to be.
    """
    if wrong := trouble(path):
        raise WeightsNotFoundError(f"{path}: {wrong}. Get it again, or name another file.")
    try:
        content: dict[str, Any] = load_file(path) if path.suffix == ".safetensors" else _read_torch(path)
    except Exception as error:  # damaged files raise errors of a dozen classes
        raise WeightsNotFoundError(f"{path}: {_what_it_is(path)}. Get it again, or name another file.") from error
    while not any(isinstance(value, Tensor) for value in content.values()):
        inner = next((content[key] for key in _INSIDE if isinstance(content.get(key), dict)), None)
        if inner is None:
            raise WeightsNotFoundError(f"{path}: a torch file without named tensors.")
        content = inner
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if all(name.startswith("module.") for name in tensors):
        tensors = {name.removeprefix("module."): value for name, value in tensors.items()}
    return tensors


def load_into(network: nn.Module, tensors: dict[str, Tensor], path: Path, wanted: str) -> None:
    """Loads tensors into a network that must have all of them and no others.

    Args:
        network: the network.
        tensors: named tensors.
        path: of their file, for the message.
        wanted: what the network is, for the message.

    Raises:
        WeightsNotFoundError: the file is of another network; says which it seems to be.
    """
    expected = network.state_dict()
    optional = {name for name in expected if name.endswith("num_batches_tracked")}  # added by torch 0.4.1
    missing = expected.keys() - tensors.keys() - optional
    foreign = tensors.keys() - expected.keys()
    other = [name for name in expected.keys() & tensors.keys() if expected[name].shape != tensors[name].shape]
    if missing or foreign or other:
        name = sorted(missing or foreign or other)[0]
        why = "is missing" if missing else "is of no use" if foreign else f"has shape {tuple(tensors[name].shape)}"
        raise WeightsNotFoundError(f"{path}: expected {wanted}, and it is {describe(tensors)}; {name!r} {why}.")
    network.load_state_dict(tensors, strict=False)


def is_torchscript(path: Path) -> bool:
    """Whether a file is a program with its tensors, as OpenAI's CLIP and FAN are handed out."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(member.endswith("/constants.pkl") for member in archive.namelist())


def _read_torch(path: Path) -> dict[str, Any]:
    if is_torchscript(path):
        raise ValueError("TorchScript")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:  # it names classes that are not tensors
        content = read_pickled_module(path)
    if not isinstance(content, dict):
        raise ValueError("no dictionary")
    return content


def _what_it_is(path: Path) -> str:
    if is_torchscript(path):
        return "a TorchScript archive, which is a program and not a file of tensors"
    if path.suffix == ".onnx":
        return "an ONNX network, not a file of tensors"
    return "damaged, or not a file of tensors"
