"""From figures of single pictures to rows of tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.emotion_ldm.tables.cells import Arrays
from experiments.emotion_ldm.tables.grid import TARGETS, Cell
from experiments.emotion_ldm.tables.published import GUIDED, METRICS, SHARES, Key
from facegen_core.emotions import EMOTIONS

ALL = "all"
"""In a row's place of a target: all targets together."""
TRUTH = "counterfactual_"
NOT_FIGURES = ("index", "source", "embedding", "pictures")
"""Arrays of a part that say what was done to which picture."""
Row = dict[str, Any]


def rows_of(cell: Cell, arrays: Arrays) -> list[Row]:
    """Means over pictures: a row for each target, and one for all together where there are several.

    Figures are over all pictures, those that show the target already among them [A]; those with ``counterfactual_`` in
    their names over pictures that show another emotion, of which something was asked. ``laid_``: see ``judges.py``.

    Args:
        cell: what was done.
        arrays: of :func:`.cells.measure`, (N, T) and (N, T, 8).
    """
    rows = []
    choices = {EMOTIONS[target]: [place] for place, target in enumerate(cell.targets)}
    if len(cell.targets) > 1:
        choices[ALL] = list(range(len(cell.targets)))
    for name, places in choices.items():
        about = {"kind": cell.kind, "strength": cell.strength, "guidance": cell.guidance, "steps": cell.steps}
        tuned = {"guide": cell.guide, "directional_weight": cell.weight} if cell.kind == "tuned" else {}
        chosen = {figure: values[:, places] for figure, values in arrays.items() if figure not in NOT_FIGURES}
        targets = np.array(cell.targets)[places]
        rows.append({**about, **tuned, "target": name, **_means(chosen, targets, arrays["source"])})
    return rows


def _means(figures: Arrays, targets: npt.NDArray[np.int64], source: npt.NDArray[np.int64]) -> dict[str, float]:
    """Of figures (N, t), and of probabilities (N, t, 8)."""
    changed = np.broadcast_to(source[:, None] != targets, (len(source), len(targets)))
    known = changed.any() and any(TRUTH in name for name in figures)
    values = {"pictures": float(changed.size)} | ({f"{TRUTH}pictures": float(changed.sum())} if known else {})
    for name, numbers in sorted(figures.items()):
        if TRUTH in name:
            values |= {name: float(numbers[changed].mean())} if known else {}
        elif numbers.ndim == 2:
            values[name] = float(numbers.mean())
        else:
            laid, predicted = name.removesuffix("emotion"), numbers.argmax(2)
            right = predicted == targets
            values[f"{laid}emotion_accuracy"] = float(right.mean())
            values |= {f"{laid}{share}": float((predicted == k).mean()) for k, share in enumerate(SHARES)}
            values |= {f"{laid}{TRUTH}emotion": float(right[changed].mean())} if known else {}
    return values


def reference(arrays: Mapping[str, Arrays], identity: npt.NDArray[np.int64], labels: Sequence[str]) -> dict[str, float]:
    """What edits can be held against: true pictures, read by the same judges.

    Accuracies are over pictures whose emotion the judge has a label for, as published ones of such judges are.

    Args:
        arrays: of the cells "source", "reconstruction" and, where it is known, "truth".
        identity: (N,) who it is, -1 where unknown.
        labels: the judge's emotions.
    """
    source, reconstruction = arrays["source"], arrays["reconstruction"]
    shown = source["source"]
    told = np.isin(shown, [EMOTIONS.index(name) for name in labels])
    values = {"pictures": float(len(shown)), "told_pictures": float(told.sum())}
    for name, of_kind in (("source", source), ("reconstruction", reconstruction)):
        if told.any():
            values[f"{name}_accuracy"] = float((of_kind["emotion"][:, 0].argmax(1) == shown)[told].mean())
    values |= {
        "reconstruction_psnr": float(reconstruction["psnr_raw"][:, 0].mean()),
        "reconstruction_id_cosine": float(reconstruction["id_cosine_raw"][:, 0].mean()),
    }
    cosine = source["embedding"] @ source["embedding"].T
    same = np.triu((identity[:, None] == identity) & (identity >= 0), 1)
    if same.any():
        values |= {"id_cosine_true_pairs": float(cosine[same].mean()), "true_pairs": float(same.sum())}
    if "truth" in arrays:
        changed = shown[:, None] != np.array(TARGETS)
        values["id_cosine_true_edits"] = float(arrays["truth"]["id_cosine_raw"][changed].mean())
    return values


def ground_truth(arrays: Mapping[str, Arrays]) -> dict[str, float]:
    """Accuracy of the classifier on true pictures of each target: all with it, and where they are known true edits."""
    values = {}
    for place, target in enumerate(TARGETS):
        if "truth" in arrays:
            predicted = arrays["truth"]["emotion"][:, place].argmax(1)
        else:
            predicted = arrays["source"]["emotion"][arrays["source"]["source"] == target, 0].argmax(1)
        if len(predicted):
            values[EMOTIONS[target]] = float((predicted == target).mean())
    return values


def our_rows(
    rows: Sequence[Row], truths: Mapping[str, float], edit: Mapping[str, Any], guidance: float
) -> dict[Key, Row]:
    """Measured rows under the keys of the published ones.

    Args:
        rows: of all cells.
        truths: of :func:`ground_truth`.
        edit: that of table 1: strength, guidance, steps.
        guidance: of table 4.
    """
    ours = dict(_of_tables_1_and_5(rows, truths, edit))
    for row in rows:
        if row["kind"] == "ours" and row["target"] != ALL:
            at = row["target"], row["strength"]
            if row["steps"] == edit["steps"]:
                ours[Key("3", "ours", *at, guidance=row["guidance"])] = row
            if row["guidance"] == guidance:
                ours[Key("4", "ours", *at, steps=row["steps"])] = row
    return ours


def _of_tables_1_and_5(
    rows: Sequence[Row], truths: Mapping[str, float], edit: Mapping[str, Any]
) -> Iterator[tuple[Key, Row]]:
    """Table 5 has the means over the six targets of table 1, where all six are there."""
    methods: dict[str, dict[str, Row]] = {"groundtruth": {t: {"emotion_accuracy": x} for t, x in truths.items()}}
    methods["ours"] = {r["target"]: r for r in rows if r["kind"] == "ours" and _is(r, edit) and r["target"] != ALL}
    for guide, method in GUIDED.items():
        newest = [row for row in rows if row.get("newest") and row["guide"] == guide]
        methods[method] = {row["target"]: row for row in newest}
    for method, of_target in methods.items():
        for target, row in of_target.items():
            yield Key("1", method, target), row
        if len(of_target) == len(TARGETS):
            yield (
                Key("5", method),
                {
                    metric: float(np.mean([row[metric] for row in of_target.values()]))
                    for metric in METRICS
                    if all(metric in row for row in of_target.values())
                },
            )


def _is(row: Row, edit: Mapping[str, Any]) -> bool:
    return all(row[name] == edit[name] for name in ("strength", "guidance", "steps"))
