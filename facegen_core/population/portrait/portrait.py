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
from facegen_core.population.identity import Person
from facegen_core.population.portrait.assembly import REST, Assembly, assemble
from facegen_core.population.portrait.bust import turn_head
from facegen_core.population.portrait.cartoon import lined, toon
from facegen_core.population.portrait.eyeballs import eyeballs
from facegen_core.population.portrait.facial_hair import beard_pieces, brow_pieces, lash_pieces
from facegen_core.population.portrait.framing import camera, cropped, project, turn
from facegen_core.population.portrait.grade import developed
from facegen_core.population.portrait.hairstyle import Hairstyle, draw_hairstyle, groomed
from facegen_core.population.portrait.landmarks import CHIN, landmarks
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

Points = npt.NDArray[np.float64]
Texture = npt.NDArray[np.uint8]
LEAST_TEXTURE, MOST_TEXTURE = 64, 1024
SHADOW_CENTRE, SHADOW_RADIUS_MM = (0.0, -20.0, -20.0), 250.0
"""The ball, mm, in which shadows fall: head, hair and shoulders."""
ANTIALIAS = 2
"""Samples of a pixel along each side."""
HAT_MM = 40.0
"""Hats hide hair above this height, y in the frame of the head."""
LINE_SHARE = 150
"""A cartoon is so many times as wide as its lines."""
STRANDS_A_PIXEL, LEAST_STRANDS, MOST_STRANDS = 5, 500, 5000
"""Hairs of the head, by the side of the picture: each is about a pixel wide where a head fills half of it."""
LEAST_SHADOW, MOST_SHADOW = 320, 1024
"""Side of the map of shadows, pixels; between them it is 2.5 times the picture's."""
GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


class Picture(NamedTuple):
    """A photograph and what is true of it.

    Attributes:
        image: (3, P, P) sRGB in [0, 1].
        landmarks: (68, 2) pixels to the right and down from the picture's top left corner; may lie outside.
        mask: (P, P) share of each pixel that shows the face: its skin, eyes and mouth with teeth, brows, lashes, beard.
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
    style = draw_hairstyle(person.seed, person.number, look)
    head = anatomy.express(person.neutral[None], torch.from_numpy(strengths)[None])[0].numpy()
    rotation = turn(*shot.pose)
    drawn = shot.style == "cartoon"
    fineness = (0.4 if drawn else 1.4) * pixels
    painted = person.identity._replace(appearance=groomed(style, look))
    texture = paint(painted, strengths, anatomy, _fine_enough(fineness, LEAST_TEXTURE, MOST_TEXTURE))
    strands = int(np.clip(STRANDS_A_PIXEL * pixels, LEAST_STRANDS, MOST_STRANDS))
    details = _details(person, style, head, strengths, anatomy, strands)
    worn = _worn(person, style, shot, head, texture, anatomy, strands)
    scene = assemble(head, rotation, [*details, *worn], anatomy)
    eye, wide = camera(shot.distance, shot.height)
    places = landmarks(anatomy).on(head)
    relaxed = project(turn_head(landmarks(anatomy).on(neutral), rotation), wide)
    matrix = cropped(wide, square(shot.crop, relaxed))  # another expression is not framed otherwise
    side = pixels * ANTIALIAS
    fragments = rasterise(to_clip(scene.vertices[None], matrix), scene.faces, side, side, cull=False)
    skin = Skin(texture, eyeballs(neutral, head, shot.gaze, anatomy), look, rotation)
    surface = seen(scene, fragments, skin, eye, anatomy)
    lit = _lit(scene, surface, fragments, shot, pixels)
    if drawn:
        colour = lined(toon(surface, shot.light, lit), surface, fragments, eye.float(), side, side // LINE_SHARE)
    else:
        colour = shade(surface, shot.light, lit, eye.float())
    face = _shows_face(scene, sum(len(piece.faces) for piece in details), float(places[CHIN, 1]), anatomy)
    layers = torch.zeros(5, side * side)
    layers[:, fragments.pixel] = torch.cat([colour.T, torch.ones(1, len(colour)), face[fragments.face][None].float()])
    layers = F.avg_pool2d(layers.view(1, 5, side, side), ANTIALIAS)[0]
    behind = (
        paint_backdrop(shot.scene_seed, pixels)
        if shot.scene is None
        else paint_scene(shot.scene, shot.scene_seed, pixels)
    )
    grade = shot.grade._replace(grain=0.0, blur=0.0) if drawn else shot.grade
    image = developed(layers[:3], layers[3:4], torch.from_numpy(behind).permute(2, 0, 1), grade)
    points = project(turn_head(places, rotation), matrix)
    return Picture(image, (points * [1, -1] + 1) * pixels / 2, layers[4])


def _details(
    person: Person, style: Hairstyle, head: Points, strengths: Points, anatomy: Anatomy, strands: int
) -> list[Piece]:
    """What belongs to the face and is no part of the head's mesh: teeth, brows, lashes, beard."""
    look = person.identity.appearance
    pieces = teeth(person.neutral.numpy(), strengths, look.sclera, anatomy)
    for grow in (brow_pieces, lash_pieces, beard_pieces):
        pieces += grow(style, look, head.astype(np.float32), anatomy, strands)
    return pieces


def _worn(
    person: Person, style: Hairstyle, shot: Shot, head: Points, texture: Texture, anatomy: Anatomy, strands: int
) -> list[Piece]:
    """The hair of the head, neck and chest, clothes or a costume."""
    identity = person.identity
    hair = hair_pieces(style, identity.appearance, head.astype(np.float32), anatomy, strands)
    pieces = [_below_hat(piece, HIDES_HAIR[shot.costume]) for piece in hair]
    neck = neck_colours(texture, anatomy)
    return pieces + costume_pieces(shot.costume, shot.outfit_seed, head, identity, anatomy, neck, turn(*shot.pose))


def _shows_face(scene: Assembly, details: int, chin: float, anatomy: Anatomy) -> Tensor:
    """Which of a scene's triangles are of the face, (F,) bool.

    Args:
        scene: whose first triangles are the head's, then those of the face's details.
        details: how many these are.
        chin: its height, mm; what of a beard grows below it is on the neck.
        anatomy: of the head.
    """
    first, last = len(anatomy.faces), len(anatomy.faces) + details
    shows = torch.zeros(len(scene.faces), dtype=torch.bool)
    shows[:first] = face_triangles(anatomy)
    height = scene.attributes[:, REST][:, 1]
    shows[first:last] = height[scene.faces[first:last]].mean(1) > chin
    return shows


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
    turns = (fragments.pixel.double() * GOLDEN_RATIO % 1) * 2 * math.pi  # float32 has too few digits for many pixels
    return shadows.visible(surface.position, surface.normal, shot.light.softness, turns.float())
