"""Configuration that every training stage shares. Nothing here imports torch: mistakes are answered at once."""

from dataclasses import dataclass, field
from typing import Literal

from omegaconf import MISSING

from facegen_core.config import EmaConfig, OptimConfig
from facegen_core.errors import ConfigError


@dataclass
class TrainerConfig:
    """How a stage is trained.

    Attributes:
        max_steps: optimiser steps of the whole run.
        global_batch: samples in one optimiser step, over all processes and accumulated batches together.
        accumulate: batches a process adds up before an optimiser step.
        devices: processes on each machine, one a device.
        num_nodes: machines.
        accelerator: "auto" takes a GPU where there is one.
        precision: "auto" is bf16-mixed on a GPU and 32-true on a CPU. bf16-true is not offered: averages and metrics
            kept in bf16 stall.
        compile: compile the trained network with torch.compile.
        deterministic: ask torch for deterministic kernels on a GPU; on a CPU runs repeat bit by bit without it.
        log_every: optimiser steps between logged training values.
        val_every: optimiser steps between validation passes.
        checkpoint_every: optimiser steps between checkpoints.
        keep_checkpoints: how many of the newest checkpoints stay.
    """

    max_steps: int = MISSING
    global_batch: int = MISSING
    accumulate: int = 1
    devices: int = 1
    num_nodes: int = 1
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"
    compile: bool = False
    deterministic: bool = False
    log_every: int = 10
    val_every: int = 100
    checkpoint_every: int = 100
    keep_checkpoints: int = 3

    @property
    def processes(self) -> int:
        """Processes over all machines."""
        return self.devices * self.num_nodes

    @property
    def batch_size(self) -> int:
        """Samples a process takes at a time."""
        return self.global_batch // (self.processes * self.accumulate)

    def check(self) -> None:
        for name in ("max_steps", "global_batch", "accumulate", "devices", "num_nodes", "log_every", "val_every",
                     "checkpoint_every", "keep_checkpoints"):  # fmt: skip
            if getattr(self, name) < 1:
                raise ConfigError(f"trainer.{name} = {getattr(self, name)}: must be 1 or more.")
        shares = self.processes * self.accumulate
        if self.global_batch % shares:
            others = self.num_nodes * self.accumulate
            fits = [n for n in range(1, self.global_batch + 1) if self.global_batch % (n * others) == 0]
            nearest = min(fits, key=lambda n: abs(n - self.devices), default=None)
            hint = f" Nearest that fits: trainer.devices={nearest}." if nearest else ""
            raise ConfigError(
                f"trainer.devices = {self.devices}: trainer.global_batch = {self.global_batch} cannot be shared out by "
                f"{self.devices} devices x {self.num_nodes} nodes x {self.accumulate} accumulated.{hint}"
            )


@dataclass
class TrackingConfig:
    """Where a run is recorded.

    Attributes:
        uri: MLflow tracking address: a sqlite file or a server; "auto" is ``mlflow.db`` in ``outputs``; null keeps the
            record in the run's folder alone.
        experiment: MLflow experiment; the paper's slug if null.
        parent: key of a parent run, for rows of a table.
        system_metrics: also record processor, memory and GPU use.
    """

    uri: str | None = "auto"
    experiment: str | None = None
    parent: str | None = None
    system_metrics: bool = True


@dataclass
class RunConfig:
    """What the configuration of all recorded work holds.

    Attributes:
        seed: of everything random in the run.
        outputs: folder of all runs.
        tracking: where it is recorded.
    """

    seed: int = 0
    outputs: str = "outputs"
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def check(self) -> None:
        if self.seed < 0:
            raise ConfigError(f"seed = {self.seed}: must be 0 or more.")


@dataclass
class StageConfig(RunConfig):
    """What every stage's configuration holds beside its data and networks.

    Attributes:
        name: of the run's folder, ``<outputs>/<paper>/<stage>/<name>``; numbered after the profile if null.
    """

    name: str | None = None
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    ema: EmaConfig = field(default_factory=EmaConfig)


@dataclass
class PopulationConfig:
    """The embedded people a stage uses where no data folder is given.

    Attributes:
        people: how many; 0 demands a data folder.
        seed: which people.
    """

    people: int = 0
    seed: int = 0
