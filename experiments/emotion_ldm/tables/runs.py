"""The runs that tables are measured of: found, or trained first."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments.emotion_ldm import STAGES, emotion_clip
from experiments.emotion_ldm.tables.config import Config
from experiments.emotion_ldm.tables.grid import TARGETS, Cell
from experiments.emotion_ldm.trained import open_tuned, same_networks, settled, take_pictures
from experiments.runs import find_run, stage_folder
from experiments.stage import load_stage_config
from experiments.table_runs import is_finished, stage_words, train_once
from facegen_core.checkpoint import digest_path, list_checkpoints
from facegen_core.config import load_config
from facegen_core.emotions import EMOTIONS
from facegen_core.errors import CheckpointError, ConfigError, FacegenError
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
    """Puts the run it means now in the place of "last", and its pictures where none are given.

    Embedded people of another number than it was trained on are the tables' own.

    Raises:
        FacegenError: there is no such run.
    """
    config.model = settled(config.model, "emotion_ldm", config.outputs, or_shipped=False)
    own, people = config.data, config.population
    take_pictures(config, config.model, "emotion_ldm")
    if own.root is None and people.people not in (0, config.population.people):
        config.data, config.population = replace(config.data, root=None, cache=own.cache), people


def finetune_missing(config: Config, profile: str, label: str, words: Sequence[str]) -> None:
    """Trains an emotion_clip on the model for each target that its guide has none of; ``config`` is settled."""
    there = {(cell.guide, target) for cell in tuned_cells(config) for target in cell.targets}
    words = stage_words(PAPER, "emotion_clip", words)
    for target in TARGETS:
        name = EMOTIONS[target]
        own = [f"target={name}", f"model={config.model}", f"name={label}-{name}"]
        settings: emotion_clip.Config = load_stage_config(STAGES["emotion_clip"], profile, [*words, *own])
        if (settings.guide, target) not in there:
            train_once(PAPER, "emotion_clip", settings)


def tuned_cells(config: Config) -> list[Cell]:
    """The networks that were fine-tuned to the end, from the model as it is and at table 1's strength: the newest
    first, one for each thing it is tuned to.

    They are edited with as many steps as table 1 has, in all else as they were tuned for. Those tuned from other
    weights of the model are left out, and that is said.
    """
    cells: dict[Cell, Cell] = {}
    saved = stage_folder(config.outputs, PAPER, "emotion_clip").glob("*/config.yaml")
    for path in sorted(saved, key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            settings: emotion_clip.Config = load_config(emotion_clip.Config, path)
            cell = _tuned_cell(config, settings)
            if cell is None or cell in cells or not is_finished(path.parent, settings):
                continue
            open_tuned(str(path.parent), config.outputs)
        except (ConfigError, CheckpointError) as error:
            say(f"left out of the tables: {error}")
            continue
        newest = list_checkpoints(path.parent / "checkpoints")[0]
        cells[cell] = replace(cell, run=str(path.parent), digest=digest_path(newest).read_text()[:12])
    return list(cells.values())


def describe_tuned(tuned: Sequence[Cell]) -> str:
    """In words, which targets have a tuned network, by what and for which edit; "" if there is none."""
    groups: dict[tuple[str, int, float, float], list[str]] = {}
    for cell in tuned:
        about = (cell.guide, cell.strength, cell.guidance, cell.weight)
        groups.setdefault(about, []).extend(EMOTIONS[target] for target in sorted(cell.targets))
    return " ".join(
        f"Tuned by {'CLIP' if guide == 'clip' else f'the {guide}'} at t0 {strength}, gamma {guidance:g}, directional "
        f"weight {weight:g}: {', '.join(sorted(targets, key=EMOTIONS.index))}."
        for (guide, strength, guidance, weight), targets in groups.items()
    )


def say_what_is_missing(tuned: Sequence[Cell]) -> str:
    """In words, for which targets there is no network tuned by CLIP, as the paper's are; "" if there are all."""
    there = {target for cell in tuned if cell.guide == "clip" for target in cell.targets}
    missing = [EMOTIONS[target] for target in TARGETS if target not in there]
    if not missing:
        return ""
    text = f'No network is tuned by CLIP on this model for {", ".join(missing)}: those of "ours, with CGF" stay empty.'
    say(f"{text} finetune=true emotion_clip.guide=clip trains them.")
    return text


def _tuned_cell(config: Config, settings: "emotion_clip.Config") -> Cell | None:
    """What a run's network is tuned to; None if it is of another model or strength."""
    edit = settings.edit
    if edit.strength != config.edit.strength or not same_networks(settings.model, config.model):
        return None
    target = EMOTIONS.index(settings.target)
    return Cell("tuned", edit.strength, edit.guidance, config.edit.steps, (target,), settings.guide,
                settings.directional_weight)  # fmt: skip


def _last(config: Config, name: str) -> Path | None:
    try:
        return find_run(stage_folder(config.outputs, PAPER, name), LAST)
    except FacegenError:
        return None
