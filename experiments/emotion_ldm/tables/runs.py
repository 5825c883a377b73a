"""The runs that tables are measured of: found, or trained first."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments.emotion_ldm import STAGES, emotion_ldm
from experiments.emotion_ldm.tables.config import Config
from experiments.emotion_ldm.tables.grid import TARGETS, Cell
from experiments.emotion_ldm.trained import networks_file, open_first_stage
from experiments.runs import find_run, stage_folder
from experiments.stage import load_stage_config
from experiments.table_runs import is_finished, stage_words, train_once
from facegen_core.checkpoint import digest_path, list_checkpoints
from facegen_core.config import load_config
from facegen_core.emotions import EMOTIONS
from facegen_core.errors import FacegenError
from facegen_core.progress import say

PAPER = "emotion_ldm"
LAST = "last"
_SHARED = ("seed", "outputs", "tracking", "data", "population")
"""Groups of the tables' settings that also are for stages which the tables train."""


def split_for_stages(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Overrides of the tables' own settings, and those that stages get which are trained for them.

    ``<stage>.key=value`` is for that stage alone; seed, folders, pictures and tracking are for all.
    """
    of_stages = [word for word in words if word.partition(".")[0] in STAGES]
    own = [word for word in words if word not in of_stages]
    shared = [word for word in own if word.partition("=")[0].partition(".")[0] in _SHARED]
    return own, [*shared, *of_stages]


def train_missing(config: Config, profile: str, label: str, words: Sequence[str]) -> None:
    """Trains a first stage and a denoiser where there are none, or goes on with those that an earlier call began.

    Args:
        config: whose model is looked for.
        profile: that they are trained with.
        label: that names their runs.
        words: overrides of theirs, of :func:`split_for_stages`.
    """
    if config.model != LAST:
        return
    for name in ("vqgan", "emotion_ldm"):
        run = _last(config, name)
        if run is None or (
            run.name == label and not is_finished(run, load_config(STAGES[name].Config, run / "config.yaml"))
        ):
            settings = load_stage_config(STAGES[name], profile, [*stage_words(PAPER, name, words), f"name={label}"])
            train_once(PAPER, name, settings)


def settle(config: Config) -> None:
    """Puts the run it means now in the place of "last", and its first stage's pictures where none are given.

    Raises:
        FacegenError: there is no such run.
    """
    if networks_file(config.model):
        _, sizes, _ = open_first_stage(config.model, config.outputs)
        config.data.pixels = sizes.pixels
        return
    run = find_run(stage_folder(config.outputs, PAPER, "emotion_ldm"), config.model)
    if config.model == LAST:
        config.model = str(run)
    theirs: emotion_ldm.Config = load_config(emotion_ldm.Config, run / "config.yaml")
    own = config.data
    config.data = replace(theirs.data, num_workers=own.num_workers)
    if own.root is not None:
        config.data = replace(config.data, root=own.root, cache=own.cache, annotation=own.annotation)
    elif config.population.people not in (0, theirs.population.people):
        config.data = replace(config.data, root=None, cache=own.cache)
    else:
        config.population = theirs.population


def finetune_missing(config: Config, profile: str, label: str, words: Sequence[str]) -> None:
    """Trains an emotion_clip on the model for each target that has none; ``config`` is settled.

    Raises:
        FacegenError: there is no such stage here.
    """
    there = {target for cell in tuned_cells(config) for target in cell.targets}
    for target in TARGETS:
        if target not in there:
            name = EMOTIONS[target]
            own = [f"target={name}", f"model={config.model}", f"name={label}-{name}"]
            words_ = stage_words(PAPER, "emotion_clip", words)
            train_once(PAPER, "emotion_clip", load_stage_config(STAGES["emotion_clip"], profile, [*words_, *own]))


def tuned_cells(config: Config) -> list[Cell]:
    """The networks fine-tuned from the model, of each target, guidance and weight the newest, the newest first.

    They are edited with as many steps as table 1 has; strength and guidance are those they were tuned for.
    """
    if "emotion_clip" not in STAGES:
        return []
    cells: dict[tuple[float, ...], Cell] = {}
    saved = stage_folder(config.outputs, PAPER, "emotion_clip").glob("*/config.yaml")
    for path in sorted(saved, key=lambda path: path.stat().st_mtime, reverse=True):
        checkpoints = list_checkpoints(path.parent / "checkpoints")
        settings = load_config(STAGES["emotion_clip"].Config, path)
        if not checkpoints or not _same(settings.model, config.model):
            continue
        target, edit = EMOTIONS.index(settings.target), settings.edit
        weight = settings.directional_weight
        cell = Cell(
            "tuned", edit.strength, edit.guidance, config.edit.steps, (target,), weight, str(path.parent),
            digest_path(checkpoints[0]).read_text()[:12],
        )  # fmt: skip
        cells.setdefault((target, edit.strength, edit.guidance, weight), cell)
    return list(cells.values())


def say_what_is_missing(tuned: Sequence[Cell]) -> str:
    """In words, for which targets there is no fine-tuned network; "" if there are all."""
    there = {target for cell in tuned for target in cell.targets}
    missing = [EMOTIONS[target] for target in TARGETS if target not in there]
    if not missing:
        return ""
    text = f'No network is fine-tuned on this model for {", ".join(missing)}: those of "ours, with CGF" stay empty.'
    say(f"{text} finetune=true trains them.")
    return text


def _last(config: Config, name: str) -> Path | None:
    try:
        return find_run(stage_folder(config.outputs, PAPER, name), LAST)
    except FacegenError:
        return None


def _same(first: str, second: str) -> bool:
    return first == second or Path(first).resolve() == Path(second).resolve()
