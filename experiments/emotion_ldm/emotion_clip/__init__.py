"""Stage EmotionClipFinetune: which model is tuned, towards which emotion, and what is measured."""

from __future__ import annotations  # the heavy types below are named, not imported, until a stage is built

from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Literal

from datamodules.config import PoolConfig
from experiments.device import pick_device
from experiments.emotion_ldm import data
from experiments.emotion_ldm.data import PictureStageConfig
from experiments.emotion_ldm.trained import open_denoiser, open_first_stage, settled, take_pictures
from experiments.schema import StageConfig
from facegen_core.errors import ConfigError, WeightsNotFoundError
from facegen_core.methods.emotion_ldm.clip_finetune_config import ClipFinetuneConfig

if TYPE_CHECKING:
    import lightning.pytorch as pl
    from PIL.Image import Image
    from torch import Tensor
    from torchmetrics import Metric

    from datamodules.pool import PoolDataModule
    from facegen_core.methods.emotion_ldm.finetune_losses import Looker
    from facegen_core.types import PoolBatch
    from lightning_modules.emotion_clip import EmotionClipModule


@dataclass
class JudgesConfig:
    """Networks that measure the edits; they take no part in training.

    Attributes:
        emotion: tells whether the target is reached, as ``encoders/emotion.py`` takes it.
        identity: tells whether the person is kept, as ``encoders/identity.py`` takes it.
    """

    emotion: str = "judge"
    identity: str = "judge"


@dataclass
class Config(PictureStageConfig, ClipFinetuneConfig):
    """Settings of the EmotionClipFinetune stage.

    Attributes:
        model: what is tuned and inverts the pictures: a run of the stage emotion_ldm, by name or folder, one of its
            checkpoints, or "last" for the run begun last. Its pictures are read unless ``data.root`` names others.
        weights: which weights of it: as they were trained ("raw") or their average.
        pool: which pictures are inverted.
        judges: that measure the edits.
        faces: held-out faces on a sheet.
    """

    model: str = "last"
    weights: Literal["raw", "average"] = "raw"
    pool: PoolConfig = field(default_factory=PoolConfig)
    judges: JudgesConfig = field(default_factory=JudgesConfig)
    faces: int = 8

    def check(self) -> None:
        StageConfig.check(self)  # where no pictures are given they are the model's
        ClipFinetuneConfig.check(self)
        if self.faces < 1:
            raise ConfigError(f"faces = {self.faces}: must be 1 or more.")

    @property
    def finetune(self) -> ClipFinetuneConfig:
        """What the module is told."""
        return ClipFinetuneConfig(**{entry.name: getattr(self, entry.name) for entry in fields(ClipFinetuneConfig)})


def settle(config: Config) -> None:
    """Replaces "last" by the run it means now, so that a resumed run goes on with the same one.

    The pictures, the people held out of them and their labels are the model's, unless a folder is given.
    """
    config.model = settled(config.model, "emotion_ldm", config.outputs, or_shipped=config.data.root is None)
    take_pictures(config, config.model, "emotion_ldm")
    config.data = replace(config.data, flip=False)


def prepare(config: Config) -> None:
    """Takes the population's pictures if they stand in for AffectNet, unless weights are missing that come after."""
    from facegen_core.encoders.emotion import EMBEDDED
    from facegen_core.methods.emotion_ldm.finetune_losses import check_weights
    from facegen_core.weights import resolve_weights

    check_weights(config.finetune)
    for use, name in asdict(config.judges).items():
        try:
            if name != EMBEDDED:
                resolve_weights(name)
        except WeightsNotFoundError as error:
            message = f"judges.{use} = {name}: {error} Or let the embedded one measure: judges.{use}=judge."
            raise WeightsNotFoundError(message) from None
    data.prepare(config)


def build_datamodule(config: Config) -> PoolDataModule:
    """The reader of inverted pictures; inverts them at its first use, unless they are there.

    Raises:
        ConfigError: the model knows no such strength.
    """
    from datamodules.pool import PoolDataModule
    from experiments.emotion_ldm.data import build_datamodule
    from facegen_core.checkpoint import weights_digest
    from facegen_core.diffusion.schedule import alpha_bars
    from facegen_core.methods.emotion_ldm.first_stage import decode, encode
    from facegen_core.methods.emotion_ldm.manipulation import invert_emotion

    denoiser, model, reference = open_denoiser(config.model, config.outputs, config.weights)
    first_stage, _, digest = open_first_stage(reference, config.outputs)
    if config.edit.strength >= model.schedule.steps:
        raise ConfigError(
            f"edit.strength = {config.edit.strength}: the model's last time is {model.schedule.steps - 1}."
        )
    bars, device = alpha_bars(model.schedule), pick_device(config.trainer.accelerator)

    def invert(pictures: Tensor, emotion: Tensor) -> tuple[Tensor, Tensor]:
        for network in (first_stage, denoiser):
            network.to(device)
        clean = encode(first_stage, pictures.to(device))
        return invert_emotion(denoiser, clean, emotion.to(device), config.edit, bars), decode(first_stage, clean)

    provenance = {
        "denoiser": weights_digest(denoiser),
        "schedule": repr(model.schedule),
        "first_stage": digest,
        **{f"edit.{name}": getattr(config.edit, name) for name in
           ("strength", "steps", "guidance", "inversion_guidance", "at")},
    }  # fmt: skip
    latent = (model.latent_channels, model.latent_pixels, model.latent_pixels)
    return PoolDataModule(build_datamodule(config), invert, latent, provenance, config.pool, config.seed)


