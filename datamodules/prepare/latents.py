"""A first stage's latents of cached pictures, in one memory map."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datamodules.prepare.picture_cache import PictureCache
from datamodules.prepare.row_cache import DONE, RAW, build_once
from facegen_core.errors import BadSampleError, DatasetNotFoundError
from facegen_core.files import atomic_path
from facegen_core.progress import bar

Encode = Callable[[Tensor], Tensor]
"""Pictures (B, 3, R, R) in [-1, 1] -> latents (B, C, h, w)."""
Precision = Literal["float16", "float32"]
Facts = Mapping[str, str | int | float | bool]
FORMAT = 1
FACTS = "latents.json"
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
    done = folder / f"latents-{_digest(facts)[:24]}"

    def build(work: Path) -> str:
        _fill(pictures, encode, facts, work, batch_size)
        return RAW

    return build_once(done, build)


def open_latent_cache(
    folder: Path, pictures: PictureCache, provenance: Facts, flips: bool = True, precision: Precision = "float16"
) -> LatentCache:
    """Opens a cache if it is of these pictures by this encoder; arguments as in :func:`build_latent_cache`.

    Raises:
        DatasetNotFoundError: there is none, or it was made from something else; the message says from what.
    """
    try:
        saved = json.loads((folder / FACTS).read_text())
    except (OSError, ValueError) as error:
        raise DatasetNotFoundError(f"{folder}: no latents here: {error}") from None
    shape, facts = saved.pop("shape"), latent_facts(pictures, provenance, flips, precision)
    differ = [
        f"{key} is {saved.get(key, 'not given')} there and {facts.get(key, 'not given')} here"
        for key in sorted({*saved, *facts})
        if saved.get(key) != facts.get(key)
    ]
    if differ:
        raise DatasetNotFoundError(
            f"{folder}: latents of something else: {'; '.join(differ)}. Encode the pictures anew."
        )
    size = int(np.prod(shape)) * np.dtype(precision).itemsize
    if not (folder / RAW).is_file() or (folder / RAW).stat().st_size != size:
        raise DatasetNotFoundError(f"{folder / RAW}: not the {size} bytes that belong there. Encode the pictures anew.")
    return LatentCache(np.memmap(folder / RAW, precision, "r", shape=tuple(shape)), _digest(facts))


def latent_facts(pictures: PictureCache, provenance: Facts, flips: bool, precision: Precision) -> dict[str, Any]:
    """All that latents depend on."""
    return {"format": FORMAT, "pictures": pictures.digest, "flips": flips, "precision": precision} | {
        f"encoder.{key}": value for key, value in provenance.items()
    }


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _fill(pictures: PictureCache, encode: Encode, facts: dict[str, Any], work: Path, batch_size: int) -> None:
    """Encodes the pictures that are not yet, batch by batch in their order, and notes how far it came."""
    count, done = len(pictures.files), _finished(work)
    rows: np.memmap[Any, Any] | None = None
    with bar(count, "encode pictures", "picture", initial=done) as progress:
        for start in range(done, count, batch_size):
            stop = min(start + batch_size, count)
            latents = _encoded(pictures.rows[start:stop], encode, facts)
            if not np.isfinite(latents).all():
                bad = int(np.flatnonzero(~np.isfinite(latents).all(axis=(1, 2, 3, 4)))[0])
                raise BadSampleError(
                    f"{pictures.files[start + bad].path}: its latent is not finite in {facts['precision']}. "
                    "Keep latents in float32, or look at the encoder."
                )
            if rows is None:
                rows = _room(work, (count, *latents.shape[1:]), facts)
            rows[start:stop] = latents
            if stop == count or stop // NOTED_EVERY > start // NOTED_EVERY:
                rows.flush()
                with atomic_path(work / DONE) as temporary:
                    temporary.write_text(json.dumps(stop))
            progress.update(stop - start)


def _finished(work: Path) -> int:
    """How many pictures an earlier build encoded."""
    path = work / DONE
    return int(json.loads(path.read_text())) if path.is_file() and (work / RAW).is_file() else 0


def _encoded(pixels: npt.NDArray[np.uint8], encode: Encode, facts: Mapping[str, Any]) -> npt.NDArray[Any]:
    """Latents (B, V, C, h, w) of pictures (B, R, R, 3)."""
    image = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous()
    views = [image, image.flip(3)] if facts["flips"] else [image]
    with torch.inference_mode():
        latents = torch.stack([encode(view).float().cpu() for view in views], dim=1)
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, which is looked for
        return latents.numpy().astype(facts["precision"])


def _room(work: Path, shape: tuple[int, ...], facts: dict[str, Any]) -> np.memmap[Any, Any]:
    """The memory map, made if it is not there; room for all of it is taken at once."""
    path, size = work / RAW, int(np.prod(shape)) * np.dtype(facts["precision"]).itemsize
    if not path.is_file() or path.stat().st_size != size:
        with atomic_path(work / FACTS) as temporary:
            temporary.write_text(json.dumps(facts | {"shape": shape}))
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    return np.memmap(path, facts["precision"], "r+", shape=shape)
