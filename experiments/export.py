"""``facegen export``: a trained run's networks as files of their own."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from experiments.runs import find_run, stage_folder
from experiments.stage import outputs_folder, split_words
from facegen_core.errors import ConfigError


def export(paper: str, name: str, stage: ModuleType, words: Sequence[str]) -> Path:
    """Writes the networks of a run as the command line says; the data set is not needed.

    Args:
        paper: the paper's slug.
        name: the stage's name.
        stage: the stage's module.
        words: ``run=last``, a run's name or folder, or one of its checkpoints; ``out=`` folder to write to.

    Returns:
        That folder.

    Raises:
        ConfigError: another word.
    """
    options, others = split_words(words, "run", "out", "outputs")
    if others:
        raise ConfigError(f"{others[0]}: export takes run=, out= and outputs=.")
    which = options.get("run", "last")
    run = find_run(stage_folder(outputs_folder(words), paper, name), which)
    out = Path(options.get("out") or run / "exported")
    out.mkdir(parents=True, exist_ok=True)
    stage.export(run, Path(which) if which.endswith(".ckpt") else None, out)
    return out
