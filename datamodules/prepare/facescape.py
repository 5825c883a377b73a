"""What a FaceScape TU folder holds: found as its owners hand it out, gaps and all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datamodules.prepare.prnet import TextureFile
from datamodules.prepare.report import counted, unreadable_meshes
from facegen_core.errors import DatasetNotFoundError
from facegen_core.geometry.mesh import read_obj_vertices
from facegen_core.progress import say

EXPECTED = """Expected, flat or below folders like facescape_trainset_001_100/:
  <root>/<person 1, 2, ...>/models_reg/<k>_<expression>.obj    k = 1 neutral, 2 smile, ... (gaps may be)
  <root>/<person>/models_reg/<k>_<expression>.jpg              texture, optional
Licence and application: https://facescape.nju.edu.cn
Without it: facegen data population --layout facescape --people 200 --out DIR"""

_MESH = re.compile(r"(\d+)_([^/]+)\.obj")


@dataclass(frozen=True)
class MeshFile:
    """One mesh of a data set.

    Attributes:
        path: relative to the data set's root.
        identity: the person's number, as its folder is called.
        expression: from 0: the file's number minus one.
        name: the expression's name, as the file is called.
    """

    path: str
    identity: int
    expression: int
    name: str

    @property
    def labels(self) -> str:
        """Who and what, for the cache's digest."""
        return f"{self.identity} {self.expression} {self.name}"


class TextureMap(MeshFile):
    """The texture of one of the meshes; ``path`` is the texture's."""

    def texture(self, root: Path) -> TextureFile:
        """Where it is read from."""
        return TextureFile(root / self.path)


def find_meshes(root: Path) -> list[MeshFile]:
    """All registered meshes below ``root``, by person and expression.

    Raises:
        DatasetNotFoundError: no folder, or nothing in it that looks like FaceScape.
    """
    if not root.is_dir():
        raise DatasetNotFoundError(f"{root}: no such folder.\n{EXPECTED}")
    found = []
    for folder in sorted([*root.glob("*/models_reg"), *root.glob("*/*/models_reg")]):
        if folder.parent.name.isdigit():
            for path in folder.iterdir():
                if match := _MESH.fullmatch(path.name):
                    relative = path.relative_to(root).as_posix()
                    found.append(MeshFile(relative, int(folder.parent.name), int(match[1]) - 1, match[2]))
    if not found:
        raise DatasetNotFoundError(f"{root}: no meshes found.\n{EXPECTED}")
    if zero := [mesh.path for mesh in found if mesh.expression < 0]:
        raise DatasetNotFoundError(f"{root}: {counted('meshes numbered 0', zero)}; numbers begin at 1.\n{EXPECTED}")
    found.sort(key=lambda mesh: (mesh.identity, mesh.expression, mesh.path))
    return _first_of_each(found)


def find_textures(root: Path, meshes: Sequence[MeshFile]) -> list[TextureMap]:
    """The textures that lie beside meshes, ``<k>_<expression>.jpg``, as far as they are there."""
    textures = [TextureMap(**vars(mesh) | {"path": mesh.path.removesuffix(".obj") + ".jpg"}) for mesh in meshes]
    return [texture for texture in textures if (root / texture.path).is_file()]


def _first_of_each(meshes: list[MeshFile]) -> list[MeshFile]:
    """Leaves out, and names, meshes that are there twice: flat and below a zip's folder."""
    first: dict[tuple[int, int], MeshFile] = {}
    again = [mesh.path for mesh in meshes if first.setdefault((mesh.identity, mesh.expression), mesh) is not mesh]
    if again:
        say(counted("meshes found a second time and left out", again))
    return list(first.values())


def is_facescape(root: Path) -> bool:
    """Whether a folder looks like FaceScape."""
    return any(any(root.glob(pattern)) for pattern in ("*/models_reg", "*/*/models_reg"))


def check_facescape(root: Path, deep: bool = False) -> str:
    """Says what a folder has, what it lacks and what would be skipped.

    Args:
        root: the data set's folder.
        deep: also read every mesh.

    Raises:
        DatasetNotFoundError: it holds no FaceScape data.
    """
    meshes = find_meshes(root)
    people = sorted({mesh.identity for mesh in meshes})
    names = {mesh.expression: mesh.name for mesh in meshes}
    have = {(mesh.identity, mesh.expression) for mesh in meshes}
    absent = [f"{i}/{k + 1}_{names[k]}" for i in people for k in sorted(names) if (i, k) not in have]
    untextured = [mesh.path for mesh in meshes if not (root / mesh.path).with_suffix(".jpg").is_file()]
    gaps = sorted(set(range(people[0], people[-1] + 1)) - set(people))
    lines = [
        f"{root}: {len(meshes)} meshes of {len(people)} people, {len(names)} expressions",
        counted("people missing in between", [str(number) for number in gaps]),
        counted("meshes missing", absent),
        counted("meshes without texture (only textures need them)", untextured),
    ]
    if deep:
        bad = unreadable_meshes(root, [mesh.path for mesh in meshes], read_obj_vertices)
        lines.append(counted("meshes that cannot be read and will be skipped", bad))
    else:
        lines.append("meshes not opened; --deep reads every one")
    return "\n".join(lines)
