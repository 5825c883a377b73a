"""Eyes that look somewhere: the ball of each eye, its colours under a gaze, and the shade of its lids."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.geometry.mesh import Floats
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.appearance import Appearance
from facegen_core.population.eyes import IRIS_MM, TOWARDS_LIDS, eye_colours, lid_loops, lids

Points = npt.NDArray[np.float64]

DEGREES_AT_ONE = 30.0
"""How far an eye turns under anny's eyeLook actions at strength 1; its lids follow them."""
CORNEA_MM = 8.0
"""Radius of the cornea: it reflects lights nearer to the pupil than the ball would."""
DIMMED = 0.86
"""The white of an eye in its socket is not as white as paper."""


class Eyeball(NamedTuple):
    """One eye of a person.

    Attributes:
        centre: (3,) mm in the frame of the head.
        radius: mm.
        axes: (3, 3) rows: across, up and forward of the eye as it looks.
        lids: x (N,), heights of the upper lid and of the lower one, mm.
    """

    centre: Points
    radius: float
    axes: Points
    lids: tuple[Points, Points, Points]


def look_actions(gaze: tuple[float, float], action_names: list[str]) -> Points:
    """Facial actions (A,) that go with a gaze, degrees to the person's left and up."""
    across, up = (angle / DEGREES_AT_ONE for angle in gaze)
    values = np.zeros(len(action_names))
    for side, out in (("Left", across), ("Right", -across)):
        values[action_names.index(f"eyeLookOut{side}")] = max(out, 0)
        values[action_names.index(f"eyeLookIn{side}")] = max(-out, 0)
        values[action_names.index(f"eyeLookUp{side}")] = max(up, 0)
        values[action_names.index(f"eyeLookDown{side}")] = max(-up, 0)
    return values


def eyeballs(neutral: Points, head: Points, gaze: tuple[float, float], anatomy: Anatomy) -> dict[str, Eyeball]:
    """Both eyes by the names of their parts.

    Args:
        neutral: (V, 3) the relaxed head, whose eyes are spheres.
        head: (V, 3) the head as it is seen.
        gaze: degrees to the person's left and up.
        anatomy: the head.
    """
    found = {}
    for part, loop in zip(("left eye", "right eye"), lid_loops(anatomy), strict=True):
        ball = neutral[np.unique(anatomy.faces[anatomy.parts[part]])]
        centre, radius = _sphere(ball)
        relaxed, now = lids(neutral, loop), lids(head, loop)
        between = float((relaxed.upper + relaxed.lower)[10:30].mean()) / 2 - centre[1]
        rest = math.asin(np.clip(TOWARDS_LIDS * between / radius, -0.5, 0.5))
        axes = _axes(math.radians(gaze[0]), math.radians(gaze[1]) + rest)
        found[part] = Eyeball(centre, radius, axes, (now.x, now.upper, now.lower))
    return found


def seen_eye(eye: Eyeball, points: Points, look: Appearance, texel: float) -> tuple[Floats, Points, Points]:
    """What is seen of an eye at points (P, 3) of it, mm, in the frame of the head.

    Returns:
        (P, 3) colours, sRGB; (P, 3) unit normals; and (P,) the share of light that the lids let through.
    """
    outwards = points - eye.centre
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    across, up, forward = eye.axes @ outwards.T
    angle = np.arccos(np.clip(forward, -1, 1))
    on_ball = eye.radius * angle / np.maximum(np.hypot(across, up), 1e-6)
    colours = DIMMED * eye_colours(across * on_ball, up * on_ball, look, texel)
    bulge = np.exp(-((eye.radius * angle / IRIS_MM) ** 4))[:, None]
    normals = outwards + bulge * (eye.radius / CORNEA_MM - 1) * (outwards - forward[:, None] * eye.axes[2])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    x, upper, lower = eye.lids
    top, bottom = np.interp(points[:, 0], x, upper), np.interp(points[:, 0], x, lower)
    shade = 0.25 + 0.6 * np.exp(-np.clip(top - points[:, 1], 0, None) / 2.4)
    shade += 0.2 * np.exp(-np.clip(points[:, 1] - bottom, 0, None) / 1.2) + 0.15 * ((points[:, 0] - x.mean()) / 13) ** 2
    return colours.astype(np.float32), normals, 1 - np.clip(shade, 0, 0.85)


def _sphere(points: Points) -> tuple[Points, float]:
    """The sphere nearest to points, by linear least squares."""
    system = np.append(2 * points, np.ones((len(points), 1)), axis=1)
    *centre, rest = np.linalg.lstsq(system, (points**2).sum(1), rcond=None)[0]
    return np.array(centre), math.sqrt(rest + float(np.dot(centre, centre)))


def _axes(left: float, up: float) -> Points:
    across = np.array([math.cos(left), 0.0, -math.sin(left)])
    forward = np.array([math.sin(left) * math.cos(up), math.sin(up), math.cos(left) * math.cos(up)])
    return np.stack([across, np.cross(forward, across), forward])
