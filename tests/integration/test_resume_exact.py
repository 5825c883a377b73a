"""A run killed anywhere and resumed is the run that was never killed, bit by bit."""

import random
from pathlib import Path

import pytest
import torch
from helpers.processes import differences, finish, kill_at_step, metrics, start_toy

CASES = [  # stage, processes, workers, accumulate: every value of each with every value of the stage
    ("toy_one", 1, 0, 2),
    ("toy_one", 2, 2, 1),
    ("toy_two", 1, 2, 1),
    ("toy_two", 2, 0, 2),
]


@pytest.mark.parametrize(("stage", "processes", "workers", "accumulate"), CASES)
def test_killed_run_resumes_bit_identical(tmp_path: Path, stage: str, processes: int, workers: int, accumulate: int):
    words = [f"trainer.devices={processes}", f"num_workers={workers}", f"trainer.accumulate={accumulate}", "name=run"]
    whole = start_toy(stage, tmp_path / "whole", *words)  # side by side with the other: most of it is starting
    cut_run = tmp_path / "cut" / "toys" / stage / "run"
    step = random.SystemRandom().randrange(1, 24)
    print("killed at step", step)
    kill_at_step(start_toy(stage, tmp_path / "cut", *words, "seconds_per_step=0.03"), cut_run, step)
    finish(start_toy(stage, tmp_path / "cut", "resume=last", "seconds_per_step=0"))
    finish(whole)

    whole_run = tmp_path / "whole" / "toys" / stage / "run"
    ends = [torch.load(run / "checkpoints" / "0000024.ckpt", weights_only=True) for run in (whole_run, cut_run)]
    parts = ("state_dict", "optimizer_states", "callbacks", "datamodule_hyper_parameters", "ToyData", "global_step")
    kept = [{key: end[key] for key in parts if key in end} for end in ends]
    assert "ema" in kept[0]["callbacks"]
    assert differences(*kept) == []
    assert metrics(whole_run) == metrics(cut_run)
    assert {step for key, step in metrics(whole_run) if key == "val/error"} == set(range(4, 25, 4))
