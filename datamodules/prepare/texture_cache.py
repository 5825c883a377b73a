"""Faces from texture maps, in all sizes that a growing network asks for, in one memory map."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from datamodules.prepare.pictures import read_pixels
from datamodules.prepare.prnet import TextureFile
from datamodules.prepare.row_cache import CachedFile, Row, RowCache, build_once, files_key, fill_rows, open_rows
from facegen_core.errors import BadSampleError
from facegen_core.geometry.uv import crop_face, resize_square
from facegen_core.images import from_uint8, to_uint8
from facegen_core.types import BadSamplePolicy

FORMAT = 1


class CachedTexture(CachedFile, Protocol):
    """What the cache is told of a texture."""

    def texture(self, root: Path) -> TextureFile:
        """Where it is read from, ``root`` being the data set's folder."""


@dataclass(frozen=True)
class FaceMips:
    """Reads a texture map as its face in several sizes, one after another in a row of bytes; see ``RowReader``.

    Attributes:
        resolutions: sides, pixels.
        whole: the map is the face, as PRNet's are; else the face is cut out of it as out of FaceScape's.
    """

    resolutions: tuple[int, ...]
    whole: bool = False
    dtype: npt.DTypeLike = np.uint8

    @property
    def shape(self) -> tuple[int, ...]:
        """(bytes,)."""
        return (sum(3 * side**2 for side in self.resolutions),)

    def row(self, root: Path, file: CachedTexture) -> Row:
        """The face of a square map; each size is resized from the map itself, with antialiasing."""
        source = file.texture(root)
        texture = from_uint8(source.read())
        height, width = texture.shape[1:]
        if height != width:
            raise BadSampleError(f"{source.picture}: {width} x {height} pixels, but a texture map is square")
        cut = resize_square if self.whole else crop_face
        faces = [to_uint8(cut(texture, side)).ravel() for side in self.resolutions]
        row = np.concatenate(faces)
        return Row(row, row.tobytes())

    def pictures(self, rows: npt.NDArray[np.uint8], resolution: int) -> torch.Tensor:
        """Pictures (B, 3, R, R) uint8 of one size from rows (B, bytes)."""
        start = sum(3 * side**2 for side in self.resolutions[: self.resolutions.index(resolution)])
        pixels = rows[:, start : start + 3 * resolution**2].reshape(-1, resolution, resolution, 3)
        return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)


def build_texture_cache(
    root: Path, textures: Sequence[CachedTexture], mips: FaceMips, folder: Path, on_bad_sample: BadSamplePolicy
) -> Path:
    """Makes the cache of ``textures`` if it is not there, going on where a killed build stopped.

    Args:
        root: the data set's folder.
        textures: what to read.
        mips: in which sizes.
        folder: where caches go.
        on_bad_sample: "raise" stops at the first texture that cannot be used; "skip" leaves it out and counts it.

    Returns:
        The cache's folder, for :func:`open_texture_cache`.

    Raises:
        BadSampleError: a texture cannot be used and ``on_bad_sample`` is "raise", or none can be.
        DatasetNotFoundError: the folder cannot be written.
    """
    paths = [path for texture in textures for path in texture.texture(root).files]
    key = files_key(FORMAT, [(path.relative_to(root).as_posix(), path) for path in paths])
    done = folder / f"textures-{'whole-' * mips.whole}{'-'.join(map(str, mips.resolutions))}-{key}"
    return build_once(done, lambda work: fill_rows(root, textures, work, mips, on_bad_sample, "texture"))


def mean_map(paths: Sequence[Path], pixels: int) -> torch.Tensor:
    """The mean of whole maps, (3, pixels, pixels) uint8: what usually lies around a face.

    Raises:
        BadSampleError: a map cannot be read.
    """
    total = torch.zeros(3, pixels, pixels)
    for path in paths:
        total += resize_square(from_uint8(read_pixels(path, pixels)), pixels)
    return (255 * total / len(paths)).round().to(torch.uint8)


def open_texture_cache(
    folder: Path, mips: FaceMips, on_bad_sample: BadSamplePolicy, file: type[CachedFile]
) -> RowCache:
    """Opens a cache made by :func:`build_texture_cache` with the same ``mips``.

    Raises:
        BadSampleError: textures were skipped and ``on_bad_sample`` is "raise".
    """
    return open_rows(folder, mips.shape, mips.dtype, on_bad_sample, file)
