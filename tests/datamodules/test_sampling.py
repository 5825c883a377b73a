"""The order of samples: complete, shared out without loss, and able to go on from any place."""

from itertools import islice

import pytest

from datamodules.sampling import EndlessSampler, ShardSampler


def _take(count: int, size: int = 10, seed: int = 3, start: int = 0, rank: int = 0, world_size: int = 1):
    return list(islice(EndlessSampler(size, seed, start, rank, world_size), count))


def test_every_pass_takes_every_sample_once():
    stream = [index for index, _ in _take(40)]
    for epoch in range(4):
        assert sorted(stream[10 * epoch : 10 * (epoch + 1)]) == list(range(10))


def test_passes_are_shuffled_anew():
    stream = [index for index, _ in _take(80, size=40)]
    assert stream[:40] != stream[40:]
    assert stream[:40] != list(range(40))


def test_every_place_has_a_seed_of_its_own():
    """The same sample is augmented anew in every pass."""
    seeds = [seed for _, seed in _take(1000)]
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_run_seed_decides_order_and_sample_seeds():
    assert _take(25) == _take(25)
    other = _take(25, seed=4)
    assert [index for index, _ in _take(25)] != [index for index, _ in other]
    assert {seed for _, seed in _take(25)}.isdisjoint(seed for _, seed in other)


@pytest.mark.parametrize("world_size", [2, 3, 4, 7])
def test_processes_together_take_the_stream_of_one(world_size):
    """Place by place, also where a pass ends in the middle of a round."""
    shares = [_take(20, rank=rank, world_size=world_size) for rank in range(world_size)]
    together = [shares[place % world_size][place // world_size] for place in range(20 * world_size)]
    assert together == _take(20 * world_size)


@pytest.mark.parametrize("start", [1, 9, 10, 11, 24])
def test_start_continues_the_stream(start):
    assert _take(15, start=start) == _take(start + 15)[start:]


def test_run_may_go_on_with_another_number_of_processes():
    """24 samples taken by two processes, the next 12 by three."""
    before = [_take(12, rank=rank, world_size=2) for rank in range(2)]
    after = [_take(4, start=24, rank=rank, world_size=3) for rank in range(3)]
    stream = [sample for pair in zip(*before, strict=True) for sample in pair]
    stream += [sample for three in zip(*after, strict=True) for sample in three]
    assert stream == _take(36)


def test_two_iterators_of_one_sampler_do_not_disturb_each_other():
    sampler = EndlessSampler(10, seed=3)
    one, two = iter(sampler), iter(sampler)
    pairs = [(next(one), next(two)) for _ in range(25)]
    assert all(left == right for left, right in pairs)


def test_one_sample_is_enough():
    assert [index for index, _ in _take(5, size=1)] == [0] * 5


def test_no_sample_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        EndlessSampler(0, seed=0)


@pytest.mark.parametrize("world_size", [1, 2, 3, 5, 12])
def test_shards_hold_every_sample_once_in_order(world_size):
    shards = [[index for index, _ in ShardSampler(10, 0, rank, world_size)] for rank in range(world_size)]
    assert sorted(index for shard in shards for index in shard) == list(range(10))
    assert all(shard == sorted(shard) for shard in shards)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize("rank", range(4))
def test_length_of_a_shard_is_what_it_yields(rank):
    shard = ShardSampler(10, 0, rank, 4)
    assert len(shard) == len(list(shard))


def test_sample_seed_does_not_depend_on_the_number_of_processes():
    alone = dict(iter(ShardSampler(10, seed=5)))
    shared = dict(sample for rank in range(3) for sample in ShardSampler(10, 5, rank, 3))
    assert alone == shared
    assert len(set(alone.values())) == 10
