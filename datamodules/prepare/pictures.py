"""Pictures from a data set's files."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from facegen_core.errors import BadSampleError

WIDE = ("I", "F")
"""Modes of 16 bits and more a pixel begin so; Pillow would cut their values off at 255 without a word."""


def read_pixels(path: Path) -> npt.NDArray[np.uint8]:
    """A picture's pixels (H, W, 3), RGB; grey, indexed and CMYK ones are converted, alpha is dropped.

    Raises:
        BadSampleError: it cannot be read, or has grey levels of more than 8 bits.
    """
    try:
        with Image.open(path) as image:
            if image.mode.startswith(WIDE):
                raise BadSampleError(f"{path}: mode {image.mode} has more than 8 bits a level; save it as RGB")
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow's readers raise
        raise BadSampleError(f"{path}: the picture cannot be read: {error}") from None
