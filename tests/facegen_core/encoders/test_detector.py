"""Pictures without faces, the choice among several, and what is said where one is needed."""

import pytest
import torch
from PIL import Image

from facegen_core.encoders import detector
from facegen_core.encoders.detector import Face, by_index, chosen, find_faces, find_in_photograph, need_face
from facegen_core.errors import NoFaceError


def face(side: float, confidence: float = 1.0) -> Face:
    return Face(torch.tensor([0.0, 0.0, side, side]), confidence, torch.rand(5, 2) * side)


@pytest.mark.parametrize("shape", [(0, 3, 64, 64), (2, 3, 12, 90), (2, 3, 64, 80), (1, 3, 21, 300)])
def test_pictures_without_a_face_give_empty_lists(shape):
    assert find_faces(torch.full(shape, 0.5)) == [[] for _ in range(shape[0])]
    assert find_faces(torch.rand(shape, generator=torch.Generator().manual_seed(0))) == [[] for _ in range(shape[0])]


def test_picture_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="need pictures"):
        find_faces(torch.zeros(3, 64, 64))


@pytest.mark.parametrize(
    "error",
    [RuntimeError("torch.cat(): expected a non-empty list of Tensors"), IndexError("The shape of the mask [1]")],
)
def test_what_the_detector_cannot_take_costs_no_other_picture_its_face(monkeypatch, error):
    import facenet_pytorch.models.utils.detect_face as module
    import numpy as np

    def detect(pixels, *_):
        if (pixels.amax((1, 2, 3)) == 0).any():
            raise error
        box = np.array([[1, 2, 30, 40, 0.99], [0, 0, 50, 60, 0.95], [0, 0, 9, 9, 0.5]])
        return [box] * len(pixels), [np.zeros((3, 5, 2))] * len(pixels)

    monkeypatch.setattr(module, "detect_face", detect)
    pictures = torch.stack([torch.zeros(3, 64, 64), torch.ones(3, 64, 64)])
    none, two = find_faces(pictures)
    assert none == []
    assert [round(found.confidence, 2) for found in two] == [0.95, 0.99], "largest first, the doubtful one left out"
    assert len(find_faces(pictures, least_confidence=0.4)[1]) == 3


def test_other_errors_of_the_detector_are_not_hidden(monkeypatch):
    import facenet_pytorch.models.utils.detect_face as module

    def detect(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(module, "detect_face", detect)
    with pytest.raises(RuntimeError, match="out of memory"):
        find_faces(torch.zeros(1, 3, 64, 64))


def test_faces_are_chosen_by_size():
    small, big, middle = face(10), face(30), face(20)
    faces = [small, big, middle]
    assert [by_index(faces, i) for i in range(4)] == [big, middle, small, None]
    assert by_index(faces, -1) is None


def test_missing_face_is_told_with_file_and_what_to_do():
    with pytest.raises(NoFaceError, match=r"mother\.jpg: no face was found in its 80 x 64 pixels\. Give"):
        need_face(torch.zeros(3, 64, 80), "mother.jpg")


def test_face_that_was_asked_for_by_number_and_is_not_there(monkeypatch):
    monkeypatch.setattr(detector, "find_faces", lambda *_: [[face(30), face(20)]])
    assert need_face(torch.zeros(3, 64, 80), "party.jpg", index=1).area == 400
    with pytest.raises(NoFaceError, match=r"party\.jpg: face 2 was asked for, and 2 found"):
        need_face(torch.zeros(3, 64, 80), "party.jpg", index=2)


def test_faces_asked_for_are_all_or_one():
    faces = [face(30), face(20)]
    assert chosen(faces, None, "a.jpg", (80, 64)) == faces and chosen(faces, 1, "a.jpg", (80, 64)) == faces[1:]
    with pytest.raises(NoFaceError, match="no face was found"):
        chosen([], None, "a.jpg", (80, 64))


@pytest.mark.parametrize(
    ("size", "shrunk"), [((300, 200), (300, 200)), ((1536, 1024), (768, 512)), ((8192, 600), (4096, 300))]
)
def test_photographs_are_shrunk_for_the_detector_and_faces_are_in_their_own_pixels(monkeypatch, size, shrunk):
    """Edges stay edges: half a pixel before the first and behind the last."""

    def found(pictures, _):
        height, width = pictures.shape[-2:]
        assert (width, height) == shrunk
        edges = torch.tensor([-0.5, -0.5, width - 0.5, height - 0.5])
        return [[Face(edges, 1.0, edges.reshape(2, 2)[[0, 1, 0, 1, 0]])]]

    monkeypatch.setattr(detector, "find_faces", found)
    (one,) = find_in_photograph(Image.new("RGB", size))
    assert one.box.tolist() == [-0.5, -0.5, size[0] - 0.5, size[1] - 0.5]
    assert one.points5[1].tolist() == one.box[2:].tolist()
