"""Run folders: ``<outputs>/<paper>/<stage>/<name>`` with config.yaml, checkpoints/, tracking/ and metrics.json."""

import os
import re
from pathlib import Path

import experiments  # not its stages(): its stages import this module
from experiments.ranks import is_main_process, world_size
from facegen_core.errors import ConfigError, FacegenError

RUN_DIR_VARIABLE = "FACEGEN_RUN_DIR"


def stage_folder(outputs: str, paper: str, stage: str) -> Path:
    """The folder of all runs of a stage."""
    return Path(outputs) / paper / stage


def new_run(folder: Path, name: str | None, profile: str) -> Path:
    """Makes the folder of a new run.

    Args:
        folder: the stage's folder.
        name: the run's name; if None, the profile and the next free number.
        profile: which of the stage's settings is run.

    Raises:
        FacegenError: the named run exists already.
    """
    if inherited := os.environ.get(RUN_DIR_VARIABLE):  # a process that DDP started beside the first
        return Path(inherited)
    if name is None and world_size() > 1:
        raise FacegenError("several processes were started from outside: give the run a name they share, name=...")
    folder.mkdir(parents=True, exist_ok=True)
    if name is not None:
        run = folder / name
        if (run / "config.yaml").exists() and is_main_process():
            raise FacegenError(
                f"{run}: a run of this name exists. Continue it with resume={run}, or take another name=."
            )
        run.mkdir(exist_ok=True)
        return run
    number = 1 + max((_number(path) for path in folder.glob(f"{profile}-*")), default=0)
    while True:
        try:
            (folder / f"{profile}-{number:03d}").mkdir()
            return folder / f"{profile}-{number:03d}"
        except FileExistsError:  # another run began in the same moment
            number += 1


def find_run(folder: Path, which: str, profile: str | None = None) -> Path:
    """An existing run.

    Args:
        folder: the stage's folder.
        which: "last" for the one begun last, a run's name, or a path to a run folder or one of its checkpoints.
        profile: with "last", only runs of this profile.

    Raises:
        ConfigError: it is a run of another stage.
        FacegenError: there is no such run.
    """
    inherited = os.environ.get(RUN_DIR_VARIABLE)
    if inherited and Path(inherited).parent == folder.resolve():  # else another stage's run is asked for
        return Path(inherited)
    runs = sorted(folder.glob("*/config.yaml"), key=lambda path: path.stat().st_mtime, reverse=True)
    names = [path.parent.name for path in runs]
    if which == "last":
        for run in (path.parent for path in runs):
            if profile is None or re.fullmatch(rf"{re.escape(profile)}-\d+", run.name):
                return run
        of = f" of profile {profile}" if profile else ""
        raise FacegenError(f"{folder}: no run{of} here yet. Begin one with facegen train {folder.name}.")
    there = f"There are: {', '.join(names) or 'none'}."
    for candidate in (folder / which, Path(which), Path(which).parent.parent):
        if (candidate / "config.yaml").is_file():
            stage = candidate.resolve().parent.name
            if stage != folder.name and stage in experiments.stages():  # in other folders lie runs that were moved
                raise ConfigError(f"{which}: a run of stage {stage}; one of {folder.name} is wanted here. {there}")
            return candidate
    raise FacegenError(f"{which}: no such run in {folder}. {there}")


def _number(path: Path) -> int:
    last = path.name.rpartition("-")[2]
    return int(last) if last.isdigit() else 0
