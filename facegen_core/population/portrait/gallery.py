"""Sheets of embedded people, to see what they look like."""

from pathlib import Path

import torch
from PIL import Image

from facegen_core.errors import FacegenError
from facegen_core.images import grid, to_uint8
from facegen_core.population.anatomy import anatomy
from facegen_core.population.emotions import draw_units
from facegen_core.population.identity import draw_person
from facegen_core.population.portrait.draws import draw_shot
from facegen_core.population.portrait.portrait import photograph
from facegen_core.population.portrait.shot import Crop
from facegen_core.population.skin import LEAST_PIXELS, MOST_PIXELS
from facegen_core.population.writing import JPEG_QUALITY
from facegen_core.progress import track

FRIENDLY = ("happy", "neutral", "happy", "surprise")
"""What people on a sheet show, one after the other."""


def write_sheet(path: Path, people: int, columns: int, seed: int, pixels: int) -> None:
    """Draws people of a population, each once, as FFHQ would crop them.

    Args:
        path: of the picture, .png or .jpg.
        people: how many.
        columns: in a row.
        seed: which population.
        pixels: side of each picture, 16 to 1024.

    Raises:
        FacegenError: a number is out of range, or the file's name ends otherwise.
    """
    if min(people, columns) < 1 or not LEAST_PIXELS <= pixels <= MOST_PIXELS:
        raise FacegenError(
            f"{people} people in {columns} columns of {pixels} pixels: a sheet has one person and one column at least, "
            f"of {LEAST_PIXELS} to {MOST_PIXELS} pixels."
        )
    if path.suffix not in (".png", ".jpg"):
        raise FacegenError(f"{path}: a sheet is a .png or a .jpg.")
    path.parent.mkdir(parents=True, exist_ok=True)
    shared = anatomy()
    pictures = []
    for number in track(range(people), "draw people", "person"):
        emotion = FRIENDLY[number % len(FRIENDLY)]
        shot = draw_shot(seed, number, 0, draw_units(seed, number, 0, emotion), Crop("ffhq"))
        pictures.append(photograph(draw_person(seed, number, shared), shot, shared, pixels).image)
    Image.fromarray(to_uint8(grid(torch.stack(pictures), columns))).save(path, quality=JPEG_QUALITY)
