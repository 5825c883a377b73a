"""Progress bars for all long work, and the one switch that turns them into plain log lines."""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

QUIET_LINE_SECONDS = 10.0


def quiet() -> bool:
    """Whether bars are off: ``--quiet`` sets FACEGEN_QUIET, which worker processes inherit."""
    return os.environ.get("FACEGEN_QUIET", "") not in ("", "0")


def say(message: str) -> None:
    """Prints one line for the user on standard error, above any bar that is being drawn."""
    tqdm.write(message, file=sys.stderr)


def bar(total: int | None, description: str, unit: str = "it", initial: int = 0) -> "tqdm[None] | QuietBar":
    """A bar with rate and time left; with ``--quiet`` an object of the same use that prints a line now and then.

    Args:
        total: how many units of work there are, or None if unknown.
        description: what is being done.
        unit: what one step of the work is called.
        initial: units already done before this process began (a resumed run).
    """
    if quiet():
        return QuietBar(total, description, unit, initial)
    return tqdm(total=total, desc=description, unit=f" {unit}", initial=initial, dynamic_ncols=True, smoothing=0.1)


def track(items: Iterable[T], description: str, unit: str = "it", total: int | None = None) -> Iterator[T]:
    """Iterates over ``items`` with a bar."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with bar(total, description, unit) as progress:
        for item in items:
            yield item
            progress.update(1)


class QuietBar:
    """Stands in for tqdm where output goes to a log file: one line every ten seconds and one at the end."""

    def __init__(self, total: int | None, description: str, unit: str, initial: int = 0) -> None:
        self.total, self.description, self.unit = total, description, unit
        self.n = self.initial = initial
        self.started = self.last_line = time.monotonic()
        self.postfix = ""

    def update(self, n: int = 1) -> None:
        self.n += n
        if time.monotonic() - self.last_line >= QUIET_LINE_SECONDS:
            self._line()

    def set_postfix_str(self, text: str, refresh: bool = False) -> None:
        self.postfix = text

    def close(self) -> None:
        if self.n > self.initial:
            self._line()

    def __enter__(self) -> "QuietBar":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _line(self) -> None:
        self.last_line = time.monotonic()
        rate = (self.n - self.initial) / max(self.last_line - self.started, 1e-9)
        of = f"/{self.total}" if self.total else ""
        left = f", {(self.total - self.n) / rate:.0f} s left" if self.total and rate > 0 else ""
        print(f"{self.description}: {self.n}{of} {self.unit}, {rate:.3g} {self.unit}/s{left} {self.postfix}".rstrip(),
              file=sys.stderr, flush=True)  # fmt: skip
