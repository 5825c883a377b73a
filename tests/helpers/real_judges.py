"""Real networks, read by onnxruntime, and real photographs."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.images import read_image

FACE_API = ("neutral", "happy", "sad", "anger", "fear", "disgust", "surprise")


class MobileFaceNet:
    """Identity embeddings (B, 128)."""

    name = "MobileFaceNet"
    dim = 128

    def __init__(self, weights: Path) -> None:
        self.session = _session(weights / "identity_mobilefacenet_128.onnx")
        self.mean, self.std = (torch.tensor(x).view(3, 1, 1) for x in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))

    def __call__(self, pictures: Tensor) -> Tensor:
        return torch.cat([_run(self.session, x[None]) for x in (pictures - self.mean) / self.std])  # it takes one


class FaceApi:
    """Emotion logits (B, 8) of a network of seven: it does not know contempt."""

    name = "face-api expressions 7"

    def __init__(self, weights: Path) -> None:
        from facegen_core.emotions import EMOTIONS

        self.session = _session(weights / "emotion_faceapi_7.onnx")
        self.columns = torch.tensor([EMOTIONS.index(emotion) for emotion in FACE_API])

    def __call__(self, pictures: Tensor) -> Tensor:
        logits = torch.full((len(pictures), 8), -torch.inf)
        logits[:, self.columns] = _run(self.session, pictures * 255).log()  # its last layer is a softmax
        return logits


def london_faces(data: Path, people: int | None = None, side: int = 512) -> tuple[Tensor, Tensor]:
    """Photographs of people, neutral and smiling, (P, 3, side, side) each; of the first ``people`` or all."""
    sides = []
    for folder in ("neutral_front", "smiling_front"):
        paths = sorted((data / "london_faces" / folder).glob("*.jpg"))[:people]
        sides.append({path.name.split("_")[0]: F.adaptive_avg_pool2d(read_image(path), side) for path in paths})
    assert sides[0].keys() == sides[1].keys()
    neutral, smiling = (torch.stack(list(side.values())) for side in sides)
    return neutral, smiling


def _session(path: Path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _run(session, batch: Tensor) -> Tensor:
    (output,) = session.run(None, {session.get_inputs()[0].name: batch.numpy().astype(np.float32)})
    return torch.from_numpy(output)
