"""Pictures inverted once: the noise that every edit of them begins with, and what the first stage keeps of them."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datamodules.prepare.computed import Facts, build_computed, open_computed
from datamodules.prepare.latents import check_finite
from datamodules.prepare.picture_cache import PictureCache
from facegen_core.seeding import numpy_generator

Invert = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Pictures (B, 3, R, R) in [-1, 1] and the emotions (B,) they show -> inverted latents (B, C, h, w), and the pictures
as the first stage gives them back (B, 3, R, R), about [-1, 1]."""
Rows = npt.NDArray[np.int64]
KIND, FORMAT = "pool", 1
_DRAW = 60


def pool_type(latent: tuple[int, ...], pixels: int) -> np.dtype[Any]:
    """Of a row: the inverted latent (C, h, w) in float32 and the reconstruction (R, R, 3) in 8 bits."""
    return np.dtype([("latent", "<f4", latent), ("reference", "u1", (pixels, pixels, 3))])


def draw_pool(emotion: Rows, per_class: int, size: int, seed: int) -> Rows:
    """Places of the pictures that are inverted: some of each emotion, and of these some at random [P, A].

    All that are drawn in the end are inverted and no others.

    Args:
        emotion: (N,) of the pictures there are, -1 where unknown.
        per_class: most of each emotion.
        size: most in the end.
        seed: of the draw.

    Returns:
        (at most size,) ascending.
    """
    random = numpy_generator(seed, _DRAW)
    classes = [random.permutation(np.flatnonzero(emotion == label))[:per_class] for label in np.unique(emotion)]
    return np.sort(random.permutation(np.concatenate(classes))[:size])


def build_pool(
    pictures: PictureCache,
    rows: Rows,
    emotion: Rows,
    invert: Invert,
    row_type: np.dtype[Any],
    provenance: Facts,
    folder: Path,
    batch_size: int,
) -> Path:
    """Inverts some pictures of a cache, going on where a killed build stopped.

    Args:
        pictures: an opened cache.
        rows: (N,) which of them.
        emotion: (N,) they show, -1 where unknown.
        invert: without randomness; moves what it is given to where it computes.
        row_type: of :func:`pool_type`.
        provenance: what inverts: digests of the networks, settings of the edit. Part of the pool's name.
        folder: where caches go.
        batch_size: pictures inverted at a time; a killed build loses these.

    Returns:
        The pool's folder, for :func:`open_pool`.

    Raises:
        BadSampleError: a latent is not finite.
        DatasetNotFoundError: the folder cannot be written.
    """

    def compute(start: int, stop: int) -> npt.NDArray[Any]:
        pixels = torch.from_numpy(pictures.rows[rows[start:stop]]).permute(0, 3, 1, 2)
        signed = pixels.float().div_(127.5).sub_(1).contiguous()
        with torch.inference_mode():
            latents, made = invert(signed, torch.from_numpy(emotion[start:stop]))
        values = np.zeros(stop - start, row_type)
        values["latent"] = latents.float().cpu().numpy()
        bytes_of = made.float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
        values["reference"] = bytes_of.permute(0, 2, 3, 1).cpu().numpy()
        check_finite(values["latent"], pictures, rows[start:stop].tolist(), "is not finite once it is inverted")
        return values

    facts = pool_facts(pictures, rows, emotion, provenance)
    return build_computed(
        folder, KIND, facts, len(rows), compute, row_type, batch_size, "invert pictures", noted_every=batch_size
    )


def open_pool(
    folder: Path, pictures: PictureCache, rows: Rows, emotion: Rows, row_type: np.dtype[Any], provenance: Facts
) -> npt.NDArray[Any]:
    """A pool's rows (N,), a memory map, if it is of these pictures by these networks.

    Arguments are those of :func:`build_pool`.

    Raises:
        DatasetNotFoundError: there is none, or it was made from something else; the message says from what.
    """
    facts = pool_facts(pictures, rows, emotion, provenance)
    return open_computed(folder, KIND, facts, row_type, "Remove it; it is made anew.")


def pool_facts(pictures: PictureCache, rows: Rows, emotion: Rows, provenance: Facts) -> Facts:
    """All that a pool depends on."""
    chosen = hashlib.sha256(rows.tobytes() + emotion.tobytes()).hexdigest()
    return {"format": FORMAT, "pictures": pictures.digest, "rows": chosen, **provenance}
