"""Builds the Lightning Trainer and its callbacks: the one place that decides their order."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.loggers import Logger
from lightning.pytorch.strategies import DDPStrategy, Strategy

from datamodules.base import FaceDataModule
from experiments.device import pick_device
from experiments.schema import StageConfig, TrainerConfig
from facegen_core.errors import ConfigError
from lightning_modules.base import FaceGenModule
from lightning_modules.callbacks.checkpoints import Checkpoints, VerifiedCheckpointIO
from lightning_modules.callbacks.ema import EMA
from lightning_modules.callbacks.non_finite_guard import NonFiniteGuard
from lightning_modules.callbacks.step_logger import StepLogger
from lightning_modules.callbacks.step_seed import StepSeed


def build_trainer(
    config: StageConfig,
    run: Path,
    module: FaceGenModule,
    datamodule: FaceDataModule,
    callbacks: list[pl.Callback],
    logger: Logger | None,
    description: str,
) -> pl.Trainer:
    """A Trainer for one training run.

    Args:
        config: the stage's settings.
        run: the run's folder.
        module: the stage; says how many optimisers move in a step.
        datamodule: set up already; its digest becomes part of what a resumed run must agree on.
        callbacks: the stage's own, such as its evaluator.
        logger: where metrics go.
        description: what the progress bar says.
    """
    settings = config.trainer
    agreement = {
        "data": datamodule.digest(),
        "trainer.global_batch": settings.global_batch,
        "trainer.accumulate": settings.accumulate,
        "processes": settings.processes,
        "seed": config.seed,
    }
    validates = len(datamodule.datasets["val"]) > 0  # type: ignore[arg-type]
    engine: list[pl.Callback] = [
        StepSeed(config.seed, settings.accumulate),
        *([EMA(config.ema.decay, config.ema.warm_up)] if config.ema.decay else []),
        NonFiniteGuard(run),
        *callbacks,
        StepLogger(settings.log_every, settings.max_steps, description),
        Checkpoints(
            run / "checkpoints",
            settings.checkpoint_every,
            settings.keep_checkpoints,
            settings.val_every if validates else 0,
            agreement,
        ),
    ]
    return pl.Trainer(
        **hardware(settings, module),
        logger=logger if logger is not None else False,
        callbacks=engine,
        max_steps=settings.max_steps * module.optimizers_per_step,
        max_epochs=-1,
        accumulate_grad_batches=settings.accumulate if module.automatic_optimization else 1,
        val_check_interval=settings.val_every * settings.accumulate,
        check_val_every_n_epoch=None,
    )


def hardware(settings: TrainerConfig, module: FaceGenModule) -> dict[str, Any]:
    """The Trainer's arguments that depend on the machine: devices, strategy, precision; and what we do ourselves."""
    if settings.accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("trainer.accelerator = gpu: torch finds no GPU here. Use trainer.accelerator=auto or cpu.")
    on_gpu = pick_device(settings.accelerator).type == "cuda"
    if on_gpu and settings.devices > torch.cuda.device_count():
        raise ConfigError(f"trainer.devices = {settings.devices}: there are {torch.cuda.device_count()} GPUs here.")
    strategy: Strategy | str = "auto"
    if settings.processes > 1:
        strategy = DDPStrategy(
            process_group_backend="nccl" if on_gpu else "gloo", find_unused_parameters=module.find_unused_parameters
        )
    return {
        "accelerator": "gpu" if on_gpu else "cpu",
        "devices": settings.devices,
        "num_nodes": settings.num_nodes,
        "strategy": strategy,
        "precision": ("bf16-mixed" if on_gpu else "32-true") if settings.precision == "auto" else settings.precision,
        "deterministic": "warn" if settings.deterministic else None,
        "plugins": [VerifiedCheckpointIO()],
        "use_distributed_sampler": False,  # the samplers know their rank
        "num_sanity_val_steps": 0,
        "enable_checkpointing": False,  # ours are callbacks: Checkpoints, StepLogger
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
