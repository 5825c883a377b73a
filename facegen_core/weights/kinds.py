"""Tells what network a set of named tensors belongs to, from names and counts alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from safetensors import safe_open
from torch import Tensor

from facegen_core.errors import WeightsNotFoundError

Kind = Literal[
    "InceptionResnetV1", "IR-SE50", "IR-50", "iResNet", "EfficientNet", "CLIP", "AlexNet", "VGG", "SqueezeNet",
    "Inception v3", "diffusion UNet", "ControlNet", "embedded identity judge", "embedded emotion judge",
    "embedded EmotionLDM", "unknown network",
]  # fmt: skip

# Names that only one of them has; the first row whose names are all there wins.
_NAMES: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("InceptionResnetV1", ("conv2d_1a.conv.weight", "last_linear.weight")),
    ("IR-SE50", ("input_layer.0.weight", "body.0.res_layer.5.fc1.weight", "output_layer.3.weight")),
    ("IR-50", ("input_layer.0.weight", "body.0.res_layer.4.weight", "output_layer.3.weight")),
    ("iResNet", ("layer1.0.bn1.weight", "layer1.0.prelu.weight", "features.weight")),
    ("EfficientNet", ("conv_stem.weight", "blocks.0.0.conv_dw.weight")),
    ("CLIP", ("visual.conv1.weight", "token_embedding.weight", "text_projection")),
    ("SqueezeNet", ("features.3.squeeze.weight",)),
    ("VGG", ("features.28.weight", "classifier.6.weight")),
    ("AlexNet", ("features.10.weight", "classifier.6.weight")),
    ("Inception v3", ("Conv2d_1a_3x3.conv.weight", "Mixed_7c.branch_pool.conv.weight")),
    ("ControlNet", ("controlnet_cond_embedding.conv_in.weight",)),
    ("embedded identity judge", ("trunk.0.weight", "trunk.3.body.0.weight", "embed.weight")),
    ("embedded emotion judge", ("trunk.0.weight", "trunk.3.body.0.weight", "read.weight")),
    ("embedded EmotionLDM", ("denoiser.null", "first_stage.quantize.embedding.weight")),
    ("diffusion UNet", ("conv_in.weight", "down_blocks.0.resnets.0.conv1.weight")),
)
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def kind_of(tensors: Mapping[str, Tensor]) -> Kind:
    """Which network named tensors belong to."""
    return next((kind for kind, names in _NAMES if all(name in tensors for name in names)), "unknown network")


def parameter_count(tensors: Mapping[str, Tensor]) -> int:
    """How many numbers were learnt: all but the running statistics of batch normalisation."""
    return sum(tensor.numel() for name, tensor in tensors.items() if not name.endswith(_STATISTICS))


def blocks(tensors: Mapping[str, Tensor], layer: str) -> int:
    """How many blocks a layer has, of tensors named ``layer.N.…``."""
    numbers = [name.removeprefix(f"{layer}.").partition(".")[0] for name in tensors if name.startswith(f"{layer}.")]
    return 1 + max((int(number) for number in numbers if number.isdigit()), default=-1)


def iresnet_blocks(tensors: Mapping[str, Tensor]) -> tuple[int, ...]:
    """Blocks of an iResNet's four layers."""
    return tuple(blocks(tensors, f"layer{i}") for i in (1, 2, 3, 4))


def describe(tensors: Mapping[str, Tensor]) -> str:
    """One phrase for a message: which network, its size, its classes; the first names where it is not known."""
    kind, count = kind_of(tensors), f"{parameter_count(tensors):,} parameters"
    if kind == "iResNet":
        depth = 2 * sum(iresnet_blocks(tensors)) + 2
        return f"iResNet-{depth} ({count})"
    if kind == "InceptionResnetV1":
        people = f", trained on {len(tensors['logits.weight'])} people" if "logits.weight" in tensors else ""
        return f"{kind} ({count}{people})"
    if kind == "EfficientNet":
        bias = tensors.get("classifier.bias", tensors.get("classifier.0.bias"))
        classes = "" if bias is None else f", {len(bias)} outputs"
        return f"{kind} with {len(tensors.get('conv_head.weight', ()))} features ({count}{classes})"
    if kind == "unknown network":
        return f"{kind} ({count}; {', '.join(list(tensors)[:3])}, ...)"
    return f"{kind} ({count})"


def folder_shapes(folder: Path) -> dict[str, Tensor]:
    """Tensors, on the meta device, of the denoiser or ControlNet of a folder in diffusers' layout.

    Only the headers of its safetensors files are read.

    Raises:
        WeightsNotFoundError: it holds no such file.
    """
    places = (folder / "unet", folder)
    files = next(
        (found for place in places if (found := sorted(place.glob("diffusion_pytorch_model*.safetensors")))), []
    )
    plain = [file for file in files if ".fp16" not in file.name and "non_ema" not in file.name] or files
    if not plain:
        raise WeightsNotFoundError(f"{folder}: no diffusion_pytorch_model.safetensors in it, nor in its unet/.")
    shapes = {}
    for file in plain:
        with safe_open(file, framework="pt") as content:
            for name in content.keys():  # noqa: SIM118, it is no dictionary
                shapes[name] = torch.empty(content.get_slice(name).get_shape(), device="meta")
    return shapes
