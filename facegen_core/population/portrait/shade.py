"""What light a surface sends to the camera: skin, hair, eyes, teeth, cloth and metal. Colours are linear."""

from typing import NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.geometry.shading import reflected
from facegen_core.population.portrait.light import Light
from facegen_core.population.portrait.pieces import Material

MATERIALS: tuple[str, ...] = get_args(Material)

_LOOKS: dict[str, tuple[tuple[float, float, float], float, float, float]] = {
    "hair": ((0.35, 0.35, 0.35), 0.0, 1.0, 0.0),
    "cloth": ((0.12, 0.12, 0.12), 0.02, 6.0, 0.25),
    "wool": ((0.4, 0.4, 0.4), 0.0, 1.0, 0.3),
    "metal": ((0.0, 0.0, 0.0), 0.75, 40.0, 0.3),
    "jewel": ((0.2, 0.2, 0.2), 0.25, 160.0, 0.6),
    "petal": ((0.4, 0.4, 0.4), 0.03, 12.0, 0.2),
    "skin": ((0.30, 0.13, 0.09), 0.030, 16.0, 0.35),
    "tooth": ((0.25, 0.22, 0.2), 0.045, 70.0, 0.2),
    "eye": ((0.15, 0.15, 0.15), 0.05, 420.0, 0.5),
}
"""By material: how far light creeps round into the shade, in red, green and blue (in skin red goes furthest); share
reflected when looked at straight (Schlick 1994); sharpness of that reflection (Blinn 1977); and how much a surface
brightens at its rim."""


class Surface(NamedTuple):
    """What is seen at P fragments.

    Attributes:
        position: (P, 3) mm.
        normal: (P, 3) unit vectors, on the side of the camera.
        tangent: (P, 3) along hair; anything elsewhere.
        colour: (P, 3) linear.
        material: (P,) int64 index into :data:`MATERIALS`.
        open: (P,) share of the light from around that is not hidden.
        gloss: (P,) factor of the reflection: oily skin, wet lips.
    """

    position: Tensor
    normal: Tensor
    tangent: Tensor
    colour: Tensor
    material: Tensor
    open: Tensor
    gloss: Tensor


def shade(surface: Surface, light: Light, lit: Tensor, eye: Tensor) -> Tensor:
    """Light (P, 3) towards a camera at ``eye`` (3,); ``lit`` (P,) is the share of the key light that arrives."""
    wrap, strength, sharpness, rim = (column.index_select(0, surface.material) for column in _table())
    view = F.normalize(eye - surface.position, dim=1)
    key, key_colour = torch.tensor(light.key), torch.tensor(light.key_colour)
    turned = surface.normal @ key
    facing = ((turned[:, None] + wrap) / (1 + wrap)).clamp(min=0)
    creeping = lit[:, None] ** (1 / (1 + 2 * wrap))  # the edge of a shadow on skin is red
    around = reflected(surface.normal, light.around())
    colour = surface.colour * (key_colour * facing * creeping + around * _bounced(surface.open, surface.colour))
    glance = _glance(surface.normal, view)
    colour = colour + _highlight(surface, view, key, light, strength, sharpness, lit, turned)
    colour = colour + (rim * surface.open * surface.gloss * glance)[:, None] * around * 0.5
    hairy = (surface.material == MATERIALS.index("hair")).nonzero().flatten()
    if len(hairy):
        picked = Surface(*(field.index_select(0, hairy) for field in surface))
        colour[hairy] = _hair(picked, light, lit[hairy], view[hairy], around[hairy])
    return colour


def _table() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rows = [_LOOKS[name] for name in MATERIALS]
    wrap, *others = zip(*rows, strict=True)
    strength, sharpness, rim = (torch.tensor(column) for column in others)
    return torch.tensor(wrap), strength, sharpness, rim


def _bounced(openness: Tensor, colour: Tensor) -> Tensor:
    """Light from around in a hollow, (P, 3): what is reflected within it has the surface's colour (Jimenez 2016)."""
    hidden = 1 - openness[:, None]
    return openness[:, None] + hidden * openness[:, None] * 0.9 * colour


def _glance(normal: Tensor, view: Tensor) -> Tensor:
    return (1 - (normal * view).sum(1).clamp(0, 1)) ** 5


def _highlight(
    surface: Surface, view: Tensor, key: Tensor, light: Light, strength: Tensor, sharpness: Tensor, lit: Tensor,
    turned: Tensor,
) -> Tensor:  # fmt: skip
    """The reflection of the key light, (P, 3), as broad as the light is; metal colours it."""
    half = F.normalize(view + key, dim=1)
    sharpness = sharpness / (1 + sharpness * light.softness**2)
    lobe = (surface.normal * half).sum(1).clamp(min=0) ** sharpness * (sharpness + 8) / 8
    fresnel = strength + (1 - strength) * (1 - (view * half).sum(1).clamp(0, 1)) ** 5
    amount = surface.gloss * lobe * fresnel * turned.clamp(min=0) * lit * (strength > 0)
    metal = (surface.material == MATERIALS.index("metal"))[:, None]
    return amount[:, None] * torch.tensor(light.key_colour) * torch.where(metal, surface.colour, 1.0)


def _hair(surface: Surface, light: Light, lit: Tensor, view: Tensor, around: Tensor) -> Tensor:
    """Hair as cylinders (Kajiya and Kay 1989) with a white and a coloured highlight (Marschner et al. 2003)."""
    key, key_colour = torch.tensor(light.key), torch.tensor(light.key_colour)
    along = surface.tangent @ key
    across = (1 - along**2).clamp(min=0).sqrt()
    facing = ((surface.normal @ key + 0.35) / 1.35).clamp(min=0)
    diffuse = (0.55 * facing + 0.45 * across * facing.sqrt()) * lit
    half = F.normalize(view + key, dim=1)
    first = _lobe(surface.tangent + 0.12 * surface.normal, half, 90) * 0.10
    second = _lobe(surface.tangent - 0.18 * surface.normal, half, 22)
    shine = first[:, None] + 0.55 * second[:, None] * surface.colour.clamp(min=0.01) ** 0.8
    direct = key_colour * (surface.colour * diffuse[:, None] + shine * (facing * lit)[:, None])
    return direct + surface.colour * around * surface.open[:, None]


def _lobe(tangent: Tensor, half: Tensor, sharpness: float) -> Tensor:
    along = (F.normalize(tangent, dim=1) * half).sum(1)
    return (1 - along**2).clamp(min=1e-6).sqrt() ** sharpness
