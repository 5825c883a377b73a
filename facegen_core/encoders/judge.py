"""The embedded judges as encoders: small networks that ship with facegen, trained on embedded people alone."""

from pathlib import Path

from torch import Tensor, nn

from facegen_core.emotions import EMOTIONS
from facegen_core.encoders.base import Preprocessing, TorchEncoder
from facegen_core.methods.face_judge.files import load_judge
from facegen_core.methods.face_judge.framing import EMOTION_CROP, IDENTITY_WINDOW

RAW = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
"""The judges standardise each picture themselves."""


class _Logits(nn.Module):
    def __init__(self, judge: nn.Module) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.judge(pictures).logits
        return logits


def identity_judge(path: Path) -> TorchEncoder:
    """Who it is: embeddings of length 1.

    Raises:
        WeightsNotFoundError: the file is missing, damaged, or another network's.
    """
    judge = load_judge(path, "identity")
    preprocessing = Preprocessing(IDENTITY_WINDOW.pixels, RAW["mean"], RAW["std"])
    return TorchEncoder("embedded identity judge", judge.network, judge.dim, preprocessing)


def emotion_judge(path: Path) -> TorchEncoder:
    """Logits (B, 8) of AffectNet's emotions.

    Raises:
        WeightsNotFoundError: the file is missing, damaged, or another network's.
    """
    judge = load_judge(path, "emotion")
    preprocessing = Preprocessing(EMOTION_CROP, RAW["mean"], RAW["std"])
    return TorchEncoder("embedded emotion judge", _Logits(judge.network), len(EMOTIONS), preprocessing)
