"""Real photographs, and the real networks that judge them."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.encoders.base import Encoder
from facegen_core.encoders.detector import Face, find_faces
from facegen_core.encoders.emotion import emotion_encoder
from facegen_core.encoders.identity import identity_encoder
from facegen_core.images import read_image

AT_A_TIME = 12


def recogniser(real: Path) -> Encoder:
    """MobileFaceNet, trained on real faces."""
    return identity_encoder(_weights(real, "identity_mobilefacenet_128.onnx"))


def classifier(real: Path) -> Encoder:
    """Face-api's expressions, which know no contempt."""
    return emotion_encoder(_weights(real, "emotion_faceapi_7.onnx"))


def london_faces(data: Path, people: int | None = None, every: int = 1, side: int = 512) -> tuple[Tensor, Tensor]:
    """Photographs of people, neutral and smiling, (P, 3, side, side) each; of the first ``people``, every so many."""
    folders = [data / "london_faces" / name for name in ("neutral_front", "smiling_front")]
    if not all(folder.is_dir() for folder in folders):
        pytest.skip("no photographs: data/london_faces is missing")
    paths = [sorted(folder.glob("*.jpg"))[:people:every] for folder in folders]
    assert [path.name[:3] for path in paths[0]] == [path.name[:3] for path in paths[1]]
    neutral, smiling = (torch.stack([F.adaptive_avg_pool2d(read_image(path), side) for path in some]) for some in paths)
    return neutral, smiling


def only_faces(photographs: Tensor) -> list[Face]:
    """The face of each photograph, which has just one."""
    found = [faces for some in photographs.split(AT_A_TIME) for faces in find_faces(some)]
    assert all(len(faces) == 1 for faces in found), "one face in every photograph"
    return [faces[0] for faces in found]


def _weights(real: Path, file: str) -> str:
    path = real / "weights" / file
    if not path.is_file():
        pytest.skip(f"no real network: weights/{file}")
    return str(path)
