"""Trained networks of EmotionLDM, found by the names that later stages and commands give them."""

from __future__ import annotations  # the heavy types below are named, not imported, until one is opened

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from experiments.evaluate import read_checkpoint
from experiments.runs import find_run, stage_folder
from facegen_core.config import as_config, load_config
from facegen_core.errors import CheckpointError, ConfigError
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig
from facegen_core.progress import say

if TYPE_CHECKING:
    from diffusers.models.autoencoders.vq_model import VQModel

    from experiments.emotion_ldm import emotion_clip
    from experiments.emotion_ldm.data import Pictured
    from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser

PAPER = "emotion_ldm"
SHIPPED = "shipped"
"""Names the networks that come with facegen, trained on embedded people at 64 pixels: ``weights/EMOTION_LDM.md``."""


def open_first_stage(reference: str, outputs: str) -> tuple[VQModel, FirstStageConfig, str]:
    """The autoencoder of a VQGAN run, frozen.

    Args:
        reference: "last" for the run begun last, a run's name or folder, one of its checkpoints, "shipped", or a file
            that ``facegen convert emotion_ldm --to file`` wrote.
        outputs: the folder of all runs.

    Returns:
        It, in evaluation mode on the CPU; its sizes; the digest of its weights.

    Raises:
        FacegenError: there is no such run.
        CheckpointError: it has no checkpoint yet, or a damaged one.
    """
    from facegen_core.checkpoint import weights_digest
    from facegen_core.methods.emotion_ldm.first_stage import build_first_stage

    if file := networks_file(reference):
        from facegen_core.methods.emotion_ldm.files import load_networks

        networks = load_networks(file)
        return networks.first_stage, networks.first_stage_config, weights_digest(networks.first_stage)
    run = find_run(stage_folder(outputs, PAPER, "vqgan"), reference)
    _, saved = read_checkpoint(run, Path(reference) if reference.endswith(".ckpt") else None)
    config = as_config(FirstStageConfig, saved["hyper_parameters"]["model"]["first_stage"])
    network = build_first_stage(config)
    network.load_state_dict(network_weights(saved, "first_stage"))
    return network.eval().requires_grad_(False), config, weights_digest(network)


def open_denoiser(
    reference: str, outputs: str, weights: Literal["average", "raw"] = "average"
) -> tuple[EmotionDenoiser, DenoiserConfig, str]:
    """The denoiser of an EmotionLDM run.

    Args:
        reference: "last" for the run begun last, a run's name or folder, one of its checkpoints, "shipped", or a file
            that ``facegen convert emotion_ldm --to file`` wrote.
        outputs: the folder of all runs.
        weights: the average of its weights, or "raw": as they were trained, which fine-tuning starts from.

    Returns:
        It, in evaluation mode on the CPU, its weights frozen; its settings; which first stage it was trained on, for
        :func:`open_first_stage`.

    Raises:
        ConfigError: raw weights are asked of a file, which has the average alone.
        FacegenError: there is no such run.
        CheckpointError: it has no checkpoint yet, or a damaged one.
    """
    from experiments.emotion_ldm import emotion_ldm

    if file := networks_file(reference):
        if weights == "raw":
            raise ConfigError(f"weights = raw: {reference} has averaged weights alone. Take weights=average.")
        from facegen_core.methods.emotion_ldm.files import load_networks

        networks = load_networks(file)
        return networks.denoiser, networks.config, reference
    run = find_run(stage_folder(outputs, PAPER, "emotion_ldm"), reference)
    _, saved = read_checkpoint(run, Path(reference) if reference.endswith(".ckpt") else None)
    network, config = _denoiser(saved, weights)
    settings: emotion_ldm.Config = load_config(emotion_ldm.Config, run / "config.yaml")
    return network, config, settings.first_stage


class Tuned(NamedTuple):
    """A fine-tuned network and the one it was.

    Attributes:
        before: inverts pictures.
        after: brings them back.
        config: settings of both.
        first_stage: which one they were trained on, for :func:`open_first_stage`.
        settings: of the run: the target, the edit it is for.
    """

    before: EmotionDenoiser
    after: EmotionDenoiser
    config: DenoiserConfig
    first_stage: str
    settings: emotion_clip.Config


