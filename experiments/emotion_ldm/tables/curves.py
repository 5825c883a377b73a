"""Curves over the grid: ours, the published, and SDEdit."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL.Image import Image

from experiments.emotion_ldm.tables.judges import LAID
from experiments.emotion_ldm.tables.published import published
from experiments.emotion_ldm.tables.summary import ALL, Row
from experiments.emotion_ldm.tables.truth_page import EMOTION, PSNR, VARIANTS, truth_rows
from experiments.results import Result
from facegen_core.emotions import EMOTIONS
from facegen_core.reporting.mesh_figure import to_image

COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:red", "tab:purple", "tab:brown")
RIVALS = ("black", "grey")
LABELS = {"emotion_accuracy": "emotion accuracy", "psnr": "PSNR to the reconstruction, dB", "id_cosine": "CSIM",
          "guidance": "gamma", "directional_weight": "weight of the directional loss",
          EMOTION: "emotion accuracy", PSNR: "PSNR to the true picture, dB"}  # fmt: skip


def trade_off_curves(result: Result) -> Image | None:
    """Accuracy and PSNR by guidance, a line a strength, and one against the other; published values dashed."""
    steps = result["settings"]["edit"]["steps"]
    ours = [row for row in result["rows"] if (row["kind"], row["steps"], row["target"]) == ("ours", steps, ALL)]
    if len(ours) < 2:
        return None
    theirs = _published_means()
    strengths = sorted({row["strength"] for row in [*ours, *theirs]})
    figure = Figure(figsize=(13.5, 4.2), dpi=90, layout="constrained")
    axes = figure.subplots(1, 3)
    rivals = [row for row in result["rows"] if (row["kind"], row["target"]) == ("sdedit", ALL)]
    for panel, (x, y) in zip(
        axes, (("guidance", "emotion_accuracy"), ("guidance", "psnr"), ("emotion_accuracy", "psnr")), strict=True
    ):
        _lines(panel, ours, x, y, "strength", "ours, t0 {}", "-o", values=strengths)
        _lines(panel, theirs, x, y, "strength", "published, t0 {}", "--", values=strengths)
        if x == "emotion_accuracy":
            _lines(panel, rivals, x, y, "guidance", "SDEdit, gamma {:g}", ":s", RIVALS)
    axes[2].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    return to_image(figure)


def against_truth_curves(result: Result) -> Image | None:
    """PSNR to the true picture against accuracy: ours, SDEdit and no edit, as decoded and laid onto the picture."""
    ours, rivals = truth_rows(result, "ours"), truth_rows(result, "sdedit")
    if not ours or not rivals:
        return None
    figure = Figure(figsize=(11, 4.4), dpi=90, layout="constrained")
    for panel, (laid, (words, unedited)) in zip(figure.subplots(1, 2), VARIANTS.items(), strict=True):
        _lines(panel, ours, laid + EMOTION, laid + PSNR, "strength", "ours, t0 {}", "-o")
        _lines(panel, rivals, laid + EMOTION, laid + PSNR, "guidance", "SDEdit, gamma {:g}", ":s", RIVALS)
        panel.axhline(truth_rows(result, unedited)[0][PSNR], color="tab:gray", linewidth=1, label="no edit")
        panel.set_title(words)
    panel.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    return to_image(figure)


def tuned_name(number: int, setting: str, guide: str) -> str:
    """Of a figure of tuned networks; the paper's are CLIP's."""
    return f"figure-{number:02d}-tuned-{setting}{'' if guide == 'clip' else f'-by-{guide}'}"


def tuned_curves(result: Result, guide: str, weight: float, guidance: float) -> dict[str, Image]:
    """Figures 8 and 9, by one guide: accuracy and closeness by guidance at one weight, and by weight at one guidance.

    A line a target; the network before it was tuned stands as weight 0. A figure of single points is left out.
    """
    tuned = [row for row in result["rows"] if row.get("guide") == guide]
    steps, strengths = result["settings"]["edit"]["steps"], {row["strength"] for row in tuned}
    plain = [
        {**row, "directional_weight": 0.0}
        for row in result["rows"]
        if row["kind"] == "ours" and row["steps"] == steps and row["target"] != ALL and row["strength"] in strengths
    ]
    wanted = {
        tuned_name(8, "guidance", guide): ("guidance", [row for row in tuned if row["directional_weight"] == weight]),
        tuned_name(9, "weight", guide): (
            "directional_weight",
            [r for r in [*plain, *tuned] if r["guidance"] == guidance],
        ),
    }
    figures = {}
    for name, (x, rows) in wanted.items():
        if len({row[x] for row in rows}) > 1 and any(row["kind"] == "tuned" for row in rows):
            figure = Figure(figsize=(13.5, 4.2), dpi=90, layout="constrained")
            for panel, y in zip(figure.subplots(1, 3), ("emotion_accuracy", "psnr", "id_cosine"), strict=True):
                _lines(panel, rows, x, y, "target", "{}", "-o", values=EMOTIONS)
            figure.axes[2].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
            figures[name] = to_image(figure)
    return figures


def _lines(
    panel: Axes,
    rows: Sequence[Row],
    x: str,
    y: str,
    by: str,
    label: str,
    style: str,
    colours: Sequence[str] = COLOURS,
    values: Sequence[Any] | None = None,
) -> None:
    """A line for each value of ``by``, through its rows in the order of their settings; colours go by the place among
    ``values``, all there are of these rows if none are given.
    """
    there = {row[by] for row in rows}
    for k, value in enumerate(sorted(there) if values is None else values):
        if value not in there:
            continue
        line = sorted((row for row in rows if row[by] == value and x in row and y in row), key=_settings)
        panel.plot([r[x] for r in line], [r[y] for r in line], style, color=colours[k % len(colours)], markersize=4,
                   linewidth=1.2, label=label.format(value))  # fmt: skip
    panel.set_xlabel(LABELS[x.removeprefix(LAID)])
    panel.set_ylabel(LABELS[y.removeprefix(LAID)])


def _settings(row: Row) -> tuple[float, ...]:
    return row["strength"], row["guidance"], row.get("directional_weight", 0.0)


def _published_means() -> list[Row]:
    """Of table 3, over the six targets; a value that one of them lacks is left out."""
    groups: dict[tuple[int, float], list[dict[str, float]]] = {}
    for key, values in published().items():
        if key.table == "3":
            groups.setdefault((key.strength, key.guidance), []).append(values)
    rows = []
    for (strength, guidance), of_targets in groups.items():
        row: Row = {"strength": strength, "guidance": guidance}
        for metric in ("emotion_accuracy", "psnr"):
            there = [values[metric] for values in of_targets if metric in values]
            if len(there) == len(of_targets):
                row[metric] = sum(there) / len(there)
        rows.append(row)
    return rows
