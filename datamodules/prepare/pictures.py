"""Pictures from a data set's files: one way to read all of them, with a name for everything that can be wrong."""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from facegen_core.errors import BadSampleError

warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
"""Of damaged EXIF blocks and the like, for each of a hundred thousand pictures."""
Image.init()  # Pillow knows a few formats until it is asked to look for all
FORMATS = tuple(
    name
    for name in ("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM", "JPEG2000", "TGA", "AVIF")
    if name in Image.OPEN
)
"""What is read, whatever a file's name ends in. Documents and programs, such as PDF and EPS, are no pictures here."""
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".jp2", ".tga", ".avif")
"""What the names of pictures end in, in lower case, where a folder is searched for them."""
MOST_PIXELS = 200_000_000
MARGIN = 2
"""A JPEG is decoded at no less than this many times the size asked for, so that resizing it still takes an average."""

# Why a picture cannot be used
NO_FILE = "no file"
EMPTY = "zero bytes"
NOT_A_PICTURE = "not a picture"
CUT_SHORT = "cut short"
DAMAGED = "damaged"
TOO_LARGE = "over 200 megapixels"
TOO_DEEP = "levels of no known range"
# What was done to a picture that is used
TURNED = "turned as EXIF says"
FIRST_FRAME = "several frames, the first taken"
FROM_16_BITS = "16 bits a level, scaled to 8"
FROM_GREY = "grey, made RGB"
FROM_PALETTE = "indexed, made RGB"
FROM_CMYK = "CMYK, made RGB"
ON_WHITE = "transparent, laid on white"

_NOTES = {"L": FROM_GREY, "LA": FROM_GREY, "1": FROM_GREY, "P": FROM_PALETTE, "PA": FROM_PALETTE, "CMYK": FROM_CMYK}


