"""Share of pictures in which a detector finds a face."""

from typing import Any

import torch
from torch import Tensor

from facegen_core.metrics.functional.pictures import check_pictures
from facegen_core.metrics.judges import FaceFinder, faces_of
from facegen_core.metrics.picture_metric import Measured, PictureMetric, Protocol


class FaceFoundRate(PictureMetric):
    """Share of pictures with a face: ``face_found``.

    Args:
        finder: the detector.
    """

    higher_is_better = True

    def __init__(self, finder: FaceFinder, **kwargs: Any) -> None:
        no_face = "the picture is a miss, and counted"
        super().__init__(Protocol("share of pictures with a face", finder.name, no_face=no_face), **kwargs)
        self.finder = finder

    def update(self, pictures: Tensor) -> None:
        """Takes in pictures (B, 3, H, W) in [0, 1]."""
        check_pictures(pictures)
        if len(pictures):
            self.count += len(pictures)
            self.without_face += int((~faces_of(self.finder, pictures).found).sum())

    def measure(self) -> Measured:
        return Measured(1 - self.without_face.double() / self.count.to(torch.float64))
