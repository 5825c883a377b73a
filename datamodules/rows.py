"""What data sets of cached rows have in common."""

from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.utils.data import Dataset


class RowDataset(Dataset[Any]):
    """Labelled rows of a cache.

    Args:
        cache: (M, ...), the cache's memory map.
        rows: (N,) the rows that belong to this split.
        identity: (N,) labels.
        expression: (N,) class labels, or (N, A) action units.
    """

    def __init__(
        self, cache: npt.NDArray[Any], rows: npt.NDArray[np.int64], identity: Tensor, expression: Tensor
    ) -> None:
        self.cache, self.rows, self.identity, self.expression = cache, rows, identity, expression

    def __len__(self) -> int:
        return len(self.rows)

    def __getstate__(self) -> dict[str, Any]:
        """What loader processes are handed: a memory map by its file, because numpy would send its whole content."""
        state = self.__dict__.copy()
        if isinstance(self.cache, np.memmap):
            state["cache"] = (self.cache.filename, self.cache.dtype, self.cache.shape)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if isinstance(self.cache, tuple):
            path, dtype, shape = self.cache
            self.cache = np.memmap(path, dtype, "r", shape=shape)
