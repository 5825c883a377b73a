"""The 68 points of iBUG 300-W on faces that were found, by an optional network."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facegen_core.encoders.detector import Face
from facegen_core.encoders.onnx_encoder import open_session, run_session
from facegen_core.errors import WeightsNotFoundError
from facegen_core.geometry.face_crop import invert, move_points, warp
from facegen_core.weights import resolve_weights

POINTS = 68
FAN_SIZE = 256

# How FAN (Bulat and Tzimiropoulos, 2017) cuts its faces [C face-alignment]: a square of 200 / 195 of the mean of twice
# the box's sides, its middle moved up by 12% of the box's height.
FAN_SIDE, FAN_UP = 200 / 195, 0.12

_LARGEST_SHARE = 2.0  # coordinates beyond it are pixels of the crop, not shares of its side


class LandmarkFinder:
    """A network from crops of faces to 68 points, with the way to and from the photograph.

    Attributes:
        name: of its file.
        size: side of the crops it sees, in pixels.
    """

    def __init__(self, name: str, network: Callable[[Tensor], Tensor], size: int):
        """Wraps a network.

        Args:
            name: of its file.
            network: crops (N, 3, size, size), RGB in [0, 1], to points (N, 68, 2) in pixels of the crop.
            size: side of the crops.
        """
        self.name, self.size, self._network = name, size, network

    def __call__(self, pictures: Tensor, faces: Sequence[Face]) -> Tensor:
        """Points of one face a picture.

        Args:
            pictures: (B, 3, H, W), RGB in [0, 1].
            faces: one for each picture.

        Returns:
            (B, 68, 2) float32 (x, y) in pixels of the pictures, on the CPU.

        Raises:
            ValueError: not one face for each picture.
        """
        if len(faces) != len(pictures):
            raise ValueError(f"{len(pictures)} pictures and {len(faces)} faces: need one face for each")
        if not len(pictures):
            return torch.zeros(0, POINTS, 2)
        matrices = fan_matrix(torch.stack([face.box for face in faces]), self.size)
        with torch.no_grad():
            crops = warp(pictures.detach().float(), matrices, self.size, border="zero").cpu()
            return move_points(self._network(crops), invert(matrices)).float()


def landmark_finder(name_or_path: str = "fan_2d") -> LandmarkFinder:
    """FAN, or any network of 68 points in an ONNX file.

    Args:
        name_or_path: "fan_2d", which takes the file the package face-alignment downloads (the package itself is not
            needed); or a file: FAN's TorchScript archive, or an .onnx that takes crops in [0, 1] and gives heat maps
            (68, h, w), or points (136) or (68, 2 or 3) as shares or pixels of the crop.

    Raises:
        WeightsNotFoundError: no such file, or not such a network; says what to put where.
    """
    path = resolve_weights(name_or_path)
    return _onnx_finder(path) if path.suffix == ".onnx" else _fan(path)


def fan_matrix(boxes: Tensor, size: int) -> Tensor:
    """(B, 2, 3) float64 matrices from photographs to the squares FAN looks at, for boxes (B, 4)."""
    low, high = boxes.double()[:, :2], boxes.double()[:, 2:]
    sides = high - low
    middle = (low + high) / 2 - torch.stack([torch.zeros_like(sides[:, 1]), FAN_UP * sides[:, 1]], 1)
    scale = size / (sides.sum(1) * FAN_SIDE)
    linear = scale[:, None, None] * torch.eye(2, dtype=torch.float64, device=boxes.device)
    return torch.cat([linear, ((size - 1) / 2 - scale[:, None] * middle)[..., None]], 2)


def peaks(heat: Tensor, size: int) -> Tensor:
    """Where heat maps are highest, a quarter of a cell towards the higher neighbour, as FAN's authors read them.

    Args:
        heat: (N, 68, h, w).
        size: side in pixels of the crop the maps cover.

    Returns:
        (N, 68, 2) pixels of the crop.
    """
    height, width = heat.shape[-2:]
    highest = heat.flatten(2).argmax(2)
    x, y = highest % width, highest // width

    def at(across: int, down: int) -> Tensor:
        place = (y + down).clamp(0, height - 1) * width + (x + across).clamp(0, width - 1)
        return heat.flatten(2).gather(2, place[..., None])[..., 0]

    inside = (x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)
    places = torch.stack([x + 0.25 * inside * (at(1, 0) - at(-1, 0)).sign(),
                          y + 0.25 * inside * (at(0, 1) - at(0, -1)).sign()], -1)  # fmt: skip
    return (places + 0.5) * torch.tensor([size / width, size / height]) - 0.5


def _fan(path: Path) -> LandmarkFinder:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # TorchScript is on its way out of torch
            network = torch.jit.load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:  # ValueError: a folder
        raise WeightsNotFoundError(
            f"{path}: not FAN's TorchScript archive (2DFAN4_1.6-c827573f02.zip), nor an .onnx file."
        ) from error

    def points(crops: Tensor) -> Tensor:
        try:
            heat = network(crops)
        except RuntimeError as error:  # what TorchScript makes of whatever goes wrong in it
            raise WeightsNotFoundError(f"{path}: another network than FAN: it cannot take pictures.") from error
        heat = heat if isinstance(heat, Tensor) else heat[-1]  # the last of its stages
        if heat.ndim != 4 or heat.shape[1] != POINTS:
            raise WeightsNotFoundError(f"{path}: not heat maps of {POINTS} points but {tuple(heat.shape)}.")
        return peaks(heat, FAN_SIZE)

    return LandmarkFinder(path.name, points, FAN_SIZE)


def _onnx_finder(path: Path) -> LandmarkFinder:
    session = open_session(path)
    entry = session.get_inputs()[0]
    size = next((side for side in entry.shape[2:] if isinstance(side, int)), FAN_SIZE)

    def points(crops: Tensor) -> Tensor:
        found = [run_session(session, path, np.ascontiguousarray(crop[None].numpy())) for crop in crops]
        outputs = [torch.from_numpy(np.concatenate(column)).float() for column in zip(*found, strict=True)]
        heat = next((output for output in outputs if output.ndim == 4 and output.shape[1] == POINTS), None)
        if heat is not None:
            return peaks(heat, size)
        flat = next((output for output in outputs if output[0].numel() in (2 * POINTS, 3 * POINTS)), None)
        if flat is None:
            shapes = ", ".join(str(tuple(output.shape)) for output in outputs)
            raise WeightsNotFoundError(f"{path}: not a network of {POINTS} points; its outputs are {shapes}.")
        places = flat.reshape(len(crops), POINTS, -1)[..., :2]
        return places if float(places.abs().max()) > _LARGEST_SHARE else places * size - 0.5

    return LandmarkFinder(path.name, points, size)
