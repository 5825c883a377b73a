"""Which device a command computes on."""

from __future__ import annotations  # torch is imported late, so that mistakes in a configuration are answered at once

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch


def pick_device(accelerator: Literal["auto", "cpu", "gpu"] = "auto") -> torch.device:
    """A GPU where there is one, unless a run asks for the CPU.

    A run that was trained on a GPU can be measured and used without one: only training insists on what it was told,
    see ``experiments/trainer.py``.

    Args:
        accelerator: the run's ``trainer.accelerator``.
    """
    import torch

    return torch.device("cuda" if torch.cuda.is_available() and accelerator != "cpu" else "cpu")
