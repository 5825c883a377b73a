import sys

import pytest
import torch

from experiments.memory import forget_peak_memory, peak_memory_gib


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can begin anew")
def test_peak_is_that_of_the_work_since_the_last_call():
    forget_peak_memory()
    before = peak_memory_gib()
    large = torch.ones(1 << 27)  # half a GiB
    assert peak_memory_gib() - before == pytest.approx(0.5, abs=0.1)
    del large
    forget_peak_memory()
    assert peak_memory_gib() == pytest.approx(before, abs=0.1)
