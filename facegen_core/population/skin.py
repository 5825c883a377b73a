"""Paints the texture of a person who does an expression.

Skin is its tone, dimmed by three things that add up: blood, which reddens; melanin, which browns; and shade, where
light does not reach. Moles, lips, blushes and folds all are amounts of these. Hair, eyes and mouth are laid over it.
"""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.geometry.mesh import Floats
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.canvas import Surface, surface
from facegen_core.population.eyes import lid_loops, paint_eyes
from facegen_core.population.hair import beard, blend, brows, gloss, scalp, shown
from facegen_core.population.identity import Identity
from facegen_core.population.mouth import lip_cover, paint_mouth
from facegen_core.population.noise import bump, clouds, noise, step
from facegen_core.population.relief import relief, resting_shade
from facegen_core.population.wrinkles import Fold, depth, folds

LEAST_PIXELS, MOST_PIXELS = 16, 1024
BLOOD = np.array([0.10, 0.80, 0.55], dtype=np.float32)
MELANIN = np.array([0.75, 1.05, 1.15], dtype=np.float32)
SHADE = np.array([0.85, 1.05, 1.10], dtype=np.float32)
"""How much a unit of each takes from red, green and blue, as exponents; light in folds comes through skin, so is red."""


class Complexion(NamedTuple):
    """What of a person's texture no expression changes, (R, R) each, and the folds that expressions deepen."""

    blood: Floats
    melanin: Floats
    shade: Floats
    brows: Floats
    scalp: Floats
    gloss: Floats
    beard: Floats
    folds: list[Fold]


def paint(identity: Identity, strengths: npt.NDArray[np.float64], anatomy: Anatomy, pixels: int) -> npt.NDArray[np.uint8]:
    """The texture of a person who does an expression.

    It is a function of its arguments alone, and one of many pixels made smaller looks like one of few.

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
    _flush(blood, look, ground, action)
    _bend(blood, shade, look, ground, anatomy, strengths)
    for fold in person.folds:
        deep = depth(fold, strengths)
        if deep > 0.01:
            shade[fold.window] += 0.27 * deep * fold.profile
            blood[fold.window] += 0.08 * deep * np.clip(fold.profile, 0, None)
    _dimple_chin(shade, look, ground, action)
    _colour_lips(blood, melanin, shade, look, ground, action)
    tone = np.array(look.tone, dtype=np.float32) * (1 + 0.035 * look.undertone * np.array([0.2, 0.3, -1.0], np.float32))
    colours = tone * np.exp(-(blood[..., None] * BLOOD + melanin[..., None] * MELANIN + shade[..., None] * SHADE))
    if look.lipstick[3]:
        blend(colours, look.lipstick[3] * lip_cover(look, ground, action), look.lipstick[:3])
    _lay_hair(colours, person, look)
    moved = anatomy.template.numpy() + np.tensordot(strengths, anatomy.actions.numpy(), 1)
    paint_eyes(colours, look, ground, anatomy, moved)
    paint_mouth(colours, look, ground, anatomy)
    return (np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8)


@functools.lru_cache(maxsize=2)
def complexion(look: Appearance, anatomy: Anatomy, pixels: int) -> Complexion:
    """What all textures of a person share; kept for the next expression."""
    ground = surface(anatomy, pixels)
    light = float(np.mean(look.tone))
    blood, melanin = _blotches(look, ground), _spots(look, ground)
    circles = look.circles * bump(np.abs(ground.x) - 31, ground.y - 16, 11, 5.5) * (ground.z > 0)
    blood += 0.22 * circles
    melanin += 0.20 * circles
    shade = 0.30 * ground.canvas.spread(np.clip(resting_shade(anatomy), 0, 0.8), anatomy.faces)
    shade += _nostrils(ground) + _lid_lines(look, ground, anatomy) + _pores(look, ground)
    x, y = np.abs(ground.x), ground.y
    sagging = look.lines * (bump(x - 31, y - 11, 12, 4) + 0.5 * bump(x - 42, y + 55, 8, 16))
    shade += 0.10 * sagging * (ground.z > 0)
    blood *= 0.5 + 0.5 * light  # blood shows less through dark skin
    ears = (x > 74) & (ground.z < -30)
    blood += 0.12 * ears
    return Complexion(
        blood, melanin, shade, brows(look, ground), scalp(look, ground), gloss(look, ground), beard(look, ground),
        folds(look, ground, anatomy.action_names),
    )  # fmt: skip


def _blotches(look: Appearance, ground: Surface) -> Floats:
    """Blood in relaxed skin: cheeks, nose, chin, and an unevenness of the person's own."""
    x, y, front = np.abs(ground.x), ground.y, ground.z > -40
    cheeks = bump(x - 40, y + 8, 17, 17)
    nose = bump(x, y + 12, 14, 10)
    chin = bump(x, y + 74, 15, 9)
    pale = bump(x, y - 75, 45, 24) + 0.8 * bump(x - 12, y + 28, 8, 8)
    blood = (0.10 + 0.42 * look.redness) * (cheeks + 0.9 * nose + 0.45 * chin) - 0.08 * pale
    uneven = clouds(look.grain, 50, [10, 20, 40, 80, 160, 320], len(x))
    return (0.06 + blood * front + (0.04 + 0.06 * look.mottling) * uneven).astype(np.float32)


