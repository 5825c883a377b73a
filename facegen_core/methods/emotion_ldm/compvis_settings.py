"""The YAML that CompVis' code opens a checkpoint with: sizes of ours in their words."""

from typing import Any

from facegen_core.emotions import EMOTIONS
from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig

_SCHEDULES = {"linear": "sqrt_linear", "scaled_linear": "linear"}
"""Kinds of ours -> their names. What they call linear are the square roots."""


def first_stage_settings(config: FirstStageConfig) -> dict[str, Any]:
    """Of the autoencoder, as latent-diffusion's ``first_stage_config``.

    Raises:
        ConfigError: a size that cannot be said there.
    """
    return {
        "target": "ldm.models.autoencoder.VQModelInterface",
        "params": {
            "embed_dim": config.latent_channels,
            "n_embed": config.codes,
            "ddconfig": {
                "double_z": False,
                "z_channels": config.latent_channels,
                "resolution": config.pixels,
                "in_channels": 3,
                "out_ch": 3,
                "ch": config.channels[0],
                "ch_mult": _multiples(config.channels, "first_stage.channels"),
                "num_res_blocks": config.blocks,
                "attn_resolutions": [config.latent_pixels] if config.attention else [],
                "dropout": 0.0,
            },
            "lossconfig": {"target": "torch.nn.Identity"},
        },
    }


def denoiser_settings(config: DenoiserConfig, first_stage: FirstStageConfig, averaged: bool) -> dict[str, Any]:
    """Of the whole, as latent-diffusion's ``model``.

    Args:
        config: the denoiser's.
        first_stage: the one it was trained on.
        averaged: whether the checkpoint holds an average of the U-Net's weights. Unless it is told there is none,
            their code makes one of random weights, and samples with it.

    Raises:
        ConfigError: a size that cannot be said there.
    """
    unet = {
        "image_size": config.latent_pixels,
        "in_channels": config.latent_channels,
        "out_channels": config.latent_channels,
        "model_channels": config.channels[0],
        "attention_resolutions": [2**i for i in range(len(config.channels))],  # factors of shrinking
        "num_res_blocks": config.layers_per_block,
        "channel_mult": _multiples(config.channels, "model.channels"),
        **_heads(config),
        "use_spatial_transformer": True,
        "transformer_depth": 1,
        "context_dim": config.context_dim,
    }
    embeddings = {"embed_dim": config.context_dim, "n_classes": len(EMOTIONS), "key": "class_label"}
    return {
        "target": "ldm.models.diffusion.ddpm.LatentDiffusion",
        "params": {
            "beta_schedule": _SCHEDULES[config.schedule.kind],
            "linear_start": config.schedule.first,
            "linear_end": config.schedule.last,
            "timesteps": config.schedule.steps,
            "image_size": config.latent_pixels,
            "channels": config.latent_channels,
            "first_stage_key": "image",
            "cond_stage_key": "class_label",
            "cond_stage_trainable": True,
            "conditioning_key": "crossattn",
            "use_ema": averaged,
            "unet_config": {"target": "ldm.modules.diffusionmodules.openaimodel.UNetModel", "params": unet},
            "first_stage_config": first_stage_settings(first_stage),
            "cond_stage_config": {
                "target": "ldm.modules.encoders.modules.ClassEmbedder3",  # of the original release [A]
                "params": {**embeddings, "p_uncond": config.label_drop},
            },
        },
    }


def _multiples(channels: tuple[int, ...], key: str) -> list[int]:
    if any(width % channels[0] for width in channels):
        raise ConfigError(f"{key} = {list(channels)}: CompVis' code takes multiples of the first alone.")
    return [width // channels[0] for width in channels]


def _heads(config: DenoiserConfig) -> dict[str, int]:
    """Heads of one width, or as many at every level: there is no third way to say it."""
    widths = {width // heads for width, heads in zip(config.channels, config.heads, strict=True)}
    if len(widths) == 1:
        return {"num_head_channels": widths.pop()}
    if len(set(config.heads)) == 1:
        return {"num_heads": config.heads[0]}
    raise ConfigError(
        f"model.heads = {list(config.heads)}: CompVis' code takes heads of one width, or as many at every level."
    )
