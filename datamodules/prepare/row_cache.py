"""Samples of one size in one memory map, built once from their files: in parallel, resumable, whole or not there."""

import hashlib
import json
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from facegen_core.errors import BadSampleError, DatasetNotFoundError
from facegen_core.files import atomic_path, only_one
from facegen_core.progress import bar, say
from facegen_core.types import BadSamplePolicy

FILES_AT_A_TIME = 16
FILES_WORTH_PROCESSES = 100
"""Fewer files are read sooner than processes start."""
RAW, WITHOUT_GAPS, DONE = "rows.raw", "rows_without_gaps.raw", "done.jsonl"
NAMES_SHOWN = 3
UNUSABLE, FATAL = "cannot be used", "ended the process that read it"
"""Outcomes of files whose error names none; of files that crash the decoder, or take more memory than there is."""
NOT_KEPT = {"kept": False}
"""Metadata of a field that only the reader needs, and the index of a finished cache does without."""


class CachedFile(Protocol):
    """What a cache is told of a file, as a dataclass of plain values; see also :data:`NOT_KEPT`."""

    @property
    def path(self) -> str:
        """Relative to the data set's root."""

    @property
    def labels(self) -> str:
        """What the file shows, the same wherever the data set lies; part of the digest."""


class Row(NamedTuple):
    """What a file became.

    Attributes:
        values: the row.
        content: what the digest is taken of.
        notes: what had to be done to the file, in words that are the same for all files it was done to.
    """

    values: npt.NDArray[Any]
    content: bytes
    notes: Sequence[str] = ()


class RowReader(Protocol):
    """How a file becomes a row; sent to other processes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a row."""

    @property
    def dtype(self) -> npt.DTypeLike:
        """Of a row."""

    def row(self, root: Path, file: Any) -> Row:
        """The row of a file below the data set's folder.

        Raises:
            BadSampleError: the file cannot be used. If the error has an ``outcome``, it is counted under that.
        """


class Outcome(NamedTuple):
    """What became of a file.

    Attributes:
        row: its place among all files.
        content: digest of its content; "" if it cannot be used.
        problem: why not; "" if it can.
        outcomes: what it is counted under: the kind of problem, or the notes of its reader.
    """

    row: int
    content: str
    problem: str = ""
    outcomes: Sequence[str] = ()


@dataclass(frozen=True)
class RowCache:
    """A finished cache, opened.

    Attributes:
        rows: (N, ...) memory map.
        files: the N files behind the rows, in the class they were given in.
        skipped: (path, reason) of files that could not be used.
        digest: names the content: equal for a copy of the data set elsewhere.
        outcomes: how many files were skipped for which kind of reason, and to how many what had to be done.
    """

    rows: npt.NDArray[Any]
    files: list[Any]
    skipped: list[tuple[str, str]]
    digest: str
    outcomes: dict[str, int] = field(default_factory=dict)


def build_once(done: Path, build: Callable[[Path], str]) -> Path:
    """Makes a cache if it is not there; one process does, others wait for it.

    Args:
        done: the cache's folder, whose name says what it is made from.
        build: fills a folder, which may hold what a killed build left, and returns what :func:`fill_rows` does.

    Returns:
        ``done``.

    Raises:
        DatasetNotFoundError: the folder cannot be written.
    """
    try:
        with only_one(done.parent / ".lock"):
            if not done.is_dir():
                work = done.with_name(f"{done.name}.building")
                work.mkdir(exist_ok=True)
                kept = build(work)
                work.rename(done)
                for spent in {RAW, DONE} - {kept}:
                    (done / spent).unlink(missing_ok=True)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        raise DatasetNotFoundError(
            f"{done.parent}: the cache cannot be written: {error.strerror or error}{place}. "
            "Set data.cache=DIR to a folder with room for it."
        ) from None
    return done


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
        work: an existing folder, of :func:`build_once`.
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
    files = [file(**entry) for entry in index["files"]]
    return RowCache(rows, files, skipped, index["digest"], index.get("outcomes", {}))


def files_key(version: int, files: Sequence[tuple[str, Path]]) -> str:
    """Names the files a cache is made from by their names, sizes and times.

    One that is gone since it was listed, or links to nothing, is named too: to say so is its reader's part.
    """
    digest = hashlib.sha256(f"format {version}".encode())
    for name, path in files:
        try:
            status = path.stat()
            state = f"{status.st_size} {status.st_mtime_ns}"
        except OSError:
            state = "gone"
        digest.update(os.fsencode(f"{name} {state}\n"))  # names are bytes, not always of UTF-8
    return digest.hexdigest()[:24]


def _finished_rows(work: Path) -> dict[int, Outcome]:
    """What an earlier build did, by row; a last line cut short by a kill is done again."""
    rows: dict[int, Outcome] = {}
    path = work / DONE
    for line in path.read_text().splitlines() if path.is_file() else []:
        try:
            done = Outcome(*json.loads(line))
        except json.JSONDecodeError:
            continue
        rows[done.row] = done
    return rows


