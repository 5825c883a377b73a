"""How much memory a piece of work held at most."""

import contextlib
import resource
import sys
from pathlib import Path


def forget_peak_memory() -> None:
    """Begins the measurement anew, so that one run of several in a process is told its own peak (Linux and GPUs)."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # sets the peak of resident memory to what is held now


def peak_memory_gib() -> float:
    """Most memory held since :func:`forget_peak_memory`: the GPU's if one was used, else this process's.

    Pages of memory-mapped files that were read count as well.
    """
    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated() / 2**30
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
