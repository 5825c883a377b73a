"""Trained networks of EmotionLDM, found by the names that later stages and commands give them."""

from __future__ import annotations  # the heavy types below are named, not imported, until one is opened

from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.evaluate import read_checkpoint
from experiments.runs import find_run, stage_folder
from facegen_core.config import as_config
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig

if TYPE_CHECKING:
    from diffusers.models.autoencoders.vq_model import VQModel

PAPER = "emotion_ldm"


def open_first_stage(reference: str, outputs: str) -> tuple[VQModel, FirstStageConfig, str]:
    """The autoencoder of a VQGAN run, frozen.

    Args:
        reference: "last" for the run begun last, a run's name or folder, or one of its checkpoints.
        outputs: the folder of all runs.

    Returns:
        It, in evaluation mode on the CPU; its sizes; the SHA-256 of the checkpoint it was read from.

    Raises:
        FacegenError: there is no such run.
        CheckpointError: it has no checkpoint yet, or a damaged one.
    """
    from facegen_core.checkpoint import digest_path
    from facegen_core.methods.emotion_ldm.first_stage import build_first_stage

    run = find_run(stage_folder(outputs, PAPER, "vqgan"), reference)
    path, saved = read_checkpoint(run, Path(reference) if reference.endswith(".ckpt") else None)
    config = as_config(FirstStageConfig, saved["hyper_parameters"]["model"]["first_stage"])
    network = build_first_stage(config)
    network.load_state_dict(network_weights(saved, "first_stage"))
    return network.eval().requires_grad_(False), config, digest_path(path).read_text().split()[0]


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
