"""Colour of what the rasteriser found: attributes, textures, and light as spherical harmonics."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.geometry.rasteriser import Fragments

_CLAMPED_COSINE = (math.pi, 2 * math.pi / 3, math.pi / 4)
"""Lambert's cosine in spherical harmonics of degree 0, 1 and 2 (Ramamoorthi and Hanrahan 2001, equation 8)."""


def interpolate(values: Tensor, corners: Tensor, fragments: Fragments) -> Tensor:
    """Values of vertices (B, N, C), or (N, C) for all pictures alike, at the P fragments; differentiable in them.

    Args:
        values: one row a vertex, or a texture coordinate.
        corners: (F, 3) int64 rows that the corners of each triangle have.
        fragments: where.

    Returns:
        (P, C).
    """
    rows = corners.index_select(0, fragments.face)
    if values.ndim == 3:
        rows, values = rows + (fragments.picture * values.shape[1])[:, None], values.flatten(0, 1)
    weights = fragments.barycentric.to(values.dtype)
    return F.embedding_bag(rows, values, per_sample_weights=weights, mode="sum")  # the fastest weighted sum of rows


def sample_texture(texture: Tensor, picture: Tensor, uv: Tensor) -> Tensor:
    """Bilinear look-up; beyond the edge the edge's colour goes on.

    Args:
        texture: (B, C, H, W), or (1, C, H, W) for all pictures alike; row 0 on top.
        picture: (P,) which texture, in ascending order.
        uv: (P, 2) in [0, 1], origin bottom left as OBJ files have it.

    Returns:
        (P, C), differentiable in ``texture``.
    """
    grid = ((2 * uv - 1) * uv.new_tensor([1.0, -1.0])).to(texture.dtype)
    counts = [len(uv)] if len(texture) == 1 else torch.bincount(picture, minlength=len(texture)).tolist()
    parts = [
        F.grid_sample(one[None], at[None, None], padding_mode="border", align_corners=False)[0, :, 0]
        for one, at in zip(texture, grid.split(counts), strict=True)
    ]
    return torch.cat(parts, dim=1).T


def harmonics(normals: Tensor) -> Tensor:
    """Real spherical harmonics of degree 0 to 2 at unit vectors (..., 3): (..., 9)."""
    x, y, z = normals.unbind(-1)
    zero, one = math.sqrt(1 / (4 * math.pi)), math.sqrt(3 / (4 * math.pi))
    two = math.sqrt(15 / (4 * math.pi))
    return torch.stack(
        [
            torch.full_like(x, zero),
            one * y, one * z, one * x,
            two * x * y, two * y * z, two / math.sqrt(12) * (3 * z * z - 1), two * x * z, two / 2 * (x * x - y * y),
        ],
        dim=-1,
    )  # fmt: skip


def lights(ambient: Tensor, directions: Tensor, colours: Tensor) -> Tensor:
    """Light from all around and from a few directions.

    A direction's light falls off as Lambert's cosine does, up to degree 2: a white surface that faces it reflects 1.06
    of its colour and one that faces away 0.06.

    Args:
        ambient: (..., 3) RGB, what a white surface reflects of it.
        directions: (..., L, 3) towards the lights; any length.
        colours: (..., L, 3) RGB.

    Returns:
        (..., 9, 3) coefficients for :func:`reflected`.
    """
    basis = harmonics(F.normalize(directions, dim=-1))
    degree = basis.new_tensor([_CLAMPED_COSINE[0], *[_CLAMPED_COSINE[1]] * 3, *[_CLAMPED_COSINE[2]] * 5])
    coefficients = torch.einsum("...ln,...lc->...nc", basis * degree, colours)
    around = ambient[..., None, :] * math.sqrt(4 * math.pi)
    return torch.cat([coefficients[..., :1, :] + around, coefficients[..., 1:, :]], dim=-2)


def reflected(normals: Tensor, light: Tensor) -> Tensor:
    """What white surfaces with unit normals (B, V, 3) reflect of light (9, 3) or (B, 9, 3): (B, V, 3), 0 or more."""
    return (harmonics(normals) @ light).clamp(min=0)
