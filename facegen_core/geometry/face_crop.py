"""Faces cut out of photographs: matrices from points or boxes, and one resampling used by all; ``paste.py`` puts back.

Points are (x, y) in pixels with the centre of the first pixel at (0, 0), so a picture reaches from -0.5 to W - 0.5.
A matrix (2, 3) takes points of the photograph to points of the crop.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Border = Literal["reflect", "zero"]
"""What lies outside a picture: its mirror image at any distance (d c b a | a b c d | d c b a), or black."""

# Person's right eye, left eye, nose, right and left corner of the mouth; published with insightface's arcface_torch,
# and what the networks of `encoders/identity.py` with framing "five_points" were trained on.
ARCFACE_112 = torch.tensor(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=torch.float64,
)

# The emotion paper cuts the square around a face's 68 points to 224 x 224 and aligns it to "canonical coordinates" that
# it does not give. These are the five points of the mean 68-point face (OpenFace's align_dlib, Apache-2.0), made
# symmetric, when the square around its 68 points fills 224 x 224.
ALIGNED_224 = torch.tensor(
    [[63.5, 37.2], [159.5, 37.2], [111.5, 94.3], [68.0, 141.9], [155.0, 141.9]], dtype=torch.float64
)

_SAMPLES_AT_ONCE = 1 << 22  # about 200 MB of grid and samples


def similarity(source: Tensor, target: Tensor) -> Tensor:
    """The rotation, scale and shift that take points onto points with the least squared error (Umeyama, 1991).

    In the plane Umeyama's solution without reflection is one complex division, which also has a gradient where its
    singular values are equal.

    Args:
        source: (B, N, 2) points, N at least 2.
        target: (B, N, 2) or (N, 2) points.

    Returns:
        (B, 2, 3) float64 matrices from source to target.

    Raises:
        ValueError: shapes do not fit, a point is not finite, or all points of a set are one.
    """
    if source.ndim != 3 or source.shape[-1] != 2 or target.shape[-2:] != source.shape[-2:]:
        raise ValueError(f"need points (B, N, 2) and (B, N, 2), got {tuple(source.shape)} and {tuple(target.shape)}")
    moving = source.double()
    fixed = target.to(moving).expand(moving.shape)
    if not bool(torch.isfinite(moving).all() and torch.isfinite(fixed).all()):
        raise ValueError("a point to align on is not finite")
    moving_centre, fixed_centre = moving.mean(1), fixed.mean(1)
    p, q = moving - moving_centre[:, None], fixed - fixed_centre[:, None]
    spread = p.square().sum((1, 2))
    if not bool((spread > 0).all()):
        raise ValueError("all points to align on are one point")
    cos = (p * q).sum((1, 2)) / spread  # times the scale, as the sine
    sin = (p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]).sum(1) / spread
    linear = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    shift = fixed_centre - (linear @ moving_centre[..., None])[..., 0]
    return torch.cat([linear, shift[..., None]], 2)


def five_points(landmarks: Tensor) -> Tensor:
    """Eyes, nose tip and corners of the mouth.

    Args:
        landmarks: (B, 68, 2) in the order of iBUG 300-W, or (B, 5, 2), which is given back.

    Returns:
        (B, 5, 2): the person's right eye, left eye, nose, right and left corner of the mouth.

    Raises:
        ValueError: another count.
    """
    if landmarks.shape[-2:] == (5, 2):
        return landmarks
    if landmarks.shape[-2:] != (68, 2):
        raise ValueError(f"need 68 or 5 points, got {tuple(landmarks.shape)}")
    eyes = [landmarks[..., 36:42, :].mean(-2), landmarks[..., 42:48, :].mean(-2)]
    return torch.stack([*eyes, *(landmarks[..., i, :] for i in (30, 48, 54))], -2)


def align_matrix(landmarks: Tensor, size: int, template: Tensor = ARCFACE_112, template_size: int = 112) -> Tensor:
    """Takes a face onto a template.

    Args:
        landmarks: (B, 68, 2) or (B, 5, 2).
        size: side of the crop in pixels.
        template: (5, 2) points; :data:`ARCFACE_112` or :data:`ALIGNED_224`.
        template_size: side of the square the template is drawn in.

    Returns:
        (B, 2, 3) float64.
    """
    scaled = (template + 0.5) * (size / template_size) - 0.5
    return similarity(five_points(landmarks), scaled)


def ffhq_matrix(landmarks: Tensor, size: int) -> Tensor:
    """The square FFHQ cuts: level with eyes and mouth, its side from the larger of their distances.

    After `recreate_aligned_images` of NVlabs/ffhq-dataset; that pads with a blurred mirror image, here it is plain.

    Args:
        landmarks: (B, 68, 2).
        size: side of the crop in pixels.

    Returns:
        (B, 2, 3) float64.
    """
    centre, x = ffhq_square(landmarks)
    y = _quarter_turn(x)
    corners = torch.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y], 1)
    low, high = -0.5, size - 0.5
    return similarity(corners, corners.new_tensor([[low, low], [low, high], [high, high], [high, low]]))


def ffhq_square(landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """The middle (B, 2) of the square FFHQ cuts, and the way (B, 2) from there to the middle of its right side.

    Args:
        landmarks: (B, 68, 2).
    """
    right_eye, left_eye, _, right_mouth, left_mouth = five_points(landmarks.double()).unbind(-2)
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    eye_to_eye, eye_to_mouth = left_eye - right_eye, mouth - eyes
    along = eye_to_eye - _quarter_turn(eye_to_mouth)
    half = torch.maximum(eye_to_eye.norm(dim=-1) * 2.0, eye_to_mouth.norm(dim=-1) * 1.8)
    return eyes + eye_to_mouth * 0.1, along / along.norm(dim=-1, keepdim=True) * half[:, None]


def box_matrix(boxes: Tensor, size: int, square: bool = False, margin: float = 0.0) -> Tensor:
    """Takes boxes onto the crop.

    Args:
        boxes: (B, 4) left, top, right, bottom.
        size: side of the crop in pixels.
        square: grow the shorter side about the centre first; else the box is stretched to the square.
        margin: share of each side that is added on each of its ends.

    Returns:
        (B, 2, 3) float64.

    Raises:
        ValueError: a box without area, or not finite.
    """
    low, high = boxes.double()[:, :2], boxes.double()[:, 2:]
    if not bool(torch.isfinite(boxes).all() and (high > low).all()):
        raise ValueError("a face box has no area")
    centre, sides = (low + high) / 2, (high - low) * (1 + 2 * margin)
    if square:
        sides = sides.amax(1, keepdim=True).expand(-1, 2)
    scale = size / sides
    return torch.cat([torch.diag_embed(scale), ((size - 1) / 2 - scale * centre)[..., None]], 2)


def eye_level_matrix(landmarks: Tensor) -> Tensor:
    """Turns a face about the middle of its eyes until they are level: scale 1, no shift.

    The emotion paper's released code turns about the transposed point (x and y swapped), which shifts tilted faces;
    that is not repeated here.

    Args:
        landmarks: (B, 68, 2) or (B, 5, 2).

    Returns:
        (B, 2, 3) float64, for a crop of the size of the picture.
    """
    right_eye, left_eye = five_points(landmarks.double())[:, :2].unbind(1)
    middle, (dx, dy) = (right_eye + left_eye) / 2, (left_eye - right_eye).unbind(1)
    length = torch.hypot(dx, dy)
    cos, sin = dx / length, dy / length
    linear = torch.stack([torch.stack([cos, sin], 1), torch.stack([-sin, cos], 1)], 1)
    return torch.cat([linear, (middle - (linear @ middle[..., None])[..., 0])[..., None]], 2)


def invert(matrices: Tensor) -> Tensor:
    """Matrices (B, 2, 3) from the crop back to the photograph."""
    linear = torch.linalg.inv(matrices.double()[..., :2])
    return torch.cat([linear, -linear @ matrices.double()[..., 2:]], -1)


def move_points(points: Tensor, matrices: Tensor) -> Tensor:
    """Points (B, N, 2) through matrices (B, 2, 3), in float64."""
    return points.double() @ matrices.double()[..., :2].transpose(1, 2) + matrices.double()[:, None, :, 2]


def warp(
    pictures: Tensor,
    matrices: Tensor,
    size: int | tuple[int, int],
    border: Border = "reflect",
    antialias: bool = True,
    interpolation: Literal["bilinear", "bicubic"] = "bilinear",
) -> Tensor:
    """Resamples pictures into crops; differentiable in the pictures, and in the matrices.

    Where a crop has fewer pixels than the photograph, each of its pixels is the mean of a regular grid of samples that
    lie at most one pixel of the photograph apart (supersampling): for a whole factor exactly the mean of the pixels it
    covers. A crop does not depend on the others of its batch.

    Args:
        pictures: (B, C, H, W), any range.
        matrices: (B, 2, 3) from photograph to crop.
        size: side of the crop, or (height, width).
        border: what lies outside the photograph.
        antialias: off takes one sample a pixel, as most released aligners do.
        interpolation: between the photograph's pixels.

    Returns:
        (B, C, size, size) in the dtype of ``pictures``.

    Raises:
        ValueError: shapes do not fit.
    """
    if pictures.ndim != 4 or matrices.shape != (len(pictures), 2, 3):
        raise ValueError(f"need pictures (B, C, H, W) and matrices (B, 2, 3), got {tuple(pictures.shape)} and "
                         f"{tuple(matrices.shape)}")  # fmt: skip
    height, width = (size, size) if isinstance(size, int) else size
    backward = invert(matrices.to(pictures.device))
    counts = _samples_a_side(backward) if antialias else [1] * len(pictures)
    crops: list[Tensor | None] = [None] * len(pictures)
    for count in sorted(set(counts)):
        chosen = [i for i, n in enumerate(counts) if n == count]
        step = max(1, _SAMPLES_AT_ONCE // (count * count * height * width))
        for part in (chosen[i : i + step] for i in range(0, len(chosen), step)):
            everything = len(part) == len(pictures)
            some, back = (pictures, backward) if everything else (pictures[part], backward[part])
            done = _resample(some, back, height, width, count, border, interpolation)
            if everything:
                return done
            for i, crop in zip(part, done, strict=True):
                crops[i] = crop
    present = [crop for crop in crops if crop is not None]
    return torch.stack(present) if present else pictures.new_zeros(0, pictures.shape[1], height, width)


def eye_level(pictures: Tensor, landmarks: Tensor) -> Tensor:
    """The emotion paper's alignment: pictures turned until the eyes are level, mirrored beyond their borders.

    The released code resamples by cubic splines; here by cubic convolution, clipped to the range of a picture.

    Args:
        pictures: (B, 3, H, W) in [0, 1].
        landmarks: (B, 68, 2) or (B, 5, 2).

    Returns:
        (B, 3, H, W) in [0, 1].
    """
    matrices, (height, width) = eye_level_matrix(landmarks), pictures.shape[-2:]
    return warp(pictures, matrices, (height, width), antialias=False, interpolation="bicubic").clamp(0, 1)


def _quarter_turn(vectors: Tensor) -> Tensor:
    """(B, 2) turned from x to y, clockwise as a picture shows it."""
    return torch.stack([-vectors[:, 1], vectors[:, 0]], 1)


def _samples_a_side(backward: Tensor) -> list[int]:
    """How many samples a pixel of each crop needs in each direction, so that they lie at most one pixel apart."""
    stretch = torch.linalg.matrix_norm(backward.detach()[..., :2], ord=2)
    return [max(1, math.ceil(value - 1e-6)) for value in stretch.tolist()]


def _resample(
    pictures: Tensor, backward: Tensor, height: int, width: int, count: int, border: Border, interpolation: str
) -> Tensor:
    places = [(torch.arange(n * count, dtype=torch.float64, device=pictures.device) + 0.5) / count - 0.5
              for n in (width, height)]  # fmt: skip
    x, y = torch.meshgrid(*places, indexing="xy")
    points = torch.stack([x, y], -1).reshape(1, -1, 2)
    side = points.new_tensor([pictures.shape[-1], pictures.shape[-2]])
    grid = (2 * move_points(points, backward) + 1) / side - 1
    dtype = torch.promote_types(pictures.dtype, torch.float32)  # in bf16 a grid would be off by whole pixels
    samples = F.grid_sample(
        pictures.to(dtype),
        grid.reshape(len(pictures), height * count, width * count, 2).to(dtype),
        mode=interpolation,
        padding_mode="reflection" if border == "reflect" else "zeros",
        align_corners=False,
    )
    return (F.avg_pool2d(samples, count) if count > 1 else samples).to(pictures.dtype)
