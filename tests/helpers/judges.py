"""Judges small enough to be worked out by hand."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.types import Faces


class Projection:
    """A fixed linear map of the 4 x 4 picture that is left of a picture."""

    def __init__(self, dimension: int, seed: int = 0) -> None:
        self.weights = torch.randn(48, dimension, generator=torch.Generator().manual_seed(seed))
        self.dim = dimension
        self.name = f"projection to {dimension}"

    def __call__(self, pictures: Tensor) -> Tensor:
        assert len(pictures), "a judge is not asked about no picture"
        return (F.adaptive_avg_pool2d(pictures, 4).flatten(1) - 0.5) @ self.weights


class NoContempt(Projection):
    """Logits of the eight emotions by a classifier that does not know the last."""

    preprocessing = SimpleNamespace(framing="five_points", resize="area", size=4)

    def __init__(self, seed: int = 0) -> None:
        super().__init__(8, seed)

    def __call__(self, pictures: Tensor) -> Tensor:
        logits = super().__call__(pictures)
        return torch.cat([logits[:, :7], torch.full_like(logits[:, 7:], -torch.inf)], dim=1)


class Corner:
    """Finds a face where the first pixel is bright, and crops one pixel all around."""

    name = "bright corner, crop by one"

    def __call__(self, pictures: Tensor) -> Faces:
        found = pictures[:, 0, 0, 0] > 0.5
        return Faces(pictures[found][..., 1:-1, 1:-1], found)


def pictures(count: int, seed: int, side: int = 32) -> Tensor:
    """Random pictures (count, 3, side, side) in [0, 1], smooth enough to differ in their coarse parts."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, side, mode="bilinear").clamp(0, 1)


def with_faces(batch: Tensor, found: list[bool]) -> Tensor:
    """The same pictures with a first pixel that says whether :class:`Corner` finds a face."""
    marked = batch.clone()
    marked[:, 0, 0, 0] = torch.tensor(found).float()
    return marked


def prompt_vectors(prompts: list[str]) -> Tensor:
    """An embedding (B, 16) for every prompt, of its letters."""
    vectors = [torch.randn(16, generator=torch.Generator().manual_seed(sum(map(ord, prompt)))) for prompt in prompts]
    return torch.stack(vectors)
