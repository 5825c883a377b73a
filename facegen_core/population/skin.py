"""Paints the texture of a person who does an expression.

Skin is its tone, dimmed by three things that add up: blood, which reddens; melanin, which browns; and shade, where
light does not reach. Moles, lips, blushes and folds all are amounts of these. Hair, eyes and mouth are laid over it.
"""

import numpy as np
import numpy.typing as npt

from facegen_core.geometry.mesh import Floats
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.canvas import Surface, surface
from facegen_core.population.complexion import Complexion, complexion
from facegen_core.population.eyes import paint_eyes
from facegen_core.population.identity import Identity
from facegen_core.population.mouth import lip_cover, paint_mouth
from facegen_core.population.noise import bump
from facegen_core.population.relief import relief
from facegen_core.population.wrinkles import depth

LEAST_PIXELS, MOST_PIXELS = 16, 1024
BLOOD = np.array([0.10, 0.80, 0.55], dtype=np.float32)
MELANIN = np.array([0.75, 1.05, 1.15], dtype=np.float32)
SHADE = np.array([0.85, 1.05, 1.10], dtype=np.float32)
"""How much a unit of each takes from red, green and blue, as exponents; light in folds has come through skin."""


def paint(
    identity: Identity, strengths: npt.NDArray[np.float64], anatomy: Anatomy, pixels: int
) -> npt.NDArray[np.uint8]:
    """The texture of a person who does an expression.

    It is a function of its arguments alone, and one of many pixels made smaller looks like one of few. Textures of one
    person in a row are quick: what they share is kept.

    Args:
        identity: the person.
        strengths: (A,) of the facial actions; zeros are the relaxed face.
        anatomy: the head, whose ``uv`` the texture belongs to.
        pixels: side of the texture, 16 to 1024.

    Returns:
        (pixels, pixels, 3) uint8, sRGB, row 0 on top.

    Raises:
        ValueError: pixels out of range, or another number of strengths.
    """
    if not LEAST_PIXELS <= pixels <= MOST_PIXELS:
        raise ValueError(f"a texture has {LEAST_PIXELS} to {MOST_PIXELS} pixels a side, not {pixels}")
    if strengths.shape != (len(anatomy.action_names),):
        raise ValueError(f"expected {len(anatomy.action_names)} strengths of facial actions, got {strengths.shape}")
    look, ground = identity.appearance, surface(anatomy, pixels)
    person = complexion(look, anatomy, pixels)
    action = dict(zip(anatomy.action_names, strengths.tolist(), strict=True))
    blood, melanin, shade = person.blood.copy(), person.melanin.copy(), person.shade.copy()
    _follow_actions(blood, shade, person, strengths, action)
    _follow_shape(blood, shade, look, ground, anatomy, strengths)
    cover = _colour_lips(blood, melanin, shade, person, look, action)
    colours = _skin(look, blood, melanin, shade)
    if person.lips is not None and look.lipstick[3]:
        lips = colours[person.lips.window]
        lips += look.lipstick[3] * cover[..., None] * (np.array(look.lipstick[:3], dtype=np.float32) - lips)
    colours *= person.bare
    colours += person.hair
    moved = anatomy.template.numpy() + np.tensordot(strengths, anatomy.actions.numpy(), 1)
    paint_eyes(colours, look, ground, anatomy, moved)
    paint_mouth(colours, ground, anatomy)
    return (colours.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _skin(look: Appearance, blood: Floats, melanin: Floats, shade: Floats) -> Floats:
    """The colours (R, R, 3) of bare skin."""
    warmth = 1 + 0.035 * look.undertone * np.array([0.2, 0.3, -1.0])
    tone = np.log(np.maximum(look.tone, 0.01) * warmth)
    colours = np.empty((*blood.shape, 3), dtype=np.float32)
    for c in range(3):
        np.exp(float(tone[c]) - BLOOD[c] * blood - MELANIN[c] * melanin - SHADE[c] * shade, out=colours[..., c])
    return colours


def _follow_actions(
    blood: Floats, shade: Floats, person: Complexion, strengths: npt.NDArray[np.float64], action: dict[str, float]
) -> None:
    """Folds, flushes and the pitted chin."""
    for flush in person.flushes:
        amount = flush.amount(strengths)
        if abs(amount) > 0.002:
            blood[flush.window] += amount * flush.profile
    for fold in person.folds:
        deep = depth(fold, strengths)
        if deep > 0.01:
            shade[fold.window] += 0.27 * deep * fold.profile
            blood[fold.window] += 0.05 * deep * fold.profile.clip(0)
    tight = action["mouthShrugLower"] + 0.4 * action["mouthPressLeft"] + 0.3 * action["mouthFrownLeft"]
    if tight > 0.02:
        shade += 0.20 * tight * person.pits


def _follow_shape(
    blood: Floats,
    shade: Floats,
    look: Appearance,
    ground: Surface,
    anatomy: Anatomy,
    strengths: npt.NDArray[np.float64],
) -> None:
    """Shade and blood that come with the bent shape of the face."""
    if strengths.any():
        changed = relief(anatomy, strengths)
        shade += ground.spread(0.8 * changed.shade + 0.10 * changed.squeeze.clip(0))
        blood += ground.spread(0.25 * float(np.mean(look.tone)) * changed.squeeze)


def _colour_lips(
    blood: Floats, melanin: Floats, shade: Floats, person: Complexion, look: Appearance, action: dict[str, float]
) -> Floats:
    """Reddens the lips; returns how much each texel of their window is lip."""
    lips = person.lips
    if lips is None:
        return np.zeros((0, 0), dtype=np.float32)
    cover = lip_cover(lips, look, action)
    light = float(np.mean(look.tone))
    stretched = 0.5 * (action["mouthSmileLeft"] + action["mouthStretchLeft"]) + 0.4 * action["jawOpen"]
    red = (0.35 + 0.65 * light) * look.lips[0] * (1 - 0.25 * stretched)
    blood[lips.window] += cover * (red - 0.6 * blood[lips.window])
    melanin[lips.window] += cover * look.lips[1]
    tight = 0.4 + action["mouthPucker"] + 0.5 * action["mouthFunnel"]
    sheen = bump(lips.across, lips.above + 6, 12, 2.5)
    shade[lips.window] += cover * (0.07 * tight * lips.furrows - 0.08 * sheen) + 0.55 * lips.line
    return cover
