"""Where hats, crowns and hoods sit on a head. All in the head's frame, mm."""

import functools

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, eye_array

from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Reals
from facegen_core.population.portrait.cloth import Layer, around_neck, cut, line_at, outward, under_jaw
from facegen_core.population.portrait.solids import Part, sheet

SKULL_Z = -55.0
"""Depth of the skull's upright axis, mm."""
HOOD_CENTRE = np.array([0.0, 8.0, -48.0])
HOOD_MM = 12.0
"""What a hood leaves for hair."""
BRIM_TOP, BRIM_SIDE, BRIM_CHIN = np.radians([56.0, 77.0, 66.0])
"""Angles from the face's direction at which a brim runs over the forehead, before the ears and below the chin."""
HOOD_ENDS = np.radians(180.0)


def around_head(
    head: Reals, anatomy: Anatomy, before: float, behind: float, angles: Reals, margin: float
) -> tuple[Reals, Reals]:
    """A line around the head in a plane that may slope.

    Args:
        head: (H, 3).
        anatomy: of the head.
        before: height of the plane at the forehead, on the average head.
        behind: the same at the back of the head.
        angles: (K,) 0 in front, pi / 2 at the person's left.
        margin: how far off the skin, for hair.

    Returns:
        (K, 3) points, and (K, 3) level directions away from the head.
    """
    away = outward(angles)
    line = _line_around(anatomy, before, behind, tuple(angles.tolist()))
    return line @ head + margin * away, away


@functools.cache
def _line_around(anatomy: Anatomy, before: float, behind: float, angles: tuple[float, ...]) -> csr_array:
    template = anatomy.template.numpy()
    rows, nothing = csr_array(eye_array(len(template))), np.empty((0, 2), dtype=np.int64)
    skin = Layer(rows, anatomy.faces[anatomy.parts["skin"]], template, np.zeros(len(template)), nothing)
    slope = (before - behind) / 190
    above = cut(skin, template[:, 1] - before - slope * (template[:, 2] - 40))
    level = np.abs(above.template[:, 1] - before - slope * (above.template[:, 2] - 40)) < 1e-6
    above = above._replace(cut=above.cut[level[above.cut].all(1)])
    return line_at(above, around_neck(above.template, SKULL_Z), np.array(angles))


class Hood:
    """A hood that leaves the face free: points on it by two angles, as on an egg around the head.

    Args:
        head: (H, 3) whom it has to fit.
        anatomy: of the head.
    """

    def __init__(self, head: Reals, anatomy: Anatomy):
        skin = head[np.unique(anatomy.faces[anatomy.parts["skin"]])] - HOOD_CENTRE
        self.head, self.anatomy = head, anatomy
        self.half_width = float(np.abs(skin[:, 0]).max()) + 4
        self.up, self.down = float(skin[:, 1].max()) + HOOD_MM, 132.0
        self.before = float(np.quantile(skin[skin[:, 1] > 40, 2], 0.98)) + HOOD_MM
        self.behind = float(-skin[:, 2].min()) + HOOD_MM
        back = skin[(skin[:, 2] < -20) & (skin[:, 1] > -40)]
        reach = np.linalg.norm(back / [self.half_width, self.up, self.behind], axis=1)
        fit = max(1.0, float(reach.max()) * 1.02)  # an egg does not have the shape of a head
        self.half_width, self.up, self.behind = self.half_width * fit, self.up * fit, self.behind * fit

    def at(self, away: npt.ArrayLike, turn: npt.ArrayLike, off: float = 0.0) -> Reals:
        """Points (..., 3) at angles ``away`` from the face's direction, ``turn``-ed from the top to the person's left.

        Args:
            away: radians; 0 is before the face, pi behind the head.
            turn: radians; 0 is up, pi / 2 the person's left.
            off: mm outside the hood.
        """
        away, turn = np.broadcast_arrays(np.asarray(away, dtype=np.float64), np.asarray(turn, dtype=np.float64))
        x, y, z = np.sin(away) * np.sin(turn), np.sin(away) * np.cos(turn), np.cos(away)
        radii = np.stack([
            np.full_like(x, self.half_width + off), np.where(y > 0, self.up, self.down) + off,
            np.where(z > 0, self.before, self.behind) + off,
        ], axis=-1)  # fmt: skip
        return HOOD_CENTRE + np.stack([x, y, z], axis=-1) * radii

    def brim(self, turn: npt.ArrayLike) -> Reals:
        """How far away from the face's direction the brim runs, radians, at turns (...)."""
        top, bottom = np.cos(turn).clip(0) ** 1.5, (-np.cos(turn)).clip(0) ** 1.5
        return np.asarray(BRIM_SIDE + (BRIM_TOP - BRIM_SIDE) * top + (BRIM_CHIN - BRIM_SIDE) * bottom)

    def rim(self, columns: int, off: float = 0.0) -> Reals:
        """(columns, 3) the brim, from the top to the person's left and around, below the jaw."""
        turn = 2 * np.pi * np.arange(columns) / columns
        rim = self.at(self.brim(turn), turn, off)
        lower = (under_jaw(rim, self.head, self.anatomy, 12.0) - rim)[:, 1].min()
        rim[:, 1] += lower * (-np.cos(turn)).clip(0) ** 2
        return rim

    def shell(self, colour: npt.ArrayLike, rows: int = 16, columns: int = 48) -> Part:
        """The hood itself, from the brim to the back of the head."""
        turn = 2 * np.pi * np.arange(columns) / columns
        share = np.linspace(0, 1, rows)[:, None] ** 0.9
        away = self.brim(turn) * (1 - share) + HOOD_ENDS * share
        points = self.at(away, np.broadcast_to(turn, away.shape))
        points[0] = self.rim(columns)
        return sheet(points, colour, closed=True)
