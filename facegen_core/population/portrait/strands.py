"""Hair of the head as geometry: a cap of colour close to the scalp, and strands over it.

Strands are grown once a person, on the template; on a head they are where the space around the template goes.
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population import hair
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.portrait.around_head import COARSE_MM, FINE_MM, cells, space
from facegen_core.population.portrait.growing import Hair, grow_hair
from facegen_core.population.portrait.hairstyle import Hairstyle
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.ribbons import ribbons
from facegen_core.population.portrait.roots import Places, ground, skin
from facegen_core.population.portrait.skin_normals import normals, unit

CAP_MM = 0.9
"""The cap lies so high over the skin; under an afro it is thicker."""
CLEAR_MM = 0.5
"""No strand comes closer to the plane of the skin beneath it than this."""
NEAR_MM = 14.0
"""Further away than this, mm, nothing is in a strand's way."""
ROOTED_MM = 25.0
"""So far from the scalp a strand goes wholly where its root goes; beyond, where the space around the head goes."""


class Growth(NamedTuple):
    """A person's strands on the template, and how they go along to another head.

    Attributes:
        combed: the strands.
        away: (S, N, 3) the way out of the head.
        roots: where they start on the skin.
        rooted: (S, N, 1) how much of its root's place a point takes over.
        carried: (S * N, L) how they follow the lattice around the head.
        close: (C,) which of their points lie close to the skin,
        beneath: (C,) and the place on the skin under each.
    """

    combed: Hair
    away: Floats
    roots: Places
    rooted: Floats
    carried: csr_array
    close: Indices
    beneath: Places


def hair_pieces(style: Hairstyle, look: Appearance, head: Floats, anatomy: Anatomy, strands: int) -> list[Piece]:
    """The hair of a head; quick for a person whose hair was grown before.

    Args:
        style: how it is worn.
        look: the person's.
        head: (V, 3) mm, in the anatomy's frame, with its expression.
        anatomy: the head's.
        strands: most strands there may be; about 600 for a picture of 128 pixels, 5000 for 1024.

    Returns:
        The cap and the strands; nothing for the bald.
    """
    if style.cut == "bald" or strands < 1:
        return []
    head = head.astype(np.float32, copy=False)
    normal = normals(head, anatomy)
    cap = _cap(style, look, head, normal, anatomy)
    growth = grown(style, look, anatomy, strands)
    if growth is None:
        return cap
    lines, combed = on_head(growth, head, normal, anatomy), growth.combed
    return [*cap, ribbons(lines, growth.away, combed.width, combed.colours, combed.roll)]


def on_head(growth: Growth, head: Floats, normal: Floats, anatomy: Anatomy) -> Floats:
    """The middle lines (S, N, 3) of a person's strands on a head (V, 3) with normals (V, 3)."""
    template = anatomy.template.numpy().astype(np.float32)
    moved = growth.carried @ (space(anatomy).carried @ (head - template))
    lines = growth.combed.lines + moved.reshape(growth.combed.lines.shape)
    starts = growth.roots.on(head, normal)
    lines += growth.rooted * (starts - lines[:, 0])[:, None]
    points = lines.reshape(-1, 3)
    under, away = growth.beneath.on(head, normal), unit(growth.beneath.normals(normal))
    over = points[growth.close] - under
    missing = (CLEAR_MM - np.einsum("pc,pc->p", over, away)).clip(0, NEAR_MM)
    points[growth.close] += missing[:, None] * away
    return lines


@functools.lru_cache(maxsize=8)
def scalp_cover(look: Appearance, anatomy: Anatomy) -> Floats:
    """How thick hair lies on the map (R, R), as it is painted."""
    return hair.scalp(look, ground(anatomy))


@functools.lru_cache(maxsize=8)
def grown(style: Hairstyle, look: Appearance, anatomy: Anatomy, strands: int) -> Growth | None:
    """A person's strands on the template; None if no hair grows there."""
    combed = grow_hair(style, look, scalp_cover(look, anatomy), anatomy, strands)
    if combed is None:
        return None
    around, lines = space(anatomy), combed.lines
    points = lines.reshape(-1, 3)
    distance, away = around.look_up(points)
    close = np.flatnonzero(distance < NEAR_MM)
    at, share = cells(points[close], FINE_MM)
    nodes, weights = cells(points, COARSE_MM)
    starts = np.arange(0, nodes.size + 1, 8)
    grown_mm = np.linalg.norm(np.diff(lines, axis=1, prepend=lines[:, :1]), axis=2).cumsum(1)
    free = len(lines) - len(combed.rows)
    rooted = np.exp(-((grown_mm / ROOTED_MM) ** 2)) * (np.arange(len(lines)) < len(combed.rows))[:, None]
    return Growth(
        combed=combed,
        away=away.reshape(lines.shape),
        roots=skin(anatomy).places(np.concatenate([combed.rows, combed.rows[:1].repeat(free)])),
        rooted=rooted[..., None].astype(np.float32),
        carried=csr_array((weights.ravel(), nodes.ravel(), starts), shape=(len(nodes), around.carried.shape[0])),
        close=close,
        beneath=skin(anatomy).places(around.nearest[at[np.arange(len(at)), share.argmax(1)]]),
    )


def _cap(style: Hairstyle, look: Appearance, head: Floats, normal: Floats, anatomy: Anatomy) -> list[Piece]:
    """The scalp, where it is thick with hair, lifted and in the hair's colour; its rim dips into the skin."""
    used, faces, inner = _covered(look, anatomy)
    if not len(faces):
        return []
    high = 0.5 * style.volume if style.flow == "out" else CAP_MM
    away = normal[used]
    down = np.array([0.0, -1.0, -0.2], np.float32)
    return [
        Piece(
            vertices=(head[used] + (high * inner - 0.4 * (1 - inner))[:, None] * away).astype(np.float32),
            faces=faces,
            colours=((np.array(look.hair) + 0.01) * (1 - 0.3 * inner)[:, None]).clip(0, 1).astype(np.float32),
            material="hair",
            normals=away,
            tangents=unit(down - (away @ down)[:, None] * away + 1e-4),
        )
    ]


@functools.lru_cache(maxsize=8)
def _covered(look: Appearance, anatomy: Anatomy) -> tuple[Indices, Indices, Floats]:
    """What thick hair covers of the skin.

    Returns:
        (C,) vertices; (F, 3) the triangles between them; (C,) 1 where all around is covered, 0 at the rim.
    """
    triangles = anatomy.faces[anatomy.parts["skin"]]
    thick = (_cover_of_vertices(look, anatomy) > 0.75)[triangles].all(1)
    used, corners = np.unique(triangles[thick], return_inverse=True)
    rim = np.isin(used, triangles[~thick])
    return used, corners.reshape(-1, 3).astype(np.int64), 1 - rim.astype(np.float32)


@functools.lru_cache(maxsize=8)
def _cover_of_vertices(look: Appearance, anatomy: Anatomy) -> Floats:
    """How thick hair lies around each vertex, (V,)."""
    soil = skin(anatomy)
    cover = scalp_cover(look, anatomy).ravel()[soil.texel]
    weight = (soil.shares * soil.area[:, None]).ravel()
    count = len(anatomy.template)
    total = np.bincount(soil.corners.ravel(), weight * cover.repeat(3), count)
    return (total / np.maximum(np.bincount(soil.corners.ravel(), weight, count), 1e-6)).astype(np.float32)
