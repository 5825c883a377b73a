"""Real networks on real photographs: faces found by MTCNN, networks read by onnxruntime."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from skimage.transform import SimilarityTransform
from torch import Tensor

from facegen_core.images import from_uint8, read_image
from facegen_core.types import Faces

SIDE = 112
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""ArcFace's five points at 112 px: eyes, nose, corners of the mouth."""
FACE_API = ("neutral", "happy", "sad", "anger", "fear", "disgust", "surprise")
SHRUNK = 256
"""Photographs are brought to this side for the detector, which looks at faces of 60 px and more."""


class Found(NamedTuple):
    """The largest face of a picture, in its pixels."""

    box: np.ndarray
    points: np.ndarray


def detect(pictures: Tensor) -> list[Found | None]:
    """By MTCNN, whose weights ship in facenet-pytorch's wheel."""
    from facenet_pytorch import MTCNN

    detector, found = MTCNN(min_face_size=60, select_largest=True), []
    for image in map(_image, pictures):
        scale = image.width / SHRUNK
        boxes, _, points = detector.detect(image.resize((SHRUNK, round(image.height / scale))), landmarks=True)
        first = None if boxes is None else (np.asarray(x[0], np.float64) * scale for x in (boxes, points))
        found.append(None if first is None else Found(*first))
    return found


def crop_points(picture: Tensor, face: Found) -> Tensor:
    """By a similarity from the five points to ArcFace's template."""
    to_picture = SimilarityTransform.from_estimate(TEMPLATE, face.points).params
    crop = _image(picture).transform((SIDE, SIDE), Image.AFFINE, to_picture[:2].ravel().tolist(), Image.BICUBIC)
    return from_uint8(np.asarray(crop))


def crop_box(picture: Tensor, face: Found) -> Tensor:
    """The box made square, within the picture."""
    image = _image(picture)
    centre, half = (face.box[:2] + face.box[2:]) / 2, (face.box[2:] - face.box[:2]).max() / 2
    corners = np.concatenate([centre - half, centre + half]).clip(0, [*image.size, *image.size])
    return from_uint8(np.asarray(image.resize((SIDE, SIDE), Image.BILINEAR, box=tuple(corners.tolist()))))


class FivePoints:
    """Finds faces and crops them for :class:`MobileFaceNet`."""

    name = "MTCNN, five points to ArcFace's template, 112"

    def __call__(self, pictures: Tensor) -> Faces:
        found = detect(pictures)
        crops = [crop_points(picture, face) for picture, face in zip(pictures, found, strict=True) if face is not None]
        flags = torch.tensor([face is not None for face in found])
        return Faces(torch.stack(crops) if crops else pictures.new_empty(0, 3, SIDE, SIDE), flags)


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
