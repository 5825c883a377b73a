"""The work: every cell of the grid on every batch of pictures, each once, whoever does it and however often it stops.

A part is one cell on one batch: a file, written whole or not at all. So a killed call loses a part at most, and several
processes can share the folder: each does every N-th part.
"""

from __future__ import annotations  # heavy types are named, not imported, where they are only named

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from experiments.emotion_ldm.tables.grid import TARGETS, Cell
from experiments.emotion_ldm.tables.judges import Judges, Sources, measure
from facegen_core.errors import DatasetNotFoundError
from facegen_core.files import atomic_path, settle_text
from facegen_core.progress import bar

if TYPE_CHECKING:
    from experiments.emotion_ldm.tables.held_out import HeldOut
    from experiments.emotion_ldm.tables.networks import Networks

Arrays = dict[str, npt.NDArray[Any]]
FACTS = "facts.json"


@dataclass(frozen=True)
class Store:
    """Finished parts, of one model on one set of pictures by one set of judges.

    Attributes:
        folder: theirs, named by ``digest``.
        digest: of all that figures depend on.
    """

    folder: Path
    digest: str

    def path(self, cell: Cell, start: int) -> Path:
        """The file of a part."""
        return self.folder / cell.name / f"{start:06d}.npz"

    def has(self, cell: Cell, start: int) -> bool:
        """Whether a part is finished."""
        return self.path(cell, start).is_file()

    def save(self, cell: Cell, start: int, arrays: Arrays) -> None:
        """Keeps a part."""
        with atomic_path(self.path(cell, start)) as temporary, temporary.open("wb") as file:
            named: dict[str, Any] = {"digest": np.array(self.digest), **arrays}
            np.savez_compressed(file, **named)

    def load(self, cell: Cell, starts: Sequence[int]) -> Arrays:
        """All parts of a cell as one.

        Raises:
            DatasetNotFoundError: a part is damaged, or of another model, other pictures or other judges.
        """
        parts = [self._read(self.path(cell, start)) for start in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _read(self, path: Path) -> Arrays:
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
        except Exception as error:  # whatever numpy makes of a damaged file: BadZipFile, ValueError, ...
            raise DatasetNotFoundError(f"{path}: cannot be read ({error}). Remove it; it is then made again.") from None
        if str(arrays.pop("digest", "")) != self.digest:
            raise DatasetNotFoundError(
                f"{path}: made by another model, with other judges or of other pictures than {self.folder / FACTS} "
                "says. Remove it; it is then made again."
            )
        return arrays


def open_store(folder: Path, facts: Mapping[str, Any]) -> Store:
    """The store of what these facts decide, below ``folder``; parts of other facts stay beside it."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    store = Store(folder / digest[:16], digest)
    settle_text(store.folder / FACTS, json.dumps(facts, indent=1) + "\n")
    return store


def starts_of(count: int, batch: int) -> range:
    """Where batches begin."""
    return range(0, count, batch)


def fill(
    store: Store,
    cells: Sequence[Cell],
    pictures: HeldOut,
    networks: Networks,
    judges: Judges,
    batch: int,
    shown: Sequence[int],
    part: tuple[int, int] = (1, 1),
) -> int:
    """Does the parts that are not done yet.

    Args:
        store: where they go.
        cells: of the grid.
        pictures: that are edited.
        networks: that edit them.
        judges: that measure what comes of it.
        batch: pictures of a part.
        shown: places of pictures whose edits are kept as pictures, too.
        part: (I, N): every N-th is done, from the I-th on.

    Returns:
        How many parts are left to others.
    """
    todo = [unit for k, unit in enumerate(_units(cells, len(pictures), batch)) if k % part[1] == part[0] - 1]
    todo = [(start, cell) for start, cell in todo if not store.has(cell, start)]
    sources: Sources | None = None
    with bar(len(todo), "edit and judge", "part") as progress:
        for start, cell in todo:
            if sources is None or int(sources.index[0]) != start:
                sources = _sources(pictures, slice(start, min(start + batch, len(pictures))), networks, judges)
            progress.set_postfix_str(cell.name)
            store.save(cell, start, _made(cell, sources, networks, judges, shown))
            progress.update(1)
    return sum(not store.has(cell, start) for start, cell in _units(cells, len(pictures), batch))


def _units(cells: Sequence[Cell], count: int, batch: int) -> Iterator[tuple[int, Cell]]:
    """Batch by batch, so that what all edits of a picture need is made once; after them tuned network by tuned network,
    of which only one is open at a time.
    """
    tuned = [cell for cell in cells if cell.kind == "tuned"]
    for start in starts_of(count, batch):
        yield from ((start, cell) for cell in cells if cell not in tuned)
    for cell in tuned:
        yield from ((start, cell) for start in starts_of(count, batch))


def _sources(pictures: HeldOut, chosen: slice, networks: Networks, judges: Judges) -> Sources:
    raw = pictures.pictures(chosen)
    reconstruction = networks.decode(networks.encode(raw))
    points, index = pictures.points[chosen], torch.arange(chosen.start, chosen.stop)
    truth = pictures.true_edits(chosen)
    who_truth = None
    if truth is not None:
        times = truth.shape[1]
        who_truth = judges.embeddings(truth.flatten(0, 1), points.repeat_interleave(times, 0))
        who_truth = who_truth.reshape(-1, times, who_truth.shape[1])
    return Sources(
        index, pictures.emotion[chosen], raw, reconstruction, truth, points, judges.embeddings(raw, points),
        judges.embeddings(reconstruction, points), who_truth,
    )  # fmt: skip


def _made(cell: Cell, sources: Sources, networks: Networks, judges: Judges, shown: Sequence[int]) -> Arrays:
    """A part: figures (B, T, ...) by name, and the pictures (s, T, R, R, 3) of those sources that are shown.

    Of cells without an edit there is one picture a source, (s, 1, R, R, 3).
    """
    pictures = networks.make(cell, sources)
    places = [TARGETS.index(target) for target in cell.targets]
    arrays: Arrays = {name: values.numpy() for name, values in measure(judges, sources, pictures, places).items()}
    arrays |= {"index": sources.index.numpy(), "source": sources.emotion.numpy()}
    if cell.kind == "source":
        arrays["embedding"] = sources.who_raw.numpy()
    here = [place for place, index in enumerate(sources.index.tolist()) if index in set(shown)]
    bytes_ = (pictures[here].clamp(0, 1) * 255).round().to(torch.uint8)
    return arrays | {"pictures": bytes_.movedim(2, -1).numpy()}
