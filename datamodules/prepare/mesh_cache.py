"""Displacements of registered meshes in one memory map, built once from their files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from datamodules.prepare.facescape import MeshFile
from datamodules.prepare.row_cache import CachedFile, Row, build_once, files_key, fill_rows, open_rows
from facegen_core.errors import BadSampleError, DatasetNotFoundError
from facegen_core.files import atomic_path
from facegen_core.geometry.mesh import Floats, Mesh, read_obj, read_obj_vertices
from facegen_core.types import BadSamplePolicy

FORMAT = 3
FILES_SAMPLED = 9


class MeshReader(Protocol):
    """How a file becomes a mesh. Both functions raise BadSampleError for a file that cannot be used."""

    @property
    def sources(self) -> tuple[Path, ...]:
        """Further files that decide what is read, such as a table of the topology."""

    def vertices(self, path: Path) -> Floats:
        """Vertices (V, 3), float32, in the order that all meshes share."""

    def mesh(self, path: Path) -> Mesh:
        """The same with its triangles."""


class ObjReader:
    """Reads OBJ files."""

    sources: tuple[Path, ...] = ()

    def vertices(self, path: Path) -> Floats:
        """See :func:`read_obj_vertices`."""
        return read_obj_vertices(path)

    def mesh(self, path: Path) -> Mesh:
        """See :func:`read_obj`."""
        return read_obj(path)


OBJ = ObjReader()


@dataclass(frozen=True)
class MeshCache:
    """A finished cache, opened.

    Attributes:
        displacements: (M, V, 3) float32 memory map, mm from the template.
        template: (V, 3) float32, mm.
        faces: (F, 3) int64.
        uv: (T, 2) float32.
        faces_uv: (F, 3) int64.
        meshes: the M files behind the rows, in the class they were given in.
        skipped: (path, reason) of files that could not be used.
        digest: names the content: equal for a copy of the data set elsewhere.
    """

    displacements: npt.NDArray[np.float32]
    template: npt.NDArray[np.float32]
    faces: npt.NDArray[np.int64]
    uv: npt.NDArray[np.float32]
    faces_uv: npt.NDArray[np.int64]
    meshes: list[Any]
    skipped: list[tuple[str, str]]
    digest: str


def build_mesh_cache(
    root: Path,
    meshes: Sequence[CachedFile],
    template: Path | None,
    folder: Path,
    on_bad_sample: BadSamplePolicy,
    reader: MeshReader = OBJ,
) -> Path:
    """Makes the cache of ``meshes`` if it is not there, going on where a killed build stopped.

    A cache belongs to the names, sizes and times of the files it was made from and is made anew when they change.

    Args:
        root: the data set's folder.
        meshes: what to read.
        template: OBJ file to measure displacements from; the first readable mesh if None.
        folder: where caches go.
        on_bad_sample: "raise" stops at the first mesh that cannot be used; "skip" leaves it out and counts it.
        reader: how the files are read; sent to other processes.

    Returns:
        The cache's folder, for :func:`open_mesh_cache`.

    Raises:
        BadSampleError: a mesh cannot be used and ``on_bad_sample`` is "raise", or none can be.
        DatasetNotFoundError: the template cannot be read, or the folder cannot be written.
    """

    def build(work: Path) -> str:
        if not (work / "template.npz").is_file():
            _write_template(root, meshes, template, work, reader)
        rows = _Displacements(reader, np.load(work / "template.npz")["vertices"])
        return fill_rows(root, meshes, work, rows, on_bad_sample, "mesh")

    return build_once(folder / _key(root, meshes, template, reader), build)


@dataclass(frozen=True)
class _Displacements:
    """Reads meshes as displacements from a template; see :class:`RowReader`."""

    reader: MeshReader
    template: Floats
    dtype: npt.DTypeLike = np.float32

    @property
    def shape(self) -> tuple[int, ...]:
        return self.template.shape

    def row(self, root: Path, file: CachedFile) -> Row:
        path = root / file.path
        vertices = self.reader.vertices(path)
        if vertices.shape != self.template.shape:
            raise BadSampleError(f"{path}: {len(vertices)} vertices where the template has {len(self.template)}")
        return Row(vertices - self.template, vertices.tobytes())


def open_mesh_cache(
    folder: Path, on_bad_sample: BadSamplePolicy = "skip", file: type[CachedFile] = MeshFile
) -> MeshCache:
    """Opens a cache made by :func:`build_mesh_cache`.

    Args:
        folder: the cache's.
        on_bad_sample: "raise" refuses a cache that was made without some of its files.
        file: the class of the files it was made from.

    Raises:
        BadSampleError: files were skipped and ``on_bad_sample`` is "raise".
    """
    with np.load(folder / "template.npz") as saved:
        template, faces, uv, faces_uv = (saved[name] for name in ("vertices", "faces", "uv", "faces_uv"))
    cache = open_rows(folder, template.shape, np.float32, on_bad_sample, file)
    return MeshCache(cache.rows, template, faces, uv, faces_uv, cache.files, cache.skipped, cache.digest)


def _key(root: Path, meshes: Sequence[CachedFile], template: Path | None, reader: MeshReader) -> str:
    """Names the files a cache is made from."""
    files = [(mesh.path, root / mesh.path) for mesh in meshes]
    if template is not None:
        if not template.is_file():
            raise DatasetNotFoundError(f"data.template={template}: no such file.")
        files.append(("template", template))
    return files_key(FORMAT, files + [(path.name, path) for path in reader.sources])


def _write_template(
    root: Path, meshes: Sequence[CachedFile], template: Path | None, work: Path, reader: MeshReader
) -> None:
    """Saves what displacements are measured from, and the triangles that all meshes share."""
    mesh = read_obj(template) if template else reader.mesh(root / _first_usual(root, meshes, reader))
    with atomic_path(work / "template.npz") as temporary, temporary.open("wb") as file:
        np.savez(file, vertices=mesh.vertices, faces=mesh.faces, uv=mesh.uv, faces_uv=mesh.faces_uv)


def _first_usual(root: Path, meshes: Sequence[CachedFile], reader: MeshReader) -> str:
    """The path of the first of a few meshes, spread over the data set, that has as many vertices as most of them."""
    counts: dict[str, int] = {}
    problem = ""
    for mesh in meshes[:: max(1, len(meshes) // FILES_SAMPLED)]:
        try:
            counts[mesh.path] = len(reader.vertices(root / mesh.path))
        except BadSampleError as error:
            problem = str(error)
    if not counts:
        raise BadSampleError(f"none of the meshes tried could be read; the last: {problem}")
    usual = Counter(counts.values()).most_common(1)[0][0]
    return next(path for path, count in counts.items() if count == usual)
