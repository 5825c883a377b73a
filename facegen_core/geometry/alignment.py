"""Rigid alignment of meshes in dense correspondence."""

import torch
from torch import Tensor


def rigid_align(source: Tensor, target: Tensor, mask: Tensor | None = None, weights: Tensor | None = None) -> Tensor:
    """Moves each source mesh onto its target by the best rotation and translation: no scale, no reflection.

    The least-squares solution of Kabsch (1976); the smallest singular direction is flipped where the plain solution
    would mirror.

    Args:
        source: (B, V, 3) vertices to move; any unit.
        target: (B, V, 3) or (V, 3) vertices to move onto.
        mask: (V,) bool, the vertices the fit looks at; all vertices are moved. None looks at all.
        weights: (V,) non-negative weights of the vertices in the fit, or None for equal ones.

    Returns:
        (B, V, 3) moved source vertices, in the dtype of ``source``.

    Raises:
        ValueError: shapes do not fit, or no vertex has a positive weight.
    """
    if source.ndim != 3 or source.shape[-1] != 3 or target.shape[-2:] != source.shape[-2:]:
        raise ValueError(f"need source (B, V, 3) and target (B, V, 3), got {source.shape} and {target.shape}")
    # In float32 the SVD of a sum over 26,000 vertices loses the micrometres that tests ask for.
    moving, fixed = source.double(), target.double().expand(source.shape)
    weight = torch.ones(source.shape[1], dtype=torch.float64, device=source.device)
    if weights is not None:
        weight = weight * weights.to(weight)
    if mask is not None:
        weight = weight * mask.to(weight)
    if not float(weight.sum()) > 0:
        raise ValueError("no vertex is left to align on")
    weight = (weight / weight.sum())[:, None]
    moving_centre, fixed_centre = (moving * weight).sum(1, keepdim=True), (fixed * weight).sum(1, keepdim=True)
    covariance = ((moving - moving_centre) * weight).transpose(1, 2) @ (fixed - fixed_centre)
    U, _, Vt = torch.linalg.svd(covariance)
    flip = torch.ones_like(U[:, 0])
    flip[:, 2] = torch.sign(torch.linalg.det(U @ Vt))
    rotation = (U * flip[:, None]) @ Vt  # row vectors: aligned = moving @ rotation
    return ((moving - moving_centre) @ rotation + fixed_centre).to(source.dtype)
