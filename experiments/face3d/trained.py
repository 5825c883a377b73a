"""Runs that a table needs: found if they were made with the same settings, else made."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from experiments.face3d import STAGES
from experiments.runs import stage_folder
from experiments.schema import StageConfig
from experiments.train import announced, checkpoint_to_resume, run_training
from facegen_core.config import load_config, to_plain
from facegen_core.errors import ConfigError
from facegen_core.progress import say

_NOT_DECISIVE = ("name", "tracking", "outputs", "evaluation")


def stage_words(name: str, words: Sequence[str]) -> list[str]:
    """The overrides that are meant for a stage: ``<stage>.key=value``, and others whose first part its settings have.

    Raises:
        ConfigError: no stage has such a key.
    """
    keys = {stage: set(module.Config.__dataclass_fields__) for stage, module in STAGES.items()}
    own = []
    for word in words:
        key, _, rest = word.partition(".")
        first = word.partition("=")[0].partition(".")[0]
        if key in keys:
            own += [rest] if key == name else []
        elif first in keys[name]:
            own.append(word)
        elif not any(first in known for known in keys.values()):
            raise ConfigError(f"'{word}': no stage of this paper has such a key. The stages are {', '.join(keys)}.")
    return own


def train_once(name: str, config: StageConfig) -> Path:
    """Trains ``config`` unless that was done, going on where a stopped run stopped; returns the run's folder."""
    run = _folder_for(name, config)
    if (run / "cost.json").is_file():
        say(f"{run}: trained already")
        return run
    run.mkdir(parents=True, exist_ok=True)
    with announced(run):
        run_training("face3d", name, STAGES[name], config, run, checkpoint_to_resume(run, "last"))
    return run


def cost(run: Path) -> dict[str, float]:
    """What a finished training took."""
    values: dict[str, float] = json.loads((run / "cost.json").read_text())
    return values


def drawn(run: Path) -> dict[str, Image.Image]:
    """The paper's figures that measuring a run drew, by name."""
    return {path.stem: Image.open(path).convert("RGB") for path in sorted(run.glob("figure-*.png"))}


def _folder_for(name: str, config: StageConfig) -> Path:
    """The folder of the run with these settings, or a new one: a finished run with other settings is left as it is."""
    folder = stage_folder(config.outputs, "face3d", name)
    number = 1
    while True:
        run = folder / (f"{config.name}" if number == 1 else f"{config.name}-{number}")
        saved = run / "config.yaml"
        if not saved.is_file() or _decisive(load_config(STAGES[name].Config, saved)) == _decisive(config):
            return run
        number += 1


def _decisive(config: StageConfig) -> dict[str, Any]:
    """What decides a run's result."""
    plain = to_plain(config)
    return {key: value for key, value in plain.items() if key not in _NOT_DECISIVE}
