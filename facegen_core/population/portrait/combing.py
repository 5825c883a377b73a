"""How hair lies: the middle lines of strands, grown on the template from their roots along the way they are combed."""

from typing import NamedTuple

import numpy as np

from facegen_core.geometry.mesh import Floats
from facegen_core.population.canvas import Bools
from facegen_core.population.noise import step
from facegen_core.population.portrait.around_head import Space
from facegen_core.population.portrait.hairstyle import Hairstyle
from facegen_core.population.portrait.skin_normals import unit

CROWN = np.array([6.0, 128.0, -105.0], np.float32)
PART_FRONT, PART_BACK = np.array([1.0, 100.0, 45.0], np.float32), np.array([0.4, 130.0, -95.0], np.float32)
"""Ends of the parting: x in parts of the style's, y and z in mm."""
MIDDLE = np.array([0.0, 40.0, -55.0], np.float32)
"""What an afro grows away from."""
OPEN_FACE = ([-115, -80, -40, 20, 50, 70, 85, 95, 101], [46, 53, 60, 63, 60, 50, 38, 22, 0])
"""Half the width, mm, that hair which is no fringe leaves free at each height of the face, mm."""
FACE_FRONT = -22.0
"""Only what lies further to the front than this, mm, can hang into the face."""
KNOT_MM = 16.0
"""Strands end so far before the middle of a knot."""
LEAST_MM, OVER_CAP_MM = 0.7, 0.9
"""Hair keeps this far away from the skin of the template, and a little after its root this much further."""


class Strands(NamedTuple):
    """Strands to grow.

    Attributes:
        start: (S, 3) on the template, mm.
        length: (S,) mm.
        layer: (S,) from 0, next to the skull, to 1, outermost.
        sway: (S,) standard normal: what makes one strand differ from the next.
        fringe: (S,) bool, combed over the forehead.
        loose: (S,) bool, hangs from a knot instead of going to it.
    """

    start: Floats
    length: Floats
    layer: Floats
    sway: Floats
    fringe: Bools
    loose: Bools


def topness(points: Floats) -> Floats:
    """From 0 at the sides and the back of the head to 1 on top, (P,)."""
    return step(points[:, 1] - 88 + 0.16 * (-60 - points[:, 2]).clip(0), 26).astype(np.float32)


def grow(style: Hairstyle, strands: Strands, space: Space, steps: int) -> Floats:
    """Middle lines (S, steps + 1, 3), mm, on the template; all segments of a strand have about the same length."""
    size, height = strands.length / np.float32(steps), _height(style, strands)
    distance, away = space.look_up(strands.start)
    at = strands.start + away * (LEAST_MM - distance).clip(0)[:, None]
    lift = style.lift * (0.6 + 0.4 * strands.layer) * np.where(strands.fringe, 0.4, 1.0)
    way = unit(away * lift[:, None] + _combed(style, strands, at, away) * (1 - 0.8 * lift)[:, None])
    way = np.where(strands.loose[:, None], np.array([0.0, 0.1, -1.0], np.float32), way)
    line = np.empty((len(at), steps + 1, 3), np.float32)
    line[:, 0] = at
    hold = 0.15 if style.flow == "out" else 0.9
    hug = {"out": 0.0, "knot": 0.7}.get(style.flow, 0.45)
    for i in range(1, steps + 1):
        grown = size * np.float32(i)
        way = unit(0.9 * way + hold * _combed(style, strands, at, away) + _pull(style, strands, grown))
        at = at + way * size[:, None]
        distance, away = space.look_up(at)
        risen, layered = 1 - np.exp(-grown / 4), 1 - np.exp(-grown / (12 + 0.9 * style.volume))
        least = LEAST_MM + OVER_CAP_MM * risen + height * layered
        near = step(3.0 * style.volume - distance, 8)
        moved = (least - distance).clip(0, size) - hug * near * (distance - least).clip(0, 0.6 * size)
        moved = np.where(strands.loose, (LEAST_MM - distance).clip(0), moved)
        at = at + away * moved[:, None].astype(np.float32)
        line[:, i] = at
    return line


def _height(style: Hairstyle, strands: Strands) -> Floats:
    """How far over the skull each strand likes to lie, (S,) mm."""
    top = topness(strands.start)
    sides = 0.75 if style.long else 0.4
    height = style.volume * (0.08 + 0.92 * strands.layer**0.7) * (sides + (1 - sides) * top)
    return np.where(strands.fringe, 2.0 + 0.35 * style.volume * strands.layer, height).astype(np.float32)


