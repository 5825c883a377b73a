"""Tables in Markdown."""

from collections.abc import Sequence

Cell = str | float | int | None


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A Markdown table; the first column is left-aligned, empty cells are a dash.

    Args:
        header: column titles.
        rows: one list of cells a row; floats get three decimals, none from 100 on, and powers of ten below 0.001.
    """
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join([":---"] + ["---:"] * (len(header) - 1)) + "|"]
    lines += ["| " + " | ".join(format_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def format_cell(cell: Cell) -> str:
    """One value as readers want it: no more places than mean something."""
    if cell is None or cell != cell:
        return "-"
    if isinstance(cell, float):
        if 0 < abs(cell) < 0.001:
            return f"{cell:.0e}"
        return f"{cell:.3f}" if abs(cell) < 100 else f"{cell:.0f}"
    return str(cell)
