"""Trained networks of EmotionLDM, found by the names that later stages and commands give them."""

from __future__ import annotations  # the heavy types below are named, not imported, until one is opened

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from experiments.evaluate import read_checkpoint
from experiments.runs import find_run, stage_folder
from facegen_core.config import as_config, load_config
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig
from facegen_core.progress import say

if TYPE_CHECKING:
    from diffusers.models.autoencoders.vq_model import VQModel
    from torch import nn

    from experiments.emotion_ldm import emotion_clip
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
        weights: the average of its weights, or "raw": as they were trained, which fine-tuning starts from. A file has
            the average alone.

    Returns:
        It, in evaluation mode on the CPU, its weights frozen; its settings; which first stage it was trained on, for
        :func:`open_first_stage`.

    Raises:
        FacegenError: there is no such run.
        CheckpointError: it has no checkpoint yet, or a damaged one.
    """
    from experiments.emotion_ldm import emotion_ldm

    if file := networks_file(reference):
        from facegen_core.methods.emotion_ldm.files import load_networks

        networks = load_networks(file)
        return networks.denoiser, networks.config, reference
    run = find_run(stage_folder(outputs, PAPER, "emotion_ldm"), reference)
    _, saved = read_checkpoint(run, Path(reference) if reference.endswith(".ckpt") else None)
    network, config = _denoiser(saved, weights)
    settings: emotion_ldm.Config = load_config(emotion_ldm.Config, run / "config.yaml")
    return network, config, settings.first_stage


def open_tuned(reference: str, outputs: str) -> tuple[EmotionDenoiser, DenoiserConfig, emotion_clip.Config]:
    """The denoiser of an EmotionClipFinetune run.

    Args:
        reference: "last" for the run begun last, a run's name or folder, or one of its checkpoints.
        outputs: the folder of all runs.

    Returns:
        It, in evaluation mode on the CPU, its weights frozen; its settings; those of the run: the ``target`` emotion,
        the strength and guidance of the ``edit`` it is for, and the ``model``, by which pictures must be inverted:
        ``open_denoiser(config.model, outputs, config.weights)``.

    Raises:
        FacegenError: there is no such run.
        CheckpointError: it has no checkpoint yet, or a damaged one.
    """
    from experiments.emotion_ldm import emotion_clip

    run = find_run(stage_folder(outputs, PAPER, "emotion_clip"), reference)
    _, saved = read_checkpoint(run, Path(reference) if reference.endswith(".ckpt") else None)
    network, config = _denoiser(saved, "average")  # if one was kept
    settings: emotion_clip.Config = load_config(emotion_clip.Config, run / "config.yaml")
    return network, config, settings


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
    """What a reference means now: a command that is resumed goes on with the same networks.

    Args:
        reference: see :func:`open_denoiser`.
        stage: "vqgan" or "emotion_ldm".
        outputs: the folder of all runs.
        or_shipped: "last" means the shipped networks where there is no run yet, which is said.

    Returns:
        A run's folder for "last", else the reference itself.

    Raises:
        FacegenError: "last", and there is no run.
    """
    folder = stage_folder(outputs, PAPER, stage)
    if reference != "last":
        return reference
    if or_shipped and not any(folder.glob("*/config.yaml")):
        say(f"no run of {stage} in {outputs}: the shipped networks are taken, trained on embedded people at 64 pixels")
        return SHIPPED
    return str(find_run(folder, "last"))


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
    prefix = f"{network}."
    state = {name.removeprefix(prefix): value for name, value in saved["state_dict"].items() if name.startswith(prefix)}
    average = saved["callbacks"].get("ema", {}).get("average", {})
    return state | {name: value for name, value in average.items() if name in state}


def weights_digest(network: nn.Module) -> str:
    """SHA-256 of a network's weights, on the CPU: the same wherever they lie, and however often they are saved."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.contiguous().numpy())
    return digest.hexdigest()
