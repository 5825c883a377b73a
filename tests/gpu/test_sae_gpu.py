"""What only a GPU shows: bf16-mixed and compiled training of the SAE through the command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.mark.parametrize("words", [["trainer.precision=bf16-mixed"], ["trainer.compile=true"]])
def test_sae_learns_on_gpu(tmp_path: Path, words: list[str]):
    command = [sys.executable, "-m", "experiments.cli", "train", "--quiet", "sae", "profile=smoke", "name=run",
               "trainer.accelerator=gpu", "trainer.max_steps=40", "trainer.val_every=20", "trainer.log_every=1",
               f"outputs={tmp_path}", "tracking.uri=", *words]  # fmt: skip
    subprocess.run(command, check=True, timeout=280)
    journal = (tmp_path / "face3d" / "sae" / "run" / "tracking" / "journal.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in journal]
    losses = [r["values"]["train/l1_mm"] for r in records if r["kind"] == "metrics" and "train/l1_mm" in r["values"]]
    assert len(losses) == 40
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