class BadPictureError(BadSampleError):
    """A picture that cannot be used.

    Attributes:
        outcome: the kind of trouble, the same words for all pictures that have it, to count them by.
    """

    def __init__(self, outcome: str, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


@dataclass
class Picture:
    """A picture, read.

    Attributes:
        image: RGB, upright.
        scale: sides of the file's pixels in one of ``image``'s: 1, or 2, 4, 8 where a JPEG was decoded smaller.
        notes: what was done to it, in the words above.
        alpha: of a picture that is transparent somewhere, upright; else None.
    """

    image: Image.Image
    scale: int = 1
    notes: list[str] = field(default_factory=list)
    alpha: Image.Image | None = None


Share = Callable[[tuple[int, int]], float]
"""Width and height of a picture, as stored -> share of its size at which it still has all the detail that is needed."""


def read_picture(path: Path, share: Share = lambda size: 1.0, on_white: bool = True) -> Picture:
    """Reads a picture of any kind as RGB.

    EXIF's orientation is applied. Grey, indexed and CMYK pictures are converted (CMYK without its colour profile), 16
    bits a level are scaled to 8, and of several frames the first is taken. More than 200 megapixels are refused from
    the header alone. A file that is cut short is refused, never filled up with grey.

    Args:
        path: the file; what it is decides its content, not its name.
        share: how much smaller a JPEG may be decoded, which is faster; see :data:`MARGIN`.
        on_white: transparent pictures are laid on white; else alpha is dropped and the colours below it are shown.

    Raises:
        BadPictureError: it cannot be used. Whatever is wrong with a file, no other error is raised.
    """
    try:
        if path.stat().st_size == 0:
            raise BadPictureError(EMPTY, f"{path}: the picture cannot be read: the file is empty (0 bytes)")
        with _without_pillows_limit(), Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise BadPictureError(
                    TOO_LARGE, f"{path}: {width} x {height} pixels, over {MOST_PIXELS // 1_000_000} megapixels"
                )
            notes = [FIRST_FRAME] if _has_frames(image) else []
            wanted = share(image.size) * MARGIN
            image.draft(None, (max(1, round(wanted * width)), max(1, round(wanted * height))))
            if image.format == "PNG":  # decoding does not look at its checksums, and shows what is damaged as noise
                with Image.open(path, formats=("PNG",)) as again:
                    again.verify()
            scale, turned = round(width / image.width), _is_turned(image)
            image.load()  # which turns a TIFF; the others are turned now, some once their EXIF block has been passed
            upright = ImageOps.exif_transpose(image) if _is_turned(image) else image
            if turned or upright is not image:
                notes.append(TURNED)
            colours, alpha = _as_rgb(path, upright, on_white, notes)
            return Picture(colours, scale, notes, alpha)
    except BadPictureError:
        raise
    except FileNotFoundError:
        raise BadPictureError(NO_FILE, f"{path}: no such file") from None
    except UnidentifiedImageError:
        raise BadPictureError(NOT_A_PICTURE, f"{path}: the picture cannot be read: it is no picture") from None
    except Exception as error:  # Pillow's readers raise anything on a damaged file: struct.error, IndexError, ...
        outcome = CUT_SHORT if "truncated" in str(error).lower() else DAMAGED
        raise BadPictureError(outcome, f"{path}: the picture cannot be read: {error or type(error).__name__}") from None


def read_pixels(path: Path, least: int | None = None) -> npt.NDArray[np.uint8]:
    """Pixels (H, W, 3) of a texture, RGB: as :func:`read_picture`, but the colours below transparency are kept.

    Args:
        path: of any kind of picture.
        least: pixels a side that are enough; a larger JPEG is then decoded faster, at a half, a quarter or an eighth.

    Raises:
        BadPictureError: it cannot be used.
    """

    def share(size: tuple[int, int]) -> float:
        return 1.0 if least is None else least / min(size) / MARGIN

    return np.asarray(read_picture(path, share, on_white=False).image)


@contextlib.contextmanager
def _without_pillows_limit() -> Iterator[None]:
    """Pillow warns of large pictures and refuses larger ones; the limit here is one, and checked by the caller."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _has_frames(image: Image.Image) -> bool:
    """Whether there is more than one frame. A second one that is damaged does not harm the first."""
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:
        return False


def _is_turned(image: Image.Image) -> bool:
    """Whether EXIF says that the picture is to be shown otherwise than it is stored; a damaged block says nothing."""
    try:
        return image.getexif().get(0x0112, 1) in range(2, 9)
    except Exception:
        return False


def _as_rgb(path: Path, image: Image.Image, on_white: bool, notes: list[str]) -> tuple[Image.Image, Image.Image | None]:
    """RGB and, where it is transparent somewhere, alpha."""
    if image.mode.startswith(("I", "F")):
        image = _from_deep(path, image)
        notes.append(FROM_16_BITS)
    if image.mode in _NOTES:
        notes.append(_NOTES[image.mode])
    if not image.has_transparency_data:
        return image.convert("RGB"), None
    image = image.convert("RGBA")
    alpha = image.getchannel("A")
    if np.asarray(alpha).min() == 255:
        return image.convert("RGB"), None
    if on_white:
        notes.append(ON_WHITE)
        return laid_on_white(image.convert("RGB"), alpha), alpha
    return image.convert("RGB"), alpha


def laid_on_white(colours: Image.Image, alpha: Image.Image) -> Image.Image:
    """What is seen of a transparent picture, RGB, on white."""
    image = colours.convert("RGBA")
    image.putalpha(alpha)
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _from_deep(path: Path, image: Image.Image) -> Image.Image:
    """Grey of 16 bits as grey of 8; Pillow itself would cut values off at 255."""
    levels = np.asarray(image)
    if image.mode.startswith("F") or levels.min() < 0 or levels.max() > 0xFFFF:
        raise BadPictureError(
            TOO_DEEP, f"{path}: mode {image.mode} has more than 16 bits a level, of no known range; save it as RGB"
        )
    return Image.fromarray(((levels.astype(np.uint32) + 128) // 257).astype(np.uint8))


def find_pictures(root: Path, folder: str = "") -> Iterator[str]:
    """Paths of all files below ``root/folder`` that are named as pictures, relative to ``root``, in a fixed order.

    Hidden files and folders are passed over: caches, and what other systems leave beside pictures. Links are followed,
    but not back to a folder that they are in.
    """
    yield from _below(root, folder, frozenset())


def _below(root: Path, folder: str, above: frozenset[tuple[int, int]]) -> Iterator[str]:
    """As :func:`find_pictures`; ``above`` are device and number of the folders that this one is in."""
    status = (root / folder).stat()
    here = status.st_dev, status.st_ino
    if here in above:
        return
    with os.scandir(root / folder) as entries:
        there = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
    for entry in there:
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.is_dir():
            yield from _below(root, path, above | {here})
        elif entry.name.lower().endswith(SUFFIXES):
            yield path
