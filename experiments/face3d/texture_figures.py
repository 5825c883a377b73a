"""The paper's figures of textures, drawn from a trained model."""

import torch
from PIL import Image

from experiments.face3d.models import TextureModel
from facegen_core.reporting.sheet import titled_sheet
from facegen_core.seeding import torch_generator

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
SHOWN = ("neutral", "smile", "anger", "sadness", "mouth_stretch", "brow_raiser", "cheek_blowing")
PIXELS = 128

_FIGURES = 81


def texture_figures(model: TextureModel, seed: int) -> dict[str, Image.Image]:
    """Textures of new people: with several expressions, and figure 16's growing intensity."""
    names = model.expression_names
    some = [name for name in SHOWN if name in names] or names[: len(SHOWN)]
    return {
        "textures": _expressions(model, seed, some),
        "figure-16-texture-intensity": _intensity(model, seed, some[1:5]),
    }


def _expressions(model: TextureModel, seed: int, expressions: list[str]) -> Image.Image:
    codes = torch.stack([_code(model, name) for name in expressions])
    rows = [_row(model, seed, person, codes) for person in range(5)]
    return titled_sheet(rows, [f"person {i + 1}" for i in range(len(rows))], expressions)


def _intensity(model: TextureModel, seed: int, expressions: list[str]) -> Image.Image:
    rows = [
        _row(model, seed, 10 + i, torch.stack([level * _code(model, name) for level in LEVELS]))
        for i, name in enumerate(expressions)
    ]
    return titled_sheet(rows, expressions, [f"{level:g}" for level in LEVELS])


def _row(model: TextureModel, seed: int, person: int, codes: torch.Tensor) -> list[torch.Tensor]:
    """One new person with several expression codes, its noise the same for all [deviates from C, which redraws it]."""
    generator = torch_generator(seed, _FIGURES, person)
    identity, noise = model.identity_codes.sample(1, generator), model.draw_noise(1, generator)
    pictures = model.pictures(noise.expand(len(codes), -1), identity.expand(len(codes), -1), codes)
    return list(torch.nn.functional.interpolate(pictures, (PIXELS, PIXELS), mode="bilinear", antialias=True))


def _code(model: TextureModel, name: str) -> torch.Tensor:
    return torch.eye(len(model.expression_names))[model.expression_names.index(name)]