def _spots(look: Appearance, ground: Surface) -> Floats:
    """Melanin in relaxed skin: tan, freckles, moles, and the spots of age."""
    pixels = len(ground.x)
    random = np.random.default_rng((look.grain, 1))
    melanin = (0.02 + 0.035 * look.mottling) * clouds(look.grain, 51, [8, 16, 64, 128, 256], pixels)
    tanned = bump(np.abs(ground.x) - 22, ground.y + 2, 34, 22)
    places = random.normal((0.5, 0.36), (0.11, 0.07), (look.freckles, 2))
    _dot(melanin, places, random.uniform(0.0016, 0.0034, look.freckles), random.uniform(0.1, 0.42, look.freckles))
    places = random.uniform((0.22, 0.1), (0.78, 0.62), (look.moles, 2))
    _dot(melanin, places, random.uniform(0.002, 0.0052, look.moles), random.uniform(0.5, 1.3, look.moles))
    aged = int(18 * look.lines)
    places = random.uniform((0.24, 0.1), (0.76, 0.45), (aged, 2))
    _dot(melanin, places, random.uniform(0.004, 0.011, aged), random.uniform(0.06, 0.2, aged))
    return (melanin + 0.03 * tanned).astype(np.float32)


def _dot(
    layer: Floats, places: npt.NDArray[np.float64], widths: npt.NDArray[np.float64], amounts: npt.NDArray[np.float64]
) -> None:
    """Adds soft dots to a map; places (N, 2) across and down and widths are shares of its side."""
    pixels = len(layer)
    for (u, v), width, amount in zip(places.tolist(), widths.tolist(), amounts.tolist(), strict=True):
        size = np.hypot(width * pixels, 0.6)  # no smaller than a texel, and as much fainter as it is larger
        row, column, reach = v * pixels - 0.5, u * pixels - 0.5, int(3 * size) + 1
        top, left = max(int(row) - reach, 0), max(int(column) - reach, 0)
        window = layer[top : int(row) + reach + 1, left : int(column) + reach + 1]
        rows, columns = np.arange(top, top + window.shape[0]) - row, np.arange(left, left + window.shape[1]) - column
        dot = np.exp(-((rows / size) ** 2))[:, None] * np.exp(-((columns / size) ** 2))
        window += amount * (width * pixels / size) ** 2 * dot


def _nostrils(ground: Surface) -> Floats:
    x, y = np.abs(ground.x), ground.y
    return 1.1 * bump(x - 8.5, y + 17.2, 5.0, 2.6) * (ground.z > 30) * ground.on("skin")


def _lid_lines(look: Appearance, ground: Surface, anatomy: Anatomy) -> Floats:
    """Shade of the upper lids and of the fold above them, and the roots of the lashes."""
    template = anatomy.template.numpy()
    shade = np.zeros_like(ground.x)
    for loop in lid_loops(anatomy):
        edge = template[loop]
        middle, half = (edge[:, 0].max() + edge[:, 0].min()) / 2, np.ptp(edge[:, 0]) / 2
        across, y = (ground.x - middle) / half, ground.y
        bow = 1 - across**2
        crease = 29.0 + 6.2 * np.clip(bow, 0, None) + 0.5 * np.clip(bow, -2, 0)
        near = step(1.25 - np.abs(across), 0.25) * (ground.z > 10)
        lid = step(y - 27, 2) * step(crease - y, 1.5)
        width = np.hypot(0.9, 0.6 * ground.texel)
        fold = 0.9 / width * np.exp(-(((y - crease) / width) ** 2))
        below = bump(across * half, y - 21, 11, 2.2)
        shade += near * (0.22 * look.lid_shade * lid + 0.34 * fold + 0.06 * below)
        roots = np.hypot(0.8, 0.6 * ground.texel)
        upper = np.interp(ground.x, *_upper_edge(edge))
        inside = (np.abs(across) < 1.05) & (ground.z > 10)
        shade += inside * (0.35 + 0.75 * look.lashes) * (0.8 / roots) * np.exp(-(((y - upper) / roots) ** 2))
    return shade.astype(np.float32) * ground.on("skin")


