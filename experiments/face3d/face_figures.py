"""The paper's figures of textured faces, drawn from a shape GAN and a texture GAN that share their codes."""

import torch
from PIL import Image
from torch import Tensor

from experiments.face3d.shape_figures import LEVELS, draw_shapes, shown
from experiments.face3d.textured_model import Person, TexturedModel, draw_faces
from facegen_core.reporting.sheet import titled_sheet
from facegen_core.seeding import torch_generator

PIXELS = 144
COLUMNS, ROWS = 7, 4

_FIGURES = 83


def face_figures(model: TexturedModel, seed: int) -> dict[str, Image.Image]:
    """Figures 4, 9 and 17 by name."""
    return {
        "figure-04-faces": _random_faces(model, seed),
        "figure-09-intensity": _intensity(model, seed),
        "figure-17-expressions": _expressions(model, seed),
    }


def _random_faces(model: TexturedModel, seed: int) -> Image.Image:
    """Figure 4: new people with expressions drawn at random."""
    names = len(model.expression_names)
    drawn = torch.randint(names, (ROWS * COLUMNS,), generator=torch_generator(seed, _FIGURES))
    codes = torch.eye(names)[drawn]
    pictures = [_draw(model, model.draw_person(seed, 101 + i), code[None])[0] for i, code in enumerate(codes)]
    return titled_sheet([pictures[i : i + COLUMNS] for i in range(0, len(pictures), COLUMNS)])


def _intensity(model: TexturedModel, seed: int) -> Image.Image:
    """Figure 9: textures and faces from level 0 to beyond what was trained."""
    rows, titles = [], []
    for number, name in enumerate(shown(model.expression_names)[:3], 1):
        person = model.draw_person(seed, 200 + number)
        codes = torch.tensor(LEVELS)[:, None] * _code(model, name)
        crops = model.crops(person, codes)
        rows += [list(torch.nn.functional.interpolate(crops, (PIXELS, PIXELS), mode="bilinear", antialias=True))]
        rows += [_draw(model, person, codes)]
        titles += [f"{name}, texture", "rendered"]
    return titled_sheet(rows, titles, [f"{level:g}" for level in LEVELS])


def _expressions(model: TexturedModel, seed: int) -> Image.Image:
    """Figure 17: one new person's meshes and faces with several expressions."""
    names = ["neutral", *shown(model.expression_names)]
    names = [name for name in names if name in model.expression_names]
    person = model.draw_person(seed, 301)
    codes = torch.stack([_code(model, name) for name in names])
    vertices = model.make(person, codes).vertices
    shapes = draw_shapes(model.shape, vertices - model.shape.codes.template)
    return titled_sheet([shapes, _draw(model, person, codes)], ["mesh", "rendered"], names)


def _draw(model: TexturedModel, person: Person, codes: Tensor) -> list[Tensor]:
    return list(draw_faces(model, model.make(person, codes), PIXELS))


def _code(model: TexturedModel, name: str) -> Tensor:
    return torch.eye(len(model.expression_names))[model.expression_names.index(name)]
