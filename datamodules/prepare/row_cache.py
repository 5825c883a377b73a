"""Samples of one size in one memory map, built once from their files: in parallel, resumable, whole or not there."""

import hashlib
import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from facegen_core.errors import BadSampleError
from facegen_core.files import atomic_path
from facegen_core.progress import bar, say
from facegen_core.types import BadSamplePolicy

FILES_AT_A_TIME = 16
FILES_WORTH_PROCESSES = 100
"""Fewer files are read sooner than processes start."""
RAW, WITHOUT_GAPS = "rows.raw", "rows_without_gaps.raw"
NAMES_SHOWN = 3


class CachedFile(Protocol):
    """What a cache is told of a file, as a dataclass of plain values."""

    @property
    def path(self) -> str:
        """Relative to the data set's root."""

    @property
    def labels(self) -> str:
        """What the file shows, the same wherever the data set lies; part of the digest."""


class RowReader(Protocol):
    """How a file becomes a row; sent to other processes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a row."""

    @property
    def dtype(self) -> npt.DTypeLike:
        """Of a row."""

    def row(self, root: Path, file: Any) -> tuple[npt.NDArray[Any], bytes]:
        """The row of a file below the data set's folder, and the content that its digest is taken of.

        Raises:
            BadSampleError: the file cannot be used.
        """


@dataclass(frozen=True)
class RowCache:
    """A finished cache, opened.

    Attributes:
        rows: (N, ...) memory map.
        files: the N files behind the rows, in the class they were given in.
        skipped: (path, reason) of files that could not be used.
        digest: names the content: equal for a copy of the data set elsewhere.
    """

    rows: npt.NDArray[Any]
    files: list[Any]
    skipped: list[tuple[str, str]]
    digest: str


def fill_rows(
    root: Path,
    files: Sequence[CachedFile],
    work: Path,
    reader: RowReader,
    on_bad_sample: BadSamplePolicy,
    unit: str,
) -> str:
    """Reads files into the folder ``work``, going on where a killed build stopped.

    Args:
        root: the data set's folder.
        files: what to read.
        work: an existing folder; it is the caller's to give it its name once it is whole.
        reader: how.
        on_bad_sample: "raise" stops at the first file that cannot be used; "skip" leaves it out and counts it.
        unit: what one file is called, "mesh" or "texture".

    Returns:
        The name of the file with the rows; :data:`RAW`, if it is another, and ``done.jsonl`` are not needed any more.

    Raises:
        BadSampleError: a file cannot be used and ``on_bad_sample`` is "raise", or none can be.
    """
    finished = _finished_rows(work)
    size = len(files) * int(np.prod(reader.shape)) * np.dtype(reader.dtype).itemsize
    path = work / RAW
    if not path.is_file() or path.stat().st_size != size:
        finished = {}
        with path.open("wb") as file:  # room is taken now: a memory map that finds the disk full later is killed
            os.posix_fallocate(file.fileno(), 0, size)
    _fill(root, files, work, finished, on_bad_sample, reader, unit)
    return _finish(files, work, reader, unit)


def open_rows(
    folder: Path, reader_shape: tuple[int, ...], dtype: npt.DTypeLike, on_bad_sample: BadSamplePolicy, file: type[Any]
) -> RowCache:
    """Opens what :func:`fill_rows` made.

    Args:
        folder: the finished cache.
        reader_shape: of a row.
        dtype: of a row.
        on_bad_sample: "raise" refuses a cache that was made without some of its files.
        file: the class of the files it was made from.

    Raises:
        BadSampleError: files were skipped and ``on_bad_sample`` is "raise".
    """
    index = json.loads((folder / "index.json").read_text())
    skipped = [(path, reason) for path, reason in index["skipped"]]
    if skipped and on_bad_sample == "raise":
        raise BadSampleError(f"{skipped[0][1]} ({len(skipped)} such files). data.on_bad_sample=skip leaves them out.")
    rows = np.memmap(folder / index["file"], dtype, "r", shape=(index["rows"], *reader_shape))
    return RowCache(rows, [file(**entry) for entry in index["files"]], skipped, index["digest"])


