"""What people wear in portraits: the skin of neck and chest, everyday clothes, and costumes.

All of it comes out in two frames: pieces that follow the head are in the head's frame, before it turns, and
:func:`.bust.turn_head` moves them; pieces that follow the body are in the world's frame, where the neck already bends
to meet the head as it has turned.
"""

import functools
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.geometry.shading import sample_texture
from facegen_core.images import from_uint8
from facegen_core.names import find_name
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.identity import Identity
from facegen_core.population.portrait.bust import Body, Reals, bust_model, pose_body
from facegen_core.population.portrait.costumes.flower import flower
from facegen_core.population.portrait.costumes.royal import royal
from facegen_core.population.portrait.costumes.santa import santa
from facegen_core.population.portrait.costumes.sheep import sheep
from facegen_core.population.portrait.garments import under_cloth
from facegen_core.population.portrait.knitted import hoodie, knit, turtleneck
from facegen_core.population.portrait.outfits import Kind, Outfit, draw_outfit
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.solids import join
from facegen_core.population.portrait.tailored import shirt, suit
from facegen_core.seeding import numpy_generator

_COSTUME = 141
CAPTIONS = {
    "normal": "normal costume",
    "flower": "cute flower costume",
    "sheep": "cute white sheep costume",
    "santa": "Santa Claus costume",
    "royal": "traditional golden palace costume",
}
"""Costumes, and what MCDM's prompts call them [P section 4.1]."""
COSTUMES = tuple(CAPTIONS)
HIDES_HAIR: dict[str, Literal["none", "top", "all"]] = {
    "normal": "none", "flower": "all", "sheep": "all", "santa": "top", "royal": "none",
}  # fmt: skip
"""Which hair has no room below what is worn on the head: none of it, what lies above the ears, or all."""
_MAKERS: dict[str, Callable[[np.random.Generator, Reals, Body, Anatomy], list[Piece]]] = {
    "flower": flower, "sheep": sheep, "santa": santa, "royal": royal,
}  # fmt: skip

COVERED_MM = 12.0
"""Skin further below the edge of clothes than this is left out."""
EDGE_MM = 45.0
"""How far below the edge of the head the paint there can be seen."""


def bust_pieces(
    head: npt.NDArray[np.floating],
    identity: Identity,
    anatomy: Anatomy,
    outfit: Outfit,
    neck_colour: npt.ArrayLike,
    head_rotation: npt.NDArray[np.floating] | None = None,
) -> list[Piece]:
    """Neck, chest and everyday clothes, in the WORLD frame: nothing is to be turned with the head any more.

    The caller turns the head by ``head_rotation`` about :data:`.bust.NECK_PIVOT` (:func:`.bust.turn_head`), and the
    skin's uppermost ring then coincides with the edge of the head mesh and has the normals that the head alone has.

    Args:
        head: (H, 3) mm, with its expression, before it turns.
        identity: whose body: its build follows gender, weight, muscle and age.
        anatomy: of the head.
        outfit: what is worn.
        neck_colour: (3,) or (L, 3) sRGB of the painted skin at the head's edge; see :func:`neck_colours`.
        head_rotation: (3, 3); None for a straight head.

    Returns:
        The skin first, then what is worn.
    """
    body = pose_body(head, identity, anatomy, np.eye(3) if head_rotation is None else head_rotation)
    return [bare_skin(body, identity, anatomy, outfit.kind, neck_colour), *_clothes(outfit, body, anatomy)]


def costume_pieces(
    name: str,
    seed: int,
    head: npt.NDArray[np.floating],
    identity: Identity,
    anatomy: Anatomy,
    neck_colour: npt.ArrayLike,
    head_rotation: npt.NDArray[np.floating] | None = None,
) -> list[Piece]:
    """A costume with the skin that it leaves bare; in place of everyday clothes.

    Pieces that follow the head (hats, hoods, crowns) are in the HEAD's frame and are to be turned with it; those that
    follow the body come out in the WORLD frame as those of :func:`bust_pieces` do.

    Args:
        name: one of :data:`COSTUMES`; "normal" is everyday clothes drawn from the seed.
        seed: of the costume's colours and details.
        head: (H, 3) mm, with its expression, before it turns.
        identity: whose body.
        anatomy: of the head.
        neck_colour: as for :func:`bust_pieces`.
        head_rotation: (3, 3) about :data:`.bust.NECK_PIVOT`; None for a straight head.

    Raises:
        ConfigError: no such costume.
    """
    name = COSTUMES[find_name(name, COSTUMES, "costume")]
    if name == "normal":
        outfit = draw_outfit(seed, female=identity.appearance.female > 0.5)
        return bust_pieces(head, identity, anatomy, outfit, neck_colour, head_rotation)
    body = pose_body(head, identity, anatomy, np.eye(3) if head_rotation is None else head_rotation)
    random = numpy_generator(seed, _COSTUME, COSTUMES.index(name))
    worn = _MAKERS[name](random, np.asarray(head, dtype=np.float64), body, anatomy)
    return [bare_skin(body, identity, anatomy, "crew", neck_colour), *worn]


