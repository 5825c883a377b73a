"""FaceScape TU models, and any registered meshes laid out like them."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from datamodules.meshes import MeshDataModule
from datamodules.prepare.facescape import MeshFile, find_meshes
from datamodules.prepare.mesh_cache import OBJ, MeshReader


class FaceScapeDataModule(MeshDataModule):
    """FaceScape's meshes in mm, each labelled with one of its expressions; see :class:`MeshDataModule`."""

    file = MeshFile

    def find(self, root: Path) -> tuple[list[MeshFile], MeshReader]:
        """All registered OBJ files."""
        return find_meshes(root), OBJ

    def label(self, meshes: list[Any]) -> tuple[Tensor, list[str]]:
        """Class labels, as the files are numbered, and the names of the files."""
        names = {mesh.expression: mesh.name for mesh in meshes}
        labels = torch.tensor([mesh.expression for mesh in meshes], dtype=torch.int64)
        return labels, [names.get(k, "") for k in range(max(names) + 1)]
