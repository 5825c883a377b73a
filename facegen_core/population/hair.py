"""Hair as paint: brows, the scalp, and the shadow of a beard."""

import numpy as np

from facegen_core.geometry.mesh import Floats
from facegen_core.population.appearance import Appearance
from facegen_core.population.canvas import Surface
from facegen_core.population.noise import Layer, bump, clouds, noise, shown, step, strands

BROW = ((10.0, 42.0), (22.0, 46.5), (35.0, 48.5), (46.0, 46.0), (56.0, 39.0))
"""The middle of the usual left brow, (x, y) mm on the template; its arch is at the third point."""
HAIRLINE = (
    (0, 99), (15, 99), (28, 93), (38, 84), (47, 78), (56, 66), (62, 46), (70, 25), (77, 8), (84, 2), (90, 30), (98, 42),
    (108, 36), (116, 5), (125, -22), (140, -42), (160, -50), (180, -52),
)  # fmt: skip
"""Height of the hair's edge, mm, by the angle around the head from the front, degrees."""
STRAND_MM = 0.35
BEARD_BACK_MM = -52.0
"""No beard grows further back than this on the template: the nape is shaven."""


def hair(look: Appearance, surface: Surface) -> tuple[Floats, Floats]:
    """All hair of a person as one layer.

    Returns:
        (R, R, 3) its colour, as thick as it lies, and (R, R, 1) the share of skin it leaves bare.
    """
    thick = beard(look, surface)
    stubble = 0.5 * np.array(look.tone) * [0.92, 1.0, 1.04] + 0.15 * np.array(look.brow_hair)
    layers = (
        (scalp(look, surface), np.array(look.hair) * (1 + 0.5 * gloss(look, surface))[..., None]),
        (0.75 * np.clip(thick, 0, 0.5), stubble),
        (1.1 * np.clip(thick - 0.4, 0, 0.9), np.array(look.brow_hair)),
        (brows(look, surface), np.array(look.brow_hair)),
    )
    bare = np.ones((*surface.x.shape, 1), dtype=np.float32)
    colour = np.zeros((*surface.x.shape, 3), dtype=np.float32)
    for cover, painted in layers:
        colour += cover[..., None] * (painted.astype(np.float32) - colour)
        bare *= 1 - cover[..., None]
    return colour, bare


def brows(look: Appearance, surface: Surface) -> Floats:
    """How thick the hair of the brows lies, (R, R)."""
    wander = 0.6 * noise(look.grain, Layer.BROWS, 40, surface.pixels)
    path = np.array(BROW)
    path[:, 1] += look.brow_height + look.brow_arch * np.array([-0.3, 0.4, 1.0, 0.6, -0.2])
    inner = path[0, 0]
    path[:, 0] = inner + (path[:, 0] - inner) * look.brow_tail
    cover = np.zeros_like(surface.x)
    for side, layer in ((1, Layer.LEFT_BROW), (-1, Layer.RIGHT_BROW)):
        x, y = side * surface.x + wander, surface.y + wander
        along = (x - inner) / (path[-1, 0] - inner)
        middle = np.polyval(np.polyfit(path[:, 0], path[:, 1], 3), x)
        across = (y - middle) / (look.brow_thickness / 2 * np.clip(1.1 - 0.6 * np.clip(along, 0, 1) ** 2, 0.2, 2))
        body = np.exp(-(np.clip(np.abs(across) - 0.4, 0, None) ** 2) * 3)
        ends = step(along - 0.02, 0.16) * step(0.94 - along, 0.2)
        hairs = strands(look.grain, layer, across * 0.35 + 8 + along, (x + 0.9 * y) / STRAND_MM)
        cover += body * ends * np.clip(0.85 + 0.4 * shown(STRAND_MM, surface.texel) * hairs, 0.1, 1.3)
    thick = 0.85 + 0.15 * clouds(look.grain, Layer.BROWS_THICK, [60, 120], surface.pixels)
    front = surface.on("skin") & (surface.z > 0)
    return np.clip(look.brow_density * cover * thick, 0, 0.95).astype(np.float32) * front


def scalp(look: Appearance, surface: Surface) -> Floats:
    """How thick short hair lies on the scalp, (R, R)."""
    x, y, z = surface.x, surface.y, surface.z
    angle = np.degrees(np.arctan2(np.abs(x), z + 50))
    edge = np.array(HAIRLINE, dtype=np.float64)
    edge[:, 1] += look.hairline * np.clip(1 - edge[:, 0] / 70, 0, 1)
    edge[:, 1] += look.temples * np.exp(-(((edge[:, 0] - 38) / 12) ** 2))
    height = y - np.interp(angle, *edge.T)
    ragged = 3.0 * clouds(look.grain, Layer.HAIRLINE, [40, 80, 160], surface.pixels)
    ears = (np.abs(x) > 72.5) & (z < -38) & (z > -92) & (y < 40) & (y > -32)
    top = bump(x, z + 45, 70, 75) * step(y - 85, 25)
    kept = 1 - look.baldness * top
    cover = step(height + ragged - 2, 7) * np.clip(kept, 0, 1) * 0.93
    lie = strands(look.grain, Layer.SCALP, (y + z) / 40, angle * 1.2 / STRAND_MM)
    cover *= 1 - 0.12 * shown(STRAND_MM, surface.texel) * np.abs(lie)
    return np.where(surface.on("skin") & ~ears, np.clip(cover, 0, 1), 0).astype(np.float32)


def gloss(look: Appearance, surface: Surface) -> Floats:
    """Light and dark in the hair of the scalp, (R, R), around 0: single strands, and a sheen where light falls."""
    angle = np.degrees(np.arctan2(np.abs(surface.x), surface.z + 50))
    lie = strands(look.grain, Layer.SHEEN, (surface.y + surface.z) / 30, angle * 1.2 / (2 * STRAND_MM))
    tufts = clouds(look.grain, Layer.TUFTS, [60, 120, 240], surface.pixels)
    sheen = bump(np.abs(surface.x) - 35, surface.y - 118, 30, 14)
    return 0.35 * shown(2 * STRAND_MM, surface.texel) * lie + 0.2 * tufts + 0.9 * sheen


def beard(look: Appearance, surface: Surface) -> Floats:
    """How thick a shaven or short beard lies, (R, R)."""
    x, y, z = np.abs(surface.x), surface.y, surface.z
    lip = bump(x - 10, y + 31, 17, 6.5) * step(x + 1.0, 5) * step(-22.5 - y, 4) * step(y + 41, 3)
    chin = bump(x, y + 76, 24, 16) * (1 - 0.7 * bump(x, y + 59, 9, 4)) * step(-57 - y, 5)
    edge = np.interp(x, [0, 22, 34, 50, 62, 75], [-58, -52, -40, -34, -22, 5])  # from the mouth's corner to the ear
    jaw = step(edge - y, 9) * step(x - 18, 12) * step(z + 42, 10)
    under = step(-84 - y, 8) * 0.6
    cover = np.maximum.reduce([look.moustache * lip, look.chin_beard * np.maximum(chin, under), look.cheek_beard * jaw])
    cover *= step(z - BEARD_BACK_MM, 4)
    uneven = 1 + 0.2 * clouds(look.grain, Layer.BEARD, [128, 256, 512], surface.pixels)
    dots = clouds(look.grain, Layer.STUBBLE, [384, 768], surface.pixels) * shown(0.6, surface.texel)
    return np.where(surface.on("skin"), np.clip(cover * (uneven + 0.2 * dots), 0, 1), 0).astype(np.float32)
