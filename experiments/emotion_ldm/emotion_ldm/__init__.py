"""Stage EmotionLDM: the denoiser, on which first stage's latents it is trained, and what is measured."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from experiments.device import pick_device
from experiments.emotion_ldm.data import PictureStageConfig
from experiments.emotion_ldm.data import prepare as prepare  # a stage's own, see experiments/__init__.py
from experiments.emotion_ldm.trained import open_first_stage, settled, take_pictures
from experiments.schema import StageConfig
from facegen_core.diffusion.timesteps import strided_steps
from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig

if TYPE_CHECKING:
    import lightning.pytorch as pl
    from PIL.Image import Image
    from torch import Tensor

    from datamodules.latents import LatentDataModule
    from facegen_core.types import LatentBatch
    from lightning_modules.callbacks.edit_sheets import EditSheets
    from lightning_modules.emotion_ldm import EmotionLDMModule


@dataclass
class SheetConfig:
    """Sheets of edited faces, drawn while training goes on.

    Attributes:
        every: optimiser steps between them; a multiple of ``trainer.val_every``.
        faces: held-out faces, spread over them all, a sheet of each.
        strengths: times that edits go up to [P table 3].
        guidances: of each strength [P table 3].
        steps: stops of an edit, each way [P table 4].
    """

    every: int = 10_000
    faces: int = 4
    strengths: tuple[int, ...] = (400, 500, 600)
    guidances: tuple[float, ...] = (1.0, 3.0, 5.0)
    steps: int = 40

    def check(self) -> None:
        if self.every < 1 or self.faces < 1 or not self.strengths or not self.guidances:
            raise ConfigError("sheets.every and sheets.faces must be 1 or more, strengths and guidances one or more.")
        for strength in self.strengths:
            strided_steps(strength, self.steps)


@dataclass
class Config(PictureStageConfig):
    """Settings of the EmotionLDM stage.

    Attributes:
        first_stage: whose latents are learnt: a run of the stage vqgan, by name or folder, one of its checkpoints, or
            "last" for the run begun last. Its pictures are read unless ``data.root`` names others. "shipped", which
            "last" means where no pictures are given and there is no run, has none of its own.
        model: the network, the noise's schedule, and how often labels are withheld.
        bands: of times, in which the validation loss is told apart.
        sheets: of edited faces.
    """

    first_stage: str = "last"
    model: DenoiserConfig = field(default_factory=DenoiserConfig)
    bands: int = 10
    sheets: SheetConfig = field(default_factory=SheetConfig)

    def check(self) -> None:
        StageConfig.check(self)  # where no pictures are given they are the first stage's
        if self.sheets.every % self.trainer.val_every:
            raise ConfigError(
                f"sheets.every = {self.sheets.every}: must be a multiple of trainer.val_every = "
                f"{self.trainer.val_every}, since the averaged weights are drawn."
            )
        if not 1 <= self.bands <= self.model.schedule.steps:
            raise ConfigError(f"bands = {self.bands}: must be from 1 to {self.model.schedule.steps} times.")
        if max(self.sheets.strengths) >= self.model.schedule.steps:
            raise ConfigError(f"sheets.strengths: must be below the schedule's {self.model.schedule.steps} times.")


def settle(config: Config) -> None:
    """Replaces "last" by the run it means now, so that a resumed run goes on with the same one.

    Pictures are cut as the first stage's were; they are the same, with the same people held out, unless a folder is
    given. Labels are this stage's own: the first stage reads none.
    """
    own = config.data
    config.first_stage = settled(config.first_stage, "vqgan", config.outputs, or_shipped=own.root is None)
    take_pictures(config, config.first_stage, "vqgan")
    config.data = replace(config.data, flip=own.flip, contempt=own.contempt)


def build_datamodule(config: Config) -> LatentDataModule:
    """The reader of the latents; encodes the pictures at its first use, unless their latents are there."""
    from datamodules.latents import LatentDataModule
    from experiments.emotion_ldm.data import build_datamodule
    from facegen_core.methods.emotion_ldm.first_stage import encode

    first_stage, _, digest = open_first_stage(config.first_stage, config.outputs)
    device = pick_device(config.trainer.accelerator)

    def encoded(pictures: Tensor) -> Tensor:
        first_stage.to(device)
        return encode(first_stage, pictures.to(device))

    return LatentDataModule(build_datamodule(config), encoded, {"weights": digest}, precision="float32")


def build_module(config: Config, datamodule: LatentDataModule) -> EmotionLDMModule:
    """The denoiser.

    Raises:
        ConfigError: the first stage's latents are of another size.
    """
    from lightning_modules.emotion_ldm import EmotionLDMModule

    model, latent = config.model, _spread(datamodule, "train", 1)["latent"]
    if latent.shape[1:] != (model.latent_channels, model.latent_pixels, model.latent_pixels):
        raise ConfigError(
            f"model.latent_channels = {model.latent_channels}, model.latent_pixels = {model.latent_pixels}: the first "
            f"stage's latents are of {latent.shape[1]} channels and {latent.shape[2]} x {latent.shape[3]} pixels."
        )
    return EmotionLDMModule(model, config.optim)


def build_callbacks(config: Config, datamodule: LatentDataModule) -> list[pl.Callback]:
    """What is measured and drawn while it trains, on people held out."""
    from facegen_core.diffusion.loss import timed_errors
    from lightning_modules.callbacks.evaluator import Evaluator

    return [Evaluator(timed_errors(config.model.schedule.steps, config.bands)), _sheets(config, datamodule, "val")]


def evaluate(
    config: Config, module: EmotionLDMModule, datamodule: LatentDataModule
) -> tuple[dict[str, float], dict[str, Image], dict[str, str]]:
    """The loss on people held out, over all times and by bands of them, and sheets of their faces edited."""
    import math

    import torch

    from facegen_core.diffusion.loss import timed_errors

    device = pick_device(config.trainer.accelerator)
    module.to(device)
    metrics = timed_errors(config.model.schedule.steps, config.bands)
    with torch.no_grad():
        for batch in datamodule.test_dataloader():
            there = cast("LatentBatch", {key: value.to(device) for key, value in batch.items()})
            outputs = module.validation_step(there, 0)
            for metric, fields in metrics.values():
                metric.to(device).update(*(outputs[name] for name in fields))
    values = {name: float(metric.compute()) for name, (metric, _) in metrics.items()}
    sheets = _sheets(config, datamodule, "test").draw(module)
    tags = {"protocol.loss": "mean squared error of the noise, at one fixed time and noise a picture, all labels told"}
    return (
        {name: value for name, value in values.items() if not math.isnan(value)},
        {f"edits_{number}": sheet for number, sheet in enumerate(sheets)},
        tags,
    )


def export(run: Path, checkpoint: Path | None, out: Path) -> None:
    """Writes the denoiser and its first stage as a folder of diffusers; see ``diffusers_folder.py``."""
    from experiments.emotion_ldm.diffusers_folder import export_run

    export_run(run, checkpoint, out)


def _sheets(config: Config, datamodule: LatentDataModule, split: str) -> EditSheets:
    from facegen_core.methods.emotion_ldm.edit_config import EditConfig
    from facegen_core.methods.emotion_ldm.first_stage import decode
    from lightning_modules.callbacks.edit_sheets import EditSheets

    first_stage, _, _ = open_first_stage(config.first_stage, config.outputs)
    sheets = config.sheets

    def decoded(latents: Tensor) -> Tensor:
        first_stage.to(latents.device)
        return decode(first_stage, latents)

    return EditSheets(
        _spread(datamodule, split, sheets.faces),
        decoded,
        sheets.strengths,
        sheets.guidances,
        EditConfig(steps=sheets.steps),
        sheets.every,
    )


def _spread(datamodule: LatentDataModule, split: str, count: int) -> LatentBatch:
    """Latents spread over a split."""
    import torch

    from datamodules.latents import LatentDataset

    latents = datamodule.datasets[split]
    assert isinstance(latents, LatentDataset)
    places = torch.linspace(0, len(latents) - 1, min(count, len(latents))).long().tolist()
    return latents.__getitems__([(place, 0) for place in places])
