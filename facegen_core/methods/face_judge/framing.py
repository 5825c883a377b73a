"""What the judges look at: windows of one crop of the face, taken with or without misalignment.

Places are in the 112 x 112 square of ArcFace's five points. Training pictures are kept a little wider, so that a
window that is turned or shifted still sees picture and not border.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

ARCFACE_SIDE = 112
WIDE_SIDE = 140
"""Of the square that training pictures show, centred on ArcFace's."""
WIDE_PIXELS = 96


class Window(NamedTuple):
    """A square of the aligned face.

    Attributes:
        x: of its centre.
        y: of its centre.
        side: its side.
        pixels: what a network sees of it, a side.
    """

    x: float
    y: float
    side: float
    pixels: int


class Misalignment(NamedTuple):
    """Standard deviations of how far a face may lie from where it should.

    Attributes:
        turn: radians.
        scale: of the scale's logarithm.
        shift: of either coordinate, as a share of the window's side.
    """

    turn: float = 0.06
    scale: float = 0.05
    shift: float = 0.02


IDENTITY_WINDOW = Window(56.0, 56.0, 112.0, 64)
"""ArcFace's crop."""
EMOTION_CROP = 76
"""Pixels a side of ArcFace's crop, as the emotion network is given it."""
EMOTION_INSET = (6, 12)
"""The emotion network looks at 64 x 64 pixels of it from this column and row on: brows to chin, larger."""
_UNIT = ARCFACE_SIDE / EMOTION_CROP
EMOTION_WINDOW = Window((EMOTION_INSET[0] + 32) * _UNIT, (EMOTION_INSET[1] + 32) * _UNIT, 64 * _UNIT, 64)


def windowed(
    wide: Tensor,
    window: Window,
    misalignment: Misalignment | None = None,
    strength: float = 1.0,
    random: torch.Generator | None = None,
) -> Tensor:
    """Cuts a window out of wide crops in one resampling.

    Args:
        wide: (B, 3, H, H) float pictures that show :data:`WIDE_SIDE`.
        window: what to cut out.
        misalignment: how far it may be misplaced; half of the pictures are mirrored then, too. None: exactly there.
        strength: factor of the misalignment.
        random: source of the draws; torch's own if None.

    Returns:
        (B, 3, pixels, pixels).
    """
    count, device = len(wide), wide.device
    ratio = window.side / WIDE_SIDE
    centre = [(2 * place - ARCFACE_SIDE) / WIDE_SIDE for place in (window.x, window.y)]
    if misalignment is None:
        theta = torch.tensor([[ratio, 0.0, centre[0]], [0.0, ratio, centre[1]]], device=device).repeat(count, 1, 1)
    else:
        drawn = strength * torch.randn(count, 4, generator=random, device=device)
        side = 1 - 2 * (torch.rand(count, generator=random, device=device) < 0.5).float()
        scale = ratio * torch.exp(misalignment.scale * drawn[:, 0])
        cos, sin = (scale * f(misalignment.turn * drawn[:, 1]) for f in (torch.cos, torch.sin))
        shift = drawn[:, 2:] * (2 * ratio * misalignment.shift)
        across = torch.stack([cos * side, -sin, shift[:, 0] + centre[0]], 1)
        down = torch.stack([sin * side, cos, shift[:, 1] + centre[1]], 1)
        theta = torch.stack([across, down], 1)
    grid = F.affine_grid(theta, [count, 3, window.pixels, window.pixels], align_corners=False)
    return F.grid_sample(wide, grid, padding_mode="reflection", align_corners=False)
