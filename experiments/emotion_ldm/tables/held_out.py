"""The held-out pictures that are edited, and what is known of each."""

from __future__ import annotations  # the heavy types below are named, not imported, until pictures are opened

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datamodules.affectnet import AffectNetDataModule
from datamodules.prepare.aligned import Align
from datamodules.prepare.counterfactuals import Counterfactuals
from datamodules.prepare.framing import Framing
from datamodules.prepare.picture_cache import choose_framing
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.report import Tally
from experiments.emotion_ldm.data import located, prepare
from experiments.emotion_ldm.tables.grid import TARGETS
from facegen_core.errors import ConfigError, DatasetNotFoundError
from facegen_core.geometry.face_crop import ALIGNED_224, five_points, similarity

if TYPE_CHECKING:
    from experiments.emotion_ldm.tables.config import Config

Rows = npt.NDArray[np.int64]
MOST_OFF = 2.0
"""Landmarks of a face that is so many times larger or smaller than an average one in its crop are taken for wrong."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out pictures, in a fixed order.

    Attributes:
        cache: (M, R, R, 3) uint8, all pictures of the data set.
        rows: (N,) those that are edited.
        files: (N) theirs.
        emotion: (N,) int64, shown.
        identity: (N,) int64, -1 where unknown.
        points: (N, 5, 2) eyes, nose and mouth in the crop, which reaches from 0 to 1: by the data set's landmarks, else
            those of an average face, on which it was aligned.
        truths: their true pictures with other emotions; None where those are not known.
        digest: names the pictures and which of them.
    """

    cache: npt.NDArray[np.uint8]
    rows: Rows
    files: list[PictureFile]
    emotion: Tensor
    identity: Tensor
    points: Tensor
    truths: Counterfactuals | None
    digest: str

    def __len__(self) -> int:
        return len(self.rows)

    def pictures(self, chosen: slice) -> Tensor:
        """Pictures (B, 3, R, R) in [0, 1]."""
        return _as_pictures(self.cache[self.rows[chosen]])

    def true_edits(self, chosen: slice) -> Tensor | None:
        """Pictures (B, 6, 3, R, R) in [0, 1] with each target emotion."""
        if self.truths is None:
            return None
        crops = [[self.truths.crop(file, target) for target in TARGETS] for file in self.files[chosen]]
        pictures = _as_pictures(np.array(crops).reshape(-1, *self.cache.shape[1:]))
        return pictures.reshape(-1, len(TARGETS), *pictures.shape[1:])


def open_held_out(config: Config) -> HeldOut:
    """The pictures that ``config`` asks for; embedded people are photographed if they are not yet.

    Raises:
        DatasetNotFoundError: there are none.
    """
    prepare(config)
    data = located(config)
    module = AffectNetDataModule(data, config.batch, config.seed)
    module.setup("test")
    assert data.root is not None
    found = module.find(Path(data.root))
    framing = choose_framing(found, data.crop)
    if config.metrics.framing == "points" and not isinstance(framing, Align):
        raise ConfigError(f"metrics.framing=points: needs upright faces, and these are cropped by {framing.name}. "
                          "Take metrics.framing=whole.")  # fmt: skip
    truths = Counterfactuals(found.root, framing, data.pixels)
    rows = module.rows["test"]
    with_truth = np.array([truths.has(module.pictures.files[row].path) for row in rows], dtype=bool)
    rows = rows[with_truth] if with_truth.any() else rows
    if not len(rows):
        raise DatasetNotFoundError(f"{data.root}: no held-out pictures to edit.")
    identity = np.array([module.pictures.files[row].identity for row in rows])
    rows = rows[spread(identity, config.pictures or len(rows))]
    listed = {file.path: file for file in found.files(Tally(), framing.needs)}  # the cache keeps no landmarks
    files = [listed[module.pictures.files[row].path] for row in rows]
    digest = hashlib.sha256(f"{module.digest()} {rows.tolist()}".encode()).hexdigest()
    return HeldOut(
        module.pictures.rows,
        rows,
        files,
        torch.tensor(module.emotions(np.array([file.emotion for file in files], dtype=np.int64))),
        torch.tensor([module.pictures.files[row].identity for row in rows]),
        torch.stack([_points(framing, found.root, file) for file in files]),
        truths if with_truth.any() else None,
        digest,
    )


def _points(framing: Framing, root: Path, file: PictureFile) -> Tensor:
    """Eyes, nose and mouth (5, 2) in the crop; an average face's where landmarks are missing or make no face."""
    average = (ALIGNED_224 + 0.5) / 224
    places = framing.points_in_crop(root, file) if isinstance(framing, Align) else None
    if places is None:
        return average
    points = five_points(torch.from_numpy(places)[None])
    size = float(similarity(average[None], points)[0, :, 0].norm())
    return points[0] if 1 / MOST_OFF < size < MOST_OFF else average


def spread(identity: npt.NDArray[Any], count: int) -> Rows:
    """Places of ``count`` pictures, spread evenly: over people with all of their pictures, where people are known."""
    if count >= len(identity):
        return np.arange(len(identity))
    if (identity < 0).any():
        return np.array(spread_evenly(len(identity), count))
    people, first, of_each = np.unique(identity, return_index=True, return_counts=True)
    people = people[np.argsort(first)]
    needed = min(len(people), -(-count // int(of_each.min())))
    chosen = people[spread_evenly(len(people), needed)]
    return np.flatnonzero(np.isin(identity, chosen))[:count]


def spread_evenly(count: int, wanted: int) -> list[int]:
    """At most ``wanted`` of ``count`` places, from the first to the last."""
    return [int(place) for place in np.linspace(0, count - 1, min(count, wanted))]


def _as_pictures(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """(B, 3, R, R) in [0, 1] of bytes (B, R, R, 3)."""
    return torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float().div_(255).contiguous()
