"""Writes embedded people as a FaceScape TU folder, so that the reader of the real data set reads them."""

from pathlib import Path

import torch

from facegen_core.geometry.mesh import format_topology, format_vertices
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.expressions import FACESCAPE, personal_strengths
from facegen_core.population.identity import Person
from facegen_core.population.writing import TEXTURE_PIXELS, Layout, write_population, write_texture

BYTES_A_VERTEX = 130
"""Of an OBJ file with its triangles and texture coordinates."""


def write_facescape(out: Path, people: int, seed: int, texture_pixels: int = TEXTURE_PIXELS) -> None:
    """Writes ``<id>/models_reg/<k>_<name>.obj`` with ``.obj.mtl`` and ``.jpg`` for people 1..N and all 20 expressions.

    See :func:`facegen_core.population.writing.write_population`.

    Args:
        out: folder to write to.
        people: how many.
        seed: which population.
        texture_pixels: side of the textures, 16 to 1024.
    """
    layout = Layout("facescape", "{}", _names, _write_person, len(FACESCAPE), BYTES_A_VERTEX)
    write_population(out, layout, people, seed, texture_pixels)


def _names(seed: int, people: int) -> list[str]:
    return [str(person + 1) for person in range(people)]


def _write_person(out: Path, person: Person, shared: Anatomy, texture_pixels: int) -> None:
    folder = out / person.name / "models_reg"
    folder.mkdir(parents=True)
    topology = format_topology(shared.faces, shared.uv, shared.faces_uv)
    for k, name in enumerate(FACESCAPE, start=1):
        actions = personal_strengths(person.seed, person.number, name, shared.action_names)
        head = shared.express(person.neutral[None], torch.from_numpy(actions)[None])[0].numpy()
        stem = f"{k}_{name}"
        material = f"newmtl {stem}\nKa 0.2 0.2 0.2\nKd 1 1 1\nKs 0 0 0\nmap_Kd {stem}.jpg\n"
        (folder / f"{stem}.obj.mtl").write_text(material)
        header = f"mtllib {stem}.obj.mtl\n"
        (folder / f"{stem}.obj").write_text(header + format_vertices(head) + f"usemtl {stem}\n" + topology)
        write_texture(folder / f"{stem}.jpg", person, actions, shared, texture_pixels)
