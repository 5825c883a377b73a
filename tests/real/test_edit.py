"""Faces of real photographs edited by hand: put back where they were, at full resolution, the rest untouched."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from experiments.emotion_ldm.edit import Wish, edit_all, edit_faces
from experiments.photographs import Photograph, find_jobs, read_photograph
from facegen_core.encoders.detector import Face, find_in_photograph
from facegen_core.geometry.face_crop import ALIGNED_224
from facegen_core.geometry.squares import average_face_square, cut_square, side_of

pytestmark = pytest.mark.real
PEOPLE = ("002", "005", "022")


class LipsByHand:
    """A network that loses half of the resolution, and reddens lips."""

    pixels = 128

    def reconstruct(self, crops: Tensor) -> Tensor:
        return F.interpolate(F.avg_pool2d(crops, 2), scale_factor=2, mode="bicubic").clamp(0, 1)

    def edit_crops(self, crops: Tensor, source: Tensor, targets: Sequence[int]) -> Tensor:
        x, y = (ALIGNED_224[3:].mean(0) + 0.5) * self.pixels / 224 - 0.5
        down, across = torch.meshgrid(torch.arange(self.pixels), torch.arange(self.pixels), indexing="ij")
        lips = torch.exp(-((((across - x) / 22) ** 2 + ((down - y) / 9) ** 2) ** 2)).float()
        red = (self.reconstruct(crops) + lips * torch.tensor([0.2, 0.0, 0.0])[:, None, None]).clamp(0, 1)
        return red.expand(len(targets), *red.shape)


class Swapped(LipsByHand):
    """Gives back other crops: the person's true smile, as the network would."""

    def __init__(self, crops: Tensor) -> None:
        self.crops = crops

    def edit_crops(self, crops: Tensor, source: Tensor, targets: Sequence[int]) -> Tensor:
        return self.reconstruct(self.crops)[None]


@pytest.fixture(scope="module")
def faces(real) -> Path:
    folder = real / "data" / "london_faces"
    if not folder.is_dir():
        pytest.skip(f"no photographs: {folder}")
    return folder


def neutral(faces: Path, person: str) -> Path:
    return faces / "neutral_front" / f"{person}_03.jpg"


def edited(path: Path, editor) -> tuple[Photograph, Face, np.ndarray]:
    photograph = read_photograph(path)
    (face,) = find_in_photograph(photograph.seen)
    return photograph, face, edit_faces(photograph, [face], editor, torch.tensor([0]), [1])[0]


@pytest.mark.parametrize("person", PEOPLE)
def test_only_the_mouth_reddens_and_keeps_its_detail(faces, person):
    photograph, face, after = edited(neutral(faces, person), LipsByHand())
    added = after.astype(int) - photograph.pixels
    side = side_of(average_face_square(face.points5))
    y, x = np.mgrid[0:512, 0:512]
    middle = face.points5[3:].mean(0).numpy()
    away = np.hypot((x - middle[0]) / side, (y - middle[1]) / side)
    assert added[..., 0][away < 0.05].mean() > 35 and np.abs(added[..., 1:][away < 0.05]).max() <= 2
    assert np.abs(added[away > 0.35]).max() <= 1, "cheeks, eyes and background"
    assert np.abs(np.diff(added[..., 0], axis=1)).max() < 25, "no seam"


@pytest.mark.parametrize("person", PEOPLE)
def test_faces_in_a_large_photograph_are_edited_as_in_their_own(faces, person, tmp_path):
    """Two copies in 1600 x 1000 pixels: each gets about what it gets alone, and what lies between stays."""
    path = neutral(faces, person)
    alone, _, after = edited(path, LipsByHand())
    large = Image.new("RGB", (1600, 1000), "silver")
    places = [(30, 400), (1000, 90)]
    for place in places:
        large.paste(Image.fromarray(alone.pixels), place)
    large.save(tmp_path / "both.png")
    wish = Wish((str(tmp_path / "both.png"),), tmp_path / "out.png", "happy")
    jobs = find_jobs(wish.inputs, wish.out, wish.targets, wish.overwrite)
    edit_all(wish, jobs, LipsByHand(), lambda _, found: torch.zeros(len(found), dtype=torch.int64))
    result, before = np.asarray(Image.open(wish.out)), np.asarray(large)
    outside = np.ones((1000, 1600), bool)
    for x, y in places:
        part = slice(y, y + 512), slice(x, x + 512)
        outside[part] = False
        apart, change = (np.abs(after.astype(int) - other).mean() for other in (result[part], alone.pixels))
        assert apart < 0.3 * change
    assert np.array_equal(result[outside], before[outside])


@pytest.mark.parametrize("person", PEOPLE)
def test_true_smile_pasted_in_is_sharper_than_the_crop_it_came_as(faces, person):
    """And is found there as a face of the same place and size."""
    smiling = read_photograph(faces / "smiling_front" / f"{person}_08.jpg").seen
    square = average_face_square(find_in_photograph(smiling)[0].points5)
    crop = torch.from_numpy(np.asarray(cut_square(smiling, square, 128)).copy()).permute(2, 0, 1)[None] / 255
    photograph, face, after = edited(neutral(faces, person), Swapped(crop))
    (again,) = find_in_photograph(Image.fromarray(after))
    assert (again.points5 - face.points5).abs().max() < 0.1 * side_of(average_face_square(face.points5))
    left, top, right, bottom = face.box.int().tolist()

    def sharpness(pixels: np.ndarray) -> float:
        grey = pixels[top:bottom, left:right].astype(float).mean(-1)
        return float(np.abs(np.diff(grey, 2, axis=0)).mean())

    back = LipsByHand().reconstruct(crop)[0].permute(1, 2, 0).mul(255).byte().numpy()
    as_it_came = np.asarray(Image.fromarray(back).resize((round(side_of(square)),) * 2, Image.Resampling.BICUBIC))
    coarse = np.abs(np.diff(as_it_came.astype(float).mean(-1), 2, axis=0)).mean()
    assert coarse < 0.8 * sharpness(after) < 1.2 * sharpness(photograph.pixels)
