"""``facegen reproduce face3d``: tables 1 and 2 and the figures of the paper, every model trained on the same people."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image

from datamodules.meshes import MeshDataModule
from datamodules.textures import TextureDataModule
from experiments.evaluate import evaluate_run, load_weights
from experiments.face3d import STAGES, sae, shape_cgan, texture_progan
from experiments.face3d.baselines import measure_baselines
from experiments.face3d.evaluation import encode_split
from experiments.face3d.face_evaluation import judge_faces
from experiments.face3d.face_figures import face_figures
from experiments.face3d.models import load_shape_model
from experiments.face3d.results import PUBLISHED, render
from experiments.face3d.shape_evaluation import Reference, table1
from experiments.face3d.textured_model import load_textured_model
from experiments.results import public_command, save_result
from experiments.runs import stage_folder
from experiments.stage import load_stage_config, open_data, run_logger, split_words
from experiments.table_runs import cost, drawn, stage_words, train_once
from facegen_core.config import load_config, to_plain
from facegen_core.errors import ConfigError, DatasetNotFoundError
from facegen_core.progress import say
from facegen_core.reporting.embedding_figure import embedding_figure

PAPER = "face3d"
UNSUPERVISED = ["model.identity_weight=0", "model.expression_weight=0"]
LEVELS = (5, 10)
"""Beside 1, the levels of intensity of table 1."""

Rows = dict[str, dict[str, float]]
Figures = dict[str, Image]


def make_tables(words: Sequence[str]) -> None:
    """Trains what is not trained yet, measures every row on the same held-out people, and writes a page.

    A second call with the same settings measures again without training; a stopped one goes on where it stopped.

    Args:
        words: ``profile=``, ``label=`` (names the result; the profile if left out), ``note=`` (what the data are),
            ``publish=true`` (puts the result on the repository's own page too) and overrides: one stage's with its
            name before it, ``coma.trainer.max_steps=100``, else for every stage that has the key.
    """
    options, overrides = split_words(words, "profile", "label", "note", "publish")
    profile = options.get("profile", "demo")
    label = options.get("label", profile)
    config: sae.Config = load_stage_config(sae, profile, [*stage_words(PAPER, "sae", overrides), f"name={label}"])
    if config.trainer.processes > 1:
        raise ConfigError("reproduce runs in one process. Train with facegen train and trainer.devices, then measure.")
    folder = stage_folder(config.outputs, PAPER, "reproduce") / label
    table = run_logger(PAPER, "table", config, folder, {})
    overrides = [*overrides, f"tracking.parent={table.run_key}"]

    rows, figures = _measure_all(profile, overrides, label)
    steps = config.trainer.max_steps
    for row, values in rows.items():
        table.log_metrics({f"{row}/{key}": value for key, value in values.items()}, step=steps)
    for name, picture in figures.items():
        table.log_picture(name, picture, step=steps)
    result = {
        "label": label,
        "command": public_command(PAPER, words),
        "data": _describe(config, options.get("note")),
        "settings": to_plain(config.trainer),
        "rows": rows,
    }
    page = save_result(result, figures, folder, render)
    if options.get("publish") == "true":
        save_result(result, figures, PUBLISHED, render)
    table.log_file(page)
    table.finalize("success")
    print(page.read_text())
    say(f"written: {page}; look at the runs with make dashboard")


def _measure_all(profile: str, overrides: list[str], label: str) -> tuple[Rows, Figures]:
    """Every row's figures, and the paper's figures by name."""
    rows: Rows = {}

    def measure(row: str, name: str, *changes: str) -> Path:
        words = [*stage_words(PAPER, name, overrides), *changes, f"name={label}-{row}"]
        config = load_stage_config(STAGES[name], profile, words)
        run = train_once(PAPER, name, config)
        rows[row] = evaluate_run(PAPER, name, STAGES[name], config, run) | cost(run)
        return run

    # Those that other commands should find as a stage's last run are trained last.
    codes = {"unsupervised": measure("unsupervised", "sae", *UNSUPERVISED), "SAE": measure("sae", "sae")}
    measure("coma", "coma")
    one_hot = measure("shape_one_hot", "shape_cgan", f"sae={codes['SAE']}", "model.identity_code=one_hot")
    shape = measure("shape", "shape_cgan", f"sae={codes['SAE']}")
    figures = drawn(shape)

    config = load_config(sae.Config, codes["SAE"] / "config.yaml")
    datamodule = open_data(sae, config)
    datamodule.setup("test")
    if datamodule.has_classes:
        figures["figure-03-embeddings"] = _embeddings(config, datamodule, codes)
    settings = load_config(shape_cgan.Config, shape / "config.yaml")
    reference = Reference(datamodule, settings.evaluation.pairs, config.seed)
    rows |= measure_baselines(config, datamodule, reference, settings.evaluation.samples)
    for row, run in {"shape": shape, "shape_one_hot": one_hot}.items():
        model = load_shape_model(run)
        for level in LEVELS:
            say(f"{row} at level {level}")
            rows[f"{row}_level_{level}"] = table1(model.at_level(level), reference, settings.evaluation.samples)
    table = f"identity_codes={settings.identity_codes}"
    try:
        textures = _textures(
            load_stage_config(texture_progan, profile, [*stage_words(PAPER, "texture_progan", overrides), table])
        )
    except DatasetNotFoundError as error:
        say(f"{error} So there is no texture GAN, and no figures 4, 9, 16 and 17.")
        return rows, dict(sorted(figures.items()))
    texture = measure("texture", "texture_progan", table)
    faces = load_textured_model(config.outputs, str(shape), str(texture))
    if datamodule.has_classes:
        rows["faces"] = judge_faces(faces, datamodule, textures, config.seed)
    figures |= drawn(texture) | face_figures(faces, config.seed)
    return rows, dict(sorted(figures.items()))


def _textures(config: texture_progan.Config) -> TextureDataModule:
    """The texture GAN's data, set up.

    Raises:
        DatasetNotFoundError: the data set has no textures.
    """
    datamodule: TextureDataModule = open_data(texture_progan, config)
    datamodule.setup("test")
    return datamodule


def _embeddings(config: sae.Config, datamodule: MeshDataModule, runs: dict[str, Path]) -> Image:
    """The paper's figure 3: codes of held-out people, the SAE's and the unsupervised ablation's."""
    codes = {}
    for row, run in sorted(runs.items()):
        module = sae.build_module(load_config(sae.Config, run / "config.yaml"), datamodule)
        load_weights(module, run)
        test = encode_split(datamodule, "test", module.model.encode, module.model.decode, None, torch.device("cpu"))
        codes[row] = (test.identity_code, test.expression_code)
    return embedding_figure(codes, test.identity, test.expression, config.seed)


def _describe(config: sae.Config, note: str | None) -> dict[str, Any]:
    """The data, as far as RESULTS.md tells of them; no path of this machine."""
    datamodule = open_data(sae, config)
    datamodule.setup("test")
    return {
        "expressions": datamodule.num_expressions,
        "source": note or ("the embedded population" if config.data.root is None else Path(config.data.root).name),
        "vertices": datamodule.num_vertices,
        "unit": datamodule.unit,
        "train_meshes": len(datamodule.datasets["train"]),
        "test_meshes": len(datamodule.datasets["test"]),
        "train_identities": datamodule.num_identities,
        "digest": datamodule.digest(),
    }
