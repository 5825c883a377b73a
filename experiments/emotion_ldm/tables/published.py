"""The paper's tables 1, 3, 4 and 5 as printed, and ours beside them, value by value."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from facegen_core.emotions import EMOTIONS
from facegen_core.methods.emotion_ldm import clip_finetune_config

FOLDER = Path(__file__).parents[1] / "published"
WORDS = {**clip_finetune_config.WORDS, "neutral": "neutral"}
"""An emotion -> the paper's word for it."""
SHARES = tuple(f"share_{emotion}" for emotion in EMOTIONS)
METRICS = ("emotion_accuracy", "psnr", "ssim", "lpips", "id_cosine")
"""Of table 1; the tracker's keys."""
_COLUMNS = {"accuracy": "emotion_accuracy", "psnr": "psnr", "ssim": "ssim", "lpips": "lpips", "csim": "id_cosine",
            **{f"acc_{word}": f"share_{emotion}" for emotion, word in WORDS.items()}}  # fmt: skip
"""A column of the published files -> the metric's key."""
GUIDED = {"clip": "ours_cgf", "judge": "ours_judge"}
"""What a network was tuned by -> its row; the paper has CLIP's alone."""
OURS = {"groundtruth": "ground truth", "ours": "ours", "ours_cgf": "ours, with CGF",
        "ours_judge": "ours, tuned by the judge"}  # fmt: skip
METHODS = {"ganimation": "GANimation", "stargan_v2": "StarGAN v2", "ganmut": "GANmut", "gganmut": "GGANmut", **OURS}
"""Rows of tables 1 and 5; those that are not in :data:`OURS` stay as published."""

Values = dict[str, float]
Row = Mapping[str, Any]


class Key(NamedTuple):
    """A row of a published table; "" and 0 where a table has no such column.

    Attributes:
        table: "1", "3", "4" or "5".
        method: of table 1 and 5; "ours" in the others.
        target: an emotion.
        strength: t0.
        guidance: gamma.
        steps: S.
    """

    table: str
    method: str = "ours"
    target: str = ""
    strength: int = 0
    guidance: float = 0.0
    steps: int = 0


def published() -> dict[Key, Values]:
    """All rows of the four tables, in their order; what was not printed, or is doubtful, is missing.

    Table 3 was made with 40 steps and table 4 with gamma 3 [P].
    """
    emotion = {word: name for name, word in WORDS.items()}
    rows: dict[Key, Values] = {}
    for table in ("1", "3", "4", "5"):
        for row in _read(f"table{table}"):
            target = emotion[row["target"]] if "target" in row else ""
            key = Key(table, row.get("method", "ours"), target, int(row.get("t0", 0)), float(row.get("gamma", 0)),
                      int(row.get("steps", 0)))  # fmt: skip
            values = {metric: float(row[name]) for name, metric in _COLUMNS.items() if row.get(name)}
            if row.get("note"):  # seven shares of one row repeat those of the row above
                values = {metric: value for metric, value in values.items() if metric not in SHARES}
            if f"share_{target}" in values:
                values["emotion_accuracy"] = values[f"share_{target}"]
            rows[key] = values
    return rows


class Pair(NamedTuple):
    """One value of a table.

    Attributes:
        key: the row.
        metric: the tracker's key.
        published: None where it was not printed.
        ours: None where it was not measured.
    """

    key: Key
    metric: str
    published: float | None
    ours: float | None


def compared(ours: Mapping[Key, Row]) -> list[Pair]:
    """Every value of every published row with ours, and after them our rows that the paper does not have.

    Args:
        ours: measured rows.
    """
    theirs = published()
    return [
        Pair(key, metric, theirs.get(key, {}).get(metric), (ours.get(key) or {}).get(metric))
        for key in (*theirs, *(key for key in ours if key not in theirs))
        for metric in (METRICS if key.table in "15" else (*METRICS, *SHARES))
    ]


def as_csv(pairs: Sequence[Pair]) -> str:
    """In long form, a value a line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*Key._fields, "metric", "published", "ours"])
    for pair in pairs:
        if pair.published is not None or pair.ours is not None:
            key = [value or "" for value in pair.key]
            writer.writerow([*key, pair.metric, *("" if x is None else x for x in (pair.published, pair.ours))])
    return text.getvalue()


def _read(table: str) -> Iterator[dict[str, str]]:
    with (FOLDER / f"{table}.csv").open() as file:
        yield from csv.DictReader(file)
