"""Where commands compute."""

import pytest
import torch

from experiments.device import pick_device


@pytest.mark.parametrize(
    ("accelerator", "with_gpu", "without"),
    [("auto", "cuda", "cpu"), ("gpu", "cuda", "cpu"), ("cpu", "cpu", "cpu")],
)
def test_gpu_is_taken_where_there_is_one_unless_the_cpu_is_asked_for(monkeypatch, accelerator, with_gpu, without):
    for there, expected in ((True, with_gpu), (False, without)):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert pick_device(accelerator).type == expected
