"""Faces cut out of photographs the way a network wants them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from facegen_core.encoders.base import Preprocessing
from facegen_core.encoders.detector import LEAST_CONFIDENCE, Face, find_faces
from facegen_core.geometry.face_crop import ALIGNED_224, align_matrix, box_matrix, warp
from facegen_core.types import Faces


def framed(pictures: Tensor, faces: Sequence[Face], preprocessing: Preprocessing) -> Tensor:
    """Cuts one face out of each picture, mirrored beyond the border; differentiable in the pictures.

    Args:
        pictures: (B, 3, H, W), RGB in [0, 1].
        faces: one for each picture; not looked at where the framing is "whole".
        preprocessing: of the network that will look at them.

    Returns:
        (B, 3, size, size); for "whole" the pictures themselves, which the network resizes.

    Raises:
        ValueError: not one face for each picture.
    """
    if preprocessing.framing == "whole":
        return pictures
    if len(faces) != len(pictures):
        raise ValueError(f"{len(pictures)} pictures and {len(faces)} faces: need one face for each")
    if not len(pictures):
        return pictures.new_zeros(0, 3, preprocessing.size, preprocessing.size)
    return warp(pictures, frame_matrix(faces, preprocessing).to(pictures.device), preprocessing.size)


def frame_matrix(faces: Sequence[Face], preprocessing: Preprocessing) -> Tensor:
    """(B, 2, 3) float64 matrices from photographs to the crops of :func:`framed`, not for "whole"."""
    if preprocessing.framing == "five_points":
        return align_matrix(torch.stack([face.points5 for face in faces]), preprocessing.size)
    boxes = torch.stack([face.box for face in faces])
    return box_matrix(boxes, preprocessing.size, square=preprocessing.framing == "square")


class FaceFramer:
    """Finds the largest face of each picture and cuts it out for one network.

    Attributes:
        name: detector, framing and size, as a metric's protocol states them.
    """

    def __init__(self, preprocessing: Preprocessing, least_confidence: float = LEAST_CONFIDENCE):
        """Frames for the network with this preprocessing; faces below ``least_confidence`` are not found."""
        self.preprocessing, self.least_confidence = preprocessing, least_confidence
        self.name = f"MTCNN from {least_confidence:g}, {preprocessing.framing}, {preprocessing.size}"

    def __call__(self, pictures: Tensor) -> Faces:
        """Pictures (B, 3, H, W) in [0, 1] to their faces."""
        faces = [found[0] if found else None for found in find_faces(pictures, self.least_confidence)]
        found = torch.tensor([face is not None for face in faces], dtype=torch.bool, device=pictures.device)
        kept = framed(pictures[found], [face for face in faces if face is not None], self.preprocessing)
        return Faces(kept, found)


class AlignedFramer:
    """Frames pictures that are aligned faces already, as data of crop "align" are, without looking for a face.

    For a network of five points it is one window, the same in all pictures: where the points of an average face lie.
    For others it is the picture, as they are shown boxes about as tight. A detector fails on crops as tight as these:
    on 200 aligned pictures of embedded people, 64 x 64, MTCNN's points give the emotion judge 29 % right and the fixed
    window 72 %. Gradients pass to the pictures.

    Attributes:
        name: window and size, as a metric's protocol states them.
    """

    def __init__(self, preprocessing: Preprocessing):
        """Frames for the network with this preprocessing."""
        self.preprocessing = preprocessing
        window = "average face's five points" if preprocessing.framing == "five_points" else "the whole"
        self.name = f"aligned pictures, {window}, {preprocessing.size}"

    def __call__(self, pictures: Tensor) -> Faces:
        """Aligned pictures (B, 3, R, R) in [0, 1] to their faces; all of them have one."""
        found = torch.ones(len(pictures), dtype=torch.bool, device=pictures.device)
        if self.preprocessing.framing != "five_points" or not len(pictures):
            return Faces(pictures, found)
        points = (ALIGNED_224 + 0.5) * (pictures.shape[-1] / 224) - 0.5
        matrix = align_matrix(points[None], self.preprocessing.size).to(pictures.device)
        return Faces(warp(pictures, matrix.expand(len(pictures), -1, -1), self.preprocessing.size), found)
