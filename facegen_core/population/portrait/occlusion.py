"""How much of the light from all around reaches a surface."""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.geometry.camera import look_at
from facegen_core.geometry.normals import vertex_normals
from facegen_core.geometry.rasteriser import rasterise
from facegen_core.population.anatomy import Anatomy

DIRECTIONS, PIXELS, RADIUS_MM, BIAS_MM = 64, 128, 190.0, 3.0
HEAD_CENTRE, HEAD_MM = (0.0, 10.0, -35.0), 88.0


@functools.lru_cache(maxsize=1)
def head_openness(anatomy: Anatomy) -> Tensor:
    """Share of the sky, weighted by Lambert's cosine, that each vertex of the template sees, (V,)."""
    vertices, faces = anatomy.template, torch.from_numpy(anatomy.faces)
    normals = vertex_normals(vertices[None], faces)[0]
    seen, total = torch.zeros(len(vertices), dtype=torch.float64), torch.zeros(len(vertices), dtype=torch.float64)
    for direction in _sphere(DIRECTIONS):
        facing = (normals @ direction).clamp(min=0)
        seen += facing * _seen_from(vertices, faces, direction, vertices + BIAS_MM * normals)
        total += facing
    return (seen / total.clamp(min=1e-6)).float()


def _seen_from(vertices: Tensor, faces: Tensor, direction: Tensor, points: Tensor) -> Tensor:
    up = torch.tensor([0.0, 1.0, 0.0] if abs(float(direction[1])) < 0.95 else [0.0, 0.0, 1.0], dtype=torch.float64)
    view = look_at(direction * 4 * RADIUS_MM, torch.zeros(3, dtype=torch.float64), up)
    scale = torch.tensor([1.0, 1.0, -0.25, RADIUS_MM], dtype=torch.float64) / RADIUS_MM
    matrix = scale[:, None] * view
    matrix[2, 3] -= 1
    clip = torch.cat([vertices, torch.ones_like(vertices[:, :1])], 1) @ matrix.T
    fragments = rasterise(clip[None], faces, PIXELS, PIXELS, cull=False)
    depth = torch.full((1, 1, PIXELS, PIXELS), 2.0)
    depth.view(-1)[fragments.pixel] = fragments.depth
    at = torch.cat([points, torch.ones_like(points[:, :1])], 1) @ matrix.T
    grid = torch.stack([at[:, 0], -at[:, 1]], 1).float()
    front = F.grid_sample(depth, grid[None, None], mode="nearest", align_corners=False)[0, 0, 0]
    return (front >= at[:, 2].float() - BIAS_MM / (4 * RADIUS_MM)).double()


def _sphere(count: int) -> Tensor:
    """Directions spread evenly over a sphere (Fibonacci), (count, 3)."""
    i = torch.arange(count, dtype=torch.float64) + 0.5
    height, angle = 1 - 2 * i / count, i * 2.399963
    out = (1 - height**2).sqrt()
    return torch.stack([out * angle.cos(), height, out * angle.sin()], 1)


def below_head(points: Tensor, normals: Tensor) -> Tensor:
    """Openness (N,) of points (N, 3), mm, of the body, with unit normals (N, 3): the head hides part of the sky."""
    towards = torch.tensor(HEAD_CENTRE) - points
    distance = towards.norm(dim=1)
    facing = ((normals * towards).sum(1) / distance.clamp(min=1)).clamp(min=0)
    return 1 - ((HEAD_MM / distance.clamp(min=HEAD_MM)) ** 2 * facing).clamp(max=0.85)
