"""The 68 points of the iBUG scheme on the head: fixed places of the skin, the same on everybody."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import trimesh

from facegen_core.geometry.mesh import Indices
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.eyes import lid_loops, lids

Points = npt.NDArray[np.float64]

JAW = (
    (74, 26, -28), (73, 6, -26), (70, -14, -26), (66, -33, -22), (58, -52, -14), (49, -66, -6), (37, -78, 10),
    (21, -86, 24), (0, -89, 32),
)  # fmt: skip
"""From the person's right ear to the chin, with x mirrored; mm on the template, as all that follows."""
BROW = ((56, 40), (47, 47), (36, 50), (23, 48.5), (10.5, 44))
"""From the tail inwards, (x, y)."""
BRIDGE = ((0, 27), (0, 14), (0, 1), (0, -11.5))
NOSTRILS = ((12.5, -19.0), (6.5, -21.0), (0, -22.5))
"""From the person's right wing to the middle."""
UPPER_LIP = ((25.5, -44.5), (14.5, -39.0), (5.2, -37.0), (0, -38.4))
LOWER_LIP = ((14.5, -52.5), (6.5, -55.0), (0, -55.4))
INNER_LIPS_AT = (8.5, 0.0, -8.5)
"""How far from the middle the points on the inner edges of the lips lie, from the person's left to the right."""
LIDS_AT = (0.32, 0.68)
"""Where along an eye, from one corner to the other, the two points of a lid lie."""

EYES = (slice(36, 42), slice(42, 48))
CHIN, NOSE_TIP, MOUTH_CORNERS = 8, 30, (48, 54)


class Landmarks(NamedTuple):
    """Places on the head.

    Attributes:
        corners: (68, 3) vertices of the triangle that each point is in.
        weights: (68, 3) where in it.
    """

    corners: Indices
    weights: Points

    def on(self, head: npt.NDArray[np.floating]) -> Points:
        """The points (68, 3) of a head (V, 3), in its unit."""
        return np.einsum("nk,nkc->nc", self.weights, head[self.corners])


@functools.lru_cache(maxsize=1)
def landmarks(anatomy: Anatomy) -> Landmarks:
    """The 68 points, in the order of iBUG 300-W (Sagonas et al. 2013): what is right in it is the person's right.

    Jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, lips 48-67.
    """
    template = anatomy.template.numpy()
    right = np.array([-1.0, 1.0, 1.0])
    jaw = np.array(JAW) * right
    brow, bridge, nostrils = (_from_front(points, anatomy) for points in (BROW, BRIDGE, NOSTRILS))
    upper, lower = (_from_front(points, anatomy) for points in (UPPER_LIP, LOWER_LIP))
    outer = [upper * right, upper[2::-1], lower[:2], lower[::-1] * right]
    points = [
        jaw, jaw[-2::-1] * right,
        brow * right, brow[::-1],
        bridge, nostrils * right, nostrils[1::-1],
        *_eyes(anatomy),
        *outer, *_inner_lips(template, anatomy),
    ]  # fmt: skip
    skin = anatomy.faces[anatomy.parts["skin"]]
    surface = trimesh.Trimesh(template, skin, process=False)
    closest, _, triangle = trimesh.proximity.closest_point_naive(surface, np.concatenate(points))
    weights = trimesh.triangles.points_to_barycentric(template[skin[triangle]], closest)
    return Landmarks(skin[triangle], np.clip(weights, 0, 1))


def five_points(points: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Middles of the eyes, tip of the nose and corners of the mouth, (..., 5, D), of 68 points (..., 68, D).

    In the order of the pictures that detectors give: what lies on the left of the picture first.
    """
    eyes = [points[..., eye, :].mean(-2) for eye in EYES]
    return np.stack([*eyes, *(points[..., i, :] for i in (NOSE_TIP, *MOUTH_CORNERS))], axis=-2)


def _from_front(points: tuple[tuple[float, float], ...], anatomy: Anatomy) -> Points:
    """Where the skin is first met, coming from the front, at some (x, y)."""
    template, skin = anatomy.template.numpy(), anatomy.faces[anatomy.parts["skin"]]
    corners = template[skin]
    a, b, c = corners[:, 0, :2], corners[:, 1, :2], corners[:, 2, :2]
    twice = _cross(b - a, c - a)
    found = []
    for point in np.array(points, dtype=np.float64):
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = np.stack([_cross(c - b, point - b), _cross(a - c, point - c), _cross(b - a, point - a)], 1)
            weights /= twice[:, None]
        inside = (weights >= -1e-9).all(1)
        depth = np.where(inside, (weights * corners[..., 2]).sum(1), -np.inf)
        found.append([*point, depth.max()])
    return np.array(found)


def _cross(p: Points, q: Points) -> Points:
    return p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]


def _eyes(anatomy: Anatomy) -> list[Points]:
    """Six points of the person's right eye and of the left one, clockwise in the picture from its left corner."""
    template = anatomy.template.numpy()
    found = []
    for loop in lid_loops(anatomy)[::-1]:
        rim, edge = template[loop], lids(template, loop)
        corners = rim[[rim[:, 0].argmin(), rim[:, 0].argmax()]]
        x = corners[0, 0] + np.ptp(corners[:, 0]) * np.array(LIDS_AT)
        upper, lower = (
            [_nearest(rim, at, np.interp(at, edge.x, lid)) for at in x.tolist()] for lid in (edge.upper, edge.lower)
        )
        found.append(np.array([corners[0], *upper, corners[1], *lower[::-1]]))
    return found


def _nearest(points: Points, x: float, y: float) -> Points:
    return points[np.abs(points[:, :2] - [x, y]).sum(1).argmin()]


def _inner_lips(template: Points, anatomy: Anatomy) -> list[Points]:
    """The inner edges of the lips: corner, upper edge, corner, lower edge, from the person's right."""
    skin, mouth = (np.unique(anatomy.faces[anatomy.parts[name]]) for name in ("skin", "mouth"))
    rim = np.intersect1d(skin, mouth)
    opened = template[rim] + anatomy.actions[anatomy.action_names.index("jawOpen")].numpy()[rim]
    edge = template[rim]
    corners = edge[edge[:, 0].argmin()], edge[edge[:, 0].argmax()]
    middle = (opened[:, 1].min() + opened[:, 1].max()) / 2
    upper, lower = edge[opened[:, 1] > middle], edge[opened[:, 1] <= middle]

    x = np.array(INNER_LIPS_AT)
    return [corners[0][None], _along(upper, -x), corners[1][None], _along(lower, x)]


def _along(edge: Points, x: Points) -> Points:
    """Points (N, 3) of an edge at some distances from the middle, (N,)."""
    edge = edge[edge[:, 0].argsort()]
    return np.stack([x, *(np.interp(x, edge[:, 0], edge[:, k]) for k in (1, 2))], axis=1)
