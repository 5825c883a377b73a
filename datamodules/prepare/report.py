"""Lines of ``facegen data check``, the same for all data sets."""

from collections.abc import Callable, Sequence
from pathlib import Path

from facegen_core.errors import BadSampleError
from facegen_core.geometry.mesh import Floats
from facegen_core.progress import track
from facegen_core.types import BadSamplePolicy

NAMES_SHOWN = 5


def counted(what: str, names: Sequence[str], total: int | None = None) -> str:
    """One line: how many there are, and the first of them by name; ``total`` if ``names`` are not all."""
    total = len(names) if total is None else total
    if not total:
        return f"{what}: none"
    more = f" and {total - NAMES_SHOWN} more" if total > NAMES_SHOWN else ""
    return f"{what}: {total} ({', '.join(names[:NAMES_SHOWN])}{more})"


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


class Tally:
    """Samples counted by what was found of them, before any is opened, with the first names of each kind.

    Args:
        on_bad_sample: what :meth:`bad` does: "raise" stops at the first.
    """

    def __init__(self, on_bad_sample: BadSamplePolicy = "skip") -> None:
        self.on_bad_sample = on_bad_sample
        self.counts: dict[str, int] = {}
        self.names: dict[str, list[str]] = {}
        self.first_bad = ""

    def note(self, outcome: str, name: str) -> None:
        """Counts a sample that is left out on purpose, or is used although something is odd."""
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        if len(shown := self.names.setdefault(outcome, [])) < NAMES_SHOWN:
            shown.append(name)

    def bad(self, outcome: str, name: str) -> None:
        """Counts a sample that cannot be used.

        Raises:
            BadSampleError: bad samples are not to be skipped.
        """
        if self.on_bad_sample == "raise":
            raise BadSampleError(f"{name}: {outcome}. data.on_bad_sample=skip leaves such samples out.")
        self.first_bad = self.first_bad or f"{name}: {outcome}"
        self.note(outcome, name)

    def lines(self) -> list[str]:
        """One line a kind, the most frequent first."""
        return [
            counted(outcome, self.names[outcome], self.counts[outcome])
            for outcome in sorted(self.counts, key=lambda outcome: (-self.counts[outcome], outcome))
        ]
