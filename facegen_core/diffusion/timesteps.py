"""Which times of the diffusion a sampler stops at."""

from facegen_core.errors import ConfigError


def strided_steps(last: int, count: int) -> list[int]:
    """``count`` times evenly from 0 to ``last``, rounded down, the first of them made 1.

    ``floor(linspace(0, 1, count) * last)`` as the released code of EmotionLDM and DiffusionCLIP has it, in whole
    numbers, so that no rounding of ``linspace`` moves a time by one. diffusers strides the whole schedule instead and
    cannot end at ``last``. One time alone is ``last``.

    Args:
        last: the noisiest time, 1 or more.
        count: 1 or more.

    Returns:
        Times, ascending, all different.

    Raises:
        ConfigError: times would coincide.
    """
    if last < 1 or count < 1:
        raise ConfigError(f"{count} steps up to time {last}: both must be 1 or more.")
    if count == 1:
        return [last]
    steps = [1, *(i * last // (count - 1) for i in range(1, count))]
    if steps[1] <= 1:
        raise ConfigError(
            f"{count} steps up to time {last} coincide: take at most {last // 2 + 1} steps, or a later time."
        )
    return steps
