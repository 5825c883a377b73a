"""68 points by networks that look for a bright dot: cutting, reading heat maps, and the way back."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.onnx_networks import save_graph
from onnx import helper
from torch import Tensor, nn

from facegen_core.encoders.detector import Face
from facegen_core.encoders.landmarks import fan_matrix, landmark_finder, peaks
from facegen_core.errors import WeightsNotFoundError
from facegen_core.geometry.face_crop import move_points

FACE = Face(torch.tensor([60.0, 40.0, 160.0, 180.0]), 1.0, torch.zeros(5, 2))
DOT = (122.0, 97.0)


class Brightness(nn.Module):
    """As FAN: crops of 256 to heat maps of 64, here 68 times the brightness."""

    def forward(self, crops: Tensor) -> Tensor:
        return F.avg_pool2d(crops.mean(1, keepdim=True), 4).expand(-1, 68, -1, -1)


class Stages(Brightness):
    """Older archives give the maps of every stage."""

    def forward(self, crops: Tensor) -> list[Tensor]:
        heat = F.avg_pool2d(crops.mean(1, keepdim=True), 4).expand(-1, 68, -1, -1)
        return [-heat, heat]


@pytest.fixture
def photograph() -> Tensor:
    x, y = torch.arange(240.0), torch.arange(220.0)[:, None]
    return torch.exp(-((x - DOT[0]) ** 2 + (y - DOT[1]) ** 2) / 50).expand(1, 3, 220, 240)


def cell(size: int = 64) -> float:
    """Pixels of the photograph in a cell of the heat map."""
    return float(1 / fan_matrix(FACE.box[None], size)[0, 0, 0])


def save_heat(path, size: int, maps: int = 68) -> None:
    constants = {"weight": np.full((maps, 3, 4, 4), 1 / 48, np.float32)}
    nodes = [helper.make_node("Conv", ["input", "weight"], ["output"], strides=[4, 4])]
    save_graph(path, nodes, [1, 3, size, size], [1, maps, size // 4, size // 4], constants)


def save_points(path, x: float, y: float, columns: int) -> None:
    row = [x, y, 0.9][:columns]
    constants = {"zero": np.zeros((3 * 64 * 64, 68 * columns), np.float32), "point": np.tile(np.float32(row), (1, 68))}
    nodes = [helper.make_node("Flatten", ["input"], ["flat"]), helper.make_node("MatMul", ["flat", "zero"], ["none"]),
             helper.make_node("Add", ["none", "point"], ["output"])]  # fmt: skip
    save_graph(path, nodes, ["n", 3, 64, 64], ["n", 68 * columns], constants)


@pytest.mark.parametrize("network", [Brightness, Stages])
def test_fan_archive_finds_the_dot(tmp_path, monkeypatch, photograph, network):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.jit.script(network()).save(str(folder / "2DFAN4_1.6-c827573f02.zip"))
    points = landmark_finder("fan_2d")(photograph.expand(2, -1, -1, -1), [FACE, FACE])
    assert points.shape == (2, 68, 2)
    assert (points - torch.tensor(DOT)).abs().max() < cell() / 2


def test_square_of_fan_is_its_authors():
    """Their centre and scale, of which 200 pixels are the square's side, in the photograph's own coordinates."""
    left, top, right, bottom = FACE.box.tolist()
    scale = (right - left + bottom - top) / 195
    centre = (right - (right - left) / 2, bottom - (bottom - top) / 2 - 0.12 * (bottom - top))
    corners = torch.tensor([[[c - half for c in centre] for half in (100 * scale, -100 * scale)]])
    found = move_points(corners, fan_matrix(FACE.box[None], 256))[0]
    assert torch.allclose(found, torch.tensor([[-0.5, -0.5], [255.5, 255.5]], dtype=torch.float64), atol=1e-4)


def test_peaks_lean_to_the_higher_neighbour():
    heat = torch.zeros(1, 68, 8, 8)
    heat[:, :, 3, 5], heat[:, :, 3, 6], heat[:, :, 2, 5] = 1.0, 0.5, 0.4
    heat[0, 1] = 0
    heat[0, 1, 0, 7] = 1.0
    found = peaks(heat, 8)[0]
    assert found[0].tolist() == [5.25, 2.75]
    assert found[1].tolist() == [7.0, 0.0], "at the border there is no neighbour to compare with"


@pytest.mark.parametrize("size", [256, 128])
def test_onnx_heat_maps(tmp_path, photograph, size):
    save_heat(tmp_path / "net.onnx", size)
    points = landmark_finder(str(tmp_path / "net.onnx"))(photograph, [FACE])
    assert (points - torch.tensor(DOT)).abs().max() < cell(size // 4) / 2


@pytest.mark.parametrize(("x", "y"), [(0.25, 0.75), (15.5, 47.5)])
@pytest.mark.parametrize("columns", [2, 3])
def test_onnx_points_as_shares_or_pixels_of_the_crop(tmp_path, photograph, x, y, columns):
    save_points(tmp_path / "net.onnx", x, y, columns)
    points = landmark_finder(str(tmp_path / "net.onnx"))(photograph, [FACE])
    back = move_points(points, fan_matrix(FACE.box[None], 64))
    assert torch.allclose(back, torch.tensor([15.5, 47.5], dtype=torch.float64).expand(1, 68, 2), atol=1e-3)


def test_other_networks_are_refused(tmp_path, photograph):
    save_heat(tmp_path / "net.onnx", 64, maps=98)
    with pytest.raises(WeightsNotFoundError, match=r"not a network of 68 points; its outputs are \(1, 98, 16, 16\)"):
        landmark_finder(str(tmp_path / "net.onnx"))(photograph, [FACE])
    (tmp_path / "net.zip").write_bytes(b"no archive")
    with pytest.raises(WeightsNotFoundError, match="not FAN's TorchScript archive"):
        landmark_finder(str(tmp_path / "net.zip"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(WeightsNotFoundError, match="not FAN's TorchScript archive"):
        landmark_finder(str(tmp_path / "folder"))
    torch.jit.script(torch.nn.Linear(3, 2)).save(str(tmp_path / "line.pt"))
    with pytest.raises(WeightsNotFoundError, match="another network than FAN"):
        landmark_finder(str(tmp_path / "line.pt"))(photograph, [FACE])


def test_missing_network_says_what_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsNotFoundError, match=r"fan_2d: .*2DFAN4_1\.6-c827573f02\.zip is missing"):
        landmark_finder()


def test_one_face_for_each_picture(tmp_path, photograph):
    save_heat(tmp_path / "net.onnx", 64)
    finder = landmark_finder(str(tmp_path / "net.onnx"))
    assert finder(photograph[:0], []).shape == (0, 68, 2)
    with pytest.raises(ValueError, match="need one face for each"):
        finder(photograph, [])
