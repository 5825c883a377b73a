"""Where a face lies in the crop of each framing, and what a network makes of the pixels."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from facegen_core.encoders import framing as framing_module
from facegen_core.encoders.base import IMAGENET_MEAN, IMAGENET_STD, Preprocessing, TorchEncoder, prepare
from facegen_core.encoders.detector import Face
from facegen_core.encoders.framing import AlignedFramer, FaceFramer, frame_matrix, framed
from facegen_core.geometry.face_crop import ALIGNED_224, ARCFACE_112, move_points

FACE = Face(torch.tensor([20.0, 10.0, 60.0, 70.0]), 1.0, (ARCFACE_112 * 0.6 + 5).float())


def test_five_points_land_on_the_template():
    matrix = frame_matrix([FACE], Preprocessing(112, framing="five_points"))
    assert torch.allclose(move_points(FACE.points5[None], matrix)[0], ARCFACE_112, atol=1e-4)


@pytest.mark.parametrize(
    ("framing", "corners"), [("box", [[-0.5, -0.5], [63.5, 63.5]]), ("square", [[10.1667, -0.5], [52.8333, 63.5]])]
)
def test_box_is_stretched_and_square_is_not(framing, corners):
    matrix = frame_matrix([FACE], Preprocessing(64, framing=framing))
    found = move_points(FACE.box.reshape(1, 2, 2), matrix)[0]
    assert torch.allclose(found, torch.tensor(corners, dtype=torch.float64), atol=1e-3)


def test_whole_needs_no_face():
    pictures = torch.rand(2, 3, 40, 50)
    assert framed(pictures, [], Preprocessing(64, framing="whole")) is pictures


def test_crops_keep_gradients_and_the_count_is_checked():
    pictures = torch.rand(2, 3, 90, 90, requires_grad=True)
    crops = framed(pictures, [FACE, FACE], Preprocessing(32))
    crops.sum().backward()
    assert crops.shape == (2, 3, 32, 32) and float(pictures.grad.abs().sum()) > 0
    with pytest.raises(ValueError, match="2 pictures and 1 faces"):
        framed(pictures, [FACE], Preprocessing(32))
    assert framed(pictures[:0], [], Preprocessing(32)).shape == (0, 3, 32, 32)


@pytest.mark.parametrize(("resize", "filter"), [("bilinear", "BILINEAR"), ("bicubic", "BICUBIC")])
def test_preparing_resizes_as_pillow_and_normalises(resize, filter):
    picture = np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    preprocessing = Preprocessing(32, IMAGENET_MEAN, IMAGENET_STD, "whole", resize)
    ours = prepare(torch.from_numpy(picture).permute(2, 0, 1)[None] / 255, preprocessing)[0].permute(1, 2, 0).numpy()
    theirs = Image.fromarray(picture).resize((32, 32), getattr(Image.Resampling, filter))
    theirs = (np.asarray(theirs) / 255 - IMAGENET_MEAN) / IMAGENET_STD
    assert np.abs(ours - theirs).max() < 1.5 / 255 / min(IMAGENET_STD), "Pillow rounds to bytes"


def test_picture_of_the_right_size_is_not_resampled():
    picture = torch.rand(1, 3, 16, 16)
    assert torch.equal(prepare(picture, Preprocessing(16)), (picture - 0.5) / 0.5)
    with pytest.raises(ValueError, match="need pictures"):
        prepare(torch.rand(1, 4, 16, 16), Preprocessing(16))


def test_frozen_encoder_stays_in_evaluation_and_lets_gradients_through():
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 5), nn.BatchNorm1d(5))
    encoder = TorchEncoder("toy", network, 5, Preprocessing(8), unit=True)
    encoder.train()
    assert not any(module.training for module in encoder.modules())
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    pictures = torch.rand(4, 3, 8, 8, requires_grad=True)
    codes = encoder(pictures)
    assert torch.allclose(codes.norm(dim=1), torch.ones(4))
    codes[:, 0].sum().backward()
    assert float(pictures.grad.abs().sum()) > 0
    assert int(network[2].num_batches_tracked) == 0


def test_framer_keeps_the_largest_face_of_pictures_that_have_one(monkeypatch):
    small = Face(torch.tensor([0.0, 0.0, 9.0, 9.0]), 1.0, FACE.points5 / 9)
    monkeypatch.setattr(framing_module, "find_faces", lambda *_: [[], [FACE, small], [FACE]])
    pictures = torch.rand(3, 3, 90, 90, generator=torch.Generator().manual_seed(0))
    framer = FaceFramer(Preprocessing(32))
    cut = framer(pictures)
    assert cut.found.tolist() == [False, True, True]
    assert torch.equal(cut.pictures, framed(pictures[1:], [FACE, FACE], Preprocessing(32)))
    assert framer.name == "MTCNN from 0.9, five_points, 32"
    monkeypatch.setattr(framing_module, "find_faces", lambda *_: [[], [], []])
    assert framer(pictures).pictures.shape == (0, 3, 32, 32)


@pytest.mark.parametrize("point", range(5))
def test_aligned_faces_are_framed_where_an_average_ones_points_lie(point):
    """A spot on one of them comes to lie on the template's."""
    there = torch.stack(torch.meshgrid(torch.arange(96), torch.arange(96), indexing="xy"), dim=-1)
    x = (ALIGNED_224[point] + 0.5) * 96 / 224 - 0.5
    picture = torch.exp(-(there - x).square().sum(-1) / 18).float().expand(2, 3, 96, 96)
    faces = AlignedFramer(Preprocessing(112))(picture)
    assert faces.pictures.shape == (2, 3, 112, 112) and faces.found.all()
    column, row = ARCFACE_112[point].round().long().tolist()
    around = faces.pictures[1, 0, row - 9 : row + 10, column - 9 : column + 10]
    dy, dx = divmod(int(around.argmax()), 19)
    assert abs(dx - 9) < 4 and abs(dy - 9) < 4, "but for the difference of the two templates' shapes"
    assert around.max() > 0.9


def test_aligned_faces_are_shown_whole_to_networks_of_boxes_and_keep_gradients():
    pictures = torch.rand(2, 3, 40, 40, requires_grad=True)
    assert AlignedFramer(Preprocessing(64, framing="box"))(pictures).pictures is pictures
    AlignedFramer(Preprocessing(64))(pictures).pictures.sum().backward()
    assert (pictures.grad != 0).float().mean() > 0.3
    assert len(AlignedFramer(Preprocessing(64))(pictures[:0]).pictures) == 0
