"""BP4D-Spontaneous: registered meshes and textures of its frames, labelled with action units."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from datamodules.config import BP4DConfig
from datamodules.meshes import MeshDataModule
from datamodules.people import PeopleDataModule
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


class _BP4D(PeopleDataModule):
    """How BP4D's frames are found and labelled, whatever is read of them."""

    config: BP4DConfig

    def find(self) -> list[FrameFile]:
        """Coded frames that have a mesh; sequences that cannot be used are named, or stop a strict reader."""
        self._recordings = read_recordings(self.root)
        frames, self._kind = choose_frames(self._recordings, self.config.frames_per_sequence, self.config.frame_offset)
        _tell([r.problem for r in self._recordings if r.problem], "sequences left out", self.config)
        if not frames:
            raise DatasetNotFoundError(f"{self.root}: no coded frame has a mesh.\n{EXPECTED}")
        return frames

    def label(self, files: list[Any]) -> tuple[Tensor, list[str]]:
        """Coded units, read anew at each start, so that a corrected table counts at once."""
        self._labels = read_labels(self.root, self._recordings, files, self.config.frame_offset)
        return torch.from_numpy(self._labels.units), NAMES

    def number(self, person: Any) -> int:
        """F007 is 7 and M007 is 10007."""
        return subject_number(person)


class BP4DDataModule(_BP4D, MeshDataModule):
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

    def reader(self) -> MeshReader:
        """Of OBJ files, or of PRNet's position maps."""
        self.unit = "mm" if self._kind == "obj" else "PRNet pixels"
        return mesh_reader(self.root, self._kind)

    def label(self, files: list[FrameFile]) -> tuple[Tensor, list[str]]:
        """Coded units; tables of intensity that cannot be used are named, or stop a strict reader."""
        units = super().label(files)
        _tell(self._labels.problems, "tables of intensity left out", self.config)
        recordings = {(r.subject, r.task): r for r in self._recordings}
        self._textures = [texture_of(self.root, recordings[f.identity, f.task], f.picture, self._kind) for f in files]
        return units

    def open_cache(self, folder: Path) -> None:
        """Shares out intensities and textures too."""
        super().open_cache(folder)
        self.intensity: dict[str, Tensor] = {}
        self.textures: dict[str, list[TextureFile | None]] = {}
        for split, part in self.parts.items():
            self.intensity[split] = torch.from_numpy(self._labels.intensity[part.rows])
            self.textures[split] = [self._textures[row] for row in part.rows]
        self.skipped = [*self.skipped, *((r.subject + "/" + r.task, r.problem) for r in self._recordings if r.problem)]
        labels = self._labels.units.tobytes() + self._labels.intensity.tobytes()
        self._digest = hashlib.sha256(self._digest.encode() + labels).hexdigest()


class BP4DTextureDataModule(_BP4D, TextureDataModule):
    """Textures of the same frames, split alike and labelled with the same units; see :class:`TextureDataModule`.

    A texture file beside the frame's mesh is taken if there is one; else the frame's picture is sampled where its
    position map says each of PRNet's 256 x 256 texels is seen, as the paper's textures of BP4D come from PRNet
    [P 4.1]. Maps of PRNet are faces as a whole; from textures of OBJ files the face is cut out as from FaceScape's.
    """

    file = FrameTexture

    def textures_of(self, meshes: Sequence[FrameFile]) -> list[FrameTexture]:
        """Those of frames that have one, or a picture to take it from."""
        textures = find_textures(self.root, self._recordings, meshes, self._kind)
        if len(textures) < len(meshes):
            missing = len(meshes) - len(textures)
            say(f"{self.root}: {missing} of {len(meshes)} frames have neither a texture nor a picture")
        self.whole = self._kind == "npy"
        if self.whole and self.resolutions[-1] > SIDE:
            say(f"{self.root}: textures have {SIDE} pixels and are enlarged to {self.resolutions[-1]}")
        return textures


def _tell(problems: list[str], what: str, config: BP4DConfig) -> None:
    """Names what cannot be used, or raises where the settings ask for that."""
    if problems and config.on_bad_sample == "raise":
        raise BadSampleError(f"{problems[0]} ({what}: {len(problems)}). data.on_bad_sample=skip goes on without.")
    if problems:
        more = f"; and {len(problems) - PROBLEMS_SHOWN} more" if len(problems) > PROBLEMS_SHOWN else ""
        say(f"{what}: {len(problems)}: {'; '.join(problems[:PROBLEMS_SHOWN])}{more}")
