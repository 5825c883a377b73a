"""People as drawn: flat light in two steps, strong colours, and lines where one thing ends and another begins."""

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.geometry.rasteriser import Fragments
from facegen_core.population.portrait.light import Light
from facegen_core.population.portrait.shade import MATERIALS, Surface

SHADE = (0.58, 0.52, 0.62)
"""What is left of a colour in the shade, RGB."""
EDGE, SOFT = 0.30, 0.06
"""Where light turns to shade, as the cosine of its angle, and over how much."""
VIVID = 1.35
LINE_MM = 9.0
"""A step in depth of this much is drawn as a line."""
LINE = 0.12
"""Light that a line leaves."""


def toon(surface: Surface, light: Light, lit: Tensor) -> Tensor:
    """Light (P, 3) that a drawing shows, linear."""
    facing = (surface.normal @ torch.tensor(light.key)) * lit
    bright = ((facing - EDGE) / SOFT + 0.5).clamp(0, 1)
    shaded = torch.tensor(SHADE)
    grey = surface.colour.mean(1, keepdim=True)
    colour = (grey + VIVID * (surface.colour - grey)).clamp(min=0)
    colour = colour * (shaded + bright[:, None] * (1.05 - shaded))
    shiny = (surface.material == MATERIALS.index("hair")) & (facing > 0.82)
    return torch.where(shiny[:, None], colour * 1.6 + 0.03, colour)


def lined(colour: Tensor, surface: Surface, fragments: Fragments, eye: Tensor, side: int, width: int) -> Tensor:
    """Colours (P, 3) with dark lines at the edges of things.

    Args:
        colour: of P fragments.
        surface: what they show.
        fragments: where in a picture.
        eye: (3,) of the camera.
        side: of the picture, pixels.
        width: of a line, pixels; none is narrower than 3, which takes part of a pixel from either side of an edge.
    """
    depth = torch.zeros(1, 1, side, side)
    depth.view(-1)[fragments.pixel] = (surface.position - eye).norm(dim=1)
    kind = torch.full((1, 1, side, side), -1.0)
    kind.view(-1)[fragments.pixel] = surface.material.float()
    reach = 2 * max(width // 2, 1) + 1
    near = -F.max_pool2d(-torch.where(kind < 0, torch.inf, depth), reach, 1, reach // 2)
    behind = depth - near > LINE_MM
    other = F.max_pool2d(kind, reach, 1, reach // 2) != -F.max_pool2d(-kind, reach, 1, reach // 2)
    line = (behind | other).view(-1)[fragments.pixel]
    return torch.where(line[:, None], colour * LINE, colour)
