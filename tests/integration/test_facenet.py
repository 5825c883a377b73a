"""facenet-pytorch works with the locked torch, numpy and Pillow, though its own pins say otherwise."""

import importlib.metadata

import pytest
import torch
from facenet_pytorch import MTCNN, InceptionResnetV1
from packaging.requirements import Requirement
from PIL import Image


def test_pins_refuse_the_installed_torch():
    """The day they allow it, ``--no-deps`` and this file can go."""
    pins = {r.name: r.specifier for r in map(Requirement, importlib.metadata.requires("facenet-pytorch") or [])}
    assert importlib.metadata.version("torch").partition("+")[0] not in pins["torch"]


@pytest.mark.real
def test_shipped_detector_finds_the_face(real):
    path = sorted((real / "data/london_faces/neutral_front").glob("*.jpg"))[0]
    with Image.open(path) as image:
        picture = image.convert("RGB")
    boxes, confidence, points = MTCNN(device="cpu").detect(picture, landmarks=True)
    assert boxes.shape == (1, 4) and confidence[0] > 0.99
    left, top, right, bottom = boxes[0]
    width, height = picture.size
    assert left < width / 2 < right and top < height / 2 < bottom, "a frontal portrait: the face holds its middle"
    assert 0.1 < (right - left) / width < 0.9
    right_eye, left_eye, nose, *mouth = points[0]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(corner[1] for corner in mouth)


def test_recogniser_gives_unit_embeddings_of_512_numbers():
    torch.manual_seed(0)
    network = InceptionResnetV1(pretrained=None).eval()
    with torch.no_grad():
        embeddings = network(torch.randn(2, 3, 160, 160))
    assert embeddings.shape == (2, 512)
    assert torch.allclose(embeddings.norm(dim=1), torch.ones(2), atol=1e-5)
    assert (embeddings[0] - embeddings[1]).norm() > 1e-3, "other input, other embedding"
