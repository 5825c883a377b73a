"""What the fragments of a picture show: skin with its texture, eyes, the inside of the mouth, hair and clothes."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.geometry.rasteriser import Fragments
from facegen_core.geometry.shading import interpolate, sample_texture
from facegen_core.images import from_uint8, linear
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.portrait.assembly import COLOUR, GLOSS, NORMAL, OPEN, REST, TANGENT, Assembly
from facegen_core.population.portrait.eyeballs import Eyeball, seen_eye
from facegen_core.population.portrait.shade import Surface

INSIDE = {"mouth": (0.42, 0.17, 0.17), "tongue": (0.62, 0.31, 0.30)}
"""sRGB of what lies behind the teeth."""
EYE_TEXEL = 0.35
"""mm: the finest detail of an eye."""
HAIRLINE_ROOM = 96.0
"""Height, mm on the template, up to which skin counts as the face."""


class Skin(NamedTuple):
    """What a person's head is covered with.

    Attributes:
        texture: (R, R, 3) uint8.
        eyes: by the names of their parts.
        look: the person's.
        rotation: (3, 3) of the head.
    """

    texture: npt.NDArray[np.uint8]
    eyes: dict[str, Eyeball]
    look: Appearance
    rotation: npt.NDArray[np.float64]


def seen(scene: Assembly, fragments: Fragments, skin: Skin, eye: Tensor, anatomy: Anatomy) -> Surface:
    """The surface at P fragments, seen from ``eye`` (3,)."""
    attributes = interpolate(scene.attributes, scene.faces, fragments)
    surface = Surface(
        position=interpolate(scene.vertices, scene.faces, fragments),
        normal=F.normalize(attributes[:, NORMAL], dim=1),
        tangent=F.normalize(attributes[:, TANGENT], dim=1),
        colour=attributes[:, COLOUR].contiguous(),
        material=scene.material[fragments.face],
        open=attributes[:, OPEN.start].contiguous(),
        gloss=attributes[:, GLOSS.start].contiguous(),
    )
    _cover_head(surface, attributes[:, REST], fragments, skin, anatomy)
    away = ((eye.float() - surface.position) * surface.normal).sum(1) < 0
    flip = torch.where(scene.thin[fragments.face] & away, -1.0, 1.0)
    return surface._replace(normal=surface.normal * flip[:, None])


def _cover_head(surface: Surface, rest: Tensor, fragments: Fragments, skin: Skin, anatomy: Anatomy) -> None:
    """Gives the head's fragments their colours, in place, and the eyes their normals and the shade of their lids."""
    on_head = (fragments.face < len(anatomy.faces)).nonzero().flatten()
    there = Fragments(*(field.index_select(0, on_head) for field in fragments))
    uv = interpolate(torch.from_numpy(anatomy.uv), torch.from_numpy(anatomy.faces_uv), there)
    surface.colour[on_head] = linear(sample_texture(from_uint8(skin.texture)[None], there.picture, uv))
    names = list(anatomy.parts)
    part = _parts(anatomy)[there.face]
    for name, colour in INSIDE.items():
        surface.colour[on_head[part == names.index(name)]] = linear(torch.tensor(colour))
    for name, ball in skin.eyes.items():
        chosen = on_head[part == names.index(name)]
        if len(chosen):
            colours, outwards, let_through = seen_eye(ball, rest[chosen].double().numpy(), skin.look, EYE_TEXEL)
            surface.colour[chosen] = linear(torch.from_numpy(colours))
            surface.normal[chosen] = torch.from_numpy(outwards @ skin.rotation.T).float()
            surface.open[chosen] = torch.from_numpy(let_through).float()


@functools.lru_cache(maxsize=1)
def _parts(anatomy: Anatomy) -> Tensor:
    """Which part each triangle of the head belongs to, (F,)."""
    part = np.empty(len(anatomy.faces), dtype=np.int64)
    for i, triangles in enumerate(anatomy.parts.values()):
        part[triangles] = i
    return torch.from_numpy(part)


@functools.lru_cache(maxsize=1)
def face_triangles(anatomy: Anatomy) -> Tensor:
    """Which of the head's triangles are its face, (F,) bool: skin from the hairline to the chin, eyes, mouth."""
    middle = anatomy.template.numpy()[anatomy.faces].mean(1)
    chin = anatomy.template.numpy()[anatomy.head.numpy(), 1].min()
    front = (middle[:, 2] > -35) & (middle[:, 1] > chin) & (middle[:, 1] < HAIRLINE_ROOM)
    skin = np.zeros(len(anatomy.faces), dtype=bool)
    skin[anatomy.parts["skin"]] = True
    return torch.from_numpy(front | ~skin)