def files_key(version: int, files: Sequence[tuple[str, Path]]) -> str:
    """Names the files a cache is made from by their names, sizes and times."""
    digest = hashlib.sha256(f"format {version}".encode())
    for name, path in files:
        status = path.stat()
        digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]


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
    files: Sequence[CachedFile],
    work: Path,
    finished: dict[int, tuple[str, str]],
    on_bad_sample: BadSamplePolicy,
    reader: RowReader,
    unit: str,
) -> None:
    """Reads the files not read yet, in all processors, and notes each chunk as it is done."""
    missing = [(row, file) for row, file in enumerate(files) if row not in finished]
    chunks = [missing[i : i + FILES_AT_A_TIME] for i in range(0, len(missing), FILES_AT_A_TIME)]
    problems = {row: problem for row, (_, problem) in finished.items() if problem}
    with (
        bar(len(files), f"cache {unit} files", unit, initial=len(finished)) as progress,
        (work / "done.jsonl").open("a") as done,
    ):
        done.write("\n")  # ends a line that a kill cut short
        for results in _read_chunks(chunks, partial(_read_chunk, work / RAW, len(files), reader, root)):
            for row, content, problem in results:
                done.write(json.dumps([row, content, problem]) + "\n")
                if problem:
                    problems[row] = problem
            done.flush()
            progress.update(len(results))
            if problems and on_bad_sample == "raise":
                raise BadSampleError(f"{problems[min(problems)]}. data.on_bad_sample=skip leaves such files out.")
    if problems:
        shown = "; ".join(problems[row] for row in sorted(problems)[:NAMES_SHOWN])
        more = f"; and {len(problems) - NAMES_SHOWN} more" if len(problems) > NAMES_SHOWN else ""
        say(f"skipped {len(problems)} of {len(files)} {unit} files: {shown}{more}")


def _read_chunks(
    chunks: list[list[tuple[int, CachedFile]]], read: "partial[list[tuple[int, str, str]]]"
) -> Iterator[list[tuple[int, str, str]]]:
    """Results of ``read`` as they come, from all processors if there is enough to read."""
    if sum(map(len, chunks)) < FILES_WORTH_PROCESSES:
        yield from map(read, chunks)
        return
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(chunks)), mp_context=context) as pool:
        try:
            for result in as_completed([pool.submit(read, chunk) for chunk in chunks]):
                yield result.result()
        finally:  # the reader may stop early, at a file that cannot be used
            pool.shutdown(wait=False, cancel_futures=True)


def _read_chunk(
    raw: Path, rows: int, reader: RowReader, root: Path, files: list[tuple[int, CachedFile]]
) -> list[tuple[int, str, str]]:
    """Reads files into their rows of the memory map; returns (row, content hash, problem) of each."""
    target = np.memmap(raw, reader.dtype, "r+", shape=(rows, *reader.shape))
    results = []
    for row, file in files:
        try:
            target[row], content = reader.row(root, file)
            results.append((row, hashlib.sha256(content).hexdigest(), ""))
        except BadSampleError as error:
            results.append((row, "", str(error)))
    return results


def _finish(files: Sequence[CachedFile], work: Path, reader: RowReader, unit: str) -> str:
    """Leaves out the rows of skipped files and writes the index; returns the name of the file with the rows.

    Rows are copied to a file of their own, never moved within theirs: killed anywhere, it is done again from the start.
    """
    finished = _finished_rows(work)
    good = [row for row in range(len(files)) if not finished[row][1]]
    if not good:
        raise BadSampleError(f"no {unit} file could be used; the first: {finished[0][1]}")
    kept = RAW
    if len(good) < len(files):
        kept = WITHOUT_GAPS
        raw = np.memmap(work / RAW, reader.dtype, "r", shape=(len(files), *reader.shape))
        with atomic_path(work / kept) as temporary, temporary.open("wb") as target:
            for row in good:
                target.write(raw[row].tobytes())
    index = {
        "file": kept,
        "rows": len(good),
        "digest": _content_digest((files[row], finished[row][0]) for row in good),
        "files": [vars(files[row]) for row in good],
        "skipped": [(files[row].path, finished[row][1]) for row in range(len(files)) if finished[row][1]],
    }
    with atomic_path(work / "index.json") as temporary:
        temporary.write_text(json.dumps(index))
    return kept


def _content_digest(rows: Iterator[tuple[CachedFile, str]]) -> str:
    digest = hashlib.sha256()
    for file, content in rows:
        digest.update(f"{file.labels} {content}\n".encode())
    return digest.hexdigest()
