"""Settings of ``facegen reproduce emotion_ldm``. Plain values: nothing here imports torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from experiments.emotion_ldm.data import DataConfig, PhotographedConfig
from experiments.schema import RunConfig
from facegen_core.diffusion.timesteps import strided_steps
from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm.edit_config import EditConfig


@dataclass
class GridConfig:
    """Edits that the tables are made of; ``edit`` beside it is that of tables 1 and 5.

    Attributes:
        strengths: t0 of tables 3 and 4.
        guidances: gamma of table 3.
        steps: of table 4.
        steps_guidance: gamma of table 4.
    """

    strengths: tuple[int, ...] = (400, 500, 600)
    guidances: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0, 5.0)
    steps: tuple[int, ...] = (20, 40, 80)
    steps_guidance: float = 3.0

    def check(self) -> None:
        for steps in self.steps:
            _check_times("grid.strengths, grid.steps", self.strengths, steps)
        _check_guidances("grid.guidances", self.guidances)
        _check_guidances("grid.steps_guidance", (self.steps_guidance,))


@dataclass
class SDEditConfig:
    """SDEdit's own grid; where the truth is known, it is what ours is compared with.

    Attributes:
        strengths: times that latents are noised to.
        guidances: of each.
    """

    strengths: tuple[int, ...] = (200, 300, 400, 500, 600, 700)
    guidances: tuple[float, ...] = (1.0, 3.0)

    def check(self) -> None:
        _check_guidances("sdedit.guidances", self.guidances)


@dataclass
class MetricsConfig:
    """Which networks judge. Figures by two judges do not compare; their names stand beside the figures.

    Attributes:
        emotion: classifier: "judge", a name of ``facegen weights list`` or a file.
        identity: recognition network, likewise.
        lpips: backbone of LPIPS; where its weights are missing the column is left empty, and that is said.
        framing: "points": aligned crops are framed as each judge was trained to see faces, by the data set's own
            landmarks of the picture that is edited; a detector is lost in crops as tight as these. "whole": judges are
            shown whole crops, stretched to their size, as the authors' scripts do [A].
    """

    emotion: str = "judge"
    identity: str = "judge"
    lpips: Literal["alex", "vgg", "squeeze"] = "alex"
    framing: Literal["points", "whole"] = "points"


@dataclass
class Config(RunConfig):
    """Settings of the tables.

    Attributes:
        table: which: 1, 3, 4, 5, "truth" (only of the embedded people, whose true pictures are known), several with
            commas between, or "all".
        shard: "I/N": this process does the I-th of N parts of the work, and the one that finds all done writes. Of
            several GPUs each process takes the first that it sees: CUDA_VISIBLE_DEVICES shows it one.
        model: run of emotion_ldm: "last", a name, folder or checkpoint; or "shipped". "last" is trained if there is
            none.
        finetune: also train an emotion_clip of each target that has none on this model.
        pictures: how many held-out pictures are edited, spread over all of them; all if null. Of the embedded people
            only those whose true pictures with other emotions are known.
        batch: pictures inverted at a time; six times as many are edited.
        precision: of the denoiser; "bf16-mixed" runs it under autocast.
        shown: pictures that sheets show.
        edit: of tables 1 and 5, and what all edits have in common.
        grid: the edits of tables 3 and 4.
        sdedit: the edits that ours is compared with.
        metrics: the judges.
        data: pictures; those that the model was trained on, if ``data.root`` is null and there are no
            ``population.people``.
        population: embedded people, where no pictures are given.
    """

    table: str = "all"
    shard: str = "1/1"
    model: str = "last"
    finetune: bool = False
    pictures: int | None = None
    batch: int = 16
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    shown: int = 4
    edit: EditConfig = field(default_factory=EditConfig)
    grid: GridConfig = field(default_factory=GridConfig)
    sdedit: SDEditConfig = field(default_factory=SDEditConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    data: DataConfig = field(default_factory=DataConfig)
    population: PhotographedConfig = field(default_factory=PhotographedConfig)

    @property
    def tables(self) -> list[str]:
        """The tables asked for."""
        asked = [name.strip() for name in self.table.split(",")]
        return list(TABLES) if asked == ["all"] else asked

    @property
    def part(self) -> tuple[int, int]:
        """I and N of ``shard``."""
        first, _, count = self.shard.partition("/")
        return int(first), int(count)

    def check(self) -> None:
        super().check()
        if odd := [name for name in self.tables if name not in TABLES]:
            raise ConfigError(f"table={odd[0]}: no such table. There are: {', '.join(TABLES)}, and all.")
        numbers = self.shard.split("/")
        if len(numbers) != 2 or not all(n.isdecimal() for n in numbers) or not 1 <= self.part[0] <= self.part[1]:
            raise ConfigError(f"shard={self.shard}: I/N is wanted, the I-th of N processes, such as 1/4.")
        for name in ("pictures", "batch", "shown"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} = {value}: must be 1 or more.")
        _check_times("grid.strengths, edit.steps", self.grid.strengths, self.edit.steps)
        _check_times("sdedit.strengths, edit.steps", self.sdedit.strengths, self.edit.steps)


TABLES = ("1", "3", "4", "5", "truth")


def _check_times(keys: str, strengths: Sequence[int], steps: int) -> None:
    """Refuses steps that coincide on the way to one of the strengths."""
    for strength in strengths:
        try:
            strided_steps(strength, steps)
        except ConfigError as error:
            raise ConfigError(f"{keys}: {error}") from None


def _check_guidances(key: str, guidances: Sequence[float]) -> None:
    for guidance in guidances:
        if not (math.isfinite(guidance) and guidance >= 0):
            raise ConfigError(f"{key} = {guidance}: must be a finite number, 0 or more.")
