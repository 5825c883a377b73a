"""Which triangle is seen in which pixel: a z-buffer in plain torch, the same on CPU and GPU."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

SUBPIXELS = 65536
"""Corners are moved to a grid of this many steps a pixel, on which devices that round differently agree."""
DEPTHS = 1 << 30
"""Steps of depth from the near plane to the far one; as many again are left for what lies beyond."""
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


class _Triangles(NamedTuple):
    """The T triangles of all pictures that may be seen; float64, in pixels from the centre of the first pixel.

    Attributes:
        picture: (T,) int64, which picture.
        face: (T,) int64, which triangle of it.
        x: (3, T) columns of its corners.
        y: (3, T) rows of its corners, counted through all pictures.
        z: (3, T) depths of its corners, 0 to 1.
        w: (3, T) distances of its corners from the camera along its axis.
        area: (T,) twice its area, negative where the corners turn anticlockwise.
    """

    picture: Tensor
    face: Tensor
    x: Tensor
    y: Tensor
    z: Tensor
    w: Tensor
    area: Tensor


@torch.no_grad()
def rasterise(clip: Tensor, faces: Tensor, height: int, width: int, cull: bool = True) -> Fragments:
    """Finds the triangle nearest to the camera at every pixel's centre.

    Each triangle is cut into rows of pixels, each row reaching from where one edge crosses it, inclusive, to where
    another does, exclusive. Triangles that share an edge compute its crossing from the same numbers, so that they leave
    no hole between them and share no pixel. Depth and number of a triangle go into one integer, of which each pixel
    keeps the least: the result depends on no order, and of triangles at one depth the first is seen.

    Triangles with a corner nearer than the near plane are left out, not clipped.

    Args:
        clip: (B, V, 4) vertices in clip space, see ``camera.py``.
        faces: (F, 3) int64 triangles, anticlockwise as seen from outside.
        height: pixels.
        width: pixels.
        cull: leave out triangles seen from behind.
    """
    triangles = _set_up(clip.double(), faces, height, width, cull)
    nearest = torch.full((len(clip) * height, width), EMPTY, dtype=torch.int64, device=clip.device)
    _draw(nearest, triangles, height)
    return _fragments(nearest, triangles)


def _set_up(clip: Tensor, faces: Tensor, height: int, width: int, cull: bool) -> _Triangles:
    """Triangles in front of the near plane that face the camera."""
    x, y, z, w = clip.reshape(-1, 4).unbind(1)
    w = torch.where((w > 0) & (z >= -w), w, torch.nan)
    x = ((x / w + 1) * (width * SUBPIXELS / 2)).round() / SUBPIXELS - 0.5
    y = ((1 - y / w) * (height * SUBPIXELS / 2)).round() / SUBPIXELS - 0.5
    vertex = faces.T[:, None] + torch.arange(len(clip), device=faces.device)[:, None] * clip.shape[1]
    vertex = vertex.reshape(3, -1).contiguous()
    (x0, x1, x2), (y0, y1, y2) = _at(x, vertex), _at(y, vertex)
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    seen = (area.isfinite() & ((area < 0) if cull else (area != 0))).nonzero().flatten()
    vertex, area = vertex.index_select(1, seen), area.index_select(0, seen)
    picture = seen // len(faces)
    x, y, z, w = (_at(values, vertex) for values in (x, y, (z / w + 1) / 2, w))
    return _Triangles(picture, seen - picture * len(faces), x, y + picture * height, z, w, area)


def _at(values: Tensor, vertex: Tensor) -> Tensor:
    return values.index_select(0, vertex.view(-1)).view(vertex.shape)


def _draw(nearest: Tensor, triangles: _Triangles, height: int) -> None:
    """Offers triangles to the pixels they cover: ``nearest`` (B * H, W) keeps the least of depth and number."""
    (xt, xm, xb), (yt, ym, yb) = _downwards(triangles.x, triangles.y)
    above = triangles.picture * height
    first, end = (torch.clamp(edge.ceil(), above, above + height) for edge in (yt, yb))
    slopes = (xb - xt) / (yb - yt), (xm - xt) / (ym - yt), (xb - xm) / (yb - ym)
    triangle, number, before = _expand((end - first).long())
    table = [first - before, xt, yt, xm, ym, *slopes, *_depth_plane(triangles)]
    at_once = 1 << (15 if nearest.device.type == "cpu" else 22)  # few enough for a processor's cache
    for part in zip(triangle.split(at_once), number.split(at_once), strict=True):
        _draw_rows(nearest, table, *part)


def _draw_rows(nearest: Tensor, table: list[Tensor], triangle: Tensor, number: Tensor) -> None:
    """Offers some rows (R,) of triangles to their pixels."""
    width = nearest.shape[1]
    first, xt, yt, xm, ym, whole, upper, lower, right, down, start = _take(table, triangle)
    row = first + number
    # Counted from an edge's upper end, so that edges that meet there cross its row at the same place.
    long = xt + (row - yt) * whole
    short = torch.where(row < ym, xt + (row - yt) * upper, xm + (row - ym) * lower)
    left, end = (x.ceil().clamp(0, width) for x in (torch.minimum(long, short), torch.maximum(long, short)))
    span, number, before = _expand((end - left).long())
    depth = start + down * row + right * (left - before)
    pixel = (row * width + left).long() - before
    pixel, depth, right, triangle = _take([pixel, depth, right, triangle], span)
    key = (depth + right * number).clamp(0, 2 * DEPTHS - 1).long() << 32 | triangle
    nearest.view(-1).scatter_reduce_(0, pixel + number, key, "amin")


def _take(table: Iterable[Tensor], index: Tensor) -> list[Tensor]:
    """Rows ``index`` of each column. Columns one by one are faster than whole rows that then have to be turned."""
    return [column.index_select(0, index) for column in table]


def _expand(counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Makes ``counts[i]`` places for each i: whose they are, their numbers through all, and how many are before i's."""
    owner = torch.repeat_interleave(counts)
    return owner, torch.arange(len(owner), device=counts.device), counts.cumsum(0) - counts


