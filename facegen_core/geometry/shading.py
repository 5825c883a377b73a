"""Colour of what the rasteriser found: normals, textures, and light as spherical harmonics."""

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.geometry.rasteriser import Fragments

_CLAMPED_COSINE = (1.0, 2 / 3, 1 / 4)
"""Lambert's cosine in spherical harmonics of degree 0, 1, 2, over pi (Ramamoorthi and Hanrahan 2001)."""


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Unit normals (B, V, 3) of vertices (B, V, 3): those of the triangles around, weighted by their areas."""
    count = vertices.shape[1]
    corners = (faces + count * torch.arange(len(vertices), device=faces.device)[:, None, None]).flatten(0, 1)
    flat = vertices.flatten(0, 1)
    a, b, c = (flat.index_select(0, corners[:, i]) for i in range(3))
    weighted = torch.linalg.cross(b - a, c - a)
    normals = torch.zeros_like(flat)
    for i in range(3):
        normals = normals.index_add(0, corners[:, i], weighted)
    return F.normalize(normals, dim=-1).view_as(vertices)


def interpolate(values: Tensor, corners: Tensor, fragments: Fragments) -> Tensor:
    """Values of vertices (B, N, C), or (N, C) for all pictures alike, at the P fragments.

    Args:
        values: one row a vertex, or a texture coordinate.
        corners: (F, 3) rows that the corners of each triangle have.
        fragments: where.

    Returns:
        (P, C).
    """
    rows = corners.index_select(0, fragments.face)
    if values.ndim == 3:
        rows, values = rows + (fragments.picture * values.shape[1])[:, None], values.flatten(0, 1)
    return _weighted_rows(values, rows, fragments.barycentric.to(values.dtype))


def sample_texture(texture: Tensor, picture: Tensor, uv: Tensor) -> Tensor:
    """Bilinear look-up; beyond the edge the edge's colour goes on.

    Args:
        texture: (B, C, H, W), row 0 on top.
        picture: (P,) which texture.
        uv: (P, 2) in [0, 1], origin bottom left as OBJ files have it.

    Returns:
        (P, C), differentiable in ``texture``.
    """
    _, _, height, width = texture.shape
    x = (uv[:, 0] * width - 0.5).clamp(0, width - 1)
    y = ((1 - uv[:, 1]) * height - 0.5).clamp(0, height - 1)
    left, top = x.floor().clamp(max=max(width - 2, 0)), y.floor().clamp(max=max(height - 2, 0))
    first = (picture * height + top.long()) * width + left.long()
    right, down = int(width > 1), width * int(height > 1)
    right_share, bottom_share = x - left, y - top
    rows = torch.stack([first, first + right, first + down, first + down + right], dim=1)
    across = torch.stack([1 - right_share, right_share], dim=1)
    weights = torch.cat([across * (1 - bottom_share)[:, None], across * bottom_share[:, None]], dim=1)
    return _weighted_rows(texture.permute(0, 2, 3, 1).flatten(0, 2), rows, weights.to(texture.dtype))


def _weighted_rows(table: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
    """Sums over k of ``table[rows[:, k]] * weights[:, k]``; torch's fastest way to say it, with gradients."""
    return F.embedding_bag(rows, table, per_sample_weights=weights, mode="sum")


def harmonics(normals: Tensor) -> Tensor:
    """Real spherical harmonics of degree 0 to 2 at unit vectors (..., 3): (..., 9)."""
    x, y, z = normals.unbind(-1)
    one = torch.ones_like(x)
    return torch.stack(
        [
            0.282095 * one,
            0.488603 * y, 0.488603 * z, 0.488603 * x,
            1.092548 * x * y, 1.092548 * y * z, 0.315392 * (3 * z * z - 1), 1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        dim=-1,
    )  # fmt: skip


def lights(ambient: Tensor, directions: Tensor, colours: Tensor) -> Tensor:
    """Coefficients of light from all around and from a few directions.

    A direction's light falls off as Lambert's cosine does, up to degree 2: a white surface facing it reflects about its
    colour, one facing away next to nothing.

    Args:
        ambient: (..., 3) RGB.
        directions: (..., L, 3) towards the lights; any length.
        colours: (..., L, 3) RGB.

    Returns:
        (..., 9, 3), for :func:`shade`.
    """
    basis = harmonics(F.normalize(directions, dim=-1))
    degree = torch.tensor([_CLAMPED_COSINE[0], *[_CLAMPED_COSINE[1]] * 3, *[_CLAMPED_COSINE[2]] * 5]).to(basis)
    coefficients = torch.einsum("...ln,...lc->...nc", basis * degree * torch.pi, colours)
    level = torch.zeros_like(coefficients)
    level[..., 0, :] = ambient / 0.282095
    return coefficients + level


def shade(albedo: Tensor, normals: Tensor, light: Tensor, picture: Tensor) -> Tensor:
    """Reflected colour (P, 3) of surfaces (P, 3) with unit normals (P, 3) under light (9, 3) or (B, 9, 3)."""
    basis = harmonics(normals)
    received = basis @ light if light.ndim == 2 else torch.einsum("pn,pnc->pc", basis, light[picture])
    return albedo * received.clamp(min=0)
