"""Sheets of meshes."""

import io

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from facegen_core.geometry.camera import framing, head_camera
from facegen_core.geometry.render import render

SKIN = torch.tensor([0.88, 0.74, 0.66])
ERROR_SCALE_MM = 5.0
HEIGHT, WIDTH = 240, 200


def reconstruction_figure(inputs: Tensor, reconstructions: Tensor, faces: Tensor) -> Image.Image:
    """A sheet of three rows: meshes, their reconstructions, and the distance between the two.

    Args:
        inputs: (B, V, 3), mm, y up, looking along +z.
        reconstructions: (B, V, 3), mm.
        faces: (F, 3) triangles.
    """
    scale = ScalarMappable(Normalize(0, ERROR_SCALE_MM), "viridis")
    distance = (inputs - reconstructions).norm(dim=-1)
    error = torch.from_numpy(scale.to_rgba(distance.numpy())[..., :3]).float()
    skin = SKIN.expand_as(error)
    meshes = torch.cat([inputs, reconstructions, reconstructions])
    pictures = portraits(meshes, faces, torch.cat([skin, skin, error]))  # together, so that one camera takes them all
    figure = Figure(figsize=(1.9 * len(inputs) + 0.9, 6.2), dpi=110, layout="constrained")
    axes = figure.subplots(3, len(inputs), squeeze=False)
    for ax, picture in zip(axes.flat, pictures, strict=True):
        ax.imshow(picture.permute(1, 2, 0).numpy())
        ax.axis("off")
    for ax, name in zip(axes[:, 0], ("held-out mesh", "reconstruction", "error"), strict=True):
        ax.text(-0.03, 0.5, name, rotation=90, ha="right", va="center", transform=ax.transAxes)
    for ax, mean in zip(axes[2], distance.mean(1).tolist(), strict=True):
        ax.set_title(f"{mean:.2f} mm", fontsize=8)
    figure.colorbar(scale, ax=axes, label="mm", shrink=0.28, anchor=(0, 0.02))
    return to_image(figure)


def portraits(vertices: Tensor, faces: Tensor, colours: Tensor = SKIN) -> Tensor:
    """Meshes from the front, all at one scale, on white.

    Args:
        vertices: (B, V, 3), y up, looking along +z.
        faces: (F, 3) int64.
        colours: (3,), (V, 3) or (B, V, 3) RGB in [0, 1].

    Returns:
        (B, 3, H, W) in [0, 1].
    """
    target, distance = framing(vertices)
    still = torch.zeros(1)
    camera = head_camera(still, still, WIDTH / HEIGHT, distance, target=target)
    return render(vertices, faces, camera, (HEIGHT, WIDTH), colours=colours, background=torch.ones(3))


def to_image(figure: Figure) -> Image.Image:
    """A matplotlib figure as an RGB picture."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    return Image.open(buffer).convert("RGB")
