"""Files of codes and the batches made of them."""

from pathlib import Path

import pytest
import torch

from datamodules.codes import SPLITS, CodeFile, CodesDataModule
from facegen_core.errors import CheckpointError
from facegen_core.types import CodeBatch


def code_file() -> CodeFile:
    generator = torch.Generator().manual_seed(0)

    def codes(count: int, first: int) -> CodeBatch:
        return CodeBatch(
            identity_code=torch.randn(count, 4, generator=generator),
            expression_code=torch.randn(count, 3, generator=generator),
            identity=torch.arange(first, first + count),
            expression=torch.arange(count) % 2,
        )

    return CodeFile(
        splits={split: codes(5, 10 * i) for i, split in enumerate(SPLITS)},
        people=torch.tensor([7, 9]),
        template=torch.randn(6, 3, generator=generator),
        faces=torch.tensor([[0, 1, 2], [3, 4, 5]]),
        uv=torch.rand(6, 2, generator=generator),
        faces_uv=torch.tensor([[0, 1, 2], [3, 4, 5]]),
        classifier_weight=torch.randn(2, 3, generator=generator),
        classifier_bias=torch.zeros(2),
        expression_names=["neutral", "smile"],
        made_from={"checkpoint": "abc"},
    )


def test_everything_comes_back_from_the_file(tmp_path: Path):
    saved = code_file()
    saved.save(tmp_path / "codes.safetensors")
    read = CodeFile.load(tmp_path / "codes.safetensors")
    assert read.expression_names == saved.expression_names and read.made_from == saved.made_from
    for name in ("people", "template", "faces", "uv", "faces_uv", "classifier_weight", "classifier_bias"):
        assert torch.equal(getattr(read, name), getattr(saved, name)), name
    for split in SPLITS:
        assert all(torch.equal(read.splits[split][key], value) for key, value in saved.splits[split].items())


@pytest.mark.parametrize("content", [None, b"", b"no tensors here"])
def test_file_that_holds_no_codes_is_refused_by_name(tmp_path: Path, content: bytes | None):
    path = tmp_path / "codes.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"codes\.safetensors: not a file of codes .* Remove it"):
        CodeFile.load(path)


def test_codes_and_labels_stay_together_in_batches(tmp_path: Path):
    saved = code_file()
    saved.save(tmp_path / "codes.safetensors")
    datamodule = CodesDataModule(tmp_path / "codes.safetensors", 3, 0)
    datamodule.setup("fit")
    whole = saved.splits["train"]
    stream = iter(datamodule.train_dataloader())
    for _ in range(4):
        batch = next(stream)
        rows = batch["identity"]  # labels of the training split are its rows
        assert len(rows) == 3
        assert all(torch.equal(batch[key], whole[key][rows]) for key in whole)


def test_digest_changes_with_the_codes(tmp_path: Path):
    def digest(file: CodeFile) -> str:
        file.save(tmp_path / "codes.safetensors")
        datamodule = CodesDataModule(tmp_path / "codes.safetensors", 3, 0)
        datamodule.setup("fit")
        return datamodule.digest()

    changed = code_file()
    changed.splits["train"]["expression"][0] = 1
    assert digest(code_file()) == digest(code_file()) != digest(changed)