def _depth_plane(triangles: _Triangles) -> tuple[Tensor, Tensor, Tensor]:
    """Slope to the right, slope downwards and value at the first pixel of depth, in whole steps."""
    (x0, x1, x2), (y0, y1, y2), (z0, z1, z2) = triangles.x, triangles.y, triangles.z * DEPTHS
    right = ((z1 - z0) * (y2 - y0) - (z2 - z0) * (y1 - y0)) / triangles.area
    down = ((z2 - z0) * (x1 - x0) - (z1 - z0) * (x2 - x0)) / triangles.area
    return right, down, z0 - right * x0 - down * y0


def _downwards(x: Tensor, y: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Corners (3, T) in the order of their rows."""
    xs, ys = list(x), list(y)
    for i, j in ((0, 1), (1, 2), (0, 1)):
        swap = ys[i] > ys[j]
        xs[i], xs[j] = torch.where(swap, xs[j], xs[i]), torch.where(swap, xs[i], xs[j])
        ys[i], ys[j] = torch.where(swap, ys[j], ys[i]), torch.where(swap, ys[i], ys[j])
    return xs, ys


def _fragments(nearest: Tensor, triangles: _Triangles) -> Fragments:
    """What the z-buffer shows.

    Weights over distance are planes in the picture. They are counted from the pixel of the first corner, where float32
    holds them.
    """
    after, before = [1, 2, 0], [2, 0, 1]
    left, top = triangles.x[0].round(), triangles.y[0].round()
    x, y = triangles.x - left, triangles.y - top
    planes = torch.stack([y[after] - y[before], x[before] - x[after], x[after] * y[before] - x[before] * y[after]])
    table = torch.cat([(planes / (triangles.area * triangles.w)).flatten(0, 1), left[None], top[None]]).float()
    row, column = (nearest != EMPTY).nonzero().unbind(1)
    pixel = row * nearest.shape[1] + column
    key = nearest.view(-1).index_select(0, pixel)
    chosen = key & 0xFFFFFFFF
    picture, face, *slopes, left, top = _take([triangles.picture, triangles.face, *table], chosen)
    right, down = column - left, row - top
    a, b, c = ((slopes[i] * right + slopes[i + 3] * down + slopes[i + 6]).clamp(min=1e-30) for i in range(3))
    total = a + b + c
    barycentric = torch.stack([a / total, b / total, c / total], dim=1)
    return Fragments(pixel, picture, face, barycentric, (key >> 32).float() * (2 / DEPTHS) - 1)
