"""A first stage's latents of cached pictures, in one memory map."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datamodules.prepare.computed import Facts, build_computed, facts_digest, open_computed
from datamodules.prepare.picture_cache import PictureCache
from facegen_core.errors import BadSampleError

Encode = Callable[[Tensor], Tensor]
"""Pictures (B, 3, R, R) in [-1, 1] -> latents (B, C, h, w)."""
Precision = Literal["float16", "float32"]
KIND, FORMAT = "latents", 1
NOTED_EVERY = 1024
"""Pictures after which it is noted how far a build came."""


@dataclass(frozen=True)
class LatentCache:
    """A finished cache, opened.

    Attributes:
        rows: (N, V, C, h, w) memory map; N as in the pictures, V = 2 if each is followed by its mirror image's.
        digest: names the pictures and the encoder.
    """

    rows: npt.NDArray[Any]
    digest: str


def build_latent_cache(
    pictures: PictureCache,
    encode: Encode,
    provenance: Facts,
    folder: Path,
    flips: bool = True,
    precision: Precision = "float16",
    batch_size: int = 32,
) -> Path:
    """Encodes all pictures of a cache, going on where a killed build stopped.

    Args:
        pictures: an opened cache.
        encode: the first stage, without randomness; it moves what it is given to where it computes.
        provenance: what the encoder is: the digest of its weights, its settings. Part of the cache's name.
        folder: where caches go.
        flips: also encode each picture's mirror image, which is not the mirror image of the latent.
        precision: of what is kept.
        batch_size: pictures encoded at a time.

    Returns:
        The cache's folder, for :func:`open_latent_cache`.

    Raises:
        BadSampleError: a latent is not finite in this precision.
        DatasetNotFoundError: the folder cannot be written.
    """
    facts = latent_facts(pictures, provenance, flips, precision)

    def compute(start: int, stop: int) -> npt.NDArray[Any]:
        latents = _encoded(pictures.rows[start:stop], encode, facts)
        check_finite(latents, pictures, range(start, stop), f"is not finite in {precision}. Keep latents in float32")
        return latents

    count = len(pictures.files)
    return build_computed(folder, KIND, facts, count, compute, precision, batch_size, "encode pictures", NOTED_EVERY)


def open_latent_cache(
    folder: Path, pictures: PictureCache, provenance: Facts, flips: bool = True, precision: Precision = "float16"
) -> LatentCache:
    """Opens a cache if it is of these pictures by this encoder; arguments as in :func:`build_latent_cache`.

    Raises:
        DatasetNotFoundError: there is none, or it was made from something else; the message says from what.
    """
    facts = latent_facts(pictures, provenance, flips, precision)
    rows = open_computed(folder, KIND, facts, precision, "Encode the pictures anew.")
    return LatentCache(rows, facts_digest(facts))


def latent_facts(pictures: PictureCache, provenance: Facts, flips: bool, precision: Precision) -> dict[str, Any]:
    """All that latents depend on."""
    return {"format": FORMAT, "pictures": pictures.digest, "flips": flips, "precision": precision} | {
        f"encoder.{key}": value for key, value in provenance.items()
    }


def check_finite(latents: npt.NDArray[Any], pictures: PictureCache, places: Sequence[int], problem: str) -> None:
    """Refuses latents (B, ...) that are not finite.

    Args:
        latents: of some pictures.
        pictures: the cache.
        places: (B,) which pictures of it.
        problem: what to say of a latent, up to the full stop.

    Raises:
        BadSampleError: with the picture's name.
    """
    finite = np.isfinite(latents).reshape(len(latents), -1).all(axis=1)
    if not finite.all():
        bad = pictures.files[places[int(np.flatnonzero(~finite)[0])]]
        raise BadSampleError(f"{bad.path}: its latent {problem}, or look at the encoder.")


def _encoded(pixels: npt.NDArray[np.uint8], encode: Encode, facts: Mapping[str, Any]) -> npt.NDArray[Any]:
    """Latents (B, V, C, h, w) of pictures (B, R, R, 3)."""
    image = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous()
    views = [image, image.flip(3)] if facts["flips"] else [image]
    with torch.inference_mode():
        latents = torch.stack([encode(view).float().cpu() for view in views], dim=1)
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, which is looked for
        return latents.numpy().astype(facts["precision"])
