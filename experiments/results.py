"""``RESULTS.md`` of a paper: written from results of measured runs, which lie beside it. No number is typed by hand."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL.Image import Image

from facegen_core.files import settle_text

Result = Mapping[str, Any]

_OF_THIS_MACHINE = ("outputs", "tracking.uri", "data.cache", "note", "publish", "shard")


def save_result(
    result: Result, figures: Mapping[str, Image], folder: Path, render: Callable[[Path], str], colours: int = 256
) -> Path:
    """Keeps a result and its figures in ``<folder>/results``, writes the folder's page anew and returns its path.

    Args:
        result: plain values; ``label`` names it.
        figures: by name.
        folder: the paper's own, whose page and results are part of the repository, or another.
        render: the page of all results in a folder.
        colours: that a figure is saved with.
    """
    kept = folder / "results" / result["label"]
    kept.mkdir(parents=True, exist_ok=True)
    settle_text(kept.with_suffix(".json"), json.dumps({**result, "figures": list(figures)}, indent=1) + "\n")
    for name, figure in figures.items():
        figure.quantize(colours).save(kept / f"{name}.png", optimize=True)
    page = folder / "RESULTS.md"
    settle_text(page, render(folder))
    return page


def render_page(folder: Path, section: Callable[[Result, str], str], head: str, tail: str) -> str:
    """The page of all results in ``<folder>/results``.

    Args:
        folder: with results, each a ``<label>.json``.
        section: of one result, with what ``<label>.md`` remarks on it, "" if there is none.
        head: before the sections.
        tail: after them.
    """
    sections = []
    for path in sorted((folder / "results").glob("*.json")):
        remarks = path.with_suffix(".md")
        sections.append(section(json.loads(path.read_text()), remarks.read_text() if remarks.is_file() else ""))
    return "\n".join([head, *sections, tail])


def public_command(paper: str, words: Sequence[str]) -> str:
    """The command that repeats a result, without folders of this machine."""
    kept = [word for word in words if word.partition("=")[0] not in _OF_THIS_MACHINE]
    shown = ("data.root=DIR" if word.startswith("data.root=") else word for word in kept)
    return " ".join([f"facegen reproduce {paper}", *shown])
