"""The VQGAN's autoencoder (Esser et al. 2021): pictures to latents, to the nearest entries of a codebook, and back."""

from typing import NamedTuple

import torch
from diffusers.models.autoencoders.vq_model import VQModel
from torch import Tensor

from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig


class Reconstruction(NamedTuple):
    """A picture through the autoencoder.

    Attributes:
        pictures: (B, 3, R, R), about [-1, 1], not clamped.
        quantiser_loss: (), how far latents and codebook are from each other.
        codes: (B, h, w) int64, which entries were taken.
    """

    pictures: Tensor
    quantiser_loss: Tensor
    codes: Tensor


def build_first_stage(config: FirstStageConfig) -> VQModel:
    """The autoencoder with random weights.

    The quantiser weighs its two terms as CompVis' does ("legacy"): 1 pulls latents to the codebook, 0.25 the codebook
    to latents. Latents are not scaled (scaling_factor 1) [A].
    """
    plain, attention = len(config.channels) - 1, "Attn" if config.attention else ""
    down = ["DownEncoderBlock2D"] * plain + [f"{attention}DownEncoderBlock2D"]
    up = [f"{attention}UpDecoderBlock2D"] + ["UpDecoderBlock2D"] * plain
    network = VQModel(
        in_channels=3,
        out_channels=3,
        down_block_types=tuple(down),
        up_block_types=tuple(up),
        block_out_channels=tuple(config.channels),
        layers_per_block=config.blocks,
        latent_channels=config.latent_channels,
        sample_size=config.pixels,
        num_vq_embeddings=config.codes,
        norm_num_groups=config.groups,
        vq_embed_dim=config.latent_channels,
        scaling_factor=1.0,
    )
    if config.code_range is not None:
        network.quantize.embedding.weight.data.uniform_(-config.code_range, config.code_range)
    return network


def encode(first_stage: VQModel, pictures: Tensor) -> Tensor:
    """Latents (B, C, h, w) of pictures (B, 3, R, R) in [-1, 1], float32, before they are quantised."""
    features = first_stage.encoder(pictures)
    with _exact(pictures):
        return first_stage.quant_conv(features.float())


def decode(first_stage: VQModel, latents: Tensor) -> Tensor:
    """Pictures (B, 3, R, R), about [-1, 1] and not clamped, of latents, which are quantised first.

    Gradients pass the quantiser as if it were not there.
    """
    return _decoded(first_stage, latents).pictures


def reconstruct(first_stage: VQModel, pictures: Tensor) -> Reconstruction:
    """Pictures (B, 3, R, R) in [-1, 1] there and back."""
    return _decoded(first_stage, encode(first_stage, pictures))


def _decoded(first_stage: VQModel, latents: Tensor) -> Reconstruction:
    with _exact(latents):
        quantised, loss, (_, _, codes) = first_stage.quantize(latents.float())
        features = first_stage.post_quant_conv(quantised)
    made = first_stage.decoder(features).float()
    return Reconstruction(made, loss, codes.view(len(latents), *latents.shape[2:]))


def _exact(near: Tensor) -> torch.autocast:
    """Without autocast: in half precision thousands of codes cannot be told apart."""
    return torch.autocast(near.device.type, enabled=False)
