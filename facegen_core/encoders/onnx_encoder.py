"""Any picture network in an ONNX file, run by onnxruntime; no gradient flows back through it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.encoders.base import Preprocessing, prepare
from facegen_core.errors import WeightsNotFoundError
from facegen_core.weights.files import trouble

if TYPE_CHECKING:
    import onnxruntime


class OnnxEncoder:
    """An ONNX network with one picture input as an ``Encoder``.

    The layout (channels first or last), a fixed batch and the output's size are read from the file. Copies and
    pickles open the file again.

    Attributes:
        name: what configurations and metric tags call it.
        dim: how many numbers a picture gets.
        preprocessing: of its input.
    """

    differentiable = False

    def __init__(self, name: str, path: Path, preprocessing: Preprocessing, unit: bool = False):
        """Opens the network.

        Args:
            name: what configurations and metric tags call it.
            path: of the file.
            preprocessing: what it was trained to see.
            unit: divide the output by its length.

        Raises:
            WeightsNotFoundError: not an ONNX network of pictures, or one of another size than ``preprocessing`` says.
        """
        self.name, self.path, self.preprocessing, self._unit = name, path, preprocessing, unit
        self._open()
        self.dim = self._run(torch.zeros(1, 3, preprocessing.size, preprocessing.size)).shape[1]

    def __call__(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in [0, 1], framed already, to (B, dim) float32 on their device."""
        if not len(pictures):
            return pictures.new_zeros(0, self.dim, dtype=torch.float32)
        with torch.no_grad():
            codes = self._run(prepare(pictures.detach().float().cpu(), self.preprocessing)).to(pictures.device)
        return F.normalize(codes, dim=1) if self._unit else codes

    def __getstate__(self) -> dict[str, Any]:
        """All but the session, which cannot be copied."""
        return {key: value for key, value in vars(self).items() if key != "_session"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._open()

    def _open(self) -> None:
        self._session = open_session(self.path)
        inputs = self._session.get_inputs()
        shape = inputs[0].shape
        if len(inputs) != 1 or len(shape) != 4 or 3 not in (shape[1], shape[3]):
            raise WeightsNotFoundError(
                f"{self.path}: not a network with one input of RGB pictures; its inputs are "
                f"{', '.join(f'{one.name} {one.shape}' for one in inputs)}."
            )
        self._channels_last = shape[1] != 3
        self._one_by_one = shape[0] == 1
        sides = shape[1:3] if self._channels_last else shape[2:4]
        size = self.preprocessing.size
        if any(isinstance(side, int) and side != size for side in sides):
            raise WeightsNotFoundError(
                f"{self.path}: takes pictures of {sides[1]} x {sides[0]} pixels, and {size} are said to be its size."
            )

    def _run(self, prepared: Tensor) -> Tensor:
        batch = prepared.permute(0, 2, 3, 1) if self._channels_last else prepared
        pixels = np.ascontiguousarray(batch.numpy())
        parts = [pixels[i : i + 1] for i in range(len(pixels))] if self._one_by_one else [pixels]
        codes = np.concatenate([run_session(self._session, self.path, part)[0] for part in parts])
        return torch.from_numpy(codes.reshape(len(prepared), -1)).float()


def open_session(path: Path) -> "onnxruntime.InferenceSession":
    """An ONNX network on the CPU, with as many threads as torch uses.

    Raises:
        WeightsNotFoundError: no such file, or not a network in ONNX.
    """
    import onnxruntime

    if wrong := trouble(path):
        raise WeightsNotFoundError(f"{path}: {wrong}. Get it again, or name another file.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors: warnings of other people's networks help nobody here
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors are of classes that it does not export
        raise WeightsNotFoundError(f"{path}: not a network in ONNX, or a damaged one ({error}).") from error


def run_session(session: "onnxruntime.InferenceSession", path: Path, pixels: npt.NDArray[np.float32]) -> list[Any]:
    """All outputs of a network of one input.

    Args:
        session: the network.
        path: of its file, for the message.
        pixels: what it is given.

    Raises:
        WeightsNotFoundError: it is of another kind, and cannot take them.
    """
    try:
        return list(session.run(None, {session.get_inputs()[0].name: pixels}))
    except Exception as error:  # as above
        reason = str(error).splitlines()[0]
        raise WeightsNotFoundError(f"{path}: cannot take pictures, float32 of {pixels.shape}: {reason}") from error
