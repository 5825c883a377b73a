"""Rows that a network computes, in one memory map: in their order, gone on with where a killed build stopped."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datamodules.prepare.row_cache import DONE, RAW, build_once
from facegen_core.errors import DatasetNotFoundError
from facegen_core.files import atomic_path
from facegen_core.progress import bar

Compute = Callable[[int, int], npt.NDArray[Any]]
"""From place ``start`` to before ``stop`` -> their rows, (stop - start, ...) of the cache's dtype."""
Facts = Mapping[str, str | int | float | bool]
"""All that rows depend on, in plain values."""


def facts_digest(facts: Facts) -> str:
    """Names what rows are made from."""
    return hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()


def build_computed(
    folder: Path,
    kind: str,
    facts: Facts,
    count: int,
    compute: Compute,
    dtype: npt.DTypeLike,
    batch_size: int,
    title: str,
    noted_every: int,
) -> Path:
    """Computes rows if they are not there; one process does, others wait for it.

    Args:
        folder: where caches go.
        kind: what rows are; the cache's name is this and the digest of its facts.
        facts: kept beside the rows.
        count: how many there are.
        compute: gives them, the same each time.
        dtype: of a row's values.
        batch_size: rows computed at a time.
        title: what the progress bar says.
        noted_every: rows after which it is noted how far a build came.

    Returns:
        The cache's folder, for :func:`open_computed`.

    Raises:
        DatasetNotFoundError: the folder cannot be written.
    """

    def build(work: Path) -> str:
        done = _finished(work)
        rows: np.memmap[Any, Any] | None = None
        with bar(count, title, "picture", initial=done) as progress:
            for start in range(done, count, batch_size):
                stop = min(start + batch_size, count)
                values = compute(start, stop)
                if rows is None:
                    rows = _room(work, (count, *values.shape[1:]), np.dtype(dtype), facts)
                rows[start:stop] = values
                if stop == count or stop // noted_every > start // noted_every:
                    rows.flush()
                    with atomic_path(work / DONE) as temporary:
                        temporary.write_text(json.dumps(stop))
                progress.update(stop - start)
        return RAW

    folder.mkdir(parents=True, exist_ok=True)
    return build_once(folder / f"{kind}-{facts_digest(facts)[:24]}", build)


def open_computed(folder: Path, kind: str, facts: Facts, dtype: npt.DTypeLike, remedy: str) -> npt.NDArray[Any]:
    """The rows (N, ...) of a cache, a memory map, if they are made from what they should.

    Args:
        folder: of :func:`build_computed`.
        kind: what rows are.
        facts: what they should be made from.
        dtype: of a row's values.
        remedy: what the user should do if they are not.

    Raises:
        DatasetNotFoundError: there are none, or they were made from something else; the message says from what.
    """
    try:
        saved = json.loads((folder / f"{kind}.json").read_text())
    except (OSError, ValueError) as error:
        raise DatasetNotFoundError(f"{folder}: no {kind} here: {error}") from None
    shape = saved.pop("shape")
    differ = [
        f"{key} is {saved.get(key, 'not given')} there and {facts.get(key, 'not given')} here"
        for key in sorted({*saved, *facts})
        if saved.get(key) != facts.get(key)
    ]
    if differ:
        raise DatasetNotFoundError(f"{folder}: {kind} of something else: {'; '.join(differ)}. {remedy}")
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if not (folder / RAW).is_file() or (folder / RAW).stat().st_size != size:
        raise DatasetNotFoundError(f"{folder / RAW}: not the {size} bytes that belong there. {remedy}")
    return np.memmap(folder / RAW, dtype, "r", shape=tuple(shape))


def _finished(work: Path) -> int:
    """How many rows an earlier build computed."""
    path = work / DONE
    return int(json.loads(path.read_text())) if path.is_file() and (work / RAW).is_file() else 0


def _room(work: Path, shape: tuple[int, ...], dtype: np.dtype[Any], facts: Facts) -> np.memmap[Any, Any]:
    """The memory map, made if it is not there; room for all of it is taken at once."""
    path, size = work / RAW, int(np.prod(shape)) * dtype.itemsize
    if not path.is_file() or path.stat().st_size != size:
        kind = work.name.partition("-")[0]
        with atomic_path(work / f"{kind}.json") as temporary:
            temporary.write_text(json.dumps(dict(facts) | {"shape": shape}))
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    return np.memmap(path, dtype, "r+", shape=shape)
