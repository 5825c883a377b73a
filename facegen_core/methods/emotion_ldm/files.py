"""A trained EmotionLDM as one file: first stage and denoiser in half precision, sizes in the file's own header."""

import json
from pathlib import Path
from typing import NamedTuple

import torch
from diffusers.models.autoencoders.vq_model import VQModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from facegen_core.checkpoint import without
from facegen_core.config import as_config, to_plain
from facegen_core.errors import WeightsNotFoundError
from facegen_core.files import atomic_path
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.first_stage import build_first_stage
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig

FORMAT = "facegen emotion_ldm 1"


class Networks(NamedTuple):
    """Both networks and their sizes; in evaluation mode, float32, frozen."""

    first_stage: VQModel
    first_stage_config: FirstStageConfig
    denoiser: EmotionDenoiser
    config: DenoiserConfig


def save_networks(networks: Networks, path: Path) -> None:
    """Writes both networks; what they compute stays the same but for rounding to 11 bits.

    Args:
        networks: them and their sizes.
        path: of the file.
    """
    parts = {"first_stage": networks.first_stage, "denoiser": networks.denoiser}
    tensors = {
        f"{part}.{name}": value.to(torch.float16).contiguous()
        for part, network in parts.items()
        for name, value in network.state_dict().items()
    }
    sizes = {"first_stage": to_plain(networks.first_stage_config), "denoiser": to_plain(networks.config)}
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={FORMAT: json.dumps(sizes)}))


def load_networks(path: Path) -> Networks:
    """Reads what :func:`save_networks` wrote.

    Raises:
        WeightsNotFoundError: the file is missing, damaged, or something else.
    """
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118  # no mapping
    except (OSError, SafetensorError) as error:
        raise WeightsNotFoundError(f"{path}: cannot be read: {error}. Write it again, or reinstall facegen.") from None
    if FORMAT not in header:
        raise WeightsNotFoundError(f"{path}: no file of `facegen convert emotion_ldm --to file`.")
    sizes = json.loads(header[FORMAT])
    config = as_config(DenoiserConfig, sizes["denoiser"])
    first_config = as_config(FirstStageConfig, sizes["first_stage"])
    first_stage, denoiser = build_first_stage(first_config), EmotionDenoiser(config)
    for part, network in {"first_stage": first_stage, "denoiser": denoiser}.items():
        network.load_state_dict(without(f"{part}.", tensors))
        network.eval().requires_grad_(False)
    return Networks(first_stage, first_config, denoiser, config)