def build_module(config: Config, datamodule: PoolDataModule) -> EmotionClipModule:
    """The denoiser as it was, and the frozen networks that look at its edits.

    Raises:
        WeightsNotFoundError: a network's weights are not there; the message says what else can be chosen.
    """
    from facegen_core.methods.emotion_ldm.finetune_losses import FinetuneLosses, build_guide, build_identity
    from lightning_modules.emotion_clip import EmotionClipModule

    denoiser, model, reference = open_denoiser(config.model, config.outputs, config.weights)
    first_stage, _, _ = open_first_stage(reference, config.outputs)
    guide, identity = build_guide(config), build_identity(config)
    losses = FinetuneLosses(guide, identity, _directions(config, guide, datamodule))
    return EmotionClipModule(model, config.finetune, config.optim, denoiser, first_stage, losses)


def build_callbacks(config: Config, datamodule: PoolDataModule) -> list[pl.Callback]:
    """What is measured and drawn while it trains, on people held out."""
    from lightning_modules.callbacks.evaluator import Evaluator
    from lightning_modules.callbacks.tuning_sheets import TuningSheets

    return [Evaluator(_metrics(config)), TuningSheets(_spread(config, datamodule, "val"))]


def evaluate(
    config: Config, module: EmotionClipModule, datamodule: PoolDataModule
) -> tuple[dict[str, float], dict[str, Image], dict[str, str]]:
    """Edits of people held out, after tuning and, ``_untuned``, before it: the loss, the target, the person."""
    from facegen_core.metrics.picture_metric import PictureMetric, protocol_tags
    from lightning_modules.callbacks.tuning_sheets import TuningSheets

    device = pick_device(config.trainer.accelerator)
    module.to(device)
    module.place_frozen()
    measured = {"": (module.denoiser, _metrics(config)), "_untuned": (module.untuned.to(device), _metrics(config))}
    for batch in datamodule.test_dataloader():
        there = module.transfer_batch_to_device(batch, device, 0)
        for model, metrics in measured.values():
            outputs = module.measured(model, there)
            for metric, names in metrics.values():
                metric.to(device).update(*(outputs[name] for name in names))
    values, tags = {}, {"protocol.directional": f"guide={config.guide}, {module.losses.guide.name}",
                        "protocol.identity_loss": module.losses.identity.name}  # fmt: skip
    for suffix, (_, metrics) in measured.items():
        for name, (metric, _) in metrics.items():
            values[name + suffix] = float(metric.compute())
            if isinstance(metric, PictureMetric) and not suffix:
                tags |= protocol_tags(name, metric)
    return values, {"tuning": TuningSheets(_spread(config, datamodule, "test")).draw(module)}, tags


def _metrics(config: Config) -> dict[str, tuple[Metric, tuple[str, ...]]]:
    """As the Evaluator takes them."""
    from facegen_core.encoders.emotion import emotion_encoder
    from facegen_core.encoders.framing import AlignedFramer
    from facegen_core.encoders.identity import identity_encoder
    from facegen_core.methods.emotion_ldm.finetune_losses import finetune_figures
    from facegen_core.metrics.emotion import EmotionAccuracy
    from facegen_core.metrics.identity import IdentityCosine
    from facegen_core.metrics.reconstruction import PSNR

    emotion, identity = emotion_encoder(config.judges.emotion), identity_encoder(config.judges.identity)
    finders = [None if config.framing == "whole" else AlignedFramer(one.preprocessing) for one in (emotion, identity)]
    return {
        **finetune_figures(config.finetune),
        "emotion_accuracy": (EmotionAccuracy(emotion, finders[0]), ("made", "target", "emotion")),
        "id_cosine": (IdentityCosine(identity, finders[1]), ("made", "reference")),
        "psnr": (PSNR(), ("made", "reference")),
    }


def _directions(config: Config, guide: Looker, datamodule: PoolDataModule) -> Tensor:
    """(9, D) to the target, by the emotion shown: between texts, or between mean pictures of those trained on."""
    import torch

    from facegen_core.encoders.clip import ClipEncoder
    from facegen_core.methods.emotion_ldm.directional import mean_directions
    from facegen_core.methods.emotion_ldm.prompts import text_directions

    if isinstance(guide.encoder, ClipEncoder):
        return text_directions(guide.encoder.embed_texts, config.target_label)
    pool = datamodule.pool("train")
    places = torch.arange(len(pool)).split(config.pool.invert_batch)
    batches = [pool.__getitems__([(place, 0) for place in some.tolist()]) for some in places]
    with torch.no_grad():
        features = torch.cat([guide(batch["reference"]) for batch in batches])
    return mean_directions(features, torch.cat([batch["emotion"] for batch in batches]), config.target_label)


def _spread(config: Config, datamodule: PoolDataModule, split: str) -> PoolBatch:
    """Inverted pictures spread over a split."""
    import torch

    pool = datamodule.pool(split)
    places = torch.linspace(0, len(pool) - 1, min(config.faces, len(pool))).long().tolist()
    return pool.__getitems__([(place, 0) for place in places])
