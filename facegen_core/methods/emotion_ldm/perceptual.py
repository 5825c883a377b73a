"""Distances between pictures as a network sees them: what VQGAN adds to L1."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facegen_core.encoders.base import TorchEncoder
from facegen_core.encoders.identity import EMBEDDED, identity_encoder
from facegen_core.errors import WeightsNotFoundError
from facegen_core.methods.emotion_ldm.vqgan_config import Perceptual
from facegen_core.methods.face_judge.networks import Block, IdentityJudge
from facegen_core.metrics.functional.lpips import LPIPSNetwork

FLOOR = 0.02
"""Under the deviation that divides, as in the judge's own ``standardised``."""


class JudgeDistance(nn.Module):
    """Pairs of pictures (B, 3, H, W) in [0, 1] -> their distance (B,) in the features of the embedded identity judge.

    As LPIPS without its learnt weights: features of the stem and of every block are brought to length 1 at each place;
    squared differences are added up over channels, averaged over places, and added up over layers. Both pictures are
    seen with the brightness and contrast of the true one, at their own size.

    Args:
        judge: the embedded one, see ``encoders/judge.py``.
    """

    def __init__(self, judge: TorchEncoder) -> None:
        super().__init__()
        assert isinstance(judge.network, IdentityJudge)
        self.trunk, self.name = judge.network.trunk, f"features of the {judge.name}"
        self.requires_grad_(False).eval()

    def forward(self, pictures: Tensor, truth: Tensor) -> Tensor:
        middle = truth.mean((1, 2, 3), keepdim=True)
        spread = truth.std((1, 2, 3), keepdim=True) + FLOOR
        with torch.no_grad():
            wanted = list(self._features((truth - middle) / spread))
        found = self._features((pictures - middle) / spread)
        layers = [(f - w).square().sum(1).mean((1, 2)) for f, w in zip(found, wanted, strict=True)]
        return torch.stack(layers).sum(0)

    def _features(self, pictures: Tensor) -> Iterator[Tensor]:
        x = pictures.contiguous(memory_format=torch.channels_last)
        for layer in self.trunk:
            x = layer(x)
            if isinstance(layer, nn.ReLU | Block):
                yield F.normalize(x.float(), dim=1)

    def train(self, mode: bool = True) -> "JudgeDistance":
        """Stays as it is: the network is frozen."""
        return super().train(False)


def build_perceptual(name: Perceptual) -> nn.Module | None:
    """The frozen network that ``model.perceptual`` names: pairs of pictures in [0, 1] -> their distance (B,).

    Raises:
        WeightsNotFoundError: its weights are not there; the message says where they go, and what else can be chosen.
    """
    try:
        if name == "lpips":
            return LPIPSNetwork("vgg")
        if name == "judge":
            judge = identity_encoder(EMBEDDED)
            assert isinstance(judge, TorchEncoder)
            return JudgeDistance(judge)
    except WeightsNotFoundError as error:
        others = "model.perceptual=judge (features of the embedded identity judge) or " if name == "lpips" else ""
        raise WeightsNotFoundError(
            f"model.perceptual = {name}: {error} Or choose another distance: {others}model.perceptual=none (L1 alone)."
        ) from None
    return None
