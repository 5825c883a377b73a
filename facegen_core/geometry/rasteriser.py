"""Which triangle is seen in which pixel: a z-buffer in plain torch, the same on CPU and GPU."""

from typing import NamedTuple

import torch
from torch import Tensor

TOLERANCE = 1e-6
"""Pixels whose weight in a triangle is this little below 0 belong to it, so that none falls between two triangles whose
edge it lies on; the z-buffer keeps one of them."""
EMPTY = torch.iinfo(torch.int64).max


class Fragments(NamedTuple):
    """The pixels that show a triangle, in the order of their place in the pictures.

    Attributes:
        pixel: (P,) int64, place in a stack of B pictures of H x W pixels, row 0 on top.
        picture: (P,) int64, which of the B pictures.
        face: (P,) int64, which triangle.
        barycentric: (P, 3) float32, perspective-correct weights of its corners; they sum to 1.
        depth: (P,) float32, -1 on the near plane, 1 on the far one.
    """

    pixel: Tensor
    picture: Tensor
    face: Tensor
    barycentric: Tensor
    depth: Tensor


class _Boxes(NamedTuple):
    """The T triangles of all pictures that may cover a pixel's centre, with their bounding boxes.

    Attributes:
        picture: (T,) which picture.
        face: (T,) which triangle of it.
        corner: (T,) pixel at the box's upper left, as in ``Fragments.pixel``.
        columns: (T,) width of the box.
        rows: (T,) height of the box.
        planes: (9, T) float32: weight of the first corner, of the second, and depth, each as slope to the right, slope
            downwards, and value at the centre of the upper left pixel.
        w: (T, 3) float32, the corners' distances from the camera along its axis.
    """

    picture: Tensor
    face: Tensor
    corner: Tensor
    columns: Tensor
    rows: Tensor
    planes: Tensor
    w: Tensor


@torch.no_grad()
def rasterise(clip: Tensor, faces: Tensor, height: int, width: int, cull: bool = True) -> Fragments:
    """Finds the triangle nearest to the camera at every pixel's centre.

    Every triangle offers itself to the pixels of its bounding box. Where it covers one, depth and number go into one
    integer, of which each pixel keeps the least: the result does not depend on any order. Planes are computed in
    float64 and counted from the triangle's own box, where float32 is exact enough for pictures of any size.

    Args:
        clip: (B, V, 4) vertices in clip space, see ``camera.py``.
        faces: (F, 3) triangles, anticlockwise as seen from outside.
        height: pixels.
        width: pixels.
        cull: leave out triangles seen from behind.

    Triangles with a corner at or behind the camera are left out, not clipped.
    """
    boxes = _boxes(clip.double(), faces, height, width, cull)
    offers = boxes.columns * boxes.rows
    triangle = torch.repeat_interleave(offers)
    place = torch.arange(len(triangle), device=clip.device) - (offers.cumsum(0) - offers)[triangle]
    columns = boxes.columns[triangle]
    row = ((place + 0.5) / columns).floor()
    column = place - row * columns
    first, second, depth = _at(boxes.planes.index_select(1, triangle), column, row)
    inside = ((first >= -TOLERANCE) & (second >= -TOLERANCE) & (first + second <= 1 + TOLERANCE)).nonzero().flatten()
    triangle = triangle[inside]
    pixel = boxes.corner[triangle] + row[inside].long() * width + column[inside].long()
    # Depth plus 2 is positive, and the bits of positive floats are ordered as they are.
    key = (depth[inside].clamp(-1, 1) + 2).view(torch.int32).long() << 32 | triangle
    buffer = torch.full((len(clip) * height * width,), EMPTY, dtype=torch.int64, device=clip.device)
    buffer.scatter_reduce_(0, pixel, key, "amin")
    return _fragments(buffer, boxes, width)


def _boxes(clip: Tensor, faces: Tensor, height: int, width: int, cull: bool) -> _Boxes:
    corners = clip[:, faces].reshape(-1, 3, 4)
    w = corners[..., 3]
    x, y = (corners[..., 0] / w + 1) / 2 * width, (1 - corners[..., 1] / w) / 2 * height
    (left, right), (top, bottom) = _span(x, width), _span(y, height)
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    seen = (w > 0).all(1) & (left < right) & (top < bottom) & ((area < 0) if cull else (area != 0))
    index = seen.nonzero().flatten()
    left, right, top, bottom, area = left[index], right[index], top[index], bottom[index], area[index]
    x0, x1, x2 = (x[index] - left[:, None] - 0.5).unbind(1)
    y0, y1, y2 = (y[index] - top[:, None] - 0.5).unbind(1)
    z0, z1, z2 = (corners[index, :, 2] / w[index]).unbind(1)
    first = torch.stack([y1 - y2, x2 - x1, x1 * y2 - x2 * y1]) / area
    second = torch.stack([y2 - y0, x0 - x2, x2 * y0 - x0 * y2]) / area
    depth = first * (z0 - z2) + second * (z1 - z2)
    depth[2] += z2
    picture = index // len(faces)
    return _Boxes(
        picture,
        index % len(faces),
        (picture * height + top) * width + left,
        right - left,
        bottom - top,
        torch.cat([first, second, depth]).float(),
        w[index].float(),
    )


def _fragments(buffer: Tensor, boxes: _Boxes, width: int) -> Fragments:
    """Weights and depth of what the buffer kept."""
    pixel = (buffer != EMPTY).nonzero().flatten()
    triangle = buffer[pixel] & 0xFFFFFFFF
    within = pixel - boxes.corner[triangle]
    row = ((within + boxes.corner[triangle] % width) // width).float()
    first, second, depth = _at(boxes.planes.index_select(1, triangle), within - row * width, row)
    weights = torch.stack([first, second, 1 - first - second], dim=1).clamp(0, 1) / boxes.w[triangle]
    barycentric = weights / weights.sum(1, keepdim=True)
    return Fragments(pixel, boxes.picture[triangle], boxes.face[triangle], barycentric, depth)


def _at(planes: Tensor, column: Tensor, row: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Values of three planes (9, P) at columns and rows (P,) of the box."""
    return tuple(planes[i] * column + planes[i + 1] * row + planes[i + 2] for i in (0, 3, 6))  # type: ignore[return-value]


def _span(corners: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """First pixel whose centre lies within the extent of coordinates (T, 3), and the one after the last."""
    bounded = corners.nan_to_num(0, 0, 0).clamp(-1, size + 1)
    first = (bounded.amin(1) - 0.5).ceil().long().clamp(0, size)
    return first, ((bounded.amax(1) - 0.5).floor().long() + 1).clamp(0, size)
