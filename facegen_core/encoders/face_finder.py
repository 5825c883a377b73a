"""The detector as metrics want it: pictures in, framed faces out."""

import torch
from torch import Tensor

from facegen_core.encoders.base import Preprocessing
from facegen_core.encoders.detector import LEAST_CONFIDENCE, find_faces, largest
from facegen_core.encoders.framing import framed
from facegen_core.metrics.judges import Faces


class LargestFace:
    """Crops the largest face of each picture the way a network wants it; a ``FaceFinder`` of the metrics.

    Args:
        preprocessing: of the network that reads the crops.
        least_confidence: of the detector; fainter faces are not found.
    """

    def __init__(self, preprocessing: Preprocessing, least_confidence: float = LEAST_CONFIDENCE) -> None:
        self.preprocessing, self.least_confidence = preprocessing, least_confidence
        size = "" if preprocessing.framing == "whole" else f" {preprocessing.size}"
        self.name = f"largest face, MTCNN from {least_confidence}, {preprocessing.framing}{size}"

    def __call__(self, pictures: Tensor) -> Faces:
        faces = [largest(found) for found in find_faces(pictures, self.least_confidence)]
        found = torch.tensor([face is not None for face in faces], device=pictures.device)
        return Faces(framed(pictures[found], [face for face in faces if face], self.preprocessing), found)
