"""A person's skin at rest: what of the texture no expression changes, and what expressions will change in it."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.geometry.mesh import Floats
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.canvas import Patch, Surface, surface
from facegen_core.population.eyes import lid_loops, lids
from facegen_core.population.flush import flushes
from facegen_core.population.hair import hair
from facegen_core.population.mouth import Lips, lips
from facegen_core.population.noise import Layer, bump, clouds, noise, shown, step
from facegen_core.population.relief import resting_shade
from facegen_core.population.wrinkles import folds


class Complexion(NamedTuple):
    """One person on a canvas.

    Attributes:
        blood, melanin, shade: (R, R) what dims the tone of the relaxed skin.
        folds: lines that expressions deepen.
        flushes: where expressions bring blood.
        pits: (R, R) the uneven skin over a tightened chin.
        lips: the lips.
        hair, bare: (R, R, 3) colour of the hair, as thick as it lies, and (R, R, 1) the share of skin it leaves bare.
    """

    blood: Floats
    melanin: Floats
    shade: Floats
    folds: list[Patch]
    flushes: list[Patch]
    pits: Floats
    lips: Lips | None
    hair: Floats
    bare: Floats


@functools.lru_cache(maxsize=2)
def complexion(look: Appearance, anatomy: Anatomy, pixels: int) -> Complexion:
    """The skin of a person on a canvas of a size; kept for the next expression."""
    ground = surface(anatomy, pixels)
    x, y, front = np.abs(ground.x), ground.y, ground.z > 0
    blood, melanin = _blotches(look, ground), _spots(look, ground)
    circles = look.circles * bump(x - 31, y - 16, 11, 5.5) * front
    blood += 0.22 * circles
    melanin += 0.20 * circles
    blood *= 0.5 + 0.5 * float(np.mean(look.tone))  # it shows less through dark skin
    blood += 0.12 * ((x > 74) & (ground.z < -30))  # ears
    shade = 0.30 * ground.spread(np.clip(resting_shade(anatomy), 0, 0.8))
    shade += _nostrils(ground) + _lid_lines(look, ground, anatomy) + _pores(look, ground)
    shade += 0.10 * look.lines * front * (bump(x - 31, y - 11, 12, 4) + 0.5 * bump(x - 42, y + 55, 8, 16))  # sagging
    pits = np.clip(noise(look.grain, Layer.CHIN_PITS, 120, pixels), -0.5, 2) * bump(ground.x, y + 75, 15, 9) * front
    names = anatomy.action_names
    return Complexion(
        blood, melanin, shade, folds(look, ground, names), flushes(look, ground, names), pits, lips(look, ground),
        *hair(look, ground),
    )  # fmt: skip


def _blotches(look: Appearance, ground: Surface) -> Floats:
    """Blood in relaxed skin: cheeks, nose, chin, and an unevenness of the person's own."""
    x, y, front = np.abs(ground.x), ground.y, ground.z > -40
    cheeks = bump(x - 40, y + 8, 17, 17)
    nose = bump(x, y + 12, 14, 10)
    chin = bump(x, y + 74, 15, 9)
    pale = bump(x, y - 75, 45, 24) + 0.8 * bump(x - 12, y + 28, 8, 8)
    blood = (0.10 + 0.30 * look.redness) * (cheeks + 0.9 * nose + 0.45 * chin) - 0.08 * pale
    uneven = clouds(look.grain, Layer.BLOOD, [10, 20, 40, 80, 160, 320], ground.pixels)
    return (0.06 + blood * front + (0.04 + 0.06 * look.mottling) * uneven).astype(np.float32)


def _spots(look: Appearance, ground: Surface) -> Floats:
    """Melanin in relaxed skin: tan, freckles, moles, and the spots of age."""
    pixels = ground.pixels
    random = np.random.default_rng((look.grain, 1))
    melanin = (0.02 + 0.035 * look.mottling) * clouds(look.grain, Layer.MELANIN, [8, 16, 64, 128, 256], pixels)
    tanned = bump(np.abs(ground.x) - 22, ground.y + 2, 34, 22)
    places = random.normal((0.5, 0.33), (0.12, 0.055), (look.freckles, 2))
    _dot(melanin, places, random.uniform(0.0015, 0.003, look.freckles), random.uniform(0.06, 0.3, look.freckles))
    places = random.uniform((0.22, 0.1), (0.78, 0.62), (look.moles, 2))
    _dot(melanin, places, random.uniform(0.0015, 0.0036, look.moles), random.uniform(0.4, 1.2, look.moles))
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
        size = float(np.hypot(width * pixels, 0.6))  # no smaller than a texel, and as much fainter as it is larger
        row, column, reach = v * pixels - 0.5, u * pixels - 0.5, int(3 * size) + 1
        top, left = max(int(row) - reach, 0), max(int(column) - reach, 0)
        window = layer[top : int(row) + reach + 1, left : int(column) + reach + 1]
        rows, columns = np.arange(top, top + window.shape[0]) - row, np.arange(left, left + window.shape[1]) - column
        dot = np.exp(-((rows / size) ** 2))[:, None] * np.exp(-((columns / size) ** 2))
        window += amount * (width * pixels / size) ** 2 * dot


def _nostrils(ground: Surface) -> Floats:
    depth = np.exp(-(((ground.z - 50.5) / 4.2) ** 2))
    return 1.3 * bump(np.abs(ground.x) - 9.3, ground.y + 16.2, 3.9, 2.6) * depth * ground.on("skin")


def _lid_lines(look: Appearance, ground: Surface, anatomy: Anatomy) -> Floats:
    """Shade of the upper lids and of the fold above them, and the roots of the lashes."""
    template = anatomy.template.numpy()
    shade = np.zeros_like(ground.x)
    for loop in lid_loops(anatomy):
        edge = lids(template, loop)
        middle, half = (edge.x[0] + edge.x[-1]) / 2, (edge.x[-1] - edge.x[0]) / 2
        across, y = (ground.x - middle) / half, ground.y
        bow = 1 - across**2
        crease = 29.0 + 6.2 * np.clip(bow, 0, None) + 0.5 * np.clip(bow, -2, 0)
        near = step(1.25 - np.abs(across), 0.25) * (ground.z > 10)
        lid = step(y - 27, 2) * step(crease - y, 1.5)
        width = float(np.hypot(0.9, 0.6 * ground.texel))
        fold = 0.9 / width * np.exp(-(((y - crease) / width) ** 2))
        below = bump(across * half, y - 21, 11, 2.2)
        shade += near * (0.22 * look.lid_shade * lid + 0.34 * fold + 0.06 * below)
        roots = float(np.hypot(0.8, 0.6 * ground.texel))
        upper = np.interp(ground.x, edge.x, edge.upper)
        inside = ground.covered & (np.abs(across) < 1.05) & (ground.z > 10)
        shade += inside * (0.35 + 0.75 * look.lashes) * (0.8 / roots) * np.exp(-(((y - upper) / roots) ** 2))
    return shade.astype(np.float32) * ground.on("skin")


def _pores(look: Appearance, ground: Surface) -> Floats:
    x, y = np.abs(ground.x), ground.y
    coarse = 0.5 + bump(x, y + 5, 22, 22) + 0.6 * bump(x - 35, y + 5, 16, 18)
    grain = noise(look.grain, Layer.PORES, 512, ground.pixels) * shown(0.55, ground.texel)
    return (0.045 * (0.5 + look.mottling) * coarse * grain).astype(np.float32)
