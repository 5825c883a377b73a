"""Directions in which surfaces face."""

import torch
from torch import Tensor


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Smooth normals: at each vertex the mean of the triangles around it, weighted by their areas.

    Args:
        vertices: (B, V, 3), any unit.
        faces: (F, 3) int64, anticlockwise as seen from outside.

    Returns:
        (B, V, 3) of length 1, pointing outside; 0 where a vertex has no triangle, or only flat ones.
    """
    batch, count, _ = vertices.shape
    corners = faces.T[:, None] + torch.arange(batch, device=faces.device)[:, None] * count
    corners = corners.reshape(3, -1)
    flat = vertices.reshape(-1, 3)
    a, b, c = (flat.index_select(0, corner) for corner in corners)
    weighted = torch.linalg.cross(b - a, c - a)
    normals = torch.zeros_like(flat)
    for corner in corners:
        normals = normals.index_add(0, corner, weighted)
    length = normals.norm(dim=1, keepdim=True)
    return (normals / length.clamp(min=torch.finfo(normals.dtype).tiny)).view_as(vertices)
