"""Runs that a table needs: found if they were made with the same settings, else made."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from PIL import Image

import experiments  # not its EXPERIMENTS: its papers import this module
from experiments.runs import stage_folder
from experiments.schema import StageConfig
from experiments.train import announced, checkpoint_to_resume, run_training
from facegen_core.checkpoint import list_checkpoints
from facegen_core.config import load_config, to_plain
from facegen_core.errors import ConfigError
from facegen_core.progress import say

_NOT_DECISIVE = {
    "": ("name", "tracking", "outputs", "evaluation"),
    "trainer": ("devices", "num_nodes", "accelerator", "log_every", "keep_checkpoints"),
    "data": ("cache", "num_workers"),
}
"""Settings that do not decide what a run ends with, by group."""


def stage_words(paper: str, name: str, words: Sequence[str]) -> list[str]:
    """The overrides that are meant for a stage: ``<stage>.key=value``, and others whose first part its settings have.

    Args:
        paper: the paper's slug.
        name: the stage's.
        words: for all stages of the paper.

    Raises:
        ConfigError: no stage has such a key.
    """
    keys = {stage: set(_keys(to_plain(module.Config()))) for stage, module in _stages(paper).items()}
    own = []
    for word in words:
        stage, _, rest = word.partition(".")
        key = word.partition("=")[0]
        if stage in keys:
            own += [rest] if stage == name else []
        elif key in keys[name]:
            own.append(word)
        elif not any(key in known for known in keys.values()):
            raise ConfigError(f"'{word}': no stage of this paper has such a key. The stages are {', '.join(keys)}.")
    return own


def _keys(settings: Mapping[str, Any], group: str = "") -> Iterator[str]:
    for name, value in settings.items():
        yield group + name
        if isinstance(value, dict):
            yield from _keys(value, f"{group}{name}.")


def train_once(paper: str, name: str, config: StageConfig) -> Path:
    """Trains ``config`` unless that was done, going on where a stopped run stopped; returns the run's folder."""
    run = _folder_for(paper, name, config)
    if is_finished(run, config):
        say(f"{run}: trained already")
        return run
    run.mkdir(parents=True, exist_ok=True)
    with announced(run):
        run_training(paper, name, _stages(paper)[name], config, run, checkpoint_to_resume(run, "last"))
    return run


def is_finished(run: Path, config: StageConfig) -> bool:
    """Whether a run took all of its steps."""
    checkpoints = list_checkpoints(run / "checkpoints")
    return bool(checkpoints) and int(checkpoints[0].stem) >= config.trainer.max_steps


def cost(run: Path) -> dict[str, float]:
    """What a finished training took, if it was not stopped just before it said so."""
    path = run / "cost.json"
    values: dict[str, float] = json.loads(path.read_text()) if path.is_file() else {}
    return values


def drawn(run: Path) -> dict[str, Image.Image]:
    """The paper's figures that measuring a run drew, by name."""
    return {path.stem: Image.open(path).convert("RGB") for path in sorted(run.glob("figure-*.png"))}


def _stages(paper: str) -> dict[str, ModuleType]:
    stages: dict[str, ModuleType] = experiments.EXPERIMENTS[paper].STAGES
    return stages


def _folder_for(paper: str, name: str, config: StageConfig) -> Path:
    """The folder of a run with these settings, whoever began it, or a new one; other runs are left as they are."""
    folder = stage_folder(config.outputs, paper, name)
    for saved in sorted(folder.glob("*/config.yaml")):
        if _settings(_stages(paper)[name], saved) == _decisive(config):
            return saved.parent
    number = 1
    while True:
        run = folder / (f"{config.name}" if number == 1 else f"{config.name}-{number}")
        if not (run / "config.yaml").is_file():
            return run
        number += 1


def _settings(stage: ModuleType, saved: Path) -> dict[str, Any] | None:
    """What decided a run's result; None where it was made with settings that are not known any more."""
    try:
        return _decisive(load_config(stage.Config, saved))
    except ConfigError:
        return None


def _decisive(config: StageConfig) -> dict[str, Any]:
    """What decides a run's result."""
    plain: dict[str, Any] = to_plain(config)
    for group, names in _NOT_DECISIVE.items():
        settings = plain.get(group, {}) if group else plain
        for name in names:
            settings.pop(name, None)
    return plain
