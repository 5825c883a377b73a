"""The page's part on edits against true pictures, which only the embedded people have."""

from collections.abc import Sequence

from experiments.emotion_ldm.tables.findings import AtAccuracy, at_accuracy
from experiments.emotion_ldm.tables.judges import LAID
from experiments.emotion_ldm.tables.summary import ALL, TRUTH, Row
from experiments.results import Result
from facegen_core.reporting.tables import Cell, markdown_table

PSNR, EMOTION = f"{TRUTH}psnr", f"{TRUTH}emotion"
COLUMNS = {EMOTION: "accuracy ↑", PSNR: "PSNR ↑", f"{TRUTH}ssim": "SSIM ↑", f"{TRUTH}lpips": "LPIPS ↓",
           f"{TRUTH}id": "CSIM ↑"}  # fmt: skip
UNEDITED = {"source": "no edit: the picture itself", "reconstruction": "no edit: its reconstruction",
            "truth": "the truth itself"}  # fmt: skip
VARIANTS = {"": ("as decoded", "reconstruction"), LAID: ("laid onto the picture", "source")}
"""What is held against the truth -> its words, and which picture without an edit it has to beat."""


def truth_rows(result: Result, kind: str) -> list[Row]:
    """Of all targets together, those edits of a kind that were held against the truth, at table 1's steps."""
    steps = {0, result["settings"]["edit"]["steps"]}
    rows = (row for row in result["rows"] if row["kind"] == kind and row["target"] == ALL and row["steps"] in steps)
    return sorted((row for row in rows if PSNR in row), key=lambda row: (row["strength"], row["guidance"]))


def reached_truth(result: Result) -> list[str]:
    """In words: the edit of table 1 against no edit, and against SDEdit at the same accuracy."""
    edit = result["settings"]["edit"]
    ours = [row for row in truth_rows(result, "ours") if _is(row, edit["strength"], edit["guidance"])]
    plain = {kind: rows[0][PSNR] for kind in UNEDITED if (rows := truth_rows(result, kind))}
    if not ours or "source" not in plain:
        return []
    lines, rivals = [], truth_rows(result, "sdedit")
    for laid, (words, unedited) in VARIANTS.items():
        row = ours[0]
        lines.append(
            f"- Against true pictures, where another emotion than shown is asked for, {words}: accuracy "
            f"{row[laid + EMOTION]:.3f}, PSNR {row[laid + PSNR]:.2f} dB; {plain[unedited]:.2f} without an edit "
            f"({unedited})."
        )
        if rivals:
            found = at_accuracy(rivals, row[laid + EMOTION], laid + PSNR, laid + EMOTION)
            lines[-1] += f" {at_equal_accuracy(row[laid + EMOTION], row[laid + PSNR], found)}"
    return lines


def at_equal_accuracy(accuracy: float, ours: float, theirs: AtAccuracy) -> str:
    """In words: SDEdit's PSNR where it is as accurate as an edit of ours with these figures."""
    low, high, guidance = theirs.between
    where = f"t0 {low:g}" if low == high else f"between t0 {low:g} and {high:g}"
    where = f"{where}, gamma {guidance:g}"
    if theirs.reached:
        more = "less" if ours > theirs.value else "more"
        return (
            f"SDEdit, the same network, has {theirs.value:.2f} dB at that accuracy ({where}, its best): "
            f"{abs(ours - theirs.value):.2f} dB {more}."
        )
    return (
        f"SDEdit, the same network, has no accuracy of {accuracy:.3f} on its grid; its nearest is "
        f"{theirs.accuracy:.3f} ({where}), with {theirs.value:.2f} dB."
    )


def against_truth(result: Result) -> str:
    """The tables, "" where no truths are known."""
    if not truth_rows(result, "ours"):
        return ""
    pictures = truth_rows(result, "ours")[0][f"{TRUTH}pictures"]
    return f"""### Against the truth

The same person, light and pose with the emotion asked for, cut by the edited picture's own frame; the {pictures:.0f}
edits that ask for another emotion than the picture shows. The last column is SDEdit's PSNR at the row's accuracy, by
interpolation over its strengths, the best of its guidances; in brackets its nearest accuracy where it falls short.

As the first stage decodes them:

{_table(result, "", ("source", "reconstruction", "truth"))}
Laid onto the picture, as `facegen edit` does: the change alone, edit minus reconstruction, so that what the first stage
cannot keep is no part of it. No edit is then the picture itself:

{_table(result, LAID, ("reconstruction",))}"""


def _table(result: Result, laid: str, unedited: Sequence[str]) -> str:
    ours, rivals = truth_rows(result, "ours"), truth_rows(result, "sdedit")
    names = [name for name in COLUMNS if laid + name in ours[0]]
    rows: list[list[Cell]] = []
    for kind in unedited:
        title = "no edit" if laid else UNEDITED[kind]
        rows += [[title, *_values(row, laid, names), None] for row in truth_rows(result, kind)]
    for row in ours:
        best = at_accuracy(rivals, row[laid + EMOTION], laid + PSNR, laid + EMOTION) if rivals else None
        told = f"{best.value:.2f}{'' if best.reached else f' (at {best.accuracy:.3f})'}" if best else None
        rows.append([f"ours, {_at(row)}", *_values(row, laid, names), told])
    rows += [[f"SDEdit, {_at(row)}", *_values(row, laid, names), None] for row in rivals]
    return markdown_table(["edit", *(COLUMNS[name] for name in names), "SDEdit there, PSNR"], rows)


def _is(row: Row, strength: float, guidance: float) -> bool:
    return bool(row["strength"] == strength and row["guidance"] == guidance)


def _at(row: Row) -> str:
    return f"t0 {row['strength']}, gamma {row['guidance']:g}"


def _values(row: Row, laid: str, names: Sequence[str]) -> list[Cell]:
    return [f"{row[laid + name]:.2f}" if name == PSNR else row[laid + name] for name in names]
