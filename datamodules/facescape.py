"""FaceScape TU models, and any registered meshes laid out like them."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from datamodules.config import TextureConfig
from datamodules.meshes import MeshDataModule
from datamodules.prepare.facescape import MeshFile, TextureMap, find_meshes, find_textures
from datamodules.prepare.mesh_cache import OBJ, MeshReader
from datamodules.textures import TextureDataModule
from facegen_core.progress import say


class FaceScapeDataModule(MeshDataModule):
    """FaceScape's meshes in mm, each labelled with one of its expressions; see :class:`MeshDataModule`."""

    file = MeshFile

    def find(self, root: Path) -> tuple[list[MeshFile], MeshReader]:
        """All registered OBJ files."""
        return find_meshes(root), OBJ

    def label(self, meshes: list[Any]) -> tuple[Tensor, list[str]]:
        """Class labels, as the files are numbered, and the names of the files."""
        return _classes(meshes)


class FaceScapeTextureDataModule(TextureDataModule):
    """The faces of FaceScape's texture maps, labelled as its meshes; see :class:`TextureDataModule`."""

    file = TextureMap
    config: TextureConfig

    def find(self, root: Path) -> tuple[list[MeshFile], list[TextureMap]]:
        """All meshes, and the textures of the people asked for."""
        meshes = find_meshes(root)
        wanted = [mesh for mesh in meshes if self.config.has(mesh.identity)]
        textures = find_textures(root, wanted)
        if len(textures) < len(wanted):
            say(f"{root}: {len(wanted) - len(textures)} of {len(wanted)} meshes have no texture")
        return meshes, textures

    def label(self, textures: list[Any]) -> tuple[Tensor, list[str]]:
        """Class labels, as the files are numbered, and the names of the files."""
        return _classes(textures)


def _classes(files: list[Any]) -> tuple[Tensor, list[str]]:
    names = {file.expression: file.name for file in files}
    labels = torch.tensor([file.expression for file in files], dtype=torch.int64)
    return labels, [names.get(k, "") for k in range(max(names) + 1)]
