"""Stage VQGAN of EmotionLDM: what is trained, on what, and what is measured."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from experiments.device import pick_device
from experiments.emotion_ldm import data
from experiments.emotion_ldm.data import PictureStageConfig
from experiments.emotion_ldm.data import build_datamodule as build_datamodule  # a stage's own, see experiments/__init__
from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm.vqgan_config import VQGANConfig

if TYPE_CHECKING:
    import lightning.pytorch as pl
    from PIL.Image import Image
    from torch import Tensor
    from torchmetrics import Metric

    from datamodules.affectnet import AffectNetDataModule
    from lightning_modules.vqgan import VQGANModule

SHOWN = 8
"""Pictures on a sheet."""


@dataclass
class Config(PictureStageConfig):
    """Settings of the VQGAN stage.

    Attributes:
        model: networks and losses.
    """

    model: VQGANConfig = field(default_factory=VQGANConfig)

    def check(self) -> None:
        super().check()
        if self.data.pixels != self.model.first_stage.pixels:
            raise ConfigError(
                f"data.pixels = {self.data.pixels}: the networks are for model.first_stage.pixels = "
                f"{self.model.first_stage.pixels}."
            )


def prepare(config: Config) -> None:
    """Takes the population's pictures if they stand in for AffectNet, unless weights are missing that come after."""
    if config.data.root is None:
        from facegen_core.methods.emotion_ldm.perceptual import build_perceptual

        build_perceptual(config.model.perceptual)
    data.prepare(config)


def build_module(config: Config, datamodule: AffectNetDataModule) -> VQGANModule:
    """The networks, and the frozen one that compares pictures."""
    from facegen_core.methods.emotion_ldm.perceptual import build_perceptual
    from lightning_modules.vqgan import VQGANModule

    return VQGANModule(config.model, config.optim, build_perceptual(config.model.perceptual))


def build_callbacks(config: Config, datamodule: AffectNetDataModule) -> list[pl.Callback]:
    """What is measured and drawn while it trains: reconstructions of people held out."""
    from lightning_modules.callbacks.evaluator import Evaluator
    from lightning_modules.callbacks.reconstruction_pictures import ReconstructionPictures

    return [Evaluator(_metrics(config)), ReconstructionPictures(_shown(datamodule, "val"))]


def evaluate(
    config: Config, module: VQGANModule, datamodule: AffectNetDataModule
) -> tuple[dict[str, float], dict[str, Image], dict[str, str]]:
    """How well pictures of people held out come through, and how much of the codebook they take."""
    import torch

    from facegen_core.metrics.picture_metric import PictureMetric, protocol_tags
    from lightning_modules.callbacks.reconstruction_pictures import reconstruction_sheet

    device = pick_device(config.trainer.accelerator)
    module.to(device)
    metrics = _metrics(config) | _perceptual_metric(module)
    for metric, _ in metrics.values():
        metric.to(device)  # and with it the network that compares pictures
    with torch.no_grad():
        for batch in datamodule.test_dataloader():
            outputs = module.validation_step(module.transfer_batch_to_device(batch, device, 0), 0)
            for metric, fields in metrics.values():
                metric.update(*(outputs[name] for name in fields))
    values, tags = {}, dict[str, str]()
    for name, (metric, _) in metrics.items():
        values[name] = float(metric.compute())
        if isinstance(metric, PictureMetric):
            tags |= protocol_tags(name, metric)
    tags["protocol.reconstruction_loss"] = (
        f"L1 in [-1, 1] + {config.model.perceptual_weight:g} x perceptual={config.model.perceptual}, mean over pictures"
    )
    return values, {"reconstructions": reconstruction_sheet(module, _shown(datamodule, "test"))}, tags


def _metrics(config: Config) -> dict[str, tuple[Metric, tuple[str, ...]]]:
    """As the Evaluator takes them."""
    from torchmetrics import MeanMetric

    from facegen_core.metrics.codebook import CodebookPerplexity, CodebookUsage
    from facegen_core.metrics.reconstruction import PSNR, SSIM

    codes = config.model.first_stage.codes
    return {
        "psnr": (PSNR(), ("made", "picture")),
        "ssim": (SSIM(), ("made", "picture")),
        "reconstruction_loss": (MeanMetric(), ("reconstruction",)),
        "quantiser_loss": (MeanMetric(), ("quantiser",)),
        "codebook_perplexity": (CodebookPerplexity(codes), ("codes",)),
        "codebook_usage": (CodebookUsage(codes), ("codes",)),
    }


def _perceptual_metric(module: VQGANModule) -> dict[str, tuple[Metric, tuple[str, ...]]]:
    """The distance that training minimised beside L1, each kind under a key of its own; none where that was all."""
    from facegen_core.metrics.reconstruction import FeatureDistance

    if module.perceptual is None:
        return {}
    key = {"lpips": "lpips", "judge": "judge_distance"}[module.config.perceptual]
    return {key: (FeatureDistance(module.perceptual), ("made", "picture"))}


def _shown(datamodule: AffectNetDataModule, split: str) -> Tensor:
    """A few pictures (B, 3, R, R) in [-1, 1], spread over a split."""
    import torch

    from datamodules.pictures import PictureDataset

    pictures = datamodule.datasets[split]
    assert isinstance(pictures, PictureDataset)
    places = torch.linspace(0, len(pictures) - 1, min(SHOWN, len(pictures))).long().tolist()
    return pictures.__getitems__([(place, 0) for place in places])["image"]
