"""The grid of times against the numbers of the released code."""

import pytest

from facegen_core.diffusion.timesteps import strided_steps
from facegen_core.errors import ConfigError

WRITTEN_OUT = {
    (500, 6): [1, 100, 200, 300, 400, 500],
    (500, 20): [1, 26, 52, 78, 105, 131, 157, 184, 210, 236, 263, 289, 315, 342, 368, 394, 421, 447, 473, 500],
    (500, 40): [1, 12, 25, 38, 51, 64, 76, 89, 102, 115, 128, 141, 153, 166, 179, 192, 205, 217, 230, 243, 256, 269,
                282, 294, 307, 320, 333, 346, 358, 371, 384, 397, 410, 423, 435, 448, 461, 474, 487, 500],
}  # fmt: skip
ENDS = {
    (400, 40): ([1, 10, 20, 30, 41, 51], [379, 389, 400]),
    (600, 40): ([1, 15, 30, 46, 61, 76], [569, 584, 600]),
    (500, 80): ([1, 6, 12, 18, 25, 31], [487, 493, 500]),
}


@pytest.mark.parametrize(("last", "count"), WRITTEN_OUT)
def test_grid_of_the_released_code(last, count):
    assert strided_steps(last, count) == WRITTEN_OUT[last, count]


@pytest.mark.parametrize(("last", "count"), ENDS)
def test_ends_of_longer_grids(last, count):
    steps = strided_steps(last, count)
    assert len(steps) == count and (steps[:6], steps[-3:]) == ENDS[last, count]


def test_every_grid_that_is_given_ascends_from_1_to_the_last_time():
    for last in range(2, 120):
        for count in range(2, last // 2 + 2):
            steps = strided_steps(last, count)
            assert steps == sorted(set(steps)) and (len(steps), steps[0], steps[-1]) == (count, 1, last)


def test_one_step_goes_all_the_way():
    assert strided_steps(500, 1) == [500]


def test_steps_that_coincide_are_refused_with_the_most_there_can_be():
    with pytest.raises(ConfigError, match="40 steps up to time 77 coincide: take at most 39 steps"):
        strided_steps(77, 40)
    assert len(strided_steps(78, 40)) == 40


@pytest.mark.parametrize(("last", "count"), [(0, 1), (-5, 3), (500, 0), (500, -1)])
def test_no_time_and_no_step_are_refused(last, count):
    with pytest.raises(ConfigError, match="both must be 1 or more"):
        strided_steps(last, count)
