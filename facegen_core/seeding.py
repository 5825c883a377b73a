"""Randomness as a pure function of (seed, counter).

No generator state is ever saved: whatever is drawn at one place of a run is drawn from a key that names the place
(run seed, step, rank, sample), so a run stopped anywhere and resumed draws what the uninterrupted run would have drawn.
"""

import numpy as np
import torch


def derive(seed: int, *keys: int) -> int:
    """A seed for one place of a run.

    Args:
        seed: the run's seed, 0 or more.
        keys: non-negative integers that name the place, such as (stream, step, rank).

    Returns:
        A number in [0, 2**63), independent for different keys (numpy's ``SeedSequence``).
    """
    return int(np.random.SeedSequence((seed, *keys)).generate_state(1, np.uint64)[0] >> np.uint64(1))


def torch_generator(seed: int, *keys: int) -> torch.Generator:
    """A CPU generator for one place of a run; see :func:`derive`."""
    return torch.Generator().manual_seed(derive(seed, *keys))


def numpy_generator(seed: int, *keys: int) -> np.random.Generator:
    """A numpy generator for one place of a run; see :func:`derive`."""
    return np.random.default_rng(np.random.SeedSequence((seed, *keys)))
