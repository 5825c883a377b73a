"""Displacements of registered meshes in one memory map, built once from their files."""

import hashlib
import json
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from datamodules.prepare.facescape import MeshFile
from facegen_core.errors import BadSampleError, DatasetNotFoundError
from facegen_core.files import atomic_path, only_one
from facegen_core.geometry.mesh import Floats, Mesh, read_obj, read_obj_vertices
from facegen_core.progress import bar, say
from facegen_core.types import BadSamplePolicy

FORMAT = 2
FILES_AT_A_TIME = 16
FILES_WORTH_PROCESSES = 100
"""Fewer files are read sooner than processes start."""
RAW, WITHOUT_GAPS = "displacements.f32", "displacements_without_gaps.f32"
FILES_SAMPLED = 9
NAMES_SHOWN = 3


class CachedFile(Protocol):
    """What a cache is told of a mesh, as a dataclass of plain values; :class:`MeshFile` is one."""

    @property
    def path(self) -> str:
        """Of the mesh, relative to the data set's root."""

    @property
    def labels(self) -> str:
        """What the mesh shows, the same wherever the data set lies; part of the digest."""


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
    done = folder / _key(root, meshes, template, reader)
    try:
        with only_one(folder / ".lock"):
            if not done.is_dir():
                _build(root, meshes, template, done, on_bad_sample, reader)
    except OSError as error:
        raise DatasetNotFoundError(
            f"{folder}: the cache cannot be written: {error.strerror}. Set data.cache=DIR to a folder with room for it."
        ) from None
    return done


def _build(
    root: Path,
    meshes: Sequence[CachedFile],
    template: Path | None,
    done: Path,
    on_bad_sample: BadSamplePolicy,
    reader: MeshReader,
) -> None:
    """Fills a folder beside ``done`` and gives it that name when it is whole."""
    work = done.with_name(f"{done.name}.building")
    work.mkdir(exist_ok=True)
    if not (work / "template.npz").is_file():
        _write_template(root, meshes, template, work, reader)
    expected = len(np.load(work / "template.npz")["vertices"])
    finished = _finished_rows(work)
    path = work / RAW
    if not path.is_file() or path.stat().st_size != len(meshes) * expected * 12:
        finished = {}
        with path.open("wb") as file:  # room is taken now: a memory map that finds the disk full later is killed
            os.posix_fallocate(file.fileno(), 0, len(meshes) * expected * 12)
    _fill(root, meshes, work, finished, on_bad_sample, reader)
    kept = _finish(meshes, work, expected)
    work.rename(done)
    for spent in {RAW, "done.jsonl"} - {kept}:
        (done / spent).unlink(missing_ok=True)


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
    index = json.loads((folder / "index.json").read_text())
    skipped = [(path, reason) for path, reason in index["skipped"]]
    if skipped and on_bad_sample == "raise":
        raise BadSampleError(f"{skipped[0][1]} ({len(skipped)} such meshes). data.on_bad_sample=skip leaves them out.")
    with np.load(folder / "template.npz") as saved:
        template, faces, uv, faces_uv = (saved[name] for name in ("vertices", "faces", "uv", "faces_uv"))
    shape = (index["rows"], len(template), 3)
    displacements = np.memmap(folder / index["file"], np.float32, "r", shape=shape)
    meshes = [file(**mesh) for mesh in index["meshes"]]
    return MeshCache(displacements, template, faces, uv, faces_uv, meshes, skipped, index["digest"])


def _key(root: Path, meshes: Sequence[CachedFile], template: Path | None, reader: MeshReader) -> str:
    """Names the files a cache is made from."""
    digest = hashlib.sha256(f"format {FORMAT}".encode())
    files = [(mesh.path, root / mesh.path) for mesh in meshes]
    if template is not None:
        if not template.is_file():
            raise DatasetNotFoundError(f"data.template={template}: no such file.")
        files.append(("template", template))
    files += [(path.name, path) for path in reader.sources]
    for name, path in files:
        status = path.stat()
        digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]


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


def _finished_rows(work: Path) -> dict[int, tuple[str, str]]:
    """Row -> (content hash, problem) of what an earlier build did; a last line cut short by a kill is done again."""
    rows: dict[int, tuple[str, str]] = {}
    path = work / "done.jsonl"
    for line in path.read_text().splitlines() if path.is_file() else []:
        try:
            row, content, problem = json.loads(line)
        except json.JSONDecodeError:
            continue
        rows[row] = (content, problem)
    return rows


