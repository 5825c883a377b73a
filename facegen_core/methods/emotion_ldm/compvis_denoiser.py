"""Denoisers of CompVis' code (``UNetModel`` of latent-diffusion's ``openaimodel``, and the embeddings that tell it an
emotion) to diffusers' layout, which is ours, and back.

Both compute the same. Theirs counts all blocks of a side in one row, what halves or doubles the picture among them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from facegen_core.checkpoint import without
from facegen_core.diffusion.schedule import ScheduleConfig
from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm.compvis import GROUPS, count, shape_of, tensor_names, to_ours
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig

# Ours -> theirs, within a part.
_RESIDUAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",  # where the width changes
}
_LAYERS = ("to_q", "to_k", "to_v", "to_out.0")
_BLOCK = (
    *("norm1", "norm2", "norm3", "ff.net.0.proj", "ff.net.2"),
    *(f"{attention}.{layer}" for attention in ("attn1", "attn2") for layer in _LAYERS),
)
_TRANSFORMER = {name: name for name in ("norm", "proj_in", "proj_out", *(f"transformer_blocks.0.{n}" for n in _BLOCK))}
_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_MIDDLE = (
    ("mid_block.resnets.0", "middle_block.0", _RESIDUAL),
    ("mid_block.attentions.0", "middle_block.1", _TRANSFORMER),
    ("mid_block.resnets.1", "middle_block.2", _RESIDUAL),
)
UNET, AVERAGE = "model.diffusion_model.", "model_ema."
_EMBEDDINGS = {
    "emotions.weight": "cond_stage_model.embedding.weight",
    "null": "cond_stage_model.uncond_embedding.weight",  # their ClassEmbedder3's [A]
}
_COUNTERS = (f"{AVERAGE}decay", f"{AVERAGE}num_updates")


class Average(NamedTuple):
    """Moving average of a U-Net's weights.

    Attributes:
        weights: by the U-Net's own names.
        decay: share of the old average kept at each update.
        updates: how many there were.
    """

    weights: dict[str, Tensor]
    decay: float
    updates: int


def denoiser_names(config: DenoiserConfig, ours: Iterable[str]) -> dict[str, str]:
    """Names of an :class:`EmotionDenoiser`'s tensors -> those in a checkpoint of their ``LatentDiffusion``."""
    unet = _unet_names(config, (name.removeprefix("unet.") for name in ours if name.startswith("unet.")))
    return _EMBEDDINGS | {f"unet.{name}": f"{UNET}{theirs}" for name, theirs in unet.items()}


def _unet_names(config: DenoiserConfig, ours: Iterable[str]) -> dict[str, str]:
    """The same of the U-Net alone."""
    modules = dict(_ENDS)
    for part, theirs, inner in (*_MIDDLE, *_down(config), *_up(config)):
        modules |= {f"{part}.{key}": f"{theirs}.{value}" for key, value in inner.items()}
    return tensor_names(modules, ours)


def _average_names(config: DenoiserConfig, ours: Iterable[str]) -> dict[str, str]:
    """The same for the average they keep of it: a flat list, in which names have no dots."""
    flat = UNET.removeprefix("model.")
    names = _unet_names(config, ours)
    return {name: f"{AVERAGE}{(flat + theirs).replace('.', '')}" for name, theirs in names.items()}


def _down(config: DenoiserConfig) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Parts of the levels on the way down: ours, theirs, and what is in them; their block 0 stands before them."""
    layers = config.layers_per_block
    for i in range(len(config.channels)):
        first = 1 + i * (layers + 1)
        for j in range(layers):
            yield f"down_blocks.{i}.resnets.{j}", f"input_blocks.{first + j}.0", _RESIDUAL
            yield f"down_blocks.{i}.attentions.{j}", f"input_blocks.{first + j}.1", _TRANSFORMER
        yield f"down_blocks.{i}.downsamplers.0", f"input_blocks.{first + layers}.0", {"conv": "op"}


def _up(config: DenoiserConfig) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Parts of the levels on the way up; a level's last block also doubles the picture."""
    layers = config.layers_per_block
    for i in range(len(config.channels)):
        first = i * (layers + 1)
        for j in range(layers + 1):
            yield f"up_blocks.{i}.resnets.{j}", f"output_blocks.{first + j}.0", _RESIDUAL
            yield f"up_blocks.{i}.attentions.{j}", f"output_blocks.{first + j}.1", _TRANSFORMER
        yield f"up_blocks.{i}.upsamplers.0", f"output_blocks.{first + layers}.2", {"conv": "conv"}


