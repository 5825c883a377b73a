"""What both networks have in common in checkpoints of CompVis' code (taming-transformers, latent-diffusion), which the
original release is made with.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from facegen_core.errors import CheckpointError

GROUPS = 32
"""Of all group normalisations in CompVis' networks [R]."""
SHOWN = 3
"""How many names of many a message shows."""


def tensor_names(modules: Mapping[str, str], ours: Iterable[str]) -> dict[str, str]:
    """Names of tensors, ours -> theirs, from names of the modules that hold them, ours -> theirs."""
    split = ((name, *name.rsplit(".", 1)) for name in ours)
    return {name: f"{modules[module]}.{kind}" for name, module, kind in split}


def to_ours(
    theirs: Mapping[str, Tensor], names: Mapping[str, str], shapes: Mapping[str, Tensor], what: str
) -> dict[str, Tensor]:
    """Their tensors under our names, float32; all of them must be known, and none may be missing.

    Args:
        theirs: by their names.
        names: ours -> theirs.
        shapes: our network's tensors, by our names; those of the meta device will do. Theirs may end in ones more:
            convolutions of 1 x 1 that are linear layers here.
        what: the network and its file, for the message.

    Raises:
        CheckpointError: names what is missing, unknown or of another shape.
    """
    missing, unknown = set(names.values()) - theirs.keys(), theirs.keys() - set(names.values())
    if missing or unknown:
        parts = [f"{some(found)} {why}" for found, why in ((missing, "missing"), (unknown, "not known")) if found]
        raise CheckpointError(f"{what}: of another layout: {'; '.join(parts)}.")
    ours = {}
    for name, their_name in names.items():
        value, shape = theirs[their_name], shapes[name].shape
        if value.shape != shape + (1,) * (value.ndim - len(shape)):
            raise CheckpointError(
                f"{what}: {their_name} has shape {tuple(value.shape)}, where {tuple(shape)} goes with the others."
            )
        ours[name] = value.float().reshape(shape)
    return ours


def some(names: Iterable[str]) -> str:
    """The first of many names, and how many there are."""
    listed = sorted(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return f"{', '.join(listed[:SHOWN])}{more}"


def shape_of(theirs: Mapping[str, Tensor], name: str, what: str) -> torch.Size:
    """Shape of a tensor that tells a size of the network.

    Raises:
        CheckpointError: there is no such tensor.
    """
    if name not in theirs:
        raise CheckpointError(f"{what}: no {name}, so it is none of CompVis' checkpoints of it.")
    return theirs[name].shape


def count(theirs: Iterable[str], part: str) -> int:
    """How many numbered parts there are: tensors are named ``part.N.…``."""
    return len({name.removeprefix(f"{part}.").partition(".")[0] for name in theirs if name.startswith(f"{part}.")})
