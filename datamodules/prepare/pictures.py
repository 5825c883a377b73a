"""Pictures from a data set's files."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from facegen_core.errors import BadSampleError

WIDE = ("I", "F")
"""Modes of 16 bits and more a pixel begin so; Pillow would cut their values off at 255 without a word."""


def read_pixels(path: Path, least: int | None = None) -> npt.NDArray[np.uint8]:
    """A picture's pixels (H, W, 3), RGB; grey, indexed and CMYK ones are converted, alpha is dropped.

    Args:
        path: of any kind of picture.
        least: pixels a side that are enough; a larger JPEG is then decoded faster, at a half, a quarter or an eighth.

    Raises:
        BadSampleError: it cannot be read, or has grey levels of more than 8 bits.
    """
    try:
        with Image.open(path) as image:
            if image.mode.startswith(WIDE):
                raise BadSampleError(f"{path}: mode {image.mode} has more than 8 bits a level; save it as RGB")
            if least is not None:
                image.draft("RGB", (least, least))
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow's readers raise
        raise BadSampleError(f"{path}: the picture cannot be read: {error}") from None
