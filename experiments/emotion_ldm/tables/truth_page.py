"""The page's part on edits against true pictures, which only the embedded people have."""

from collections.abc import Sequence

from experiments.emotion_ldm.tables.findings import AtAccuracy, at_accuracy
from experiments.emotion_ldm.tables.summary import ALL, TRUTH, Row
from experiments.results import Result
from facegen_core.reporting.tables import Cell, markdown_table

PSNR, EMOTION = f"{TRUTH}psnr", f"{TRUTH}emotion"
COLUMNS = {EMOTION: "accuracy ↑", PSNR: "PSNR to the truth ↑", f"{TRUTH}ssim": "SSIM ↑", f"{TRUTH}lpips": "LPIPS ↓",
           f"{TRUTH}id": "CSIM to the truth ↑"}  # fmt: skip
UNEDITED = {"source": "no edit: the picture itself", "reconstruction": "no edit: its reconstruction",
            "truth": "the truth itself"}  # fmt: skip


def truth_rows(result: Result, kind: str) -> list[Row]:
    """Of all targets together, those edits of a kind that were held against the truth, at table 1's steps."""
    steps = {0, result["settings"]["edit"]["steps"]}
    rows = (row for row in result["rows"] if row["kind"] == kind and row["target"] == ALL and row["steps"] in steps)
    return [row for row in rows if PSNR in row]


def reached_truth(result: Result) -> list[str]:
    """In words: the edit of table 1 against no edit, and against SDEdit at the same accuracy."""
    edit = result["settings"]["edit"]
    ours = [row for row in truth_rows(result, "ours") if _is(row, edit["strength"], edit["guidance"])]
    plain = {kind: rows[0][PSNR] for kind in UNEDITED if (rows := truth_rows(result, kind))}
    if not ours or "source" not in plain:
        return []
    row = ours[0]
    lines = [
        f"- Against true pictures, where another emotion than shown is asked for: accuracy {row[EMOTION]:.3f}, PSNR "
        f"{row[PSNR]:.2f} dB; without an edit {plain['reconstruction']:.2f} (reconstruction) and {plain['source']:.2f} "
        "(the picture itself)."
    ]
    if rivals := truth_rows(result, "sdedit"):
        lines.append(f"- {at_equal_accuracy(row, at_accuracy(rivals, row[EMOTION], PSNR, EMOTION))}")
    return lines


def at_equal_accuracy(ours: Row, theirs: AtAccuracy) -> str:
    """In words: SDEdit where it is as accurate as an edit of ours."""
    low, high, guidance = theirs.between
    where = f"t0 {low:g}" if low == high else f"between t0 {low:g} and {high:g}"
    where = f"{where}, gamma {guidance:g}"
    if theirs.reached:
        return (
            f"SDEdit, the same network, has {theirs.value:.2f} dB at the same accuracy of {theirs.accuracy:.3f} "
            f"({where}, its best): {abs(ours[PSNR] - theirs.value):.2f} dB "
            f"{'less' if ours[PSNR] > theirs.value else 'more'}."
        )
    return (
        f"SDEdit, the same network, has no accuracy of {ours[EMOTION]:.3f} on its grid; its nearest is "
        f"{theirs.accuracy:.3f} ({where}), with {theirs.value:.2f} dB."
    )


def against_truth(result: Result) -> str:
    """The table, "" where no truths are known."""
    ours, rivals = truth_rows(result, "ours"), truth_rows(result, "sdedit")
    if not ours:
        return ""
    rows: list[list[Cell]] = []
    for kind, title in UNEDITED.items():
        rows += [[title, *_values(row), None] for row in truth_rows(result, kind)]
    for row in ours:
        best = at_accuracy(rivals, row[EMOTION], PSNR, EMOTION) if rivals else None
        told = f"{best.value:.2f}{'' if best.reached else f' (at {best.accuracy:.3f})'}" if best else None
        rows.append([f"ours, {_at(row)}", *_values(row), told])
    rows += [[f"SDEdit, {_at(row)}", *_values(row), None] for row in rivals]
    pictures = ours[0][f"{TRUTH}pictures"]
    return f"""### Against the truth

The same person, light and pose with the emotion asked for, cut by the edited picture's own frame; the {pictures:.0f}
edits that ask for another emotion than the picture shows. The last column is SDEdit's PSNR at the row's accuracy, by
interpolation over its strengths, the best of its guidances; in brackets its nearest accuracy where it falls short.

{markdown_table(["edit", *_titles(ours), "SDEdit there, PSNR"], rows)}"""


def _is(row: Row, strength: float, guidance: float) -> bool:
    return bool(row["strength"] == strength and row["guidance"] == guidance)


def _at(row: Row) -> str:
    return f"t0 {row['strength']}, gamma {row['guidance']:g}"


def _titles(rows: Sequence[Row]) -> list[str]:
    return [title for name, title in COLUMNS.items() if name in rows[0]]


def _values(row: Row) -> list[Cell]:
    return [f"{row[name]:.2f}" if name == PSNR else row[name] for name in COLUMNS if name in row]