def _fill(
    root: Path,
    meshes: Sequence[CachedFile],
    work: Path,
    finished: dict[int, tuple[str, str]],
    on_bad_sample: BadSamplePolicy,
    reader: MeshReader,
) -> None:
    """Reads the files not read yet, in all processors, and notes each chunk as it is done."""
    missing = [(row, str(root / mesh.path)) for row, mesh in enumerate(meshes) if row not in finished]
    chunks = [missing[i : i + FILES_AT_A_TIME] for i in range(0, len(missing), FILES_AT_A_TIME)]
    problems = {row: problem for row, (_, problem) in finished.items() if problem}
    with (
        bar(len(meshes), "cache meshes", "mesh", initial=len(finished)) as progress,
        (work / "done.jsonl").open("a") as done,
    ):
        done.write("\n")  # ends a line that a kill cut short
        for results in _read_chunks(chunks, work, len(meshes), reader):
            for row, content, problem in results:
                done.write(json.dumps([row, content, problem]) + "\n")
                if problem:
                    problems[row] = problem
            done.flush()
            progress.update(len(results))
            if problems and on_bad_sample == "raise":
                raise BadSampleError(f"{problems[min(problems)]}. data.on_bad_sample=skip leaves such meshes out.")
    if problems:
        shown = "; ".join(problems[row] for row in sorted(problems)[:NAMES_SHOWN])
        more = f"; and {len(problems) - NAMES_SHOWN} more" if len(problems) > NAMES_SHOWN else ""
        say(f"skipped {len(problems)} of {len(meshes)} meshes: {shown}{more}")


def _read_chunks(
    chunks: list[list[tuple[int, str]]], work: Path, rows: int, reader: MeshReader
) -> Iterator[list[tuple[int, str, str]]]:
    """Results of :func:`_read_chunk` as they come, from all processors if there is enough to read."""
    if sum(map(len, chunks)) < FILES_WORTH_PROCESSES:
        yield from (_read_chunk(chunk, work, rows, reader) for chunk in chunks)
        return
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(chunks)), mp_context=context) as pool:
        try:
            for result in as_completed([pool.submit(_read_chunk, chunk, work, rows, reader) for chunk in chunks]):
                yield result.result()
        finally:  # the reader may stop early, at a mesh that cannot be used
            pool.shutdown(wait=False, cancel_futures=True)


def _read_chunk(files: list[tuple[int, str]], work: Path, rows: int, reader: MeshReader) -> list[tuple[int, str, str]]:
    """Reads files into their rows of the memory map; returns (row, content hash, problem) of each."""
    template = np.load(work / "template.npz")["vertices"]
    target = np.memmap(work / RAW, np.float32, "r+", shape=(rows, *template.shape))
    results = []
    for row, path in files:
        try:
            vertices = reader.vertices(Path(path))
            if len(vertices) != len(template):
                raise BadSampleError(f"{path}: {len(vertices)} vertices where the template has {len(template)}")
        except BadSampleError as error:
            results.append((row, "", str(error)))
            continue
        target[row] = vertices - template
        results.append((row, hashlib.sha256(vertices.tobytes()).hexdigest(), ""))
    return results


def _finish(meshes: Sequence[CachedFile], work: Path, vertices: int) -> str:
    """Leaves out the rows of skipped files and writes the index; returns the name of the finished memory map.

    Rows are copied to a file of their own, never moved within theirs: killed anywhere, it is done again from the start.
    """
    finished = _finished_rows(work)
    good = [row for row in range(len(meshes)) if not finished[row][1]]
    if not good:
        raise BadSampleError(f"no mesh could be used; the first: {finished[0][1]}")
    file = RAW
    if len(good) < len(meshes):
        file = WITHOUT_GAPS
        raw = np.memmap(work / RAW, np.float32, "r", shape=(len(meshes), vertices, 3))
        with atomic_path(work / file) as temporary, temporary.open("wb") as target:
            for row in good:
                target.write(raw[row].tobytes())
    index = {
        "file": file,
        "rows": len(good),
        "digest": _content_digest((meshes[row], finished[row][0]) for row in good),
        "meshes": [vars(meshes[row]) for row in good],
        "skipped": [(meshes[row].path, finished[row][1]) for row in range(len(meshes)) if finished[row][1]],
    }
    with atomic_path(work / "index.json") as temporary:
        temporary.write_text(json.dumps(index))
    return file


def _content_digest(rows: Iterator[tuple[CachedFile, str]]) -> str:
    digest = hashlib.sha256()
    for mesh, content in rows:
        digest.update(f"{mesh.labels} {content}\n".encode())
    return digest.hexdigest()
