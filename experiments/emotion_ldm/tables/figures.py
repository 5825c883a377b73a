"""The paper's figures, as far as the cells that were done allow: sheets of edited faces, and curves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL.Image import Image
from torch import Tensor

from experiments.emotion_ldm.tables.cells import Arrays
from experiments.emotion_ldm.tables.curves import against_truth_curves, trade_off_curves, tuned_curves, tuned_name
from experiments.emotion_ldm.tables.grid import TARGETS, Cell
from experiments.results import Result
from facegen_core.emotions import EMOTIONS
from facegen_core.images import from_uint8
from facegen_core.reporting.sheet import titled_sheet

PIXELS = 96
"""Side of a picture on a sheet at least, small ones enlarged pixel by pixel."""
FIGURE_GUIDANCE, FIGURE_STRENGTH = 3.0, 500
"""Of figures 3, 4 and 5 [P]."""
DIRECTIONAL, FIXED_GUIDANCE = 2.0, 1.0
"""Weight of figure 6, and guidance of figure 7 [P]."""
Done = Mapping[Cell, Arrays]


@dataclass(frozen=True)
class Shown:
    """Pictures of a few sources, by what was done to them.

    Attributes:
        done: finished cells; ``pictures`` (s, T, R, R, 3) of each.
        emotions: that the sources show.
    """

    done: Done
    emotions: list[int]

    def edited(self, cell: Cell, source: int) -> list[Tensor]:
        """One source with each of a cell's targets."""
        pictures = self.done[cell]["pictures"][source]
        times = max(1, -(-PIXELS // pictures.shape[1]))
        return [F.interpolate(from_uint8(p)[None], scale_factor=times)[0] for p in pictures]

    def first(self, kind: str, source: int) -> Tensor:
        """One source as it is, or its reconstruction."""
        cell = next(cell for cell in self.done if cell.kind == kind)
        return self.edited(cell, source)[0]


def draw_figures(result: Result, done: Done) -> dict[str, Image]:
    """All that can be drawn, by name."""
    places = next(arrays for cell, arrays in done.items() if cell.kind == "source")
    count = len(places["pictures"])
    shown = Shown(done, _emotions_of_shown(places, count))
    steps = result["settings"]["edit"]["steps"]
    ours = [cell for cell in done if cell.kind == "ours"]
    sheets = {
        "figure-03-emotions": _each_source(shown, _at(ours, FIGURE_STRENGTH, FIGURE_GUIDANCE, steps)),
        "figure-04-strength": _one_source(
            shown, [c for c in ours if c.guidance == FIGURE_GUIDANCE and c.steps == steps], lambda c: f"t0 {c.strength}"
        ),
        "figure-05-guidance": _one_source(
            shown, [c for c in ours if c.strength == FIGURE_STRENGTH and c.steps == steps],
            lambda c: f"gamma {c.guidance:g}",
        ),
        "table-04-steps": _one_source(
            shown, [c for c in ours if c.strength == FIGURE_STRENGTH and c.guidance == FIGURE_GUIDANCE],
            lambda c: f"{c.steps} steps",
        ),
        **_tuned_sheets(shown, "clip"),
        **_tuned_sheets(shown, "judge"),
        "truth": _truth(shown, result),
    }  # fmt: skip
    curves = {
        "trade-off": trade_off_curves(result),
        **tuned_curves(result, "clip", DIRECTIONAL, FIXED_GUIDANCE),
        **tuned_curves(result, "judge", DIRECTIONAL, FIXED_GUIDANCE),
        "truth-curves": against_truth_curves(result),
    }
    return {name: picture for name, picture in {**sheets, **curves}.items() if picture is not None}


def _emotions_of_shown(arrays: Arrays, count: int) -> list[int]:
    from experiments.emotion_ldm.tables.held_out import spread_evenly

    return [int(arrays["source"][place]) for place in spread_evenly(len(arrays["source"]), count)]


def _at(cells: Sequence[Cell], strength: int, guidance: float, steps: int) -> Cell | None:
    wanted = (strength, guidance, steps)
    return next((cell for cell in cells if (cell.strength, cell.guidance, cell.steps) == wanted), None)


def _each_source(shown: Shown, cell: Cell | None) -> Image | None:
    """Figure 3: some people with all six emotions."""
    if cell is None:
        return None
    rows = [
        [shown.first("source", k), shown.first("reconstruction", k), *shown.edited(cell, k)]
        for k in range(len(shown.emotions))
    ]
    names = [EMOTIONS[emotion] for emotion in shown.emotions]
    return titled_sheet(rows, names, ["source", "reconstructed", *_targets()])


def _one_source(shown: Shown, cells: Sequence[Cell], name: Callable[[Cell], str]) -> Image | None:
    """Figures 4 and 5: people with all six emotions, a setting changing down."""
    cells = sorted(cells, key=lambda cell: (cell.strength, cell.guidance, cell.steps))
    if len(cells) < 2:
        return None
    rows, titles = [], []
    for k in range(min(2, len(shown.emotions))):
        for cell in cells:
            rows.append([shown.first("reconstruction", k), *shown.edited(cell, k)])
            titles.append(name(cell))
    return titled_sheet(rows, titles, ["reconstructed", *_targets()])


def _tuned_sheets(shown: Shown, guide: str) -> dict[str, Image]:
    """Figures 6 and 7, by one guide: targets across; guidance down at one weight, and weight down at one guidance."""
    tuned = [cell for cell in shown.done if cell.guide == guide]
    by_guidance = {cell.guidance for cell in tuned if cell.weight == DIRECTIONAL}
    by_weight = {cell.weight for cell in tuned if cell.guidance == FIXED_GUIDANCE}
    wanted = {
        tuned_name(6, "guidance", guide): [
            (guidance, DIRECTIONAL, f"gamma {guidance:g}") for guidance in sorted(by_guidance)
        ],
        tuned_name(7, "weight", guide): [
            (FIXED_GUIDANCE, weight, f"weight {weight:g}") for weight in sorted(by_weight)
        ],
    }
    sheets = {}
    for figure, settings in wanted.items():
        rows = []
        for guidance, weight, _ in settings:
            of_target = {cell.targets[0]: cell for cell in tuned if (cell.guidance, cell.weight) == (guidance, weight)}
            row = [shown.first("reconstruction", 0)]
            for target in TARGETS:
                row += shown.edited(of_target[target], 0) if target in of_target else [torch.ones_like(row[0])]
            rows.append(row)
        if rows:
            sheets[figure] = titled_sheet(rows, [name for *_, name in settings], ["reconstructed", *_targets()])
    return sheets


def _truth(shown: Shown, result: Result) -> Image | None:
    """True pictures, ours at table 1's edit, and SDEdit at its edit nearest in accuracy."""
    from experiments.emotion_ldm.tables.truth_page import EMOTION, truth_rows

    edit = result["settings"]["edit"]
    cell = _at([c for c in shown.done if c.kind == "ours"], edit["strength"], edit["guidance"], edit["steps"])
    true = next((c for c in shown.done if c.kind == "truth"), None)
    if cell is None or true is None:
        return None
    cells = {"truth": true, "ours": cell}
    if rivals := truth_rows(result, "sdedit"):
        own = next(
            r for r in truth_rows(result, "ours") if (r["strength"], r["guidance"]) == (cell.strength, cell.guidance)
        )
        near = min(rivals, key=lambda row: abs(row[EMOTION] - own[EMOTION]))
        sdedit = [c for c in shown.done if c.kind == "sdedit"]
        found = _at(sdedit, near["strength"], near["guidance"], near["steps"])
        if found is not None:
            cells[f"SDEdit, t0 {found.strength}"] = found
    rows, titles = [], []
    for k in range(min(3, len(shown.emotions))):
        for name, one in cells.items():
            rows.append([shown.first("source", k), *shown.edited(one, k)])
            titles.append(name)
    return titled_sheet(rows, titles, ["source", *_targets()])


def _targets() -> list[str]:
    return [EMOTIONS[target] for target in np.array(TARGETS)]
