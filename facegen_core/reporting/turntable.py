"""Faces that turn: pictures from many sides, and GIF files of them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from facegen_core.files import atomic_path
from facegen_core.geometry.camera import framing, head_camera
from facegen_core.geometry.render import render
from facegen_core.images import to_uint8

COLOURS = 256
PALETTE_PIXELS = 100_000
"""From about so many pixels a palette is found: the time goes with their number, and more change it hardly."""
WHITE = (1.0, 1.0, 1.0)


def turntable(
    vertices: Tensor,
    faces: Tensor,
    frames: int = 36,
    size: int | tuple[int, int] = 256,
    degrees: float = 360.0,
    background: tuple[float, float, float] = WHITE,
    texture: Tensor | None = None,
    **look: Any,
) -> list[Image.Image]:
    """Pictures of a mesh as it turns under a fixed light, the last of which leads on to the first.

    Args:
        vertices: (V, 3) of one mesh that stays the same, or (frames, V, 3) of one that changes as it turns; y up.
        faces: (F, 3) int64.
        frames: how many pictures.
        size: pixels: one number, or (height, width).
        degrees: 360 turns it round; less turns it to and fro that far, for faces that are open at the back.
        background: RGB in [0, 1].
        texture: (1, 3, H, W), or (frames, 3, H, W) of one that changes as it turns.
        look: uv, faces_uv, colours and light, see :func:`~facegen_core.geometry.render.render`.

    Returns:
        ``frames`` RGB pictures.
    """
    height, width = (size, size) if isinstance(size, int) else size
    target, distance = framing(vertices.reshape(-1, *vertices.shape[-2:]))
    still = torch.zeros(1, device=vertices.device)
    camera = head_camera(still, still, width / height, distance * max(1.0, height / width), target=target)
    behind, centre = (torch.tensor(values, device=vertices.device).float() for values in (background, target))
    turned = (vertices.expand(frames, -1, -1).float() - centre) @ _turns(frames, degrees).to(centre) + centre
    textures = [None] * frames if texture is None else texture.expand(frames, -1, -1, -1).split(1)
    pictures = (
        render(mesh[None], faces, camera, size, background=behind, texture=skin, **look)[0]
        for mesh, skin in zip(turned, textures, strict=True)
    )
    return [Image.fromarray(to_uint8(picture)) for picture in pictures]


def _turns(frames: int, degrees: float) -> Tensor:
    """Rotations (frames, 3, 3) about y, for row vectors."""
    share = torch.arange(frames, dtype=torch.float64) / frames
    whole = degrees >= 360
    angle = torch.deg2rad(360 * share if whole else degrees / 2 * torch.sin(2 * torch.pi * share))
    cosine, sine, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([cosine, zero, -sine, zero, one, zero, sine, zero, cosine], dim=1).view(-1, 3, 3)


def save_gif(images: list[Image.Image], path: Path, seconds: float = 0.06) -> None:
    """Writes pictures as a GIF that begins again for ever.

    All pictures share one palette, found on pixels from all of them, and are not dithered: a colour that stays keeps
    its entry, so that nothing flickers.

    Args:
        images: RGB, of one size.
        path: the file.
        seconds: how long each picture is shown; GIF counts in hundredths.
    """
    pixels = np.concatenate([np.asarray(image.convert("RGB")).reshape(-1, 3) for image in images])
    sheet = Image.fromarray(pixels[:: -(-len(pixels) // PALETTE_PIXELS), None])
    palette = sheet.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=1)
    indexed = [image.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    with atomic_path(path) as temporary:
        indexed[0].save(
            temporary, format="GIF", save_all=True, append_images=indexed[1:], loop=0, duration=round(1000 * seconds),
            optimize=False,
        )  # fmt: skip
