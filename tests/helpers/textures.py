"""Small FaceScape folders whose texture maps tell what they are."""

from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("neutral", "smile", "anger")


def texture_map(person: int, expression: int, side: int = 64) -> np.ndarray:
    """A map (side, side, 3): smooth, and another for every person and expression."""
    random = np.random.default_rng([person, expression])
    rough = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    return np.asarray(rough.resize((side, side), Image.Resampling.BICUBIC))


def texture_path(root: Path, person: int, expression: int) -> Path:
    """Where a map lies; expressions count from 0."""
    return root / str(person) / "models_reg" / f"{expression + 1}_{NAMES[expression]}.jpg"


def write_textures(root: Path, people: int, side: int = 64) -> Path:
    """People 1, 2, ... with a triangle for a mesh and a map for each expression; PNG in all but name, so exact."""
    for person in range(1, people + 1):
        (root / str(person) / "models_reg").mkdir(parents=True)
        for expression in range(len(NAMES)):
            path = texture_path(root, person, expression)
            Image.fromarray(texture_map(person, expression, side)).save(path, format="PNG")
            path.with_suffix(".obj").write_text(f"v 0 0 {person}\nv 1 0 {expression}\nv 0 1 0\nf 1 2 3\n")
    return root
