"""Perceptual distance (Zhang et al., CVPR 2018), version 0.1 with its trained linear heads.

The heads are part of torchmetrics. The backbones are torchvision's, trained on ImageNet, and are not: they are read
from where ``torch.hub`` keeps them and never fetched.
"""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from facegen_core.errors import WeightsNotFoundError

Backbone = Literal["alex", "vgg", "squeeze"]
FILES: dict[Backbone, str] = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}
SOURCE = "https://download.pytorch.org/models/"


class LPIPSNetwork(nn.Module):
    """Pairs of pictures (B, 3, H, W) in [0, 1] -> their distance (B,).

    Args:
        backbone: the network whose features are compared. Papers that do not say mostly mean "alex".

    Raises:
        WeightsNotFoundError: its weights are not there; says where they go.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        if backbone not in FILES:
            raise ValueError(f"backbone must be one of {', '.join(FILES)}, got {backbone!r}")
        path = hub_file(FILES[backbone], f"LPIPS with the {backbone} backbone")
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        try:
            self.net = LearnedPerceptualImagePatchSimilarity(net_type=backbone).net
        except Exception as error:  # torch.load, unpickling and load_state_dict each have errors of their own
            raise WeightsNotFoundError(
                f"{path} is not the published {path.name} ({error}). Get it again from {SOURCE}{path.name}."
            ) from None
        self.requires_grad_(False).eval()
        self.name = f"LPIPS 0.1 {backbone}"

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        # Its own range is [-1, 1].
        return self.net(2 * first.float() - 1, 2 * second.float() - 1).flatten()

    def train(self, mode: bool = True) -> "LPIPSNetwork":
        """Stays as it is: its dropout must never be on."""
        return super().train(False)


def hub_file(name: str, purpose: str, source: str = SOURCE) -> Path:
    """The file of that name where ``torch.hub`` keeps weights, ``$TORCH_HOME/hub/checkpoints``.

    Args:
        name: the file's.
        purpose: what it is needed for.
        source: the address of the folder that its owners hand it out in.

    Raises:
        WeightsNotFoundError: there is none.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not path.is_file():
        raise WeightsNotFoundError(
            f"{purpose} needs {path}, which is missing. Get {name} from {source}{name} and put it there, or set "
            "TORCH_HOME to the folder that has it in hub/checkpoints."
        )
    return path
