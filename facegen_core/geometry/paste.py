"""An edited face put back into its photograph, which keeps its own resolution and every pixel outside the face.

A network's crop has 128 pixels a side where the face of the photograph may have a thousand. Pasted as it is, it would
blur the face and repaint all that the first stage cannot keep. So only the change is pasted: what the edited crop is
more than the crop that went through the network unedited. Pores, hair and noise of the photograph stay.

Where the edit moves what there was to see, lips that open or a brow that rises, that alone would leave the old edges as
a ghost, in the detail which the crop does not have. There, and there only, the photograph gives way to the edited crop.
On embedded people, whose true picture is known, this comes 0.5 to 1 dB nearer to it than pasting the crop, or all of
the change, and keeps edges best of the three.
"""

import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from facegen_core.geometry.face_crop import invert, move_points, warp
from facegen_core.geometry.squares import Corners, matrix_of
from facegen_core.images import from_uint8, to_uint8

EYES = 0.3
"""Of the square's side: the face's outline in it runs from the top straight down this far, then in half an ellipse to
the chin, which leaves out what lies beside the jaw."""
FINE, COARSE = (0.03, 0.1), (0.3, 0.25)
"""Shares of the square's side along which the change fades in from the top, and from the rest of the outline. Its fine
part does so at once, as brows lie just below the top; its coarse part slowly, as a drift of colour would show an edge:
each band along its own length (Burt and Adelson, 1983)."""
COARSE_SIGMA = 0.12
"""Share of the side over which the coarse part is averaged."""
SIGMA = 1.5
"""Pixels of the crop: of the Gaussian window in which structure is compared, as SSIM does it."""
FAINT = 0.015**2
"""Variance below which there is no structure to speak of: the skin's, whose detail may stay on any new shading."""
SAME, GONE = 0.97, 0.7
"""Of the old structure: from where down the photograph's own detail begins to give way, and where nothing is left."""
NEAR = 3
"""Pixels of the crop: what is gone takes its neighbours along, else the old edge stays beside the new."""

_PIXELS_AT_ONCE = 1 << 21  # of the photograph, about 300 MB

Pixels = npt.NDArray[np.uint8]


def paste_change(photograph: Pixels, before: Tensor, after: Tensor, corners: Corners) -> Pixels:
    """Puts the change of a face into its photograph.

    Args:
        photograph: (H, W, 3).
        before: (3, S, S) in [0, 1], the crop as it comes out of the network unedited; S at least 6.
        after: (3, S, S) in [0, 1], the edited crop.
        corners: of the square that was cut out, in the photograph.

    Returns:
        (H, W, 3), a copy; outside the square, and where nothing changed, bit for bit as it was.

    Raises:
        ValueError: crops of different or other shapes.
    """
    if before.shape != after.shape or before.ndim != 3 or len(before) != 3 or before.shape[1] != before.shape[2]:
        raise ValueError(f"need two crops (3, S, S), got {tuple(before.shape)} and {tuple(after.shape)}")
    before, after = before.detach().float().cpu(), after.detach().float().cpu()
    change = after - before
    coarse = _blurred(change, COARSE_SIGMA * before.shape[-1])
    layers = torch.cat([change - coarse, coarse, before, gone(before, after)[None]])
    matrix = matrix_of(corners, before.shape[-1])
    pasted = photograph.copy()
    (left, top), (right, bottom) = _pixels_within(corners, photograph.shape[1], photograph.shape[0])
    rows = max(1, _PIXELS_AT_ONCE // max(1, right - left))
    for start in range(top, bottom, rows):
        part = slice(start, min(start + rows, bottom)), slice(left, right)
        pasted[part] = _changed(photograph[part], layers, _seen_from(matrix, left, start))
    return pasted


def gone(before: Tensor, after: Tensor) -> Tensor:
    """Where an edit takes away what there was to see.

    Structure stays where it is found again in full, whatever came on top of it, or in its shape, fainter or stronger.

    Args:
        before: (3, S, S) in [0, 1].
        after: the same.

    Returns:
        (S, S): 0 where old structure stays, or there was none; 1 where it is gone.
    """
    x, y = (crop.mean(0)[None, None] - 0.5 for crop in (before, after))
    mean_x, mean_y = _around(x), _around(y)
    variance_x, variance_y = _around(x * x) - mean_x**2 + FAINT, _around(y * y) - mean_y**2 + FAINT
    common = _around(x * y) - mean_x * mean_y + FAINT
    left = torch.maximum(common / variance_x, common / (variance_x * variance_y).sqrt())
    least = -F.max_pool2d(-left, NEAR, 1, NEAR // 2)[0, 0]
    share = ((SAME - least) / (SAME - GONE)).clamp(0, 1)
    return share * share * (3 - 2 * share)


def _around(x: Tensor) -> Tensor:
    """Means around each pixel."""
    return _blurred(x, SIGMA)


def _blurred(x: Tensor, sigma: float) -> Tensor:
    """Means (..., S, S) weighted by a Gaussian around each pixel, mirrored beyond the border."""
    reach = min(math.ceil(3 * sigma), x.shape[-1] - 1)
    window = 2 * reach + 1
    return gaussian_blur(gaussian_blur(x, [window, 1], [sigma, sigma]), [1, window], [sigma, sigma])


def _changed(photograph: Pixels, layers: Tensor, matrix: Tensor) -> Pixels:
    """A part of the photograph (h, w, 3) with the change in it.

    Args:
        photograph: the part.
        layers: (10, S, S): fine and coarse change, the crop before it, and what is gone of that.
        matrix: (1, 2, 3) from this part to the crop.
    """
    there = from_uint8(photograph)
    height, width = photograph.shape[:2]
    found = warp(layers[None], invert(matrix), (height, width), interpolation="bicubic")[0]
    fine, coarse, before, share = found[:3], found[3:6], found[6:9], found[9].clamp(0, 1)
    near, far = (_fade(matrix, height, width, layers.shape[-1], *lengths) for lengths in (FINE, COARSE))
    return to_uint8(there + far * coarse + near * (fine - share * (there - before)))


def _fade(matrix: Tensor, height: int, width: int, size: int, top: float, rest: float) -> Tensor:
    """(h, w): 1 on the face in the square, falling to 0 at its outline along half a cosine; 0 outside."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    points = torch.stack([x, y], -1).reshape(1, -1, 2)
    across, down = ((move_points(points, matrix)[0] + 0.5) / size).unbind(1)
    outwards = torch.hypot(2 * across - 1, (down - EYES).clamp(min=0) / (1 - EYES))
    edge = torch.stack([down / top, (1 - outwards) / (2 * rest)]).clamp(0, 1)
    return ((1 - torch.cos(math.pi * edge)) / 2).prod(0).reshape(height, width).float()


def _pixels_within(corners: Corners, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The pixels that a square touches: first column and row, and those after the last."""
    low = np.floor(corners.min(axis=0)).astype(int).clip(0, (width, height))
    high = np.ceil(corners.max(axis=0)).astype(int).clip(0, (width, height))
    return (int(low[0]), int(low[1])), (int(high[0]), int(high[1]))


def _seen_from(matrix: Tensor, left: int, top: int) -> Tensor:
    """The same matrix (1, 2, 3) for a part of the photograph whose first pixel is at (left, top)."""
    shifted = matrix.clone()
    shifted[..., 2] += matrix[..., :2] @ matrix.new_tensor([left, top])
    return shifted
