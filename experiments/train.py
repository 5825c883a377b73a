"""``facegen train``: one training run of one stage, from nothing or from a checkpoint."""

import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments.memory import forget_peak_memory, peak_memory_gib
from experiments.ranks import is_main_process
from experiments.runs import RUN_DIR_VARIABLE, find_run, new_run, stage_folder
from experiments.schema import StageConfig
from experiments.stage import load_stage_config, open_data, outputs_folder, quiet_lightning, run_logger, split_words
from facegen_core.config import load_config, to_plain, to_yaml
from facegen_core.errors import CheckpointError
from facegen_core.files import atomic_path
from facegen_core.progress import say

_INITIAL_WEIGHTS = 20


def train(paper: str, name: str, stage: ModuleType, words: Sequence[str]) -> Path:
    """Trains a stage as the command line says.

    Args:
        paper: the paper's slug.
        name: the stage's name.
        stage: the stage's module, see ``experiments/__init__.py``.
        words: ``profile=``, ``resume=`` and overrides.

    Returns:
        The run's folder.
    """
    options, overrides = split_words(words, "profile", "resume")
    profile, resume = options.get("profile"), options.get("resume")
    if resume is None:
        config = load_stage_config(stage, profile or "demo", overrides)
        run = new_run(stage_folder(config.outputs, paper, name), config.name, profile or "demo")
    else:
        run = find_run(stage_folder(outputs_folder(overrides), paper, name), resume, profile)
        config = load_config(stage.Config, run / "config.yaml", overrides)
    checkpoint = checkpoint_to_resume(run, resume) if resume is not None else None
    if checkpoint is not None and int(checkpoint.stem) >= config.trainer.max_steps:
        say(f"{run}: finished at step {int(checkpoint.stem)}, nothing is left to do; raise trainer.max_steps to go on")
        return run
    with announced(run):
        run_training(paper, name, stage, config, run, checkpoint)
    return run


@contextmanager
def kept_config(path: Path, config: StageConfig) -> Iterator[None]:
    """Writes a run's settings; puts the former ones back if they turn out not to fit the run's checkpoint."""
    before = path.read_text() if path.is_file() else None
    if is_main_process():
        with atomic_path(path) as temporary:
            temporary.write_text(to_yaml(config))
    try:
        yield
    except CheckpointError:
        if before is not None and is_main_process():
            path.write_text(before)
        raise


def run_training(
    paper: str, name: str, stage: ModuleType, config: StageConfig, run: Path, checkpoint: Path | None
) -> None:
    """Trains ``stage`` with ``config`` in the folder ``run``, from ``checkpoint`` if one is given."""
    quiet_lightning()
    import torch
    from lightning.pytorch.utilities.exceptions import SIGTERMException

    from experiments.trainer import build_trainer
    from facegen_core.errors import NonFiniteLossError
    from facegen_core.seeding import derive

    forget_peak_memory()
    datamodule = open_data(stage, config)
    datamodule.setup("fit")
    torch.manual_seed(derive(config.seed, _INITIAL_WEIGHTS))
    module = stage.build_module(config, datamodule)
    if config.trainer.compile:
        module.compile_network()
    logger = run_logger(paper, name, config, run, {"data.digest": datamodule.digest()})
    logger.log_hyperparams(to_plain(config))
    logger.log_dict_artifact(to_plain(config), "config.yaml")
    callbacks = stage.build_callbacks(config, datamodule)
    trainer = build_trainer(config, run, module, datamodule, callbacks, logger, f"train {name}")
    if is_main_process():
        millions = sum(p.numel() for p in module.parameters()) / 1e6
        say(f"{run}: {millions:.1f} M parameters, {config.trainer.max_steps} steps of {config.trainer.global_batch}")
    try:
        with kept_config(run / "config.yaml", config):
            trainer.fit(module, datamodule, ckpt_path=str(checkpoint) if checkpoint else None, weights_only=True)
    except (CheckpointError, NonFiniteLossError, SIGTERMException):
        # All processes meet these together, and the first tells the user. Were another to end with an error code,
        # Lightning would kill the first before it has said so and delivered its records.
        if trainer.is_global_zero:
            raise
        raise SystemExit(0) from None
    if trainer.is_global_zero and math.isfinite(speed := _seconds_per_step(trainer)):  # else nothing was left to do
        cost = {"seconds_per_step": speed, "peak_memory_gib": peak_memory_gib(), "parameters": round(millions * 1e6)}
        (run / "cost.json").write_text(json.dumps(cost, indent=1) + "\n")
        say(f"{run}: done, {speed:.3g} s a step. Evaluate it with: facegen evaluate {name} run={run}")


def _seconds_per_step(trainer: Any) -> float:
    from lightning_modules.callbacks.step_logger import StepLogger

    return next(callback.seconds_per_step for callback in trainer.callbacks if isinstance(callback, StepLogger))


def checkpoint_to_resume(run: Path, resume: str) -> Path | None:
    """The named checkpoint, or the newest of the run; None if the run was stopped before its first."""
    from facegen_core.checkpoint import list_checkpoints

    if resume.endswith(".ckpt"):
        return Path(resume)
    checkpoints = list_checkpoints(run / "checkpoints")
    if not checkpoints:
        say(f"{run}: no checkpoint yet, starting from step 0")
    return checkpoints[0] if checkpoints else None


@contextmanager
def announced(run: Path) -> Iterator[None]:
    """Lets the processes that DDP starts find the run's folder."""
    before = os.environ.get(RUN_DIR_VARIABLE)
    os.environ[RUN_DIR_VARIABLE] = str(run.resolve())
    try:
        yield
    finally:
        if before is None:
            del os.environ[RUN_DIR_VARIABLE]
