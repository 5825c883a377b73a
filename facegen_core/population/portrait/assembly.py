"""Pieces joined to one mesh with everything a camera needs to know at its vertices."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facegen_core.geometry.normals import vertex_normals
from facegen_core.images import linear
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.noise import bump
from facegen_core.population.portrait.bust import turn_head
from facegen_core.population.portrait.occlusion import below_head, head_openness
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.shade import MATERIALS

Points = npt.NDArray[np.float64]

NORMAL, COLOUR, TANGENT, OPEN, GLOSS, REST = (
    slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 10), slice(10, 11), slice(11, 14),
)  # fmt: skip
"""Columns of :attr:`Assembly.attributes`; ``REST`` is the place in the frame of the head before it turned, mm."""
COLUMNS = 14
MOUTH_BACK_MM, MOUTH_DEEP_MM = -5.0, 50.0
"""Where the mouth is dark, and how far in front of that it is lit; z on the template."""


class Assembly(NamedTuple):
    """One mesh; the first triangles are the head's.

    Attributes:
        vertices: (N, 3) float32, mm, in the world.
        faces: (F, 3) int64.
        attributes: (N, 14) float32, see :data:`NORMAL` and the others.
        material: (F,) int64 index into ``shade.MATERIALS``.
        thin: (F,) bool, seen from both sides.
    """

    vertices: Tensor
    faces: Tensor
    attributes: Tensor
    material: Tensor
    thin: Tensor


def assemble(head: Points, rotation: Points, pieces: list[Piece], anatomy: Anatomy) -> Assembly:
    """Joins a head and the pieces that go with it.

    Args:
        head: (V, 3) mm, as it looks before it turns.
        rotation: (3, 3) by which it, and what follows it, turns on the neck.
        pieces: all else.
        anatomy: the head's triangles.
    """
    parts = [_head(head, rotation, anatomy), *(_piece(piece, rotation) for piece in pieces)]
    first = np.cumsum([0, *(len(part.vertices) for part in parts)]).tolist()
    faces = torch.cat([part.faces + start for part, start in zip(parts, first, strict=False)])
    vertices, attributes, material, thin = (
        torch.cat([getattr(part, name) for part in parts]) for name in ("vertices", "attributes", "material", "thin")
    )
    return Assembly(vertices, faces, attributes, material, thin)


def _head(head: Points, rotation: Points, anatomy: Anatomy) -> Assembly:
    faces = torch.from_numpy(anatomy.faces)
    vertices = torch.from_numpy(turn_head(head, rotation)).float()
    attributes = torch.zeros(len(head), COLUMNS)
    attributes[:, NORMAL] = vertex_normals(vertices[None], faces)[0]
    attributes[:, OPEN], attributes[:, GLOSS] = _openness(anatomy)[:, None], _gloss(anatomy)[:, None]
    attributes[:, REST] = torch.from_numpy(head).float()
    return Assembly(vertices, faces, attributes, _materials(anatomy), torch.zeros(len(faces), dtype=torch.bool))


@functools.lru_cache(maxsize=1)
def _materials(anatomy: Anatomy) -> Tensor:
    material = np.full(len(anatomy.faces), MATERIALS.index("skin"))
    for part in ("left eye", "right eye"):
        material[anatomy.parts[part]] = MATERIALS.index("eye")
    return torch.from_numpy(material)


@functools.lru_cache(maxsize=1)
def _openness(anatomy: Anatomy) -> Tensor:
    """Share of the light from around that reaches each vertex, (V,); the mouth's inside is that of an open mouth."""
    openness = head_openness(anatomy).clone()
    for part in ("mouth", "tongue"):
        inside = torch.from_numpy(np.unique(anatomy.faces[anatomy.parts[part]]))
        depth = ((anatomy.template[inside, 2] - MOUTH_BACK_MM) / MOUTH_DEEP_MM).clamp(0.02, 1).float()
        openness[inside] = torch.maximum(openness[inside] * depth, 0.5 * depth)
    return openness


@functools.lru_cache(maxsize=1)
def _gloss(anatomy: Anatomy) -> Tensor:
    """How much skin shines, (V,): oily on nose, forehead and chin, wet on the lips and inside the mouth."""
    x, y, z = anatomy.template.numpy().T
    oily = (
        0.75 + 0.7 * bump(x, y - 5, 9, 20) + 0.5 * bump(x, y - 68, 32, 18) + 0.4 * bump(np.abs(x) - 42, y - 2, 14, 12)
    )
    oily += 0.4 * bump(x, y + 74, 12, 9) + 0.9 * bump(x, y + 48, 20, 8)
    oily = np.where(z > 0, oily, 0.6)
    for part in ("mouth", "tongue"):
        oily[np.unique(anatomy.faces[anatomy.parts[part]])] = 1.3
    return torch.from_numpy(oily).float()


def _piece(piece: Piece, rotation: Points) -> Assembly:
    turns = piece.follows == "head"
    vertices, faces = torch.from_numpy(np.asarray(piece.vertices, np.float32)), torch.from_numpy(piece.faces).long()
    attributes = torch.zeros(len(vertices), COLUMNS)
    attributes[:, REST] = vertices
    matrix = torch.from_numpy(rotation).float()
    if turns:
        vertices = torch.from_numpy(turn_head(piece.vertices, rotation)).float()
    if piece.normals is None:
        attributes[:, NORMAL] = vertex_normals(vertices[None], faces)[0]
    else:
        normals = torch.from_numpy(np.asarray(piece.normals, np.float32))
        attributes[:, NORMAL] = normals @ matrix.T if turns else normals
    if piece.tangents is not None:
        tangents = torch.from_numpy(np.asarray(piece.tangents, np.float32))
        attributes[:, TANGENT] = tangents @ matrix.T if turns else tangents
    attributes[:, COLOUR] = linear(torch.from_numpy(np.asarray(piece.colours, np.float32)))
    attributes[:, OPEN] = 1.0
    if piece.material == "tooth":
        attributes[:, OPEN] = _behind_lips(attributes[:, REST])[:, None]
    elif not turns:
        attributes[:, OPEN] = below_head(vertices, attributes[:, NORMAL])[:, None]
    attributes[:, GLOSS] = 1.0
    material = torch.full((len(faces),), MATERIALS.index(piece.material))
    return Assembly(vertices, faces, attributes, material, torch.full((len(faces),), piece.thin))


def _behind_lips(points: Tensor) -> Tensor:
    """Openness (N,) of teeth: those at the sides lie deeper in the mouth."""
    return (0.75 - (points[:, 0].abs() / 34) ** 2).clamp(min=0.12)
