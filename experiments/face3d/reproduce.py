"""``facegen reproduce face3d``: the SAE beside its unsupervised ablation (figure 3) and the linear model."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from experiments.evaluate import evaluate_run, load_weights
from experiments.face3d import sae
from experiments.face3d.evaluation import encode_split, measures, protocol, read_vertex_mask
from experiments.face3d.results import PUBLISHED, save_result
from experiments.memory import forget_peak_memory, peak_memory_gib
from experiments.runs import stage_folder
from experiments.stage import load_stage_config, open_data, run_logger, split_words
from experiments.train import announced, checkpoint_to_resume, run_training
from facegen_core.config import load_config, to_plain
from facegen_core.errors import ConfigError
from facegen_core.files import atomic_path
from facegen_core.methods.face3d.pca import fit_pca
from facegen_core.progress import say
from facegen_core.reporting.embedding_figure import embedding_figure

PAPER = "face3d"
TRAINED_ROWS = {"sae": [], "unsupervised": ["model.identity_weight=0", "model.expression_weight=0"]}
PCA_COMPONENTS = 130  # as many numbers as the SAE's two codes together


def reproduce_sae(words: Sequence[str]) -> None:
    """Trains what is not trained yet, measures every row on the same held-out people, and writes a page.

    A second call with the same settings measures again without training; a stopped one goes on where it stopped.

    Args:
        words: ``profile=``, ``label=`` (names the result; the profile if left out), ``note=`` (what the data are),
            ``publish=true`` (puts the result on the repository's own page too) and overrides.
    """
    options, overrides = split_words(words, "profile", "label", "note", "publish")
    profile = options.get("profile", "demo")
    label = options.get("label", profile)
    config: sae.Config = load_stage_config(sae, profile, [*overrides, f"name={label}"])
    if config.trainer.processes > 1:
        raise ConfigError("reproduce runs in one process. Train with facegen train and trainer.devices, then measure.")
    folder = stage_folder(config.outputs, PAPER, "reproduce") / label
    table = run_logger(PAPER, "table", config, folder, {})
    linked = [*overrides, f"tracking.parent={table.run_key}"]

    rows: dict[str, dict[str, Any]] = {}
    runs: dict[str, Path] = {}
    for row, changes in TRAINED_ROWS.items():
        config = load_stage_config(sae, profile, [*linked, *changes, f"name={label}-{row}"])
        runs[row] = _train_once(config)
        values = evaluate_run(PAPER, "sae", sae, config, runs[row])
        rows[row] = values | json.loads((runs[row] / "cost.json").read_text())
    rows["pca"] = _measure_pca(dataclasses.replace(config, name=f"{label}-pca"))

    figure = _embeddings(config, runs)
    table.log_picture("embedding", figure, step=config.trainer.max_steps)
    for row, values in rows.items():
        table.log_metrics({f"{row}/{key}": value for key, value in values.items()}, step=config.trainer.max_steps)
    result = {
        "label": label,
        "command": _public_command(words),
        "data": _describe(config, options.get("note")),
        "settings": to_plain(config.trainer),
        "rows": rows,
    }
    page = save_result(result, figure, folder)
    if options.get("publish") == "true":
        save_result(result, figure, PUBLISHED)
    table.log_file(page)
    table.finalize("success")
    print(page.read_text())
    say(f"written: {page}; look at the runs with make dashboard")


def _public_command(words: Sequence[str]) -> str:
    """The command that repeats a result, without folders of this machine."""
    of_this_machine = ("outputs", "tracking.uri", "data.cache", "note", "publish")
    kept = [word for word in words if word.partition("=")[0] not in of_this_machine]
    return " ".join(["facegen reproduce face3d", *("data.root=DIR" if w.startswith("data.root=") else w for w in kept)])


def _train_once(config: sae.Config) -> Path:
    """Trains ``config`` unless that was done, going on where a stopped run stopped; returns the run's folder."""
    run = _folder_for(config)
    if (run / "cost.json").is_file():
        say(f"{run}: trained already")
        return run
    run.mkdir(parents=True, exist_ok=True)
    with announced(run):
        run_training(PAPER, "sae", sae, config, run, checkpoint_to_resume(run, "last"))
    return run


def _folder_for(config: sae.Config) -> Path:
    """The folder of the run with these settings, or a new one: a finished run with other settings is left as it is."""
    folder = stage_folder(config.outputs, PAPER, "sae")
    number = 1
    while True:
        run = folder / (f"{config.name}" if number == 1 else f"{config.name}-{number}")
        saved = run / "config.yaml"
        if not saved.is_file() or _comparable(load_config(sae.Config, saved)) == _comparable(config):
            return run
        number += 1


def _comparable(config: sae.Config) -> dict[str, Any]:
    """What decides a run's result."""
    plain = to_plain(config)
    return {key: value for key, value in plain.items() if key not in ("name", "tracking", "outputs", "evaluation")}


def _measure_pca(config: sae.Config) -> dict[str, float]:
    """The linear 3D morphable model with as many components as the SAE has codes, fitted on the same meshes."""
    forget_peak_memory()
    datamodule = open_data(sae, config)
    datamodule.setup("test")
    say(f"fit PCA with {PCA_COMPONENTS} components")
    model = fit_pca(datamodule.datasets["train"], PCA_COMPONENTS)
    mask = read_vertex_mask(config.evaluation.vertex_mask, datamodule.num_vertices)

    def encode(meshes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        codes = model.encode(meshes)
        return codes, codes

    def decode(codes: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        return model.decode(codes)

    train, test = (encode_split(datamodule, s, encode, decode, mask, torch.device("cpu")) for s in ("train", "test"))
    values = measures(train, test, config.seed)
    values |= {"parameters": model.components.numel() + model.mean.numel(), "peak_memory_gib": peak_memory_gib()}
    run = stage_folder(config.outputs, PAPER, "pca") / str(config.name)
    run.mkdir(parents=True, exist_ok=True)
    with atomic_path(run / "metrics.json") as temporary:
        temporary.write_text(json.dumps(values, indent=1) + "\n")
    logger = run_logger(
        PAPER,
        "pca",
        config,
        run,
        {"data.digest": datamodule.digest()} | protocol(config.data, config.evaluation.vertex_mask),
    )
    logger.log_hyperparams({"components": len(model.components), "data": to_plain(config.data)})
    logger.log_metrics({f"test/{key}": value for key, value in values.items()}, step=0)
    logger.finalize("success")
    return values


def _embeddings(config: sae.Config, runs: dict[str, Path]) -> Any:
    """The paper's figure 3: codes of held-out people, the SAE's and the unsupervised ablation's."""
    datamodule = open_data(sae, config)
    datamodule.setup("test")
    codes = {}
    for row, run in runs.items():
        module = sae.build_module(load_config(sae.Config, run / "config.yaml"), datamodule)
        load_weights(module, run)
        test = encode_split(datamodule, "test", module.model.encode, module.model.decode, None, torch.device("cpu"))
        codes["SAE" if row == "sae" else row] = (test.identity_code, test.expression_code)
    return embedding_figure(codes, test.identity, test.expression, config.seed)


def _describe(config: sae.Config, note: str | None) -> dict[str, Any]:
    """The data, as far as RESULTS.md tells of them; no path of this machine."""
    datamodule = open_data(sae, config)
    datamodule.setup("test")
    return {
        "expressions": datamodule.num_expressions,
        "source": note or ("the embedded population" if config.data.root is None else Path(config.data.root).name),
        "vertices": datamodule.num_vertices,
        "train_meshes": len(datamodule.datasets["train"]),
        "test_meshes": len(datamodule.datasets["test"]),
        "train_identities": datamodule.num_identities,
        "digest": datamodule.digest(),
    }