def open_tuned(reference: str, outputs: str) -> Tuned:
    """The networks of an EmotionClipFinetune run, in evaluation mode on the CPU, their weights frozen.

    Args:
        reference: "last" for the run begun last, a run's name or folder, or one of its checkpoints.
        outputs: the folder of all runs.

    Raises:
        FacegenError: there is no such run.
        CheckpointError: it has no checkpoint yet, or a damaged one; or the network it was tuned from has changed.
    """
    from experiments.emotion_ldm import emotion_clip
    from facegen_core.checkpoint import weights_digest

    run = find_run(stage_folder(outputs, PAPER, "emotion_clip"), reference)
    _, saved = read_checkpoint(run, Path(reference) if reference.endswith(".ckpt") else None)
    settings: emotion_clip.Config = load_config(emotion_clip.Config, run / "config.yaml")
    after, config = _denoiser(saved, "average")  # where one is kept; no profile does
    before, _, first_stage = open_denoiser(settings.model, outputs, settings.weights)
    if weights_digest(before) != saved["hyper_parameters"].get("untuned"):
        raise CheckpointError(
            f"{run}: was tuned from {settings.model} as it was then; its weights have changed since, or the run is too "
            "old to tell, and pictures inverted by other weights are not what was learnt. Tune it again: facegen train "
            "emotion_clip."
        )
    return Tuned(before, after, config, first_stage, settings)


def _denoiser(saved: dict[str, Any], weights: Literal["average", "raw"]) -> tuple[EmotionDenoiser, DenoiserConfig]:
    """The denoiser of a checkpoint, frozen; the average is of its U-Net alone."""
    from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser

    config = as_config(DenoiserConfig, saved["hyper_parameters"]["model"])
    network = EmotionDenoiser(config)
    network.load_state_dict(network_weights(saved, "denoiser"))
    if weights == "average":
        network.unet.load_state_dict(network_weights(saved, "denoiser.unet"))
    return network.eval().requires_grad_(False), config


def settled(reference: str, stage: str, outputs: str, or_shipped: bool = True) -> str:
    """What a reference means now: a command that is resumed goes on with the same networks, whatever it was told.

    Args:
        reference: see :func:`open_denoiser`.
        stage: "vqgan", "emotion_ldm" or "emotion_clip".
        outputs: the folder of all runs.
        or_shipped: "last" means the shipped networks where there is no run yet, which is said.

    Returns:
        A checkpoint or a file as it is, "shipped", else the run's folder.

    Raises:
        FacegenError: there is no such run.
    """
    folder = stage_folder(outputs, PAPER, stage)
    if or_shipped and reference == "last" and not any(folder.glob("*/config.yaml")):
        say(f"no run of {stage} in {outputs}: the shipped networks are taken, trained on embedded people at 64 pixels")
        return SHIPPED
    if networks_file(reference):
        return reference
    run = find_run(folder, reference)
    return reference if reference.endswith(".ckpt") else str(run)


def take_pictures(config: Pictured, reference: str, stage: str) -> None:
    """Reads the pictures that networks were trained on, with the same people held out and the same labels, unless
    ``config`` names a folder; they are cut in the same way in any case.

    Args:
        config: whose ``data`` and ``population`` are set. Loader processes stay its own.
        reference: :func:`settled`. A file of networks has no pictures; it decides their size alone.
        stage: likewise.
    """
    from experiments.emotion_ldm import STAGES

    own = config.data
    if networks_file(reference):
        config.data = replace(own, pixels=open_first_stage(reference, config.outputs)[1].pixels)
        return
    run = find_run(stage_folder(config.outputs, PAPER, stage), reference)
    theirs: Pictured = load_config(STAGES[stage].Config, run / "config.yaml")
    config.data = replace(theirs.data, num_workers=own.num_workers)
    if own.root is None:
        config.population = theirs.population
    else:
        config.data = replace(config.data, root=own.root, cache=own.cache, annotation=own.annotation,
                              contempt=own.contempt)  # fmt: skip


def same_networks(one: str, other: str) -> bool:
    """Whether two settled references name the same networks: runs as paths from different folders do."""
    return one == other or Path(one).resolve() == Path(other).resolve()


def networks_file(reference: str) -> Path | None:
    """The file of both networks that a reference names; None if it names a run."""
    if reference == SHIPPED:
        from facegen_core.weights import resolve_weights

        return resolve_weights("emotion_ldm")
    return Path(reference) if reference.endswith(".safetensors") else None


def network_weights(saved: dict[str, Any], network: str) -> dict[str, Any]:
    """The state of one submodule in a checkpoint, averaged weights where it is what EMA averages.

    Args:
        saved: the checkpoint.
        network: the submodule's name in the stage's module.
    """
    from facegen_core.checkpoint import without

    state = without(f"{network}.", saved["state_dict"])
    average = saved["callbacks"].get("ema", {}).get("average", {})
    return state | {name: value for name, value in average.items() if name in state}
