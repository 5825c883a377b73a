"""``facegen evaluate``: the final figures of a trained run, on people held out from it, in one process."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments.runs import find_run, stage_folder
from experiments.schema import StageConfig
from experiments.stage import open_data, outputs_folder, quiet_lightning, run_logger, split_words
from facegen_core.config import load_config
from facegen_core.progress import say


def evaluate(paper: str, name: str, stage: ModuleType, words: Sequence[str]) -> dict[str, float]:
    """Measures a run as the command line says, prints the figures and adds them to the run.

    Args:
        paper: the paper's slug.
        name: the stage's name.
        stage: the stage's module.
        words: ``run=last``, a run's name or folder, or one of its checkpoints; and overrides of its configuration.
    """
    options, overrides = split_words(words, "run", "profile")
    which = options.get("run", "last")
    run = find_run(stage_folder(outputs_folder(overrides), paper, name), which, options.get("profile"))
    config = load_config(stage.Config, run / "config.yaml", overrides)
    values = evaluate_run(paper, name, stage, config, run, Path(which) if which.endswith(".ckpt") else None)
    if not values:
        say(f"{run}: nothing of this stage is measured on such data; its figures are there")
        return values
    width = max(map(len, values))
    print("\n".join(f"{key:<{width}}  {value:.4f}" for key, value in values.items()))
    return values


def evaluate_run(
    paper: str, name: str, stage: ModuleType, config: StageConfig, run: Path, checkpoint: Path | None = None
) -> dict[str, float]:
    """Measures the run in folder ``run`` and writes ``metrics.json`` and figures there and to the tracker.

    Args:
        paper: the paper's slug.
        name: the stage's name.
        stage: the stage's module.
        config: the run's settings.
        run: the run's folder.
        checkpoint: which of its checkpoints; the newest if None.
    """
    quiet_lightning()
    from facegen_core.files import atomic_path

    datamodule = open_data(stage, config)
    datamodule.setup("test")
    module = stage.build_module(config, datamodule)
    step = load_weights(module, run, checkpoint)
    _say_if_other_data(run, checkpoint, datamodule.digest())
    values: dict[str, float]
    values, pictures, protocol = stage.evaluate(config, module, datamodule)
    with atomic_path(run / "metrics.json") as temporary:
        temporary.write_text(json.dumps({"step": step, **values}, indent=1) + "\n")
    logger = run_logger(paper, name, config, run, protocol)
    logger.log_metrics({f"test/{key}": value for key, value in values.items()}, step=step)
    for key, picture in pictures.items():
        picture.save(run / f"{key}.png")
        logger.log_picture(key, picture, step=step)
    logger.finalize("success")
    say(f"{run}: measured at step {step}; figures and metrics.json are there")
    return values


def _say_if_other_data(run: Path, checkpoint: Path | None, digest: str) -> None:
    """People a network was trained on must not be measured as held out without the user knowing."""
    _, saved = read_checkpoint(run, checkpoint)
    if saved["callbacks"]["checkpoints"]["agreement"]["data"] != digest:
        say(f"{run}: these are not the data, or not the split, it was trained on; it may know people held out now")


def load_weights(module: Any, run: Path, checkpoint: Path | None = None) -> int:
    """Fills a stage with the weights of a run, averaged ones where it kept an average.

    Returns:
        The step they were saved at.

    Raises:
        CheckpointError: no checkpoint, or one that is damaged or made for other networks.
    """
    path, saved = read_checkpoint(run, checkpoint)
    fill_weights(module, path, saved)
    return int(path.stem)


def read_checkpoint(run: Path, checkpoint: Path | None = None) -> tuple[Path, dict[str, Any]]:
    """A checkpoint of a run, the newest if none is named, with its path.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    from facegen_core.checkpoint import list_checkpoints, load_checkpoint
    from facegen_core.errors import CheckpointError

    found = list_checkpoints(run / "checkpoints")
    if checkpoint is None and not found:
        raise CheckpointError(f"{run}: no checkpoint yet. Train it first, or continue it with resume={run}.")
    path = checkpoint or found[0]
    return path, load_checkpoint(path)


def fill_weights(module: Any, path: Path, saved: dict[str, Any]) -> None:
    """Fills a stage with the weights of the checkpoint ``saved``, read from ``path``, averaged ones if there are any.

    Raises:
        CheckpointError: it was made for other networks.
    """
    from facegen_core.errors import CheckpointError

    try:
        module.load_state_dict(saved["state_dict"])
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: made for other networks or data: {str(error).splitlines()[-1].strip()}"
        ) from None
    average = saved["callbacks"].get("ema", {}).get("average", {})
    for name, weight in module.get_submodule(module.network).named_parameters():
        if name in average:
            weight.data.copy_(average[name])
    module.eval()
