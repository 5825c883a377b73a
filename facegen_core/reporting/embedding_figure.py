"""t-SNE figures of codes."""

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure
from PIL import Image
from sklearn.manifold import TSNE
from torch import Tensor

from facegen_core.reporting.mesh_figure import to_image

MOST_IDENTITIES = 20


def embedding_figure(
    models: dict[str, tuple[Tensor, Tensor]], identity: Tensor, expression: Tensor, seed: int
) -> Image.Image:
    """The paper's figure 3: t-SNE of identity and expression codes, each coloured both ways, one row a model.

    Args:
        models: name -> identity codes (N, D), expression codes (N, E).
        identity: (N,) labels; where they are coloured the first 20 people alone are drawn, since more colours cannot be
            told apart.
        expression: (N,) labels.
        seed: of the t-SNE.
    """
    people = identity.unique()[:MOST_IDENTITIES]
    chosen = (identity[:, None] == people).any(1)
    figure = Figure(figsize=(15.5, 3.9 * len(models)), dpi=90, layout="constrained")
    axes = figure.subplots(len(models), 4, squeeze=False)
    for row, (name, codes) in zip(axes, models.items(), strict=True):
        for column, (code, title) in enumerate(zip(codes, ("identity code", "expression code"), strict=True)):
            points = _tsne(code.numpy(), seed)
            everybody = torch.ones_like(chosen)
            for offset, (labels, by, drawn) in enumerate(
                ((identity, "identity", chosen), (expression, "expression", everybody))
            ):
                panel = row[2 * column + offset]
                _, colour = np.unique(labels[drawn].numpy(), return_inverse=True)
                panel.scatter(*points[drawn.numpy()].T, c=colour, cmap="tab20", s=9, linewidths=0)
                panel.set_title(f"{title}, coloured by {by}", fontsize=10)
                panel.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, fontsize=12)
    return to_image(figure)


def intensity_figure(codes: Tensor, expression: Tensor, level: Tensor, seed: int) -> Image.Image:
    """The paper's figure 14: t-SNE of expression codes, coloured by expression and by level of intensity.

    Args:
        codes: (N, E).
        expression: (N,) labels.
        level: (N,).
        seed: of the t-SNE.
    """
    points = _tsne(codes.numpy(), seed)
    figure = Figure(figsize=(12, 5.4), dpi=90, layout="constrained")
    left, right = figure.subplots(1, 2)
    left.scatter(*points.T, c=expression.numpy(), cmap="tab20", s=9, linewidths=0)
    drawn = right.scatter(*points.T, c=level.numpy(), cmap="viridis", s=9, linewidths=0)
    figure.colorbar(drawn, ax=right)
    for panel, title in ((left, "coloured by expression"), (right, "coloured by level")):
        panel.set_title(f"expression code, {title}", fontsize=10)
        panel.set(xticks=[], yticks=[])
    return to_image(figure)


def _tsne(codes: npt.NDArray[np.floating], seed: int) -> npt.NDArray[np.floating]:
    perplexity = min(30.0, max(2.0, (len(codes) - 1) / 3))
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(codes)
