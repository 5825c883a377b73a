"""A photograph of an embedded person: geometry, light and camera put together."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.geometry.camera import to_clip
from facegen_core.geometry.rasteriser import Fragments, rasterise
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.assembly import Assembly, assemble
from facegen_core.population.portrait.bust import turn_head
from facegen_core.population.portrait.cartoon import lined, toon
from facegen_core.population.portrait.eyeballs import eyeballs
from facegen_core.population.portrait.facial_hair import beard_pieces, brow_pieces, lash_pieces
from facegen_core.population.portrait.framing import camera, cropped, project, turn
from facegen_core.population.portrait.grade import developed
from facegen_core.population.portrait.hairstyle import draw_hairstyle
from facegen_core.population.portrait.landmarks import landmarks
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.scenery import paint_backdrop, paint_scene
from facegen_core.population.portrait.seen import Skin, face_triangles, seen
from facegen_core.population.portrait.shade import Surface, shade
from facegen_core.population.portrait.shadow import ShadowMap
from facegen_core.population.portrait.shot import Shot, actions, square
from facegen_core.population.portrait.strands import hair_pieces
from facegen_core.population.portrait.teeth import teeth
from facegen_core.population.portrait.wardrobe import HIDES_HAIR, costume_pieces, neck_colours
from facegen_core.population.skin import paint
from facegen_core.population.writing import Person

Points = npt.NDArray[np.float64]
Texture = npt.NDArray[np.uint8]
LEAST_TEXTURE, MOST_TEXTURE = 64, 1024
SHADOW_CENTRE, SHADOW_RADIUS_MM = (0.0, -20.0, -20.0), 250.0
ANTIALIAS = 2
HAT_MM = 40.0
"""Hats hide hair above this height, y in the frame of the head."""
LINE_SHARE = 150
"""A cartoon's lines are this share of its side."""
STRANDS_A_PIXEL, LEAST_STRANDS, MOST_STRANDS = 5, 500, 5000
LEAST_SHADOW, MOST_SHADOW = 320, 1024


class Picture(NamedTuple):
    """A photograph and what is true of it.

    Attributes:
        image: (3, P, P) sRGB in [0, 1].
        landmarks: (68, 2) pixels to the right and down from the picture's top left corner; may lie outside.
        mask: (P, P) share of each pixel that shows skin, eyes or mouth of the face.
    """

    image: Tensor
    landmarks: npt.NDArray[np.float64]
    mask: Tensor


def photograph(person: Person, shot: Shot, anatomy: Anatomy, pixels: int) -> Picture:
    """Takes a picture of a person: a function of its arguments alone.

    Args:
        person: who.
        shot: how: expression, pose, light, clothes, place, camera.
        anatomy: the head.
        pixels: side of the picture.
    """
    strengths = actions(shot, anatomy.action_names)
    look, neutral = person.identity.appearance, person.neutral.numpy()
    head = anatomy.express(person.neutral[None], torch.from_numpy(strengths)[None])[0].numpy()
    rotation = turn(*shot.pose)
    drawn = shot.style == "cartoon"
    fineness = (0.4 if drawn else 1.4) * pixels
    texture = paint(person.identity, strengths, anatomy, _fine_enough(fineness, LEAST_TEXTURE, MOST_TEXTURE))
    scene = assemble(head, rotation, _pieces(person, shot, head, strengths, texture, anatomy, pixels), anatomy)
    eye, wide = camera(shot.distance, shot.height)
    points, relaxed = (turn_head(landmarks(anatomy).on(face), rotation) for face in (head, neutral))
    matrix = cropped(wide, square(shot.crop, project(relaxed, wide)))  # another expression is not framed otherwise
    side = pixels * ANTIALIAS
    fragments = rasterise(to_clip(scene.vertices[None], matrix), scene.faces, side, side, cull=False)
    skin = Skin(texture, eyeballs(neutral, head, shot.gaze, anatomy), look, rotation)
    surface = seen(scene, fragments, skin, eye, anatomy)
    lit = _lit(scene, surface, fragments, shot, pixels)
    if drawn:
        colour = lined(toon(surface, shot.light, lit), surface, fragments, eye.float(), side, side // LINE_SHARE)
    else:
        colour = shade(surface, shot.light, lit, eye.float())
    on_head = fragments.face.clamp(max=len(anatomy.faces) - 1)
    face = face_triangles(anatomy)[on_head] & (fragments.face < len(anatomy.faces))
    layers = torch.zeros(5, side * side)
    layers[:, fragments.pixel] = torch.cat([colour.T, torch.ones(1, len(colour)), face[None].float()])
    layers = F.avg_pool2d(layers.view(1, 5, side, side), side // pixels)[0]
    behind = (
        paint_backdrop(shot.scene_seed, pixels)
        if shot.scene is None
        else paint_scene(shot.scene, shot.scene_seed, pixels)
    )
    grade = shot.grade._replace(grain=0.0, blur=0.0) if drawn else shot.grade
    image = developed(layers[:3], layers[3:4], torch.from_numpy(behind).permute(2, 0, 1), grade)
    return Picture(image, (project(points, matrix) * [1, -1] + 1) * pixels / 2, layers[4])


def _pieces(
    person: Person, shot: Shot, head: Points, strengths: Points, texture: Texture, anatomy: Anatomy, pixels: int
) -> list[Piece]:
    """All of a picture's geometry but the head."""
    identity, look = person.identity, person.identity.appearance
    style = draw_hairstyle(person.seed, person.number, look)
    strands = int(np.clip(STRANDS_A_PIXEL * pixels, LEAST_STRANDS, MOST_STRANDS))
    pieces = teeth(person.neutral.numpy(), strengths, look.sclera, anatomy)
    hair = hair_pieces(style, look, head.astype(np.float32), anatomy, strands)
    pieces += [_below_hat(piece, HIDES_HAIR[shot.costume]) for piece in hair]
    for grow in (brow_pieces, lash_pieces, beard_pieces):
        pieces += grow(style, look, head.astype(np.float32), anatomy, strands)
    neck = neck_colours(texture, anatomy)
    return pieces + costume_pieces(shot.costume, shot.outfit_seed, head, identity, anatomy, neck, turn(*shot.pose))


def _below_hat(hair: Piece, hidden: str) -> Piece:
    """Hair without what has no room under a hat or a hood."""
    if hidden == "none":
        return hair
    room = HAT_MM if hidden == "top" else -np.inf
    return hair._replace(faces=hair.faces[(hair.vertices[hair.faces, 1] < room).all(1)])


def _fine_enough(wanted: float, least: int, most: int) -> int:
    """The power of two that is as fine as wanted, within limits."""
    return int(np.clip(2 ** math.ceil(math.log2(wanted)), least, most))


def _lit(scene: Assembly, surface: Surface, fragments: Fragments, shot: Shot, pixels: int) -> Tensor:
    """Share of the key light that reaches each fragment, (P,)."""
    side = int(np.clip(2.5 * pixels, LEAST_SHADOW, MOST_SHADOW))
    key = torch.tensor(shot.light.key)
    shadows = ShadowMap(scene.vertices, scene.faces, key, torch.tensor(SHADOW_CENTRE), SHADOW_RADIUS_MM, side)
    turns = (fragments.pixel * 0.61803398875 % 1) * 2 * math.pi
    return shadows.visible(surface.position, surface.normal, shot.light.softness, turns.float())
