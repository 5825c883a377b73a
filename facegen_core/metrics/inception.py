"""The network that FID and KID are published with: TensorFlow's Inception v3 of 2015, as torch-fidelity ported it."""

from typing import Any

import torch
from torch import Tensor, nn

from facegen_core.errors import WeightsNotFoundError
from facegen_core.metrics.functional.lpips import hub_file

FILE = "weights-inception-2015-12-05-6726825d.pth"
SOURCE = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"


class InceptionFeatures(nn.Module):
    """Pictures (B, 3, H, W) in [0, 1] -> the 2048 features of the last pooling.

    Pictures are rounded to bytes and brought to 299 x 299 by TensorFlow 1's bilinear filter without smoothing, which
    published values were made with; a smoother filter moves FID by tenths.

    Raises:
        WeightsNotFoundError: its weights are not there, or not what they should be; says where they go.
    """

    name = "Inception v3 2015-12-05, pool 2048"
    dim = 2048
    resize, size = "TensorFlow 1 bilinear of bytes, no antialias, to", 299

    def __init__(self) -> None:
        super().__init__()
        path = hub_file(FILE, "FID", SOURCE)
        from torchmetrics.image.fid import NoTrainInceptionV3

        try:
            torch.load(
                path, weights_only=True, map_location="meta"
            )  # torch-fidelity runs what a file asks for: look first
            self.net: Any = NoTrainInceptionV3("inception-v3-compat", ["2048"], str(path), antialias=False)
        except Exception as error:  # torch.load, unpickling and load_state_dict each have errors of their own
            raise WeightsNotFoundError(
                f"{path} is not the published {FILE} ({error}). Get it again from {SOURCE}{FILE}."
            ) from None
        self.requires_grad_(False).eval()

    def forward(self, pictures: Tensor) -> Tensor:
        return self.net((pictures.clamp(0, 1) * 255).round().to(torch.uint8))

    def train(self, mode: bool = True) -> "InceptionFeatures":
        """Stays as it is."""
        return super().train(False)
