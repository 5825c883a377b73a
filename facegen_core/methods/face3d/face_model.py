"""What table 1 asks of a generative model of faces, and how pairs of faces are drawn from it."""

from typing import Protocol

import torch
from torch import Tensor

from facegen_core.metrics.functional.diversity import Differ


class FaceModel(Protocol):
    """A model that makes new faces.

    A face has an identity, an expression label and noise, which is everything else. A model that knows no expressions
    holds the whole face in its identity: it fills DIV and SP of table 1, and neither DIV-ID nor DIV-EXP.
    """

    @property
    def expressions(self) -> int:
        """How many expression labels it knows, 0 for none."""

    def draw_identity(self, count: int, generator: torch.Generator) -> Tensor:
        """New people (count, D)."""

    def draw_noise(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, E); E is 0 where people and labels decide everything."""

    def generate(self, identity: Tensor, expression: Tensor, noise: Tensor) -> Tensor:
        """Displacements (B, V, 3), mm, of people (B, D), labels (B,) and noise (B, E)."""


def sample(model: FaceModel, count: int, generator: torch.Generator) -> Tensor:
    """New faces (count, V, 3), mm: new people, labels drawn uniformly.

    Args:
        model: any.
        count: how many.
        generator: of the draw, on the CPU.
    """
    return model.generate(
        model.draw_identity(count, generator),
        torch.randint(max(1, model.expressions), (count,), generator=generator),
        model.draw_noise(count, generator),
    )


def sample_pairs(
    model: FaceModel, count: int, generator: torch.Generator, differ: Differ
) -> tuple[Tensor, Tensor] | None:
    """Pairs of new faces whose mean distance is DIV, DIV-ID or DIV-EXP.

    Pairs that differ in identity or expression alone share everything else, noise included; the paper does not say.

    Args:
        model: any.
        count: how many pairs.
        generator: of the draw, on the CPU.
        differ: in what.

    Returns:
        Faces (count, V, 3), mm, twice; None where the model does not know what to hold.
    """
    if differ == "anything":
        return sample(model, count, generator), sample(model, count, generator)
    if model.expressions < (2 if differ == "expression" else 1):
        return None
    person, noise = model.draw_identity(count, generator), model.draw_noise(count, generator)
    label = torch.randint(model.expressions, (count,), generator=generator)
    first = model.generate(person, label, noise)
    if differ == "identity":
        return first, model.generate(model.draw_identity(count, generator), label, noise)
    other = (label + torch.randint(1, model.expressions, (count,), generator=generator)) % model.expressions
    return first, model.generate(person, other, noise)
