"""Pictures of meshes."""

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.geometry.camera import to_clip
from facegen_core.geometry.rasteriser import rasterise
from facegen_core.geometry.shading import interpolate, lights, sample_texture, shade, vertex_normals


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
) -> Tensor:
    """Draws meshes of one topology with smooth normals; differentiable in texture, colours and light.

    Args:
        vertices: (B, V, 3).
        faces: (F, 3), anticlockwise as seen from outside; what is seen from behind is not drawn.
        camera: (4, 4) or (B, 4, 4), world to clip space.
        size: of the pictures, pixels: one number, or (height, width).
        texture: (B, 3, H, W) or (1, 3, H, W) in [0, 1], with ``uv`` and ``faces_uv``.
        uv: (T, 2), origin bottom left.
        faces_uv: (F, 3) rows of ``uv``.
        colours: (B, V, 3) or (V, 3) in [0, 1], where there is no texture; a light grey if None.
        light: (9, 3) or (B, 9, 3) coefficients, see :func:`lights`; a soft light from the upper left if None. Zeros
            would be night.
        background: (3,) in [0, 1]; None leaves it transparent.
        antialias: each pixel is the mean of this many by this many.

    Returns:
        (B, 4, H, W) RGBA in [0, 1], colours not multiplied by alpha; (B, 3, H, W) over a background.
    """
    height, width = (size, size) if isinstance(size, int) else size
    fine = rasterise(to_clip(vertices, camera), faces, height * antialias, width * antialias)
    normals = F.normalize(interpolate(vertex_normals(vertices, faces), faces, fine).float(), dim=-1)
    if texture is not None:
        assert uv is not None
        assert faces_uv is not None
        which = fine.picture if len(texture) > 1 else torch.zeros_like(fine.picture)
        albedo = sample_texture(texture, which, interpolate(uv, faces_uv, fine))
    elif colours is not None:
        albedo = interpolate(colours, faces, fine)
    else:
        albedo = vertices.new_full((1, 3), 0.8, dtype=torch.float32)
    light = studio_light(vertices.device) if light is None else light
    colour = shade(albedo, normals, light.to(normals), fine.picture)
    solid = torch.cat([colour, torch.ones_like(colour[:, :1])], dim=1)
    picture = solid.new_zeros(len(vertices) * height * width * antialias**2, 4).index_copy(0, fine.pixel, solid)
    picture = picture.view(len(vertices), height, antialias, width, antialias, 4).mean((2, 4)).permute(0, 3, 1, 2)
    rgb, alpha = picture[:, :3], picture[:, 3:]
    if background is not None:
        return (rgb + (1 - alpha) * background.to(rgb)[:, None, None]).clamp(0, 1)
    return torch.cat([(rgb / alpha.clamp(min=1e-6)).clamp(0, 1), alpha], dim=1)


def studio_light(device: torch.device | str = "cpu") -> Tensor:
    """A key light from the viewer's upper left, a faint one from the right, and some from all around: (9, 3)."""
    directions = torch.tensor([[-0.5, 0.5, 0.8], [0.9, 0.1, 0.3]], device=device)
    colours = torch.tensor([[0.66, 0.64, 0.62], [0.18, 0.19, 0.21]], device=device)
    return lights(torch.tensor([0.36, 0.36, 0.37], device=device), directions, colours)
