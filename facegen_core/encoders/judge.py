"""The embedded judges as encoders: small networks that ship with facegen, trained on embedded people alone."""

from pathlib import Path

from torch import Tensor, nn

from facegen_core.emotions import EMOTIONS
from facegen_core.encoders.base import Preprocessing, TorchEncoder
from facegen_core.files import file_digest
from facegen_core.methods.face_judge.files import load_judge
from facegen_core.methods.face_judge.framing import EMOTION_CROP, IDENTITY_WINDOW
from facegen_core.methods.face_judge.networks import EmotionJudge

MEAN, STD = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
"""The judges standardise each picture themselves."""


class _Logits(nn.Module):
    def __init__(self, judge: nn.Module) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.judge(pictures).logits
        return logits


class _Features(nn.Module):
    def __init__(self, judge: EmotionJudge) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, pictures: Tensor) -> Tensor:
        return self.judge.features(pictures)


def identity_judge(path: Path) -> TorchEncoder:
    """Who it is: embeddings of length 1.

    Raises:
        WeightsNotFoundError: the file is missing, damaged, or another network's.
    """
    judge = load_judge(path, "identity")
    preprocessing = Preprocessing(IDENTITY_WINDOW.pixels, MEAN, STD)
    return TorchEncoder(_name(path, "identity"), judge.network, judge.dim, preprocessing)


def emotion_judge(path: Path) -> TorchEncoder:
    """Logits (B, 8) of AffectNet's emotions.

    Raises:
        WeightsNotFoundError: the file is missing, damaged, or another network's.
    """
    judge = load_judge(path, "emotion")
    preprocessing = Preprocessing(EMOTION_CROP, MEAN, STD)
    return TorchEncoder(_name(path, "emotion"), _Logits(judge.network), len(EMOTIONS), preprocessing)


def expression_judge(path: Path) -> TorchEncoder:
    """Features of an expression, before the emotion judge's last layer: their mean over the face.

    Raises:
        WeightsNotFoundError: the file is missing, damaged, or another network's.
    """
    judge = load_judge(path, "emotion")
    assert isinstance(judge.network, EmotionJudge)
    preprocessing = Preprocessing(EMOTION_CROP, MEAN, STD)
    features = judge.network.read.in_features
    return TorchEncoder(f"{_name(path, 'emotion')} features", _Features(judge.network), features, preprocessing)


def _name(path: Path, kind: str) -> str:
    """With the digest: figures by judges of two versions do not compare."""
    return f"embedded {kind} judge {file_digest(path)[:8]}"
