"""FaceScape TU models, and any registered meshes laid out like them."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from datamodules.config import TextureConfig
from datamodules.meshes import MeshDataModule
from datamodules.people import PeopleDataModule
from datamodules.prepare.facescape import MeshFile, TextureMap, find_meshes, find_textures
from datamodules.textures import TextureDataModule
from facegen_core.progress import say


class _FaceScape(PeopleDataModule):
    """How FaceScape's files are found and labelled, whatever is read of them."""

    def find(self) -> list[MeshFile]:
        """All registered OBJ files."""
        return find_meshes(self.root)

    def label(self, files: list[Any]) -> tuple[Tensor, list[str]]:
        """Class labels, as the files are numbered, and the names of the files."""
        names = {file.expression: file.name for file in files}
        labels = torch.tensor([file.expression for file in files], dtype=torch.int64)
        return labels, [names.get(k, "") for k in range(max(names) + 1)]


class FaceScapeDataModule(_FaceScape, MeshDataModule):
    """FaceScape's meshes in mm, each labelled with one of its expressions; see :class:`MeshDataModule`."""

    file = MeshFile


class FaceScapeTextureDataModule(_FaceScape, TextureDataModule):
    """The faces of FaceScape's texture maps, labelled as its meshes; see :class:`TextureDataModule`."""

    file = TextureMap
    config: TextureConfig

    def textures_of(self, meshes: Sequence[MeshFile]) -> list[TextureMap]:
        """Those of the people asked for."""
        wanted = [mesh for mesh in meshes if self.config.has(mesh.identity)]
        textures = find_textures(self.root, wanted)
        if len(textures) < len(wanted):
            say(f"{self.root}: {len(wanted) - len(textures)} of {len(wanted)} meshes have no texture")
        return textures
