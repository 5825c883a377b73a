"""BP4D-Spontaneous: registered meshes and textures of its frames, labelled with action units."""

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from datamodules.config import BP4DConfig
from datamodules.meshes import MeshDataModule
from datamodules.prepare.bp4d import (
    EXPECTED,
    FrameFile,
    FrameTexture,
    choose_frames,
    find_textures,
    mesh_reader,
    read_labels,
    read_recordings,
    subject_number,
    texture_of,
)
from datamodules.prepare.mesh_cache import MeshReader
from datamodules.prepare.prnet import SIDE, TextureFile
from datamodules.textures import TextureDataModule
from facegen_core.errors import BadSampleError, DatasetNotFoundError
from facegen_core.population.action_units import NAMES
from facegen_core.progress import say

PROBLEMS_SHOWN = 3


class BP4DDataModule(MeshDataModule):
    """About 50 coded frames of each sequence, split by subject; see :class:`MeshDataModule`.

    ``expression`` in its batches is (B, 34), 1 present, 0 absent, -1 unknown. Position maps give vertices in the pixels
    of PRNet's canonical face, not in mm; OBJ files are taken as they are. Beside what the base promises, after
    :meth:`setup`:

    * ``intensity``: split -> (N, 5) int64, 0 to 5 or -1, of the units in ``WITH_INTENSITY``,
    * ``textures``: split -> N places a texture can be read from, or None,

    both in the order of ``datasets[split]``. BP4D's usual three folds are not built in, since their lists are not
    published with it: name a fold's subjects in ``data.test_identities``.
    """

    file = FrameFile
    config: BP4DConfig

    def find(self, root: Path) -> tuple[list[FrameFile], MeshReader]:
        """Coded frames that have a mesh; sequences that cannot be used are named, or stop a strict reader."""
        self._recordings = read_recordings(root)
        frames, self._kind = choose_frames(self._recordings, self.config.frames_per_sequence, self.config.frame_offset)
        _tell([r.problem for r in self._recordings if r.problem], "sequences left out", self.config)
        if not frames:
            raise DatasetNotFoundError(f"{root}: no coded frame has a mesh.\n{EXPECTED}")
        self.unit = "mm" if self._kind == "obj" else "PRNet pixels"
        return frames, mesh_reader(root, self._kind)

    def label(self, meshes: list[Any]) -> tuple[Tensor, list[str]]:
        """Coded units, read anew at each start, so that a corrected table counts at once."""
        self._frames = meshes
        self._labels = read_labels(self.root, self._recordings, meshes, self.config.frame_offset)
        _tell(self._labels.problems, "tables of intensity left out", self.config)
        return torch.from_numpy(self._labels.units), NAMES

    def number(self, person: Any) -> int:
        """F007 is 7 and M007 is 10007."""
        return subject_number(person)

    def setup(self, stage: str) -> None:
        if self.datasets:
            return
        super().setup(stage)
        recordings = {(r.subject, r.task): r for r in self._recordings}
        self.intensity: dict[str, Tensor] = {}
        self.textures: dict[str, list[TextureFile | None]] = {}
        for split, rows in self.rows.items():
            self.intensity[split] = torch.from_numpy(self._labels.intensity[rows])
            self.textures[split] = [
                texture_of(self.root, recordings[f.identity, f.task], f.picture, self._kind)
                for f in (self._frames[row] for row in rows)
            ]
        self.skipped = [*self.skipped, *((r.subject + "/" + r.task, r.problem) for r in self._recordings if r.problem)]
        labels = self._labels.units.tobytes() + self._labels.intensity.tobytes()
        self._digest = hashlib.sha256(self._digest.encode() + labels).hexdigest()


class BP4DTextureDataModule(TextureDataModule):
    """Textures of the same frames, split alike and labelled with the same units; see :class:`TextureDataModule`.

    A texture file beside the frame's mesh is taken if there is one; else the frame's picture is sampled where its
    position map says each of PRNet's 256 x 256 texels is seen, as the paper's textures of BP4D come from PRNet
    [P 4.1]. Maps of PRNet are faces as a whole; from textures of OBJ files the face is cut out as from FaceScape's.
    """

    file = FrameTexture
    config: BP4DConfig

    def find(self, root: Path) -> tuple[list[FrameFile], list[FrameTexture]]:
        """Coded frames that have a mesh, and their textures."""
        self._recordings = read_recordings(root)
        frames, kind = choose_frames(self._recordings, self.config.frames_per_sequence, self.config.frame_offset)
        _tell([r.problem for r in self._recordings if r.problem], "sequences left out", self.config)
        textures = find_textures(root, self._recordings, frames, kind)
        if len(textures) < len(frames):
            say(f"{root}: {len(frames) - len(textures)} of {len(frames)} frames have neither a texture nor a picture")
        self.whole = kind == "npy"
        if self.whole and self.resolutions[-1] > SIDE:
            say(f"{root}: textures have {SIDE} pixels and are enlarged to {self.resolutions[-1]}")
        return frames, textures

    def label(self, textures: list[Any]) -> tuple[Tensor, list[str]]:
        """Coded units, read anew at each start."""
        root, offset = Path(self.config.root or ""), self.config.frame_offset
        return torch.from_numpy(read_labels(root, self._recordings, textures, offset).units), NAMES

    def number(self, person: Any) -> int:
        """F007 is 7 and M007 is 10007."""
        return subject_number(person)


def _tell(problems: list[str], what: str, config: BP4DConfig) -> None:
    """Names what cannot be used, or raises where the settings ask for that."""
    if problems and config.on_bad_sample == "raise":
        raise BadSampleError(f"{problems[0]} ({what}: {len(problems)}). data.on_bad_sample=skip goes on without.")
    if problems:
        more = f"; and {len(problems) - PROBLEMS_SHOWN} more" if len(problems) > PROBLEMS_SHOWN else ""
        say(f"{what}: {len(problems)}: {'; '.join(problems[:PROBLEMS_SHOWN])}{more}")
