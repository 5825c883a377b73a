"""Real networks on real photographs: faces found by MTCNN, networks read by onnxruntime."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage.transform import SimilarityTransform
from torch import Tensor

from facegen_core.images import from_uint8, read_image
from facegen_core.metrics.judges import Faces

SIDE = 112
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""ArcFace's five points at 112 px: eyes, nose, corners of the mouth."""
FACE_API = ("neutral", "happy", "sad", "anger", "fear", "disgust", "surprise")
SHRUNK = 256
"""Photographs are brought to this side for the detector, which looks at faces of 60 px and more."""


class FivePoints:
    """Crops by a similarity from MTCNN's five points to ArcFace's template."""

    name = "MTCNN, five points to ArcFace's template, 112"

    def __init__(self) -> None:
        from facenet_pytorch import MTCNN

        self.detector = MTCNN(min_face_size=60, select_largest=True)

    def __call__(self, pictures: Tensor) -> Faces:
        crops = [self._crop(picture) for picture in pictures]
        found = torch.tensor([crop is not None for crop in crops])
        kept = [crop for crop in crops if crop is not None]
        return Faces(torch.stack(kept) if kept else pictures.new_empty(0, 3, SIDE, SIDE), found)

    def _detect(self, image: Image.Image) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Box (4,) and points (5, 2) of the largest face, in the picture's pixels."""
        scale = image.width / SHRUNK
        boxes, _, points = self.detector.detect(image.resize((SHRUNK, round(image.height / scale))), landmarks=True)
        if boxes is None:
            return None, None
        return tuple(np.asarray(x[0], np.float64) * scale for x in (boxes, points))

    def _crop(self, picture: Tensor) -> Tensor | None:
        image = _image(picture)
        points = self._detect(image)[1]
        if points is None:
            return None
        to_picture = SimilarityTransform.from_estimate(TEMPLATE, points).params
        crop = image.transform((SIDE, SIDE), Image.AFFINE, to_picture[:2].ravel().tolist(), Image.BICUBIC)
        return from_uint8(np.asarray(crop))


class FaceBox(FivePoints):
    """Crops MTCNN's box, made square."""

    name = "MTCNN, square box, 112"

    def _crop(self, picture: Tensor) -> Tensor | None:
        image = _image(picture)
        box = self._detect(image)[0]
        if box is None:
            return None
        centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max() / 2
        corners = (*(centre - half), *(centre + half))
        return from_uint8(np.asarray(image.resize((SIDE, SIDE), Image.BILINEAR, box=_inside(corners, image.size))))


class MobileFaceNet:
    """Identity embeddings (B, 128)."""

    name = "MobileFaceNet 128"

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


def london_faces(data: Path, people: int | None = None) -> tuple[Tensor, Tensor]:
    """Photographs of people, neutral and smiling, (P, 3, 512, 512) each; of the first ``people`` or all."""
    sides = []
    for folder in ("neutral_front", "smiling_front"):
        paths = sorted((data / "london_faces" / folder).glob("*.jpg"))[:people]
        sides.append({path.name.split("_")[0]: read_image(path) for path in paths})
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


def _image(picture: Tensor) -> Image.Image:
    return Image.fromarray((picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy())


def _inside(corners: tuple[float, ...], size: tuple[int, int]) -> tuple[float, ...]:
    limits = (*size, *size)
    return tuple(min(max(0.0, float(c)), float(limit)) for c, limit in zip(corners, limits, strict=True))
