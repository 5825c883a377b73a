"""Endless, seeded order of samples whose position is one integer."""

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler

from facegen_core.seeding import derive, torch_generator

_ORDER, _SAMPLE = 0, 1


class EndlessSampler(Sampler[tuple[int, int]]):
    """Yields ``(index, sample_seed)`` for ever, one shuffled pass over the data after another.

    All processes read one stream: process r of w takes places r, r + w, r + 2w, ... so the samples of a global batch
    do not depend on how many processes share it. The sample seed belongs to the place in the stream, so augmentation
    is the same whichever worker draws it.

    Args:
        size: number of samples in the data set.
        seed: the run's seed.
        start: samples of the stream already used by all processes together (a resumed run).
        rank: this process's number.
        world_size: number of processes.
    """

    def __init__(self, size: int, seed: int, start: int = 0, rank: int = 0, world_size: int = 1) -> None:
        if size < 1:
            raise ValueError("a sampler needs at least one sample")
        self.size, self.seed, self.start, self.rank, self.world_size = size, seed, start, rank, world_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, order = -1, []
        place = self.start + self.rank
        while True:
            wanted, offset = divmod(place, self.size)
            if wanted != epoch:
                epoch = wanted
                order = torch.randperm(self.size, generator=torch_generator(self.seed, _ORDER, epoch)).tolist()
            yield order[offset], derive(self.seed, _SAMPLE, place)
            place += self.world_size


class ShardSampler(Sampler[tuple[int, int]]):
    """Every sample once, in order, split over processes without padding: rank r takes r, r + w, ...

    A padded sampler repeats samples to make shares equal, which changes metrics; shares here may differ by one sample,
    so nothing that evaluates may synchronise between batches.
    """

    def __init__(self, size: int, seed: int, rank: int = 0, world_size: int = 1) -> None:
        self.size, self.seed, self.rank, self.world_size = size, seed, rank, world_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for index in range(self.rank, self.size, self.world_size):
            yield index, derive(self.seed, _SAMPLE, index)

    def __len__(self) -> int:
        return len(range(self.rank, self.size, self.world_size))
