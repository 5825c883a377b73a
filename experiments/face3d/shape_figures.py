"""The paper's figures of shapes, drawn from a trained model: what its codes do."""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from experiments.face3d.models import ShapeModel
from facegen_core.geometry.camera import framing, head_camera
from facegen_core.geometry.render import render
from facegen_core.methods.face3d.expression_codes import parse_expression
from facegen_core.reporting.embedding_figure import embedding_figure, intensity_figure
from facegen_core.reporting.sheet import titled_sheet
from facegen_core.seeding import torch_generator

PIXELS = 144
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
SHOWN = ("smile", "mouth_stretch", "anger", "sadness", "brow_raiser")
MIXTURES = ("smile+anger", "smile+brow_raiser", "mouth_stretch+brow_lower", "sadness+jaw_left")
"""Pairs that figure 7 is like; the paper does not name its own."""
SKIN = (1.0, 0.878, 0.741)
"""[C] draws shapes in (255, 224, 189)."""

_FIGURES = 80


def draw_shapes(model: ShapeModel, displacements: Tensor) -> list[Tensor]:
    """Pictures (3, H, W) of displacements (B, V, 3), seen from the front."""
    template, faces = model.codes.template, model.codes.faces
    vertices = displacements + template
    target, distance = framing(template[None])
    camera = head_camera(torch.zeros(1), torch.zeros(1), distance=distance, target=target)
    skin, white = torch.tensor(SKIN).expand(len(template), 3), torch.ones(3)
    return [render(mesh[None], faces, camera, PIXELS, colours=skin, background=white)[0] for mesh in vertices]


def shape_figures(model: ShapeModel, seed: int) -> dict[str, Image.Image]:
    """Figures 5 to 8 and 12 by name; those of mixed expressions only where the expressions are FaceScape's."""
    some = shown(model.codes.expression_names)
    return {
        "figure-05-identities": _identities(model, seed, some),
        "figure-06-intensity": _intensity(model, seed, some[:4]),
        "figure-07-mixtures": _mixtures(model, seed),
        "figure-08-interpolation": _interpolation(model, seed, some),
        "figure-12-style": _style(model, seed, some),
    }


def shown(names: Sequence[str]) -> list[str]:
    """The expressions or action units that figures show."""
    return [name for name in SHOWN if name in names] or list(names[: len(SHOWN)])


def _identities(model: ShapeModel, seed: int, expressions: Sequence[str]) -> Image.Image:
    """Figure 5: new people, each with some expressions."""
    people = _draw(model, seed, 5, 5)
    rows = [_row(model, *person, [_code(model, name) for name in expressions]) for person in people]
    return titled_sheet(rows, [f"person {i + 1}" for i in range(len(rows))], expressions)


def _intensity(model: ShapeModel, seed: int, expressions: Sequence[str]) -> Image.Image:
    """Figure 6: expressions from level 0 to beyond what was trained."""
    people = _draw(model, seed, 6, len(expressions))
    rows = [
        _row(model, *person, [level * _code(model, name) for level in LEVELS])
        for person, name in zip(people, expressions, strict=True)
    ]
    return titled_sheet(rows, expressions, [f"{level:g}" for level in LEVELS])


def _mixtures(model: ShapeModel, seed: int) -> Image.Image:
    """Figure 7: two expressions, and both at once."""
    names = model.codes.expression_names
    mixtures = [m for m in MIXTURES if all(part in names for part in m.split("+"))]
    mixtures = mixtures or [f"{names[i]}+{names[i + 1]}" for i in range(0, min(8, len(names) - 1), 2)]
    rows = []
    for person, mixture in zip(_draw(model, seed, 7, len(mixtures)), mixtures, strict=True):
        first, second = (_code(model, part) for part in mixture.split("+"))
        rows.append(_row(model, *person, [0 * first, first, second, first + second]))
    return titled_sheet(rows, mixtures, ["level 0", "first", "second", "both"])


def _interpolation(model: ShapeModel, seed: int, expressions: Sequence[str]) -> Image.Image:
    """Figure 8: from one person to another, and from one expression to another."""
    (noise, one), (_, other) = _draw(model, seed, 8, 2)
    shares = torch.linspace(0, 1, 7)
    first, second = _code(model, expressions[0]), _code(model, expressions[1])
    between = torch.stack([one * (1 - share) + other * share for share in shares])
    who = draw_shapes(model, model.displacements(noise.expand(7, -1), between, first.expand(7, -1)))
    what = _row(model, noise, one, [first * (1 - share) + second * share for share in shares])
    return titled_sheet([who, what], ["identity", "expression"], [f"{share:.2f}" for share in shares])


def _style(model: ShapeModel, seed: int, expressions: Sequence[str]) -> Image.Image:
    """Figure 12: one person, whose expressions are made in the way of others: z_id changed inside G_exp alone."""
    (noise, identity), *styles = _draw(model, seed, 12, 5)
    rows = []
    for name in expressions[:3]:
        codes = _code(model, name).expand(5, -1)
        style = torch.stack([identity, *(other for _, other in styles)])
        shapes = model.displacements(noise.expand(5, -1), identity.expand(5, -1), codes, style)
        rows.append(draw_shapes(model, shapes))
    return titled_sheet(rows, expressions[:3], ["own way", *(f"as person {i + 2}" for i in range(4))])


def level_figure(model: ShapeModel, seed: int, people: int = 10) -> Image.Image:
    """Figure 14: t-SNE of generated expression codes, all expressions at 15 levels [P: 10 people each]."""
    levels = torch.linspace(0, 1.5, 15)
    noise, identity = (torch.stack(part) for part in zip(*_draw(model, seed, 14, people), strict=True))
    grid = torch.cartesian_prod(torch.arange(people), torch.arange(model.expressions), torch.arange(len(levels)))
    who, what, level = grid[:, 0], grid[:, 1], levels[grid[:, 2]]
    with torch.no_grad():
        codes = model.gan.generator(noise[who], identity[who], level[:, None] * torch.eye(model.expressions)[what])
    return intensity_figure(codes.expression, what, level, seed)


def embeddings(model: ShapeModel, seed: int, people: int, level: float = 1.0) -> Image.Image:
    """Figure 13: t-SNE of generated codes of ``people`` new people with all expressions at one level."""
    noise, identity = (torch.stack(part) for part in zip(*_draw(model, seed, 13, people), strict=True))
    who = torch.arange(people).repeat_interleave(model.expressions)
    what = torch.arange(model.expressions).repeat(people)
    with torch.no_grad():
        codes = model.gan.generator(noise[who], identity[who], level * torch.eye(model.expressions)[what])
    return embedding_figure({"generated": (codes.identity, codes.expression)}, who, what, seed)


def _draw(model: ShapeModel, seed: int, figure: int, count: int) -> list[tuple[Tensor, Tensor]]:
    """Noise and z_id of new people, always the same for one figure."""
    generator = torch_generator(seed, _FIGURES, figure)
    return list(zip(model.draw_noise(count, generator), model.identity_codes.sample(count, generator), strict=True))


def _row(model: ShapeModel, noise: Tensor, identity: Tensor, expressions: Sequence[Tensor]) -> list[Tensor]:
    """Pictures of one person with several expression codes."""
    count = len(expressions)
    shapes = model.displacements(noise.expand(count, -1), identity.expand(count, -1), torch.stack(list(expressions)))
    return draw_shapes(model, shapes)


def _code(model: ShapeModel, name: str) -> Tensor:
    return parse_expression(name, model.codes.expression_names)
