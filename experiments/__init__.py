"""The papers' numbers, commands and results: configurations, training, evaluation, tables.

``EXPERIMENTS`` is the one list of what there is. A paper's package names its training stages; a stage is a module with

* ``Config``: dataclass of its settings, read from ``<stage>/<profile>.yaml``,
* ``settle(config)``, where settings may name other runs: puts the run they mean now in the place of "last",
* ``prepare(config)``: makes data that can be made, before any process is started,
* ``build_datamodule(config)``, ``build_module(config, datamodule)``, ``build_callbacks(config, datamodule)``,
* ``evaluate(config, module, datamodule)``: final figures on the held-out test split, pictures, and tags that say by
  which protocol and judge the figures were made,
* ``export(run, checkpoint, out)``, where its networks are used elsewhere: writes them as files.
"""

from types import ModuleType

from experiments import embedded, emotion_ldm, face3d

EXPERIMENTS: dict[str, ModuleType] = {"face3d": face3d, "embedded": embedded, "emotion_ldm": emotion_ldm}


def stages() -> dict[str, tuple[str, ModuleType]]:
    """Stage name -> (paper slug, stage module), over all papers."""
    return {name: (slug, stage) for slug, paper in EXPERIMENTS.items() for name, stage in paper.STAGES.items()}


def papers() -> list[str]:
    """Slugs of what has tables to reproduce."""
    return [slug for slug, paper in EXPERIMENTS.items() if hasattr(paper, "reproduce")]
