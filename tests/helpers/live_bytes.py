"""How much memory tensors take while something is computed, counted and not guessed from the process's size."""

from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter


class LiveBytes(TorchDispatchMode):
    """Adds up the storages that operations made under it and that are still held, by whoever.

    Args:
        every: operations between two counts.

    Attributes:
        peak: the most that was counted at once.
    """

    def __init__(self, every: int = 50) -> None:
        super().__init__()
        self.every, self.operations, self.peak = every, 0, 0
        self._held: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in tree_iter(result):
            if isinstance(value, torch.Tensor):
                storage = value.untyped_storage()
                reference = StorageWeakRef(storage)
                self._held.setdefault(reference.cdata, (reference, storage.nbytes()))
        self.operations += 1
        if self.operations % self.every == 0:
            self.peak = max(self.peak, self.now())
        return result

    def now(self) -> int:
        """What is held."""
        self._held = {key: pair for key, pair in self._held.items() if not pair[0].expired()}
        return sum(size for _, size in self._held.values())
