"""How much of the light from all around reaches a surface."""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.geometry.camera import orthographic, to_clip
from facegen_core.geometry.normals import vertex_normals
from facegen_core.geometry.rasteriser import rasterise
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.spirals import over_sphere

DIRECTIONS, PIXELS, RADIUS_MM = 64, 128, 190.0
"""From how many directions the head is looked at, with how many pixels a side, and the ball around it that is seen."""
BIAS_MM = 3.0
"""What lies so close behind what is seen is seen too."""
HEAD_CENTRE, HEAD_MM = (0.0, 10.0, -35.0), 88.0
"""The ball that a head is to the body below it: its middle and radius, mm."""


@functools.lru_cache(maxsize=1)
def head_openness(anatomy: Anatomy) -> Tensor:
    """Share of the sky, weighted by Lambert's cosine, that each vertex of the template sees, (V,)."""
    vertices, faces = anatomy.template, torch.from_numpy(anatomy.faces)
    normals = vertex_normals(vertices[None], faces)[0]
    seen, total = torch.zeros(len(vertices), dtype=torch.float64), torch.zeros(len(vertices), dtype=torch.float64)
    for direction in torch.from_numpy(over_sphere(DIRECTIONS)):
        facing = (normals @ direction).clamp(min=0)
        seen += facing * _seen_from(vertices, faces, direction, vertices + BIAS_MM * normals)
        total += facing
    return (seen / total.clamp(min=1e-6)).float()


def _seen_from(vertices: Tensor, faces: Tensor, direction: Tensor, points: Tensor) -> Tensor:
    """Which of the points (P, 3) can be seen from a direction, (P,) 0 or 1."""
    matrix = orthographic(direction, torch.zeros(3, dtype=torch.float64), RADIUS_MM)
    fragments = rasterise(to_clip(vertices[None], matrix), faces, PIXELS, PIXELS, cull=False)
    depth = torch.full((1, 1, PIXELS, PIXELS), 2.0)
    depth.view(-1)[fragments.pixel] = fragments.depth
    at = to_clip(points[None], matrix)[0]
    grid = torch.stack([at[:, 0], -at[:, 1]], 1).float()
    front = F.grid_sample(depth, grid[None, None], mode="nearest", align_corners=False)[0, 0, 0]
    return (front >= at[:, 2].float() - BIAS_MM / (4 * RADIUS_MM)).double()


def below_head(points: Tensor, normals: Tensor) -> Tensor:
    """Openness (N,) of points (N, 3), mm, of the body, with unit normals (N, 3): the head hides part of the sky."""
    towards = torch.tensor(HEAD_CENTRE) - points
    distance = towards.norm(dim=1)
    facing = ((normals * towards).sum(1) / distance.clamp(min=1)).clamp(min=0)
    return 1 - ((HEAD_MM / distance.clamp(min=HEAD_MM)) ** 2 * facing).clamp(max=0.85)
