"""Lines of ``facegen data check``, the same for all data sets."""

from collections.abc import Callable, Sequence
from pathlib import Path

from facegen_core.errors import BadSampleError
from facegen_core.geometry.mesh import Floats
from facegen_core.progress import track

NAMES_SHOWN = 5


def counted(what: str, names: Sequence[str]) -> str:
    """One line: how many there are, and the first of them by name."""
    if not names:
        return f"{what}: none"
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{what}: {len(names)} ({', '.join(names[:NAMES_SHOWN])}{more})"


def unreadable_meshes(root: Path, paths: Sequence[str], read: Callable[[Path], Floats]) -> list[str]:
    """What is wrong with meshes that cannot be read, or have another number of vertices than most.

    Args:
        root: the data set's folder.
        paths: relative to it.
        read: file -> vertices (V, 3).
    """
    counts: dict[int, list[str]] = {}
    bad = []
    for path in track(paths, "read meshes", "mesh"):
        try:
            counts.setdefault(len(read(root / path)), []).append(path)
        except BadSampleError as error:
            bad.append(str(error))
    usual = max(counts, key=lambda count: len(counts[count]), default=0)
    for count, odd in counts.items():
        if count != usual:
            bad += [f"{path}: {count} vertices where the others have {usual}" for path in odd]
    return bad
