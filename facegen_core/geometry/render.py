"""Pictures of meshes."""

import torch
from torch import Tensor

from facegen_core.geometry.camera import to_clip
from facegen_core.geometry.normals import vertex_normals
from facegen_core.geometry.rasteriser import Fragments, rasterise
from facegen_core.geometry.shading import interpolate, lights, reflected, sample_texture


def render(
    vertices: Tensor,
    faces: Tensor,
    camera: Tensor,
    size: int | tuple[int, int],
    *,
    texture: Tensor | None = None,
    uv: Tensor | None = None,
    faces_uv: Tensor | None = None,
    colours: Tensor | None = None,
    light: Tensor | None = None,
    background: Tensor | None = None,
    antialias: int = 2,
    cull: bool = True,
) -> Tensor:
    """Draws meshes of one topology with smooth normals; differentiable in texture, colours and light.

    Light is found at the vertices and interpolated (Gouraud 1971): of degree 2, it changes slowly. Colours are
    multiplied and averaged as the numbers they are; none are taken to be sRGB.

    Args:
        vertices: (B, V, 3).
        faces: (F, 3) int64, anticlockwise as seen from outside.
        camera: (4, 4) or (B, 4, 4), world to clip space, see ``camera.py``.
        size: of the pictures, pixels: one number, or (height, width).
        texture: (B, 3, H, W), or (1, 3, H, W) for all, in [0, 1], with ``uv`` and ``faces_uv``.
        uv: (T, 2), origin bottom left.
        faces_uv: (F, 3) int64 rows of ``uv``.
        colours: (B, V, 3), or (V, 3) for all, in [0, 1], which multiply the texture; white if there is neither.
        light: (9, 3) or (B, 9, 3), see :func:`~facegen_core.geometry.shading.lights`; :func:`studio_light` if None.
        background: (3,) in [0, 1]; None leaves it transparent.
        antialias: each pixel is the mean of this many by this many.
        cull: leave out triangles seen from behind.

    Returns:
        (B, 4, H, W) RGBA in [0, 1], colours not multiplied by alpha; (B, 3, H, W) over a background.

    Raises:
        ValueError: a texture without its coordinates.
    """
    if texture is not None and (uv is None or faces_uv is None):
        raise ValueError("a texture needs uv and faces_uv")
    height, width = (size, size) if isinstance(size, int) else size
    fragments = rasterise(to_clip(vertices, camera), faces, height * antialias, width * antialias, cull)
    light = studio_light() if light is None else light
    shade = reflected(vertex_normals(vertices, faces).float(), light.to(vertices.device, torch.float32))
    colour = interpolate(shade if colours is None else shade * colours, faces, fragments)
    if texture is not None:
        assert uv is not None
        assert faces_uv is not None
        colour = colour * sample_texture(texture, fragments.picture, interpolate(uv, faces_uv, fragments))
    return _compose(colour, fragments, (len(vertices), height, width), antialias, background)


def studio_light() -> Tensor:
    """A key light from the viewer's upper left, a faint one from the right, and some from all around: (9, 3)."""
    directions = torch.tensor([[-0.5, 0.5, 0.8], [0.9, 0.1, 0.3]])
    colours = torch.tensor([[0.66, 0.64, 0.62], [0.18, 0.19, 0.21]])
    return lights(torch.tensor([0.36, 0.36, 0.37]), directions, colours)


def _compose(
    colour: Tensor, fragments: Fragments, shape: tuple[int, int, int], antialias: int, background: Tensor | None
) -> Tensor:
    """Pictures of ``shape`` (B, H, W) from the colours (P, 3) of fragments."""
    batch, height, width = shape
    solid = torch.cat([colour.T, torch.ones_like(colour[None, :, 0])])
    fine = colour.new_zeros(4, batch * height * antialias * width * antialias)
    fine.index_copy_(1, fragments.pixel, solid)
    rows = _mean(fine.view(4, batch, height, antialias, width * antialias), 3)
    rgba = _mean(rows.view(4, batch, height, width, antialias), 4).transpose(0, 1)
    rgb, alpha = rgba[:, :3], rgba[:, 3:]
    if background is not None:
        return (rgb + (1 - alpha) * background.to(rgb)[:, None, None]).clamp(0, 1)
    return torch.cat([(rgb / alpha.clamp(min=1e-6)).clamp(0, 1), alpha], dim=1)


def _mean(values: Tensor, dim: int) -> Tensor:
    """The mean over a short dimension: in torch, adding slices is many times as fast as ``mean``."""
    first, *others = values.unbind(dim)
    for other in others:
        first = first + other
    return first / (1 + len(others)) if others else first
