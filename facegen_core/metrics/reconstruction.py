"""How close pictures are to the true ones, pixel by pixel or to the eye."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from facegen_core.metrics.functional.lpips import LPIPSNetwork
from facegen_core.metrics.functional.pictures import check_pairs
from facegen_core.metrics.functional.psnr import psnr
from facegen_core.metrics.functional.ssim import ssim
from facegen_core.metrics.picture_metric import MeanPictureMetric, Protocol


class _PairMetric(MeanPictureMetric):
    """Mean over pairs of a distance or similarity of two pictures."""

    def __init__(self, compare: Callable[[Tensor, Tensor], Tensor], protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(protocol, **kwargs)
        self.compare = compare

    def update(self, pictures: Tensor, truth: Tensor) -> None:
        """Takes in pairs, (B, 3, H, W) each, in [0, 1]."""
        check_pairs(pictures, truth)
        if len(pictures):
            self.add(self.compare(pictures, truth))


class PSNR(_PairMetric):
    """Mean over pairs of the peak signal-to-noise ratio, dB; see ``functional.psnr``."""

    higher_is_better = True

    def __init__(self, **kwargs: Any) -> None:
        formula = "mean over pairs of -10 log10(MSE + 1e-8), data range 1"
        super().__init__(psnr, Protocol(formula), **kwargs)


class SSIM(_PairMetric):
    """Mean over pairs of the structural similarity; see ``functional.ssim``."""

    higher_is_better = True

    def __init__(self, **kwargs: Any) -> None:
        formula = "mean over pairs; gaussian 11, sigma 1.5, valid, per channel, data range 1, halved from 384 px"
        super().__init__(ssim, Protocol(formula), **kwargs)


class FeatureDistance(_PairMetric):
    """Mean over pairs of a distance in a network's features.

    Args:
        network: from pairs of pictures (B, 3, H, W) in [0, 1] to their distances (B,); has a ``name``.
    """

    higher_is_better = False

    def __init__(self, network: nn.Module, **kwargs: Any) -> None:
        super().__init__(network, Protocol("mean over pairs", str(network.name), "as given"), **kwargs)


class LPIPS(FeatureDistance):
    """Mean over pairs of the perceptual distance; see ``functional.lpips``.

    Args:
        network: built once, and shared by as many metrics as need it.
    """

    def __init__(self, network: LPIPSNetwork, **kwargs: Any) -> None:
        super().__init__(network, **kwargs)
