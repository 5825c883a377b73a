"""Reads the tensors of a network that was pickled whole, without running any of its code.

``torch.save(network)`` writes a pickle that names classes and functions of whatever library the network was made of;
loading it the usual way imports and runs them. Here every name that is not needed to rebuild a tensor becomes an object
that only remembers what it was given.
"""

import collections
import pickle
import types
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

# What torch itself calls to rebuild tensors, storages apart; none of them imports or runs anything a file names.
_TENSORS: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor"): torch._utils._rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
    ("torch", "Size"): torch.Size,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
}
_CONTAINERS = ("_parameters", "_buffers", "_modules")


class Recorded:
    """Stands for an object of a class that is not loaded; keeps its state and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> "Recorded":
        """Takes whatever the pickle passes to the class or function this stands for."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.state: dict[str, Any] = {}

    def __call__(self, *_: Any, **__: Any) -> "Recorded":
        """Stands for what a method of an object would give, which the pickle may name too."""
        return self

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}

    def __setitem__(self, _: Any, __: Any) -> None: ...  # dictionaries, lists and sets of a foreign class

    def append(self, _: Any) -> None: ...

    def extend(self, _: Any) -> None: ...

    def add(self, _: Any) -> None: ...


def read_pickled_module(path: Path) -> dict[str, Tensor]:
    """Tensors of a network saved whole, named as its ``state_dict`` would name them.

    Args:
        path: a file ``torch.save`` wrote, of any version of torch.

    Raises:
        pickle.UnpicklingError: it holds no network.
    """
    network = torch.load(path, map_location="cpu", pickle_module=_READER, weights_only=False)
    if isinstance(network, dict):  # networks are often saved beside other things
        network = next((network[key] for key in ("model", "state_dict", "net") if key in network), network)
    tensors = dict(_tensors(network, ""))
    if not tensors:
        raise pickle.UnpicklingError("it holds no network")
    return tensors


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        known = _TENSORS.get((module, name))
        if isinstance(known, types.FunctionType):
            return lambda *given: known(*given)  # a new one: a pickle can set attributes of what it is given
        if known is not None:
            return known
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return getattr(torch, name)
        return type(name.rpartition(".")[2], (Recorded,), {"__module__": module})


def _load(file: Any, **settings: Any) -> Any:
    return _Unpickler(file, **settings).load()


# What torch.load is given in place of the module `pickle`.
_READER = types.ModuleType("reader_of_tensors")
vars(_READER).update(Unpickler=_Unpickler, load=_load, UnpicklingError=pickle.UnpicklingError)


def _tensors(part: Any, prefix: str) -> list[tuple[str, Tensor]]:
    """Parameters and buffers of a recorded network, and of the networks in it."""
    if isinstance(part, dict):
        return [(f"{prefix}{key}", value) for key, value in part.items() if isinstance(value, Tensor)]
    if not isinstance(part, Recorded) or not isinstance(part.state, dict):
        return []
    parameters, buffers, children = (part.state.get(name) or {} for name in _CONTAINERS)
    left_out = part.state.get("_non_persistent_buffers_set") or ()
    found = [(f"{prefix}{key}", value) for key, value in parameters.items() if isinstance(value, Tensor)]
    found += [(f"{prefix}{key}", value) for key, value in buffers.items()
              if isinstance(value, Tensor) and key not in left_out]  # fmt: skip
    for name, child in children.items():
        found += _tensors(child, f"{prefix}{name}.")
    return found
