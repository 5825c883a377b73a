"""Sheets of shaded meshes, drawn by matplotlib triangle by triangle from back to front."""

import io

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

SKIN = np.array([0.88, 0.74, 0.66])
ERROR_SCALE_MM = 5.0


def reconstruction_figure(inputs: Tensor, reconstructions: Tensor, faces: Tensor) -> Image.Image:
    """A sheet of three rows: meshes, their reconstructions, and the distance between the two.

    Args:
        inputs: (B, V, 3), mm, y up, looking along +z.
        reconstructions: (B, V, 3), mm.
        faces: (F, 3) triangles.
    """
    figure = Figure(figsize=(1.9 * len(inputs) + 0.9, 6.2), dpi=110, layout="constrained")
    axes = figure.subplots(3, len(inputs), squeeze=False)
    triangles = faces.numpy()
    scale = ScalarMappable(Normalize(0, ERROR_SCALE_MM), "viridis")
    for column, (mesh, rebuilt) in enumerate(zip(inputs.numpy(), reconstructions.numpy(), strict=True)):
        distance = np.linalg.norm(mesh - rebuilt, axis=1)
        draw_mesh(axes[0, column], mesh, triangles)
        draw_mesh(axes[1, column], rebuilt, triangles)
        draw_mesh(axes[2, column], rebuilt, triangles, scale.to_rgba(distance[triangles].mean(1))[:, :3])
        axes[2, column].set_title(f"{distance.mean():.2f} mm", fontsize=8)
    for row, name in enumerate(("held-out mesh", "reconstruction", "error")):
        axes[row, 0].text(-0.03, 0.5, name, rotation=90, ha="right", va="center", transform=axes[row, 0].transAxes)
    figure.colorbar(scale, ax=axes[2, :], label="mm", shrink=0.8)
    return to_image(figure)


def draw_mesh(
    axes: Axes, vertices: npt.NDArray[np.floating], faces: npt.NDArray[np.integer],
    colours: npt.NDArray[np.floating] | None = None,
) -> None:  # fmt: skip
    """Draws one mesh as seen from +z, lit from the viewer's upper left.

    Args:
        axes: matplotlib axes.
        vertices: (V, 3), y up.
        faces: (F, 3).
        colours: (F, 3) RGB in [0, 1]; skin if None.
    """
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    light = np.array([-0.35, 0.45, 0.82])
    shade = 0.35 + 0.65 * np.clip(normals @ light, 0, 1)
    front = normals[:, 2] > 0
    order = np.argsort(corners[front, :, 2].mean(1))
    base = np.broadcast_to(SKIN, (len(faces), 3)) if colours is None else colours
    paint = np.clip(base * shade[:, None], 0, 1)[front][order]
    axes.add_collection(
        PolyCollection(corners[front][order][:, :, :2], facecolors=paint, edgecolors=paint, linewidths=0.2)
    )
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.axis("off")


def to_image(figure: Figure) -> Image.Image:
    """A matplotlib figure as an RGB picture."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    return Image.open(buffer).convert("RGB")