def _pull(style: Hairstyle, strands: Strands, grown: Floats) -> Floats:
    """Gravity, (S, 3), by what of a strand has grown: it takes over from the comb."""
    heavy = {"out": 0.02, "knot": 0.0, "up": 0.05}.get(style.flow, 0.15)
    weight = heavy + (1.6 * ((grown - 25) / 90).clip(0, 1) if style.flow in ("part", "crown") else 0)
    weight = np.where(strands.fringe, 0.35, np.where(strands.loose, 0.9, weight))
    return (weight[:, None] * [0.0, -1.0, 0.0]).astype(np.float32)


def _combed(style: Hairstyle, strands: Strands, at: Floats, away: Floats) -> Floats:
    """The way, (S, 3), of length about 1 and along the skull, in which hair is combed at points (S, 3)."""
    way = _flow(style, strands, at)
    way = np.where(strands.fringe[:, None], _over_forehead(style, strands, at), way)
    if style.flow != "out":
        way = way + _out_of_face(strands, at)
        way = way - np.einsum("sc,sc->s", way, away)[:, None] * away * 0.9
    return unit(way) * np.where(strands.loose, 0.05, 1.0).astype(np.float32)[:, None]


def _flow(style: Hairstyle, strands: Strands, at: Floats) -> Floats:
    sway = strands.sway
    if style.flow == "out":
        return unit(at - MIDDLE) + 0.12 * sway[:, None]
    if style.flow == "knot":
        return unit(np.array([0.0, *style.knot], np.float32) - at)
    sides = np.stack([0.1 * sway, np.full_like(sway, -1.0), -0.45 + 0.1 * sway], axis=1)
    if style.flow == "up":
        side = np.sign(style.part)
        top = np.stack([0.3 * side + 0.12 * sway, np.full_like(sway, 0.6), -0.8 + 0.1 * sway], axis=1)
        top[:, 2] += 1.1 * step(at[:, 2] - 30, 20)  # the front stands up before it falls back
    elif style.flow == "crown":
        top = unit(at - CROWN) + np.stack([0.35 * np.sign(style.part) + 0.25 * sway, 0 * sway, 0 * sway], axis=1)
    else:
        return _from_part(style, strands, at)
    share = topness(at)[:, None]
    return share * top + (1 - share) * sides


def _from_part(style: Hairstyle, strands: Strands, at: Floats) -> Floats:
    """Away from the parting; at the front also to the back, and behind the ears if hair is tucked there."""
    scale = np.array([style.part, 1, 1], np.float32)
    front, back = PART_FRONT * scale, PART_BACK * scale
    line = (back - front) / ((back - front) @ (back - front))
    way = at - front - ((at - front) @ line).clip(0, 1)[:, None] * (back - front)
    start = strands.start - front
    side = np.sign(start[:, 0] - (start @ line).clip(0, 1) * (back - front)[0])
    way[:, 0] += 14 * side * step(at[:, 2] + 95, 25)  # behind the crown hair falls to both sides and the middle
    way = unit(way)
    forward = step(at[:, 2] - 5, 30)
    way[:, 2] -= (0.75 + 0.15 * strands.sway) * forward
    way[:, 0] += 0.35 * forward * side + 0.06 * strands.sway
    if style.tucked:
        beside = step(at[:, 2] + 92, 10) * step(at[:, 1] - 10, 25) * step(np.abs(at[:, 0]) - 55, 10)
        way[:, 2] -= 2.5 * beside
    return way


def _over_forehead(style: Hairstyle, strands: Strands, at: Floats) -> Floats:
    """Combed to the front and down, a little to one side."""
    sideways = -0.25 * np.sign(style.part) + 0.10 * strands.sway + 0.004 * at[:, 0]
    return np.stack([sideways, np.full_like(sideways, -0.9), np.full_like(sideways, 0.5)], axis=1)


def _out_of_face(strands: Strands, at: Floats) -> Floats:
    inside = into_face(at, strands.sway) * ~strands.fringe
    way = np.zeros_like(at)
    way[:, 0] = 2.5 * (inside / 12).clip(0, 1) * np.sign(at[:, 0])
    way[:, 2] = -1.2 * (inside / 12).clip(0, 1)
    return way


def into_face(points: Floats, sway: Floats) -> Floats:
    """How far, mm, points (P, 3) lie inside the part of the face that is to be free, (P,)."""
    free = np.interp(points[:, 1], *OPEN_FACE, right=-200.0) + 3 * np.abs(sway)
    return ((free - np.abs(points[:, 0])) * (points[:, 2] > FACE_FRONT)).clip(0).astype(np.float32)
