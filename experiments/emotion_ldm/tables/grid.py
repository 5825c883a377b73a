"""The cells that tables are made of: one way of making pictures, done to every held-out picture and every target."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from experiments.emotion_ldm.tables.config import Config
from facegen_core.methods.emotion_ldm.edit_config import EditConfig

TARGETS = (1, 2, 3, 4, 5, 6)
"""The six emotions of the paper's tables, happy to anger."""

Kind = Literal["ours", "tuned", "sdedit", "reconstruction", "source", "truth"]


@dataclass(frozen=True)
class Cell:
    """One way of making pictures.

    Attributes:
        kind: "ours" inverts and reverses, "tuned" reverses with a network fine-tuned for its one target, "sdedit" adds
            noise and takes it away; or no edit: the first stage's "reconstruction", the "source" picture itself, and
            the "truth", the picture of the same person, light and pose with the target emotion.
        strength: t0.
        guidance: gamma.
        steps: S.
        targets: emotions.
        guide: of a tuned network: "clip" or "judge".
        weight: of its directional loss.
        run: its own.
        digest: of its checkpoint.
    """

    kind: Kind
    strength: int = 0
    guidance: float = 0.0
    steps: int = 0
    targets: tuple[int, ...] = TARGETS
    guide: str = ""
    weight: float = 0.0
    run: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Of its folder and its run in the tracker."""
        if not self.steps:
            return self.kind
        name = f"{self.kind}-t{self.strength}-g{self.guidance:g}-s{self.steps}"
        if self.kind == "tuned":
            name += f"-{'-'.join(map(str, self.targets))}-{self.guide}-w{self.weight:g}-{self.digest}"
        return name

    def edit(self, common: EditConfig) -> EditConfig:
        """The edit, with what all have in common."""
        return replace(common, strength=self.strength, guidance=self.guidance, steps=self.steps)


def main_cell(config: Config) -> Cell:
    """That of tables 1 and 5."""
    edit = config.edit
    return Cell("ours", edit.strength, edit.guidance, edit.steps)


def table3_cells(config: Config) -> list[Cell]:
    """Strengths and guidances, at the steps of table 1."""
    grid = config.grid
    return [Cell("ours", t0, gamma, config.edit.steps) for t0 in grid.strengths for gamma in grid.guidances]


def table4_cells(config: Config) -> list[Cell]:
    """Strengths and numbers of steps, at one guidance."""
    grid = config.grid
    return [Cell("ours", t0, grid.steps_guidance, steps) for t0 in grid.strengths for steps in grid.steps]


def sdedit_cells(config: Config) -> list[Cell]:
    """SDEdit's own grid, at the steps of table 1."""
    grid = config.sdedit
    return [Cell("sdedit", t0, gamma, config.edit.steps) for t0 in grid.strengths for gamma in grid.guidances]


def cells_of(config: Config, tuned: Sequence[Cell], has_truth: bool) -> list[Cell]:
    """The cells that the tables asked for need, each once.

    Args:
        config: with ``tables``.
        tuned: those of the fine-tuned networks that there are.
        has_truth: whether the true pictures with other emotions are known.
    """
    cells = [Cell("source"), Cell("reconstruction"), *([Cell("truth")] if has_truth else [])]
    if {"1", "5"} & set(config.tables):
        cells += [main_cell(config), *tuned]
    if "3" in config.tables:
        cells += table3_cells(config)
    if "4" in config.tables:
        cells += table4_cells(config)
    if "truth" in config.tables and has_truth:
        cells += [main_cell(config), *table3_cells(config), *sdedit_cells(config)]
    return list(dict.fromkeys(cells))