def neck_colours(texture: npt.NDArray[np.uint8], anatomy: Anatomy) -> Reals:
    """What a painted map (H, W, 3) shows at the edge of the head: (L, 3) sRGB in [0, 1], as bust_pieces takes it."""
    uv = torch.from_numpy(_edge_uv(anatomy))
    sampled = sample_texture(from_uint8(texture)[None], torch.zeros(len(uv), dtype=torch.int64), uv)
    return sampled.numpy().astype(np.float64)


def bare_skin(body: Body, identity: Identity, anatomy: Anatomy, kind: Kind, neck_colour: npt.ArrayLike) -> Piece:
    """The bare skin of neck, chest and arms under clothes of some kind."""
    model = bust_model(anatomy)
    kept, faces = _left_bare(anatomy, kind)
    spread, edge = _edge_shares(anatomy)
    ring = np.broadcast_to(np.asarray(neck_colour, dtype=np.float64), (len(model.ring), 3))
    light = ring.sum(1) >= np.quantile(ring.sum(1), 0.75)  # where neither a beard nor the hair of the nape grows
    usual = 0.5 * ring[light].mean(0) + 0.5 * np.array(identity.tone)
    colours = usual + edge[:, None] * (spread @ ring - usual)
    return Piece(
        vertices=body.vertices[kept].astype(np.float32),
        faces=faces,
        colours=colours[kept].clip(0, 1).astype(np.float32),
        material="skin",
        follows="body",
        normals=body.normals[kept].astype(np.float32),
    )


def _clothes(outfit: Outfit, body: Body, anatomy: Anatomy) -> list[Piece]:
    if outfit.kind == "suit":
        return suit(outfit, body, anatomy)
    makers = {"shirt": shirt, "turtleneck": turtleneck, "hoodie": hoodie}
    return [join(makers.get(outfit.kind, knit)(outfit, body, anatomy), "cloth", thin=True)]


@functools.cache
def _left_bare(anatomy: Anatomy, kind: Kind) -> tuple[Indices, Indices]:
    """Vertices and triangles of the bust that clothes of a kind leave bare."""
    model = bust_model(anatomy)
    seen = (under_cloth(kind, model.template) < COVERED_MM)[model.faces].any(1)
    kept, faces = np.unique(model.faces[seen], return_inverse=True)
    return kept, faces.reshape(-1, 3).astype(np.int64)


@functools.lru_cache(maxsize=1)
def _edge_shares(anatomy: Anatomy) -> tuple[Reals, Reals]:
    """For each vertex of the bust the shares (N, L) of the edge's colours, and how much it shows them at all (N,)."""
    model = bust_model(anatomy)
    far = np.linalg.norm(model.template[:, None] - model.template[model.ring], axis=2)
    nearest = far.min(1)
    near = np.exp(-((far - nearest[:, None]) / (2 + 0.25 * nearest[:, None])))
    near /= near.sum(1, keepdims=True)
    near[model.ring] = np.eye(len(model.ring))
    return near, np.exp(-((nearest / EDGE_MM) ** 2))


@functools.lru_cache(maxsize=1)
def _edge_uv(anatomy: Anatomy) -> Floats:
    """(L, 2) where the edge of the head lies on the map; of the two sides of the cut, either."""
    place = np.zeros(len(anatomy.template), dtype=np.int64)
    triangles = anatomy.parts["skin"]
    place[anatomy.faces[triangles]] = anatomy.faces_uv[triangles]
    return anatomy.uv[place[bust_model(anatomy).head_ring]]
