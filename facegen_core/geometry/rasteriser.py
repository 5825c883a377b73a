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
        w: (3, T) float32, the corners' distances from the camera along its axis.
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

    Every triangle is tried at the pixels of its bounding box, boxes of about one size together. Where it covers one,
    depth and number go into one integer, of which each pixel keeps the least: the result does not depend on any order.
    Planes are computed in float64 and counted from the triangle's own box, where float32 is exact enough for pictures
    of any size.

    Args:
        clip: (B, V, 4) vertices in clip space, see ``camera.py``.
        faces: (F, 3) triangles, anticlockwise as seen from outside.
        height: pixels.
        width: pixels.
        cull: leave out triangles seen from behind.

    Triangles with a corner at or behind the camera are left out, not clipped.
    """
    boxes = _boxes(clip.double(), faces, height, width, cull)
    buffer = torch.full((len(clip) * height * width,), EMPTY, dtype=torch.int64, device=clip.device)
    longest = torch.maximum(boxes.columns, boxes.rows)
    largest, size = (int(longest.max()) if len(longest) else 0), 1
    while size < 2 * largest:
        triangle = ((longest <= size) & (longest > size // 2)).nonzero().flatten()
        if len(triangle):
            pixel, key = _offers(boxes, triangle, size, width)
            buffer.scatter_reduce_(0, pixel, key, "amin")
        size *= 2
    return _fragments(buffer, boxes, width)


def _boxes(clip: Tensor, faces: Tensor, height: int, width: int, cull: bool) -> _Boxes:
    x, y, z, w = clip.unbind(-1)
    x = torch.where(w > 0, (x / w + 1) / 2 * width, torch.nan)  # what a NaN touches compares as false
    on_screen = torch.stack([x, (1 - y / w) / 2 * height, z / w, w]).flatten(1)
    corners = (faces.T[:, None] + clip.shape[1] * torch.arange(len(clip), device=faces.device)[:, None]).flatten(1)
    x, y = (torch.stack([on_screen[i].index_select(0, corner) for corner in corners]) for i in (0, 1))
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    front = (area < 0 if cull else (area < 0) | (area > 0)).nonzero().flatten()
    x, y, area = x.index_select(1, front), y.index_select(1, front), area.index_select(0, front)
    (left, right), (top, bottom) = _span(x, width), _span(y, height)
    seen = ((left < right) & (top < bottom)).nonzero().flatten()
    left, right, top, bottom, area = (v.index_select(0, seen) for v in (left, right, top, bottom, area))
    index = front.index_select(0, seen)
    z, w = (torch.stack([on_screen[i].index_select(0, c.index_select(0, index)) for c in corners]) for i in (2, 3))
    x0, x1, x2 = x.index_select(1, seen) - left - 0.5
    y0, y1, y2 = y.index_select(1, seen) - top - 0.5
    first = torch.stack([y1 - y2, x2 - x1, x1 * y2 - x2 * y1]) / area
    second = torch.stack([y2 - y0, x0 - x2, x2 * y0 - x0 * y2]) / area
    depth = first * (z[0] - z[2]) + second * (z[1] - z[2])
    depth[2] += z[2]
    picture = index // len(faces)
    return _Boxes(
        picture,
        index - picture * len(faces),
        (picture * height + top) * width + left,
        right - left,
        bottom - top,
        torch.cat([first, second, depth]).float(),
        w.float(),
    )


def _offers(boxes: _Boxes, triangle: Tensor, size: int, width: int) -> tuple[Tensor, Tensor]:
    """Pixels that triangles (T,) with boxes of at most ``size`` cover, and what each puts into the buffer there."""
    steps = torch.arange(size, device=triangle.device, dtype=torch.float32)
    planes = boxes.planes.index_select(1, triangle)[..., None]  # (9, T, 1)
    across = planes[0::3] * steps + planes[2::3]  # (3, T, size)
    down = planes[1::3] * steps
    first, second = (down[i][:, :, None] + across[i][:, None] for i in (0, 1))  # (T, size, size)
    covered = torch.minimum(torch.minimum(first, second), 1 - first - second) >= -TOLERANCE
    covered &= (steps < boxes.rows.index_select(0, triangle)[:, None])[:, :, None]
    covered &= (steps < boxes.columns.index_select(0, triangle)[:, None])[:, None]
    place = covered.flatten().nonzero().flatten()
    line, column = place // size, place % size
    which, row = line // size, line % size
    depth = down[2].flatten().index_select(0, line)
    depth = depth + across[2].flatten().index_select(0, which * size + column)
    number = triangle.index_select(0, which)
    pixel = boxes.corner.index_select(0, number) + row * width + column
    # Depth plus 2 is positive, and the bits of positive floats are ordered as they are.
    return pixel, (depth.clamp(-1, 1) + 2).view(torch.int32).long() << 32 | number


def _fragments(buffer: Tensor, boxes: _Boxes, width: int) -> Fragments:
    """Weights and depth of what the buffer kept."""
    pixel = (buffer != EMPTY).nonzero().flatten()
    triangle = buffer.index_select(0, pixel) & 0xFFFFFFFF
    corner = boxes.corner.index_select(0, triangle)
    row = pixel // width - corner // width
    column = pixel - corner - row * width
    first, second, depth = _at(boxes.planes.index_select(1, triangle), column, row)
    weights = torch.stack([first, second, 1 - first - second]).clamp(0, 1) / boxes.w.index_select(1, triangle)
    barycentric = (weights / weights.sum(0)).T.contiguous()
    picture, face = boxes.picture.index_select(0, triangle), boxes.face.index_select(0, triangle)
    return Fragments(pixel, picture, face, barycentric, depth)


def _at(planes: Tensor, column: Tensor, row: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Values of three planes (9, P) at columns and rows (P,) of the box."""
    return tuple(planes[i] * column + planes[i + 1] * row + planes[i + 2] for i in (0, 3, 6))  # type: ignore[return-value]


def _span(corners: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """First pixel whose centre lies within the extent of coordinates (3, T), and the one after the last."""
    bounded = corners.nan_to_num(0, 0, 0).clamp(-1, size + 1)
    first = (bounded.amin(0) - 0.5).ceil().long().clamp(0, size)
    return first, ((bounded.amax(0) - 0.5).floor().long() + 1).clamp(0, size)
