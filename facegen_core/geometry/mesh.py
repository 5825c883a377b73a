"""Triangle meshes and Wavefront OBJ files whose vertex order is kept."""

import io
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
        BadSampleError: the file cannot be read, has no vertices, ends in the middle of one, or has one that is no
            number or not finite.
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
    if block.count(b"v") != count:
        raise BadSampleError(f"{path}: a vertex is not a number (line {_bad_line(content)})")
    text = block.translate(_V_TO_BLANK)
    if text.translate(None, b"0123456789eE+-. \t\r\n"):
        raise BadSampleError(f"{path}: a vertex is not finite or not a number (line {_bad_line(content)})")
    numbers = _numbers(text, count)
    if numbers is None:
        raise BadSampleError(f"{path}: a vertex is not finite or not three numbers (line {_bad_line(content)})")
    return numbers


_V_TO_BLANK = bytes.maketrans(b"v", b" ")
_MOST_DIGITS = 9


def _numbers(text: bytes, lines: int) -> Floats | None:
    """The first three numbers of each line, (lines, 3); None unless all lines have as many, three or more, all finite.

    Args:
        text: digits, signs, points, exponents and blanks only.
        lines: how many lines there are.
    """
    letters = np.frombuffer(text + b"\n", np.uint8)
    blank = letters <= 32
    starts = np.flatnonzero(blank[:-1] & ~blank[1:]) + 1  # the v before each line's numbers has become a blank
    ends = np.flatnonzero(~blank[:-1] & blank[1:]) + 1
    width = len(starts) // lines
    if width < 3 or len(starts) != width * lines:
        return None
    breaks = np.flatnonzero(letters == 10)
    if (starts[width::width] < breaks[:-1]).any() or (starts[width - 1 :: width] > breaks).any():
        return None  # one line has numbers that another lacks
    numbers = _fixed_point(letters, starts, ends)
    if numbers is None:
        try:
            numbers = np.array(text.split(), dtype=np.float64)
        except ValueError:
            return None
    with np.errstate(over="ignore"):
        vertices = numbers.reshape(lines, width)[:, :3].astype(np.float32)
    return vertices if np.isfinite(vertices).all() else None  # digits alone can overflow


def _fixed_point(
    letters: npt.NDArray[np.uint8], starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64] | None:
    """Numbers that all have as many decimals, which is how meshes are written, read as integers all at once.

    Twice as fast as numpy's own reading of texts, and exact: both sides of the one division are whole numbers that
    float64 holds. Returns None if the numbers are written otherwise.
    """
    points = np.flatnonzero(letters == ord("."))
    if len(points) != len(starts) or (points < starts).any() or (points >= ends).any():
        return None
    negative = letters[starts] == ord("-")
    decimals, digits = ends - points - 1, points - starts - negative
    plain = np.count_nonzero((letters >= ord("0")) & (letters <= ord("9"))) == decimals.sum() + digits.sum()
    if (
        not plain
        or (decimals != decimals[0]).any()
        or max(decimals[0], digits.max()) > _MOST_DIGITS
        or digits.min() < 1
    ):
        return None
    whole = np.zeros(len(starts), np.int64)
    for place in range(int(digits.max()), 0, -1):
        whole = whole * 10 + np.where(place <= digits, letters[points - np.minimum(place, digits)] - 48, 0)
    for place in range(1, int(decimals[0]) + 1):
        whole = whole * 10 + (letters[points + place] - 48)
    if whole.max() >= 1 << 53:
        return None
    return np.where(negative, -whole, whole) / 10.0 ** int(decimals[0])


def _bad_line(content: bytes) -> int:
    """Number of the first ``v`` line that is not three or more finite numbers, as many as before; 0 if none."""
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
