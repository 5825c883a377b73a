"""What training and evaluating a stage have in common: its settings, its data, its record."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments.schema import RunConfig, StageConfig
from facegen_core.config import load_config
from facegen_core.errors import ConfigError


def split_words(words: Sequence[str], *names: str) -> tuple[dict[str, str], list[str]]:
    """Sorts ``key=value`` words into the command's own (those in ``names``) and configuration overrides."""
    own = {key: value for key, _, value in (w.partition("=") for w in words) if key in names}
    return own, [w for w in words if w.partition("=")[0] not in names]


def outputs_folder(overrides: Sequence[str]) -> str:
    """The folder of all runs, as the overrides say it, before any run's settings are read."""
    return next((w.partition("=")[2] for w in overrides if w.startswith("outputs=")), StageConfig.outputs)


def load_stage_config(stage: ModuleType, profile: str, overrides: Sequence[str]) -> Any:
    """The settings of a stage's profile with overrides: an instance of ``stage.Config``.

    Raises:
        ConfigError: there is no such profile, or a key or value is wrong.
    """
    folder = Path(stage.__file__ or "").parent
    path = folder / f"{profile}.yaml"
    if not path.is_file():
        there = ", ".join(sorted(found.stem for found in folder.glob("*.yaml")))
        raise ConfigError(f"profile={profile}: no such profile. There are: {there}.")
    config = load_config(stage.Config, path, overrides)
    if hasattr(stage, "settle"):
        stage.settle(config)
    return config


def open_data(stage: ModuleType, config: StageConfig) -> Any:
    """The stage's data module, its files prepared; what prepares files lets one process at a time do it."""
    stage.prepare(config)
    datamodule = stage.build_datamodule(config)
    datamodule.prepare_data()
    return datamodule


def run_logger(paper: str, name: str, config: RunConfig, run: Path, tags: dict[str, str]) -> Any:
    """The logger of a run, as training and evaluation both use it."""
    from experiments.tracking.logger import JournalLogger

    return JournalLogger(
        run,
        experiment=config.tracking.experiment or paper,
        run_name=f"{name}-{run.name}",
        tracking_uri=tracking_uri(config),
        tags={"stage": name, "paper": paper, "seed": str(config.seed), **tags},
        parent=config.tracking.parent,
        system_metrics=config.tracking.system_metrics,
    )


def tracking_uri(config: RunConfig) -> str:
    """Where the run is recorded, "" for the run's folder alone."""
    if config.tracking.uri == "auto":
        return f"sqlite:///{Path(config.outputs).resolve() / 'mlflow.db'}"
    return config.tracking.uri or ""


def quiet_lightning() -> None:
    """Keeps Lightning's advertisements and notes on its own insides off the screen; warnings stay."""
    import lightning.pytorch  # noqa: F401  # sets its own level when first imported

    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*dataloader is not resumable.*")
