"""Teeth and gums: two arches behind the lips, the lower one on the jaw."""

import functools

import numpy as np
import numpy.typing as npt
import torch

from facegen_core.geometry.alignment import rigid_align
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.landmarks import landmarks
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.solids import grid

Points = npt.NDArray[np.float64]

WIDTHS = (8.4, 6.6, 7.6, 7.0, 6.6, 9.0)
"""Of the upper teeth from the middle, mm; the lower front ones are narrower."""
LOWER_WIDTHS = (5.4, 5.9, 6.8, 7.0, 7.0, 10.0)
UPPER_HEIGHT, LOWER_HEIGHT = 9.5, 8.5
FRONT, CURVE = 44.6, 0.021
"""Depth of the arch, mm on the template: z = FRONT - CURVE x^2."""
UPPER_EDGE, LOWER_EDGE = -45.6, -45.2
"""Height of the edges of the teeth when the mouth is closed."""
OVERBITE = 2.2
ACROSS, DOWN = 5, 5
"""Points of a tooth's mesh from side to side and from its edge up."""
WHITE, GUM = np.array([0.90, 0.87, 0.80]), np.array([0.66, 0.36, 0.35])
JAW_ACTIONS = ("jawOpen", "jawLeft", "jawRight", "jawForward")
ON_JAW = 0.85
"""Vertices that move at least this share of the furthest when the jaw drops are the jaw's."""


def teeth(neutral: Points, strengths: npt.NDArray[np.float64], shade: float, anatomy: Anatomy) -> list[Piece]:
    """Both rows of teeth of a person who does an expression.

    Args:
        neutral: (V, 3) the person's relaxed head, mm.
        strengths: (A,) of the facial actions.
        shade: from 0, white, to 1, yellowish.
        anatomy: the head.
    """
    upper, lower = _arches()
    own = landmarks(anatomy).on(neutral)
    usual = landmarks(anatomy).on(anatomy.template.numpy())
    corners, lips = (60, 64), (62, 66)
    scale = np.ptp(own[corners, 0]) / np.ptp(usual[corners, 0])
    shift = own[lips, :].mean(0) - usual[lips, :].mean(0)
    middle = usual[lips, :].mean(0)
    pieces = []
    for arch, moves in ((upper, False), (lower, True)):
        placed = (arch.vertices - middle) * [scale, 1, scale] + middle + shift
        if moves:
            placed = _with_jaw(placed, neutral, strengths, anatomy)
        colours = arch.colours * (1 - shade * np.array([0.04, 0.09, 0.2]))
        pieces.append(arch._replace(vertices=placed.astype(np.float32), colours=colours.astype(np.float32)))
    return pieces


def _with_jaw(points: Points, neutral: Points, strengths: npt.NDArray[np.float64], anatomy: Anatomy) -> Points:
    """Points moved as the bone of the jaw moves."""
    chosen = [anatomy.action_names.index(name) for name in JAW_ACTIONS]
    if not strengths[chosen].any():
        return points
    jaw = _jaw(anatomy)
    moved = torch.from_numpy(neutral[jaw] + np.tensordot(strengths[chosen], anatomy.actions.numpy()[chosen][:, jaw], 1))
    still = torch.from_numpy(np.concatenate([neutral[jaw], points]))
    mask = torch.arange(len(still)) < len(jaw)
    target = still.clone()
    target[: len(jaw)] = moved
    return rigid_align(still[None], target[None], mask)[0, len(jaw) :].numpy()


@functools.lru_cache(maxsize=1)
def _jaw(anatomy: Anatomy) -> npt.NDArray[np.int64]:
    dropped = anatomy.actions[anatomy.action_names.index("jawOpen")].norm(dim=1).numpy()
    skin = np.unique(anatomy.faces[anatomy.parts["skin"]])
    return skin[dropped[skin] > ON_JAW * dropped[skin].max()]


@functools.lru_cache(maxsize=1)
def _arches() -> tuple[Piece, Piece]:
    return (
        _arch(WIDTHS, UPPER_EDGE, UPPER_HEIGHT, FRONT, -1),
        _arch(LOWER_WIDTHS, LOWER_EDGE, LOWER_HEIGHT, FRONT - OVERBITE, 1),
    )


def _arch(widths: tuple[float, ...], edge: float, height: float, front: float, biting: int) -> Piece:
    """One row of teeth with its gum; ``biting`` is -1 where the edge is below."""
    vertices: list[Points] = []
    faces: list[npt.NDArray[np.int64]] = []
    colours: list[Points] = []
    along = 0.0
    for width in widths:
        for side in (-1, 1):
            tooth, colour = _tooth(side * (along + width / 2), width, edge, height, front, biting)
            start = len(vertices) * ACROSS * DOWN
            vertices.append(tooth)
            colours.append(colour)
            faces.append(grid(DOWN, ACROSS)[:, :: -1 if biting > 0 else 1] + start)
        along += width
    return Piece(
        np.concatenate(vertices).astype(np.float32), np.concatenate(faces), np.concatenate(colours).astype(np.float32),
        "tooth", thin=True,
    )  # fmt: skip


def _tooth(
    arc: float, width: float, edge: float, height: float, front: float, biting: int
) -> tuple[Points, npt.NDArray[np.float64]]:
    """A rounded shield on the arch, and the gum above it."""
    u, v = np.meshgrid(np.linspace(-1, 1, ACROSS), np.linspace(0, 1, DOWN))
    centre = _x_at(arc)
    x = centre + u * width / 2 * 0.97 * (1 - 0.35 * CURVE * abs(centre)) * (0.86 + 0.14 * np.sin(np.pi * (1 - v) * 0.8))
    y = edge - biting * (v * height + 0.9 * np.abs(u) ** 3 * (1 - v) ** 6)
    bulge = 1.3 * (1 - u**2) * np.sqrt(np.clip(1 - 0.5 * v, 0, 1))
    z = front - CURVE * x**2 + bulge - 1.5 * v**2
    gum = np.clip((v - 0.72) / 0.2, 0, 1)[..., None]
    shade = (1 - 0.45 * np.abs(u) ** 6)[..., None]
    colour = WHITE * shade * (1 - gum) + GUM * gum
    return np.stack([x, y, z], -1).reshape(-1, 3), (colour * np.ones_like(x)[..., None]).reshape(-1, 3)


def _x_at(arc: float) -> float:
    """How far from the middle a place lies that is so far along the arch."""
    x = np.linspace(0, 40, 400)
    along = np.append(0, np.cumsum(np.hypot(np.diff(x), CURVE * np.diff(x**2))))
    return float(np.sign(arc) * np.interp(abs(arc), along, x))
