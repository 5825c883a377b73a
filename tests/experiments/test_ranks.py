"""Who is first, as each launcher says it."""

import pytest

from experiments.ranks import is_main_process, world_size

VARIABLES = ("RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_JOB_NAME")


@pytest.mark.parametrize(
    ("environment", "main", "size"),
    [
        ({}, True, 1),
        ({"LOCAL_RANK": "1", "WORLD_SIZE": "2"}, False, 2),  # started by Lightning
        ({"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "4"}, True, 4),  # torchrun, first machine
        ({"RANK": "2", "LOCAL_RANK": "0", "WORLD_SIZE": "4"}, False, 4),  # torchrun, second machine
        ({"SLURM_NTASKS": "8", "SLURM_PROCID": "0", "SLURM_JOB_NAME": "train"}, True, 8),
        ({"SLURM_NTASKS": "8", "SLURM_PROCID": "5", "SLURM_JOB_NAME": "train"}, False, 8),
        ({"SLURM_NTASKS": "8", "SLURM_PROCID": "0", "SLURM_JOB_NAME": "interactive"}, True, 1),
    ],
)
def test_first_process_and_how_many_there_are(monkeypatch, environment, main, size):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_main_process() is main
    assert world_size() == size
