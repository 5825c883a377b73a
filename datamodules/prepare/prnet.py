"""PRNet's position maps as registered meshes and textures. A reader: the maps are made by PRNet itself.

Facts from PRNet (YadiraF/PRNet at fc12fe5, MIT): a map holds, at each of 256 x 256 texels, the place in the picture of
one point of the face, (x right, y down, depth towards the viewer) in pixels; 43,867 texels are of the face.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from datamodules.prepare.pictures import read_pixels
from facegen_core.errors import BadSampleError, DatasetNotFoundError
from facegen_core.geometry.mesh import Floats, Indices, Mesh

SIDE = 256
FACE, CANONICAL = "face_ind.txt", "canonical_vertices.npy"


@dataclass(frozen=True)
class Topology:
    """What all of PRNet's meshes share.

    Attributes:
        texels: (V,) int64, row * 256 + column of each vertex in the position map.
        canonical: (V, 3) float64, the frontal face that meshes are fitted to, y down.
        faces: (F, 3) int64, counter-clockwise seen from the front once y is up.
        uv: (V, 2) float32, origin bottom left.
    """

    texels: Indices
    canonical: npt.NDArray[np.float64]
    faces: Indices
    uv: Floats


@functools.lru_cache(maxsize=4)
def read_topology(folder: Path) -> Topology:
    """Reads PRNet's own ``Data/uv-data``; the file of triangles is not needed.

    Args:
        folder: with ``face_ind.txt`` and ``canonical_vertices.npy``.

    Raises:
        DatasetNotFoundError: one of the two is missing or is something else.
    """
    hint = f"Copy {FACE} and {CANONICAL} there from Data/uv-data of https://github.com/YadiraF/PRNet."
    try:
        texels = np.loadtxt(folder / FACE, ndmin=1).astype(np.int64)
        canonical = np.load(folder / CANONICAL).astype(np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise DatasetNotFoundError(f"{folder}: PRNet's topology cannot be read: {error}. {hint}") from None
    inside = texels.ndim == 1 and len(texels) > 0 and texels.min() >= 0 and texels.max() < SIDE * SIDE
    if not inside or len(np.unique(texels)) != len(texels) or canonical.shape != (len(texels), 3):
        raise DatasetNotFoundError(
            f"{folder}: {FACE} must name different texels of a 256 x 256 map and {CANONICAL} one point for each; "
            f"they hold {texels.shape} and {canonical.shape}. {hint}"
        )
    row, column = np.divmod(texels, SIDE)
    uv = np.stack([column / SIDE, 1 - row / SIDE], axis=1).astype(np.float32)
    return Topology(texels, canonical, grid_triangles(texels), uv)


def grid_triangles(texels: Indices) -> Indices:
    """Two triangles for each square of four neighbouring texels that are all of the face.

    PRNet's own list, ``triangles.txt``, is not in its repository; it has a few more triangles at the rim.

    Args:
        texels: (V,) row * 256 + column of each vertex.

    Returns:
        (F, 3) int64 indices of vertices, counter-clockwise where columns run to the right and rows down.
    """
    vertex = np.full((SIDE, SIDE), -1, dtype=np.int64)
    vertex.flat[texels] = np.arange(len(texels))
    corners = (vertex[:-1, :-1], vertex[1:, :-1], vertex[:-1, 1:], vertex[1:, 1:])
    whole = np.logical_and.reduce([corner >= 0 for corner in corners])
    top_left, bottom_left, top_right, bottom_right = (corner[whole] for corner in corners)
    first = np.stack([top_left, bottom_left, top_right], axis=1)
    second = np.stack([top_right, bottom_left, bottom_right], axis=1)
    return np.stack([first, second], axis=1).reshape(-1, 3)


@dataclass(frozen=True)
class PositionMapReader:
    """Reads position maps as frontal meshes, in the pixels of PRNet's canonical face; y up, looking along +z.

    Attributes:
        folder: of PRNet's topology, see :func:`read_topology`.
    """

    folder: Path

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files of the topology."""
        return self.folder / FACE, self.folder / CANONICAL

    def vertices(self, path: Path) -> Floats:
        """Vertices (V, 3) of one map, frontal.

        Raises:
            BadSampleError: the file is no position map, or its points have no depth.
        """
        topology = read_topology(self.folder)
        points = read_position_map(path).reshape(-1, 3)[topology.texels]
        if not np.isfinite(points).all():
            raise BadSampleError(f"{path}: a position of the face is not finite")
        try:
            frontal = frontalise(points, topology.canonical)
        except ValueError as error:
            raise BadSampleError(f"{path}: {error}") from None
        frontal[:, 1] = SIDE - 1 - frontal[:, 1]
        return frontal.astype(np.float32)

    def mesh(self, path: Path) -> Mesh:
        """The same with the triangles that all maps share."""
        topology = read_topology(self.folder)
        return Mesh(self.vertices(path), topology.faces, topology.uv, topology.faces)


def read_position_map(path: Path) -> npt.NDArray[np.float64]:
    """A position map (256, 256, 3) from a ``.npy`` file.

    Raises:
        BadSampleError: it cannot be read or has another shape.
    """
    try:
        positions: npt.NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadSampleError(f"{path}: not a position map: {error}") from None
    if positions.shape != (SIDE, SIDE, 3) or positions.dtype.kind != "f":
        raise BadSampleError(
            f"{path}: expected a position map of floats (256, 256, 3), found {positions.dtype} {positions.shape}"
        )
    return positions.astype(np.float64)


def frontalise(points: npt.NDArray[np.float64], canonical: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Moves a face onto the canonical one by the affine map that fits best in least squares, as PRNet does.

    Args:
        points: (V, 3).
        canonical: (V, 3).

    Returns:
        (V, 3) moved points.

    Raises:
        ValueError: the points lie in a plane, so that the map is not determined.
    """
    homogeneous = np.column_stack([points, np.ones(len(points))])
    affine, _, rank, _ = np.linalg.lstsq(homogeneous, canonical)
    if rank < 4:
        raise ValueError("its points lie in a plane")
    moved: npt.NDArray[np.float64] = homogeneous @ affine
    return moved


def remap(picture: npt.NDArray[np.uint8], positions: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """The texture of a face: the picture looked up bilinearly where each texel's point is seen.

    Args:
        picture: (H, W, 3).
        positions: (256, 256, 3), in the picture's pixels; the centre of the first pixel is 0, 0.

    Returns:
        (256, 256, 3); black outside the picture.
    """
    places = positions[..., [1, 0]].transpose(2, 0, 1)
    places = np.where(np.isfinite(places), places, -SIDE)  # off the face a map may hold anything
    channels = [
        map_coordinates(picture[..., c].astype(np.float64), places, order=1, mode="grid-constant") for c in range(3)
    ]
    return np.stack(channels, axis=-1).round().clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class TextureFile:
    """Where a face's texture comes from.

    Attributes:
        picture: the texture itself, or the photograph that ``position_map`` belongs to.
        position_map: null where ``picture`` is the texture.
    """

    picture: Path
    position_map: Path | None = None

    @property
    def files(self) -> list[Path]:
        """All that it is made from."""
        return [self.picture] if self.position_map is None else [self.picture, self.position_map]

    def read(self) -> npt.NDArray[np.uint8]:
        """The texture (H, W, 3).

        Raises:
            BadSampleError: a file of it cannot be read.
        """
        pixels = read_pixels(self.picture)
        return pixels if self.position_map is None else remap(pixels, read_position_map(self.position_map))
