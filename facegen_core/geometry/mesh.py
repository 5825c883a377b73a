"""Triangle meshes and Wavefront OBJ files whose vertex order is kept."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegen_core.errors import BadSampleError

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


@dataclass
class Mesh:
    """A mesh as an OBJ file holds it.

    Attributes:
        vertices: (V, 3) float32.
        faces: (F, 3) int64 triangles, from 0.
        uv: (T, 2) float32 texture coordinates, origin bottom left; (0, 2) without texture.
        faces_uv: (F, 3) int64 indices into ``uv``; (0, 3) without texture.
    """

    vertices: Floats
    faces: Indices
    uv: Floats
    faces_uv: Indices


def read_obj_vertices(path: Path) -> Floats:
    """The ``v`` lines of an OBJ file, in order; the first three numbers where colours follow.

    General readers merge or split vertices at texture seams, which breaks correspondence between meshes, and spend most
    of their time on faces that every registered mesh shares.

    Returns:
        (V, 3) float32.

    Raises:
        BadSampleError: the file cannot be read, has no vertices, ends in the middle of one, or has one that is no number
            or not finite.
    """
    return _vertices(_read(path), path)


def read_obj(path: Path) -> Mesh:
    """A whole OBJ file; polygons become fans of triangles.

    Raises:
        BadSampleError: as :func:`read_obj_vertices`, or a face names a vertex that is not there.
    """
    content = _read(path)
    vertices = _vertices(content, path)
    uv = [line.split()[1:3] for line in content.splitlines() if line.startswith(b"vt ")]
    faces: list[tuple[int, int, int]] = []
    faces_uv: list[tuple[int, int, int]] = []
    try:
        coordinates = np.array(uv, dtype=np.float32).reshape(-1, 2)
        for line in content.splitlines():
            if line.startswith(b"f "):
                corners = [corner.split(b"/") for corner in line.split()[1:]]
                points = [_index(corner[0], len(vertices)) for corner in corners]
                faces += [(points[0], points[i], points[i + 1]) for i in range(1, len(points) - 1)]
                if all(len(corner) > 1 and corner[1] for corner in corners):
                    texels = [_index(corner[1], len(coordinates)) for corner in corners]
                    faces_uv += [(texels[0], texels[i], texels[i + 1]) for i in range(1, len(texels) - 1)]
    except (ValueError, IndexError) as error:
        raise BadSampleError(f"{path}: cut short or damaged: {error}") from None
    return Mesh(
        vertices,
        np.array(faces, dtype=np.int64).reshape(-1, 3),
        coordinates,
        np.array(faces_uv, dtype=np.int64).reshape(-1, 3),
    )


def format_vertices(vertices: npt.NDArray[np.floating], decimals: int = 4) -> str:
    """``v`` lines of (V, 3) vertices."""
    return (f"v %.{decimals}f %.{decimals}f %.{decimals}f\n" * len(vertices)) % tuple(vertices.ravel().tolist())


def format_topology(faces: Indices, uv: Floats, faces_uv: Indices) -> str:
    """``vt`` and ``f`` lines, the same for all meshes of one topology."""
    out = io.StringIO()
    out.writelines(f"vt {u:.6f} {v:.6f}\n" for u, v in uv)
    if len(faces_uv):
        out.writelines(
            f"f {a}/{x} {b}/{y} {c}/{z}\n"
            for (a, b, c), (x, y, z) in zip((faces + 1).tolist(), (faces_uv + 1).tolist(), strict=True)
        )
    else:
        out.writelines(f"f {a} {b} {c}\n" for a, b, c in (faces + 1).tolist())
    return out.getvalue()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadSampleError(f"{path}: cannot be read: {error.strerror}") from None


def _vertices(content: bytes, path: Path) -> Floats:
    first = 0 if content.startswith(b"v ") else content.find(b"\nv ") + 1
    last = content.rfind(b"\nv ") + 1
    if not content.startswith(b"v ", first):
        raise BadSampleError(f"{path}: has no vertices")
    end = content.find(b"\n", last)
    if end < 0:
        raise BadSampleError(f"{path}: cut short: it ends in the middle of its vertices")
    block = content[first:end]
    if block.count(b"\n") + 1 != block.count(b"\nv ") + 1:  # other lines stand between the vertices
        block = b"\n".join(line for line in block.splitlines() if line.startswith(b"v "))
    count = block.count(b"\n") + 1
    text = block.replace(b"v ", b" ")
    if re.search(rb"[^0-9eE+\-. \t\r\n]", text):
        raise BadSampleError(f"{path}: a vertex is not finite or not a number (line {_bad_line(content)})")
    try:
        numbers = np.array(text.split(), dtype=np.float64)
    except ValueError:
        raise BadSampleError(f"{path}: a vertex is not a number (line {_bad_line(content)})") from None
    if len(numbers) % count or len(numbers) // count < 3:
        raise BadSampleError(f"{path}: a vertex has too few or too many numbers (line {_bad_line(content)})")
    return numbers.reshape(count, -1)[:, :3].astype(np.float32)


def _bad_line(content: bytes) -> int:
    """Number of the first ``v`` line that is not three or more finite numbers, as many as in the line before; 0 if none."""
    width = None
    for number, line in enumerate(content.splitlines(), start=1):
        if line.startswith(b"v "):
            try:
                values = np.array(line.split()[1:], dtype=np.float64)
            except ValueError:
                return number
            if len(values) < 3 or (width or len(values)) != len(values) or not np.isfinite(values).all():
                return number
            width = len(values)
    return 0


def _index(text: bytes, count: int) -> int:
    """A 1-based or negative OBJ index as one from 0."""
    number = int(text)
    index = number - 1 if number > 0 else count + number
    if not 0 <= index < count:
        raise IndexError(f"a face names vertex {number} of {count}")
    return index
