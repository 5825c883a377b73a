"""First stages of CompVis' code (``VQModel`` of taming-transformers, ``VQModelInterface`` of latent-diffusion) to
diffusers' layout, which is ours, and back.

Both compute the same. Their self-attention is made of convolutions of 1 x 1 where ours has linear layers, and their
decoder's levels are counted from the finest.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm.compvis import GROUPS, count, shape_of, tensor_names, to_ours
from facegen_core.methods.emotion_ldm.first_stage import build_first_stage
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig

# Ours -> theirs, within a part.
_RESIDUAL = {
    "norm1": "norm1",
    "conv1": "conv1",
    "norm2": "norm2",
    "conv2": "conv2",
    "conv_shortcut": "nin_shortcut",  # where the width changes
}
_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_ENDS = {"conv_in": "conv_in", "conv_norm_out": "norm_out", "conv_out": "conv_out"}
_MIDDLE = (
    ("mid_block.resnets.0", "mid.block_1", _RESIDUAL),
    ("mid_block.attentions.0", "mid.attn_1", _ATTENTION),
    ("mid_block.resnets.1", "mid.block_2", _RESIDUAL),
)
_BETWEEN = {
    "quant_conv": "quant_conv",
    "post_quant_conv": "post_quant_conv",
    "quantize.embedding": "quantize.embedding",
}


def first_stage_modules(config: FirstStageConfig) -> dict[str, str]:
    """Names of all modules that hold tensors, ours -> theirs."""
    modules = dict(_BETWEEN)
    for side in ("encoder", "decoder"):
        modules |= {f"{side}.{ours}": f"{side}.{theirs}" for ours, theirs in _ENDS.items()}
        for ours, theirs, inner in (*_MIDDLE, *_levels(config, side)):
            modules |= {f"{side}.{ours}.{key}": f"{side}.{theirs}.{value}" for key, value in inner.items()}
    return modules


def _levels(config: FirstStageConfig, side: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Parts of the levels of the encoder or decoder: ours, theirs, and what is in them."""
    down, levels = side == "encoder", len(config.channels)
    our_level, their_level, change = ("down_blocks", "down", "downsample") if down else ("up_blocks", "up", "upsample")
    for i in range(levels):
        ours, theirs = f"{our_level}.{i}", f"{their_level}.{i if down else levels - 1 - i}"
        for j in range(config.blocks if down else config.blocks + 1):
            yield f"{ours}.resnets.{j}", f"{theirs}.block.{j}", _RESIDUAL
            yield f"{ours}.attentions.{j}", f"{theirs}.attn.{j}", _ATTENTION
        yield f"{ours}.{change}rs.0", f"{theirs}.{change}", {"conv": "conv"}


def first_stage_from_compvis(
    theirs: Mapping[str, Tensor], pixels: int, what: str = "first stage"
) -> tuple[FirstStageConfig, dict[str, Tensor]]:
    """What their checkpoint holds, for :func:`build_first_stage`.

    Args:
        theirs: tensors of the autoencoder alone, without a prefix.
        pixels: side of the pictures it was trained on, which its tensors do not tell.
        what: the network and its file, for messages.

    Returns:
        The size, read off the tensors; the ``state_dict``, float32.

    Raises:
        CheckpointError: tensors are missing, unknown, or of shapes that do not go together.
        ConfigError: a size that cannot be built.
    """
    levels = count(theirs, "encoder.down")
    config = FirstStageConfig(
        pixels=pixels,
        channels=tuple(shape_of(theirs, f"encoder.down.{i}.block.0.conv2.weight", what)[0] for i in range(levels)),
        blocks=count(theirs, "encoder.down.0.block"),
        groups=GROUPS,
        attention=f"encoder.down.{levels - 1}.attn.0.q.weight" in theirs,
        latent_channels=shape_of(theirs, "encoder.conv_out.weight", what)[0],
        codes=shape_of(theirs, "quantize.embedding.weight", what)[0],
    )
    config.check()
    with torch.device("meta"):
        shapes = build_first_stage(config).state_dict()
    return config, to_ours(theirs, tensor_names(first_stage_modules(config), shapes), shapes, what)


def first_stage_to_compvis(config: FirstStageConfig, ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A first stage's ``state_dict`` as their ``VQModelInterface`` has it, without a prefix.

    Raises:
        ConfigError: its group normalisations have not 32 groups, which cannot be set there.
    """
    if config.groups != GROUPS:
        raise ConfigError(
            f"first_stage.groups = {config.groups}: CompVis' networks normalise in {GROUPS} groups, and nothing else "
            f"can be set there. Train one with model.first_stage.groups={GROUPS}."
        )
    names = tensor_names(first_stage_modules(config), ours)
    return {
        names[name]: value[..., None, None] if ".attentions." in name and value.ndim == 2 else value
        for name, value in ours.items()
    }
