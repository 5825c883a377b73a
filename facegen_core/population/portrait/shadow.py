"""Shadows of a key light: what it sees, as a depth map."""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.geometry.camera import orthographic, to_clip
from facegen_core.geometry.rasteriser import rasterise
from facegen_core.population.portrait.spirals import GOLDEN_ANGLE

BIAS_MM = 1.6
"""A surface does not shade itself if it lies no deeper than this behind what the light sees."""
TAPS = 12
"""Samples of the map at each point."""
MOST_BLUR_MM = 22.0
"""Radius of the disk that they are taken from at most."""


class ShadowMap:
    """Depths seen from a light at infinity.

    Args:
        vertices: (V, 3) of the scene, mm.
        faces: (F, 3) int64.
        direction: (3,) towards the light.
        centre: (3,) of what matters.
        radius: mm around it that the map holds.
        pixels: side of the map.
    """

    def __init__(
        self, vertices: Tensor, faces: Tensor, direction: Tensor, centre: Tensor, radius: float, pixels: int
    ) -> None:
        self.radius, self.pixels = radius, pixels
        self.matrix = orthographic(F.normalize(direction.float(), dim=0), centre, radius)
        fragments = rasterise(to_clip(vertices[None], self.matrix), faces, pixels, pixels, cull=False)
        self.depth = torch.full(((pixels + 2) ** 2,), torch.inf)  # with a border in which there is nothing
        row, column = fragments.pixel // pixels, fragments.pixel % pixels
        self.depth[(row + 1) * (pixels + 2) + column + 1] = fragments.depth

    def visible(self, points: Tensor, normals: Tensor, softness: float, turn: Tensor) -> Tensor:
        """Share of the light (P,) that reaches points (P, 3), mm, with normals (P, 3).

        Percentage-closer soft shadows (Fernando 2005): the further off what blocks the light, the softer.

        Args:
            points: places.
            normals: unit vectors.
            softness: tangent of half the angle the light is seen under.
            turn: (P,) radians by which each point's pattern of samples is turned; noise that antialiasing averages.
        """
        clip = to_clip((points + BIAS_MM * normals)[None], self.matrix)[0].float()
        u, v = (clip[:, 0] + 1) * self.pixels / 2 + 1, (1 - clip[:, 1]) * self.pixels / 2 + 1
        cos, sin = turn.cos(), turn.sin()
        depth = clip[:, 2]
        a_mm = self.pixels / (2 * self.radius)
        in_depth = 1 / (4 * self.radius)
        wide = max(min(40.0 * softness, MOST_BLUR_MM), 0.8) * a_mm
        blockers, number = torch.zeros_like(depth), torch.zeros_like(depth)
        for seen in self._taps(u, v, wide * cos, wide * sin, TAPS // 2):
            blocks = seen < depth - BIAS_MM * in_depth
            blockers += torch.where(blocks, depth - seen, 0)
            number += blocks
        away = blockers / number.clamp(min=1) / in_depth
        blur = (away * softness).clamp(0.7, MOST_BLUR_MM) * a_mm
        lit = torch.zeros_like(depth)
        for seen in self._taps(u, v, blur * cos, blur * sin, TAPS):
            lit += seen >= depth - BIAS_MM * in_depth
        return torch.where(number > 0, lit / TAPS, torch.ones_like(lit))

    def _taps(self, u: Tensor, v: Tensor, across: Tensor, down: Tensor, count: int) -> Iterator[Tensor]:
        """Depths at points of a disk around each place, on a sunflower's spiral; beyond the map there is nothing.

        ``across`` and ``down`` are the disk's radius, turned.
        """
        for i in range(count):
            out, angle = ((i + 0.5) / count) ** 0.5, GOLDEN_ANGLE * i
            x, y = out * math.cos(angle), out * math.sin(angle)
            column = (u + x * across - y * down).long().clamp_(0, self.pixels + 1)
            row = (v + y * across + x * down).long().clamp_(0, self.pixels + 1)
            yield self.depth.index_select(0, row * (self.pixels + 2) + column)
