"""How the pictures of a population differ: each is a function of (seed, person, picture)."""

import numpy as np
import numpy.typing as npt

from facegen_core.population.portrait.framing import turn
from facegen_core.population.portrait.light import draw_light, light_of
from facegen_core.population.portrait.scenery import SCENES
from facegen_core.population.portrait.shot import Crop, Grade, Shot
from facegen_core.seeding import derive, numpy_generator

_SHOT, _OUTFIT, _GRAIN, _SCENE = 106, 107, 108, 109

POSE_SPREAD = (16.0, 7.0, 4.5)
"""Standard deviations of yaw, pitch and roll, degrees."""
POSE_MOST = (55.0, 25.0, 20.0)
LIDS = (0.04, 0.26)
"""Least and most of :attr:`~facegen_core.population.portrait.shot.Shot.lids`."""
LOOKS_AT_CAMERA, ASIDE = 0.75, (9.0, 4.0)
"""Share of pictures in which somebody looks into the camera; standard deviations of where they look else, degrees."""
GAZE_MOST = (26.0, 10.0)
"""How far eyes turn to the side and up or down, degrees."""
PICTURES_AN_OUTFIT = 4
"""People change their clothes after so many pictures."""
IN_A_PLACE = 0.6
"""Share of pictures with a place behind; the others have a studio's backdrop."""


def draw_shot(seed: int, person: int, picture: int, units: dict[str, float], crop: Crop) -> Shot:
    """Everything of a picture but who is in it.

    Args:
        seed: of the population.
        person: the person's number.
        picture: the picture's number among the person's.
        units: strengths of action units. Nothing else depends on them: with others it is the same picture of another
            expression.
        crop: which square becomes the picture.
    """
    random = numpy_generator(seed, _SHOT, person, picture)
    yaw, pitch, roll = np.clip(random.normal(0, POSE_SPREAD), -np.array(POSE_MOST), POSE_MOST).tolist()
    pose = (yaw, pitch, roll)
    at_camera = random.random() < LOOKS_AT_CAMERA
    aside = random.normal(0, ASIDE) * (0.25 if at_camera else 1.0)
    scene = str(random.choice(list(SCENES))) if random.random() < IN_A_PLACE else None
    return Shot(
        units=units,
        lids=random.uniform(*LIDS),
        gaze=_gaze(pose, aside, at_camera),
        pose=pose,
        light=draw_light(random) if scene is None else light_of(SCENES[scene].light, random),
        distance=float(np.exp(random.uniform(np.log(550), np.log(2200)))),
        height=float(random.normal(0, 40)),
        crop=crop,
        grade=_grade(random, derive(seed, _GRAIN, person, picture)),
        scene=scene,
        scene_seed=derive(seed, _SCENE, person, picture),
        outfit_seed=derive(seed, _OUTFIT, person, picture // PICTURES_AN_OUTFIT),
    )


def _gaze(pose: tuple[float, float, float], aside: npt.NDArray[np.float64], at_camera: bool) -> tuple[float, float]:
    """Degrees to the person's left and up: back to the camera from where the head points, or somewhere."""
    x, y, z = turn(*pose).T @ [0.0, 0.0, 1.0] if at_camera else (0.0, 0.0, 1.0)
    left, up = np.degrees(np.arctan2(x, z)) + aside[0], np.degrees(np.arcsin(y)) + aside[1]
    across, high = np.clip([left, up], -np.array(GAZE_MOST), GAZE_MOST).tolist()
    return across, high


def _grade(random: np.random.Generator, seed: int) -> Grade:
    warmth, green = random.normal(0, 0.05), random.normal(0, 0.015)
    return Grade(
        exposure=float(np.exp(random.normal(0.2, 0.18))),
        balance=(1 + warmth, 1 + green, 1 - warmth),
        contrast=float(random.normal(1.03, 0.07)),
        saturation=float(np.clip(random.normal(0.95, 0.15), 0.3, 1.3)),
        vignette=float(abs(random.normal(0, 0.12))),
        grain=float(abs(random.normal(0, 0.012))),
        blur=float(abs(random.normal(0, 0.22))),
        seed=seed,
    )