def _fill(
    root: Path,
    files: Sequence[CachedFile],
    work: Path,
    finished: dict[int, Outcome],
    on_bad_sample: BadSamplePolicy,
    reader: RowReader,
    unit: str,
) -> None:
    """Reads the files not read yet, in all processors, and notes each chunk as it is done."""
    missing = [(row, file) for row, file in enumerate(files) if row not in finished]
    chunks = [missing[i : i + FILES_AT_A_TIME] for i in range(0, len(missing), FILES_AT_A_TIME)]
    problems = {row: done.problem for row, done in finished.items() if done.problem}
    with (
        bar(len(files), f"cache {unit} files", unit, initial=len(finished)) as progress,
        (work / DONE).open("a") as log,
    ):
        log.write("\n")  # ends a line that a kill cut short
        for results in _read_chunks(chunks, partial(_read_chunk, work / RAW, len(files), reader, root)):
            for done in results:
                log.write(json.dumps(done) + "\n")
                if done.problem:
                    problems[done.row] = done.problem
            log.flush()
            progress.update(len(results))
            if problems and on_bad_sample == "raise":
                raise BadSampleError(f"{problems[min(problems)]}. data.on_bad_sample=skip leaves such files out.")
    if problems:
        shown = "; ".join(problems[row] for row in sorted(problems)[:NAMES_SHOWN])
        more = f"; and {len(problems) - NAMES_SHOWN} more" if len(problems) > NAMES_SHOWN else ""
        say(f"skipped {len(problems)} of {len(files)} {unit} files: {shown}{more}")


Chunk = list[tuple[int, CachedFile]]
Read = Callable[[Chunk], list[Outcome]]


def _read_chunks(chunks: list[Chunk], read: Read) -> Iterator[list[Outcome]]:
    """Results of ``read`` as they come, from all processors if there is enough to read.

    A file that ends the process that reads it costs that file alone: those that may have been in work are then read one
    by one, to find it, and the rest go on as before.
    """
    if sum(map(len, chunks)) < FILES_WORTH_PROCESSES:
        yield from map(read, chunks)
        return
    waiting = dict(enumerate(chunks))
    processes = min(os.cpu_count() or 1, len(chunks))
    while waiting:
        with _processes(processes) as pool:
            futures = {pool.submit(read, chunk): number for number, chunk in waiting.items()}
            try:
                for future in as_completed(futures):
                    results = future.result()
                    del waiting[futures[future]]
                    yield results
            except BrokenProcessPool:
                pass
            finally:  # whoever takes the results may stop early, at a file that cannot be used
                pool.shutdown(wait=False, cancel_futures=True)
        for number in list(waiting)[: 2 * processes + 1]:  # in work, or handed out to be next
            yield from _one_by_one(waiting.pop(number), read)


def _one_by_one(chunk: Chunk, read: Read) -> Iterator[list[Outcome]]:
    """Results of ``read`` of each file, by a process that is replaced when one of them has ended it."""
    left = chunk[:]
    while left:
        with _processes(1) as pool:
            pool.submit(int).result()  # if not even this can be done, it is not the files
            try:
                while left:
                    yield pool.submit(read, left[:1]).result()
                    left = left[1:]
            except BrokenProcessPool:
                (row, file), *left = left
                yield [Outcome(row, "", f"{file.path}: {FATAL}: a damaged file, or not enough memory", [FATAL])]


def _processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, multiprocessing.get_context("forkserver"), initializer=_take_one_thread)


def _take_one_thread() -> None:
    """There are as many processes as processors: a reader that computes, such as a detector, takes one of them."""
    os.environ["OMP_NUM_THREADS"] = "1"  # for a torch that is imported from now on
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _read_chunk(raw: Path, rows: int, reader: RowReader, root: Path, files: Chunk) -> list[Outcome]:
    """Reads files into their rows of the memory map."""
    target = np.memmap(raw, reader.dtype, "r+", shape=(rows, *reader.shape))
    results = []
    for place, file in files:
        try:
            row = reader.row(root, file)
            target[place] = row.values
            results.append(Outcome(place, hashlib.sha256(row.content).hexdigest(), "", row.notes))
        except BadSampleError as error:
            results.append(Outcome(place, "", str(error), [getattr(error, "outcome", UNUSABLE)]))
    return results


def _finish(files: Sequence[CachedFile], work: Path, reader: RowReader, unit: str) -> str:
    """Leaves out the rows of skipped files and writes the index; returns the name of the file with the rows.

    Rows are copied to a file of their own, never moved within theirs: killed anywhere, it is done again from the start.
    """
    finished = _finished_rows(work)
    good = [row for row in range(len(files)) if not finished[row].problem]
    if not good:
        raise BadSampleError(f"no {unit} file could be used; the first: {finished[0].problem}")
    kept = RAW
    if len(good) < len(files):
        kept = WITHOUT_GAPS
        raw = np.memmap(work / RAW, reader.dtype, "r", shape=(len(files), *reader.shape))
        with atomic_path(work / kept) as temporary, temporary.open("wb") as target:
            for row in good:
                target.write(raw[row].tobytes())
    skipped = [row for row in range(len(files)) if finished[row].problem]
    index = {
        "file": kept,
        "rows": len(good),
        "digest": _content_digest((files[row], finished[row].content) for row in good),
        "files": [_entry(files[row]) for row in good],
        "skipped": [(files[row].path, finished[row].problem) for row in skipped],
        "outcomes": Counter(outcome for row in range(len(files)) for outcome in finished[row].outcomes),
    }
    with atomic_path(work / "index.json") as temporary:
        temporary.write_text(json.dumps(index))
    return kept


def _entry(file: Any) -> dict[str, Any]:
    """What a finished cache keeps of a file."""
    return {f.name: getattr(file, f.name) for f in fields(file) if f.metadata.get("kept", True)}


def _content_digest(rows: Iterator[tuple[CachedFile, str]]) -> str:
    digest = hashlib.sha256()
    for file, content in rows:
        digest.update(f"{file.labels} {content}\n".encode())
    return digest.hexdigest()
