"""Sheets of pictures with titles."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from facegen_core.images import to_uint8

FONT_PIXELS = 15
MARGIN = 4


def titled_sheet(
    pictures: Sequence[Sequence[Tensor]], rows: Sequence[str] = (), columns: Sequence[str] = ()
) -> Image.Image:
    """Pictures in rows and columns on white, with a title before each row and above each column.

    Args:
        pictures: R rows of C pictures (3, H, W) in [0, 1], all of one size; a row may be shorter.
        rows: R titles, or none.
        columns: C titles, or none.
    """
    font = ImageFont.load_default(FONT_PIXELS)
    _, height, width = pictures[0][0].shape
    left = max((int(font.getlength(title)) + 2 * MARGIN for title in rows), default=0)
    top = FONT_PIXELS + 2 * MARGIN if columns else 0
    longest = max(len(row) for row in pictures)
    sheet = Image.new("RGB", (left + longest * width, top + len(pictures) * height), "white")
    draw = ImageDraw.Draw(sheet)
    for r, row in enumerate(pictures):
        for c, picture in enumerate(row):
            sheet.paste(Image.fromarray(np.ascontiguousarray(to_uint8(picture))), (left + c * width, top + r * height))
    for r, title in enumerate(rows):
        draw.text((MARGIN, top + (r + 0.5) * height), title, "black", font, anchor="lm")
    for c, title in enumerate(columns):
        draw.text((left + (c + 0.5) * width, MARGIN), title, "black", font, anchor="ma")
    return sheet
