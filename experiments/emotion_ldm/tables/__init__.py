"""``facegen reproduce emotion_ldm``: tables 1, 3, 4 and 5 and figures of the paper, ours beside the published."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.emotion_ldm.tables import config as settings
from experiments.emotion_ldm.tables.cells import Arrays, Store, fill, open_store, starts_of
from experiments.emotion_ldm.tables.config import Config
from experiments.emotion_ldm.tables.figures import draw_figures
from experiments.emotion_ldm.tables.grid import Cell, cells_of
from experiments.emotion_ldm.tables.held_out import HeldOut, open_held_out, spread_evenly
from experiments.emotion_ldm.tables.judges import Judges
from experiments.emotion_ldm.tables.networks import Networks, open_networks
from experiments.emotion_ldm.tables.page import PUBLISHED, comparison, headline, render
from experiments.emotion_ldm.tables.published import as_csv
from experiments.emotion_ldm.tables.runs import (
    PAPER,
    describe_tuned,
    finetune_missing,
    say_what_is_missing,
    settle,
    split_for_stages,
    train_missing,
    tuned_cells,
)
from experiments.emotion_ldm.tables.summary import ALL, Row, ground_truth, reference, rows_of
from experiments.results import Result, public_command, save_result
from experiments.runs import stage_folder
from experiments.stage import load_stage_config, run_logger, split_words
from facegen_core.config import to_plain
from facegen_core.emotions import EMOTIONS
from facegen_core.files import only_one, settle_text
from facegen_core.progress import say

FORMAT = 2
"""Of the parts that are kept; to be raised when other figures are measured, or measured otherwise."""


def make_tables(words: Sequence[str]) -> None:
    """Edits and measures what is not done yet, and writes tables, figures and a page from all that is.

    Args:
        words: ``profile=``, ``label=`` (names the result; the profile if left out), ``note=`` (what the data are),
            ``publish=true`` (puts the result on the repository's own page too) and overrides: of the settings of
            :class:`.config.Config`, and of stages that have to be trained first, ``vqgan.trainer.max_steps=100``.

    Raises:
        ConfigError: a setting is wrong.
        FacegenError: there is no such run.
        WeightsNotFoundError: a judge's are missing.
    """
    options, overrides = split_words(words, "profile", "label", "note", "publish")
    profile = options.get("profile", "demo")
    label = options.get("label", profile)
    own, of_stages = split_for_stages(overrides)
    config: Config = load_stage_config(settings, profile, own)
    train_missing(config, profile, label, of_stages)
    settle(config)
    if config.finetune:
        finetune_missing(config, profile, label, of_stages)

    folder = stage_folder(config.outputs, PAPER, "reproduce") / label
    networks, pictures = open_networks(config), open_held_out(config)
    judges, tuned = Judges(config.metrics, networks.device), tuned_cells(config)
    cells = cells_of(config, tuned, pictures.truths is not None)
    store = open_store(folder / "cells", _facts(config, networks, pictures, judges))
    shown = spread_evenly(len(pictures), config.shown)
    left = fill(store, cells, pictures, networks, judges, config.batch, shown, config.part)
    if left:
        say(f"{left} parts are left to other processes; the one that finds all done writes the tables")
        return
    with only_one(folder / ".lock"):
        done = _done(store, config, tuned, pictures)
        result = {
            "label": label,
            "command": public_command(PAPER, words),
            "data": _describe(config, pictures, options.get("note")),
            "model": _describe_model(networks),
            "settings": _plain(config),
            "remarks": [text for text in (judges.missing, describe_tuned(tuned), say_what_is_missing(tuned)) if text],
            "protocol": judges.tags,
            "labels": judges.labels,
            **_figures_of(done, tuned, pictures, judges),
        }
        page = _write(result, done, config, folder, options.get("publish") == "true")
    print(headline(result))
    say(f"written: {page}; look at the runs with make dashboard")


def _facts(config: Config, networks: Networks, pictures: HeldOut, judges: Judges) -> dict[str, Any]:
    """All that the figures of a cell depend on, but for the cell."""
    common = {name: getattr(config.edit, name) for name in ("inversion_guidance", "at", "eta")}
    return {"format": FORMAT, **networks.digests, "pictures": pictures.digest, "batch": config.batch,
            "shown": config.shown, "precision": config.precision, "seed": config.seed, "edit": common,
            "judges": judges.facts}  # fmt: skip


def _done(store: Store, config: Config, tuned: Sequence[Cell], pictures: HeldOut) -> dict[Cell, Arrays]:
    """Finished cells, of whichever table, in the order of the tables."""
    starts = starts_of(len(pictures), config.batch)
    cells = cells_of(replace(config, table="all"), tuned, pictures.truths is not None)
    return {cell: store.load(cell, starts) for cell in cells if all(store.has(cell, start) for start in starts)}


def _figures_of(
    done: Mapping[Cell, Arrays], tuned: Sequence[Cell], pictures: HeldOut, judges: Judges
) -> dict[str, Any]:
    """Rows, and what they are held against."""
    newest = {(cell.guide, target): cell for cell in reversed(tuned) for target in cell.targets}
    rows: list[Row] = []
    for cell, arrays in done.items():
        more = {"newest": True} if cell in newest.values() else {}
        rows += [row | more for row in rows_of(cell, arrays)]
    unedited: dict[str, Arrays] = {cell.kind: arrays for cell, arrays in done.items() if not cell.steps}
    return {
        "rows": rows,
        "reference": reference(unedited, pictures.identity.numpy(), judges.labels),
        "ground_truth": ground_truth(unedited),
    }


def _write(result: Result, done: Mapping[Cell, Arrays], config: Config, folder: Path, publish: bool) -> Path:
    """The page, the figures, the table in long form, and the records in the tracker."""
    figures = draw_figures(result, done)
    page = save_result(result, figures, folder, render)
    table = folder / "results" / f"{result['label']}.csv"
    settle_text(table, as_csv(comparison(result)))
    if publish:
        save_result(result, figures, PUBLISHED, render)
        settle_text(PUBLISHED / "results" / table.name, table.read_text())
    parent = run_logger(PAPER, "table", config, folder, result["protocol"])
    of_cell = replace(config, tracking=replace(config.tracking, parent=parent.run_key, system_metrics=False))
    for cell in done:
        rows = [row for row in result["rows"] if row["kind"] == cell.kind and _is_of(row, cell)]
        _record(of_cell, folder / "runs" / cell.name, rows, cell, result["protocol"])
    parent.log_metrics(result["reference"], step=0)
    for name, picture in figures.items():
        parent.log_picture(name, picture, step=0)
    parent.log_file(page)
    parent.log_file(table)
    parent.finalize("success")
    return page


def _record(config: Config, run: Path, rows: Sequence[Row], cell: Cell, tags: dict[str, str]) -> None:
    """A cell as a run of its own: all targets together under the metrics' names, each target's after its name.

    What is recorded already is not recorded again.
    """
    text = json.dumps({"rows": rows, "tags": tags}, indent=1) + "\n"
    kept = run / "rows.json"
    if kept.is_file() and kept.read_text() == text:
        return
    logger = run_logger(PAPER, "cell", config, run, tags)
    logger.log_hyperparams(asdict(cell) | {"run": Path(cell.run).name})
    for row in rows:
        prefix = "" if row["target"] == ALL or len(rows) == 1 else f"{row['target']}/"
        numbers = {name: x for name, x in row.items() if isinstance(x, float) and not hasattr(cell, name)}
        logger.log_metrics({f"{prefix}{name}": value for name, value in numbers.items()}, step=0)
    logger.finalize("success")
    settle_text(kept, text)


def _is_of(row: Row, cell: Cell) -> bool:
    about = (row["strength"], row["guidance"], row["steps"], row.get("guide", ""), row.get("directional_weight", 0.0))
    same = about == (cell.strength, cell.guidance, cell.steps, cell.guide, cell.weight)
    return same and (cell.kind != "tuned" or row["target"] in [EMOTIONS[target] for target in cell.targets])


def _describe(config: Config, pictures: HeldOut, note: str | None) -> dict[str, Any]:
    """The data, as far as the page tells of them; no path of this machine."""
    identity = pictures.identity.numpy()
    root = config.data.root
    return {
        "source": note or ("the embedded population" if root is None else Path(root).name),
        "pictures": len(pictures),
        "people": len(np.unique(identity)) if (identity >= 0).all() else None,
        "pixels": config.data.pixels,
        "truth": pictures.truths is not None,
        "digest": pictures.digest,
    }


def _describe_model(networks: Networks) -> dict[str, Any]:
    return {
        "parameters": sum(parameter.numel() for parameter in networks.denoiser.parameters()),
        "first_stage_parameters": sum(parameter.numel() for parameter in networks.first_stage.parameters()),
        **networks.digests,
    }


def _plain(config: Config) -> dict[str, Any]:
    plain = to_plain(config)
    return {name: plain[name] for name in ("edit", "grid", "sdedit", "metrics", "precision", "pictures", "seed")}
