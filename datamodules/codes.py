"""Codes of meshes: what the SAE made of a data set, and what the shape GAN is trained on [C]."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor
from torch.utils.data import Dataset

from datamodules.base import FaceDataModule
from facegen_core.errors import CheckpointError
from facegen_core.files import atomic_path
from facegen_core.types import CodeBatch

SPLITS = ("train", "val", "test")


@dataclass
class CodeFile:
    """All that later stages need of a data set and the SAE trained on it; the meshes themselves are not needed again.

    Attributes:
        splits: split -> codes and labels of its meshes.
        people: (I,) int64, numbers of the people trained on, in the order of their labels.
        template: (V, 3) float32, mm.
        faces: (F, 3) int64.
        uv: (T, 2) float32.
        faces_uv: (F, 3) int64.
        classifier_weight: (E, expression_dim), the SAE's linear classifier of expressions.
        classifier_bias: (E,).
        expression_names: names of the E expressions or action units.
        made_from: what it was made from, such as the checkpoint's digest.
    """

    splits: dict[str, CodeBatch]
    people: Tensor
    template: Tensor
    faces: Tensor
    uv: Tensor
    faces_uv: Tensor
    classifier_weight: Tensor
    classifier_bias: Tensor
    expression_names: list[str]
    made_from: dict[str, str]

    _TENSORS = ("people", "template", "faces", "uv", "faces_uv", "classifier_weight", "classifier_bias")

    def save(self, path: Path) -> None:
        """Writes everything as one safetensors file."""
        tensors = {name: getattr(self, name) for name in self._TENSORS}
        tensors |= {f"{split}.{key}": value for split, batch in self.splits.items() for key, value in batch.items()}
        notes = {"expression_names": json.dumps(self.expression_names), "made_from": json.dumps(self.made_from)}
        with atomic_path(path) as temporary:
            safetensors.torch.save_file({k: v.contiguous() for k, v in tensors.items()}, temporary, notes)

    def digest(self) -> str:
        """Names the content. The file's own bytes do not: safetensors writes notes in any order."""
        content = hashlib.sha256(str(self.expression_names).encode() + self.people.numpy().tobytes())
        for split in SPLITS:
            for value in self.splits[split].values():
                content.update(cast(Tensor, value).contiguous().numpy().tobytes())
        return content.hexdigest()

    @classmethod
    def load(cls, path: Path) -> "CodeFile":
        """Reads a file written by :meth:`save`.

        Raises:
            CheckpointError: it is missing or not such a file.
        """
        try:
            with safetensors.safe_open(path, "pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                notes = {key: json.loads(value) for key, value in file.metadata().items()}
            keys = CodeBatch.__annotations__
            splits = {split: cast(CodeBatch, {key: tensors[f"{split}.{key}"] for key in keys}) for split in SPLITS}
            return cls(splits=splits, **{name: tensors[name] for name in cls._TENSORS}, **notes)
        except (OSError, SafetensorError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(f"{path}: not a file of codes ({error}). Remove it; it is made again.") from None


class CodeDataset(Dataset[Any]):
    """Codes of one split."""

    def __init__(self, codes: CodeBatch) -> None:
        self.codes = codes

    def __len__(self) -> int:
        return len(self.codes["identity"])

    def __getitems__(self, places: list[tuple[int, int]]) -> CodeBatch:
        """One batch; the sample seeds are not used, since nothing is augmented."""
        chosen = [index for index, _ in places]
        return cast(CodeBatch, {key: cast(Tensor, value)[chosen] for key, value in self.codes.items()})


class CodesDataModule(FaceDataModule):
    """Codes of a data set, split as the SAE had it.

    Args:
        path: see :class:`CodeFile`.
        batch_size: samples a process takes at a time.
        seed: the run's seed.
    """

    def __init__(self, path: Path, batch_size: int, seed: int) -> None:
        super().__init__(batch_size, seed)
        self.path = path

    def setup(self, stage: str) -> None:
        if not self.datasets:
            self.file = CodeFile.load(self.path)
            self.datasets = {split: CodeDataset(codes) for split, codes in self.file.splits.items()}
            self._digest = self.file.digest()

    def digest(self) -> str:
        return self._digest