def _upper_edge(edge: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    middle = np.interp(edge[:, 0], [edge[:, 0].min(), edge[:, 0].max()], edge[[edge[:, 0].argmin(), edge[:, 0].argmax()], 1])
    upper = edge[edge[:, 1] >= middle - 1e-9]
    upper = upper[upper[:, 0].argsort()]
    return upper[:, 0], upper[:, 1]


def _pores(look: Appearance, ground: Surface) -> Floats:
    x, y = np.abs(ground.x), ground.y
    coarse = 0.5 + bump(x, y + 5, 22, 22) + 0.6 * bump(x - 35, y + 5, 16, 18)
    grain = noise(look.grain, 921, 512, len(x)) * shown(0.55, ground.texel)
    return (0.045 * (0.5 + look.mottling) * coarse * grain).astype(np.float32)


def _flush(blood: Floats, look: Appearance, ground: Surface, action: dict[str, float]) -> None:
    """Blood that actions drive into the skin, and press out of it."""
    x, y = ground.x, ground.y
    front = ground.z > -40
    light = float(np.mean(look.tone))
    for sign, side in ((1, "Left"), (-1, "Right")):
        cheek = bump(sign * x - 39, y + 6, 15, 14) * front
        effort = 0.16 * action[f"mouthSmile{side}"] + 0.12 * action[f"cheekSquint{side}"] + 0.20 * action["cheekPuff"]
        blood += light * effort * cheek
        blood += light * 0.12 * action[f"browDown{side}"] * bump(sign * x - 9, y - 44, 10, 9) * front
        blood += light * 0.16 * action[f"noseSneer{side}"] * bump(sign * x - 12, y + 6, 9, 13) * front
        blood += light * 0.10 * action[f"eyeBlink{side}"] * bump(sign * x - 33, y - 31, 13, 6) * front
    pressed = action["mouthPucker"] + 0.5 * action["mouthShrugLower"] + 0.4 * action["mouthFunnel"]
    blood += light * 0.10 * pressed * bump(x, y + 50, 26, 20) * front
    blood -= light * 0.14 * max(action["jawForward"], 0.6 * action["jawOpen"]) * bump(x, y + 74, 22, 12) * front


def _bend(
    blood: Floats, shade: Floats, look: Appearance, ground: Surface, anatomy: Anatomy, strengths: npt.NDArray[np.float64]
) -> None:
    """Shade and blood that come with the bent shape."""
    if not strengths.any():
        return
    changed = relief(anatomy, strengths)
    both = ground.canvas.spread(np.stack([changed.shade, changed.squeeze], axis=1), anatomy.faces)
    skin = ground.on("skin")
    shade += np.where(skin, 0.8 * both[..., 0] + 0.10 * np.clip(both[..., 1], 0, None), 0)
    blood += np.where(skin, 0.25 * float(np.mean(look.tone)) * both[..., 1], 0)


def _dimple_chin(shade: Floats, look: Appearance, ground: Surface, action: dict[str, float]) -> None:
    """The pitted skin over a tightened chin."""
    tight = action["mouthShrugLower"] + 0.4 * action["mouthPressLeft"] + 0.3 * action["mouthFrownLeft"]
    if tight > 0.02:
        pits = np.clip(noise(look.grain, 931, 120, len(shade)), -0.5, 2)
        shade += 0.20 * tight * bump(ground.x, ground.y + 75, 15, 9) * pits * (ground.z > 0)


def _colour_lips(
    blood: Floats, melanin: Floats, shade: Floats, look: Appearance, ground: Surface, action: dict[str, float]
) -> None:
    cover = lip_cover(look, ground, action)
    light = float(np.mean(look.tone))
    stretched = 0.5 * (action["mouthSmileLeft"] + action["mouthStretchLeft"]) + 0.4 * action["jawOpen"]
    blood += cover * ((0.35 + 0.65 * light) * look.lips[0] * (1 - 0.25 * stretched) - blood * 0.6)
    melanin += cover * look.lips[1]
    folded = np.abs(noise(look.grain, 941, 160, len(shade)))
    tight = 0.4 + action["mouthPucker"] + 0.5 * action["mouthFunnel"]
    line = np.exp(-(((ground.y + 45.2) / np.hypot(1.0, 0.6 * ground.texel)) ** 2)) * step(26 - np.abs(ground.x), 3)
    shade += cover * (0.07 * tight * folded - 0.08 * bump(ground.x, ground.y + 51, 12, 2.5)) + 0.55 * line * (ground.z > 10)


def _lay_hair(colours: Floats, person: Complexion, look: Appearance) -> None:
    gloss = 1 + 0.5 * person.gloss
    blend(colours, person.scalp, np.array(look.hair, dtype=np.float32) * gloss[..., None])
    roots = 0.55 * colours.mean((0, 1)) + 0.15 * np.array(look.brow_hair)
    thin = np.clip(person.beard, 0, 0.5) * 0.75
    blend(colours, thin, tuple(roots * [0.92, 1.0, 1.04]))
    blend(colours, np.clip(person.beard - 0.4, 0, 1) * 1.1, look.brow_hair)
    blend(colours, person.brows, look.brow_hair)