def denoiser_from_compvis(
    theirs: Mapping[str, Tensor],
    schedule: ScheduleConfig,
    latent_pixels: int,
    head_channels: int,
    what: str = "denoiser",
) -> tuple[DenoiserConfig, dict[str, Tensor]]:
    """What their checkpoint holds, for :class:`EmotionDenoiser`.

    Args:
        theirs: tensors of the U-Net and of the embeddings, named as their ``LatentDiffusion`` names them.
        schedule: of the noise.
        latent_pixels: side of the latents, which the tensors do not tell.
        head_channels: channels of an attention head, which they do not tell either.
        what: the network and its file, for messages.

    Returns:
        The size, read off the tensors; the ``state_dict``, float32.

    Raises:
        CheckpointError: tensors are missing, unknown, or of shapes that do not go together.
        ConfigError: a size that cannot be built.
    """
    config = _size(without(UNET, theirs), schedule, latent_pixels, head_channels, what)
    with torch.device("meta"):
        shapes = EmotionDenoiser(config).state_dict()
    return config, to_ours(theirs, denoiser_names(config, shapes), shapes, what)


def average_from_compvis(config: DenoiserConfig, theirs: Mapping[str, Tensor], what: str = "denoiser") -> Average:
    """The moving average of the U-Net that their checkpoint holds.

    Args:
        config: from :func:`denoiser_from_compvis`.
        theirs: tensors named ``model_ema.…``.
        what: the network and its file, for messages.

    Raises:
        CheckpointError: tensors are missing, unknown, or of shapes that do not go together.
    """
    with torch.device("meta"):
        shapes = EmotionDenoiser(config).unet.state_dict()
    weights = {name: value for name, value in theirs.items() if name not in _COUNTERS}
    weights = to_ours(weights, _average_names(config, shapes), shapes, f"{what}, its average")
    decay, updates = (theirs.get(name, torch.tensor(0)) for name in _COUNTERS)
    return Average(weights, float(decay), int(updates))


def denoiser_to_compvis(
    config: DenoiserConfig, ours: Mapping[str, Tensor], average: Average | None = None
) -> dict[str, Tensor]:
    """A denoiser's ``state_dict`` as their ``LatentDiffusion`` has it.

    Args:
        config: its size.
        ours: the ``state_dict``.
        average: moving average of the U-Net; weights it lacks are those of the U-Net itself, which were not trained.

    Raises:
        ConfigError: its group normalisations have not 32 groups, which cannot be set there.
    """
    if config.norm_groups != GROUPS:
        raise ConfigError(
            f"model.norm_groups = {config.norm_groups}: CompVis' networks normalise in {GROUPS} groups, and nothing "
            f"else can be set there. Train one with model.norm_groups={GROUPS}."
        )
    names = denoiser_names(config, ours)
    theirs = {names[name]: value for name, value in ours.items()}
    if average is not None:
        weights = without("unet.", ours) | average.weights
        theirs |= {name: weights[our_name] for our_name, name in _average_names(config, weights).items()}
        counters = (torch.tensor(average.decay), torch.tensor(average.updates, dtype=torch.int32))
        theirs |= dict(zip(_COUNTERS, counters, strict=True))
    return theirs


def _size(
    unet: Mapping[str, Tensor], schedule: ScheduleConfig, latent_pixels: int, head_channels: int, what: str
) -> DenoiserConfig:
    """The size of their U-Net, read off its tensors."""
    blocks = count(unet, "input_blocks")
    halving = [i for i in range(blocks) if f"input_blocks.{i}.0.op.weight" in unet]
    firsts = [1, *(i + 1 for i in halving)]
    channels = [shape_of(unet, f"input_blocks.{i}.0.out_layers.3.weight", what)[0] for i in firsts]
    if any(width % head_channels for width in channels):
        raise ConfigError(f"{what}: {channels} channels cannot be split into attention heads of {head_channels}.")
    config = DenoiserConfig(
        latent_channels=shape_of(unet, "input_blocks.0.0.weight", what)[1],
        latent_pixels=latent_pixels,
        channels=tuple(channels),
        layers_per_block=(halving[0] if halving else blocks) - 1,
        heads=tuple(width // head_channels for width in channels),
        norm_groups=GROUPS,
        context_dim=shape_of(unet, "middle_block.1.transformer_blocks.0.attn2.to_k.weight", what)[1],
        schedule=schedule,
    )
    config.check()
    return config
