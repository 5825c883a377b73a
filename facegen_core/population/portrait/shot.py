"""Everything that decides a picture, the person aside."""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from facegen_core.population.emotions import emotion_actions
from facegen_core.population.portrait.eyeballs import look_actions
from facegen_core.population.portrait.framing import Square, around_box, as_ffhq
from facegen_core.population.portrait.light import Light, Triple

Style = Literal["photo", "cartoon"]
FOREHEAD = 0.12
"""Landmarks end at the brows: a box around them lies this much of its side below the middle of the face."""
STRENGTHS = (-0.2, 1.6)
"""Facial actions go no further: beyond, skin folds through itself."""


class Grade(NamedTuple):
    """What a camera makes of the light.

    Attributes:
        exposure: factor.
        balance: factors of red, green and blue.
        contrast: 1 as it is.
        saturation: 1 as it is, 0 grey.
        vignette: how much darker the corners are.
        grain: standard deviation of noise at middle grey.
        blur: of the lens, pixels of a picture of 128.
        seed: of the grain.
    """

    exposure: float = 1.0
    balance: Triple = (1.0, 1.0, 1.0)
    contrast: float = 1.0
    saturation: float = 1.0
    vignette: float = 0.0
    grain: float = 0.0
    blur: float = 0.0
    seed: int = 0


class Crop(NamedTuple):
    """Which square becomes the picture.

    Attributes:
        kind: "box", around the box of the landmarks; "ffhq", as FFHQ is cropped.
        margin: side of the picture against that of the box; of "ffhq" 1.
        shift: of the centre, to the right and up, as shares of the box.
    """

    kind: Literal["box", "ffhq"] = "ffhq"
    margin: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)


class Shot(NamedTuple):
    """One picture.

    Attributes:
        units: strengths of action units by name, such as ``{"AU06": 0.8, "AU14L": 1.0}``.
        lids: how far open lids hang over the eyes, in eyeBlink's strength; wide eyes lift them.
        gaze: degrees to the person's left and up, against the head.
        pose: yaw to the person's left, pitch downwards, roll to the person's right shoulder, degrees.
        light: where light comes from.
        distance: from camera to head, mm: near ones enlarge the nose.
        height: of the camera above the head's middle, mm.
        crop: which square of what the camera sees.
        grade: what it makes of the light.
        scene: a place, or None for a backdrop.
        scene_seed: of the place or backdrop.
        costume: what is worn.
        outfit_seed: which everyday clothes.
        style: photograph or cartoon.
    """

    units: dict[str, float]
    lids: float
    gaze: tuple[float, float]
    pose: tuple[float, float, float]
    light: Light
    distance: float = 900.0
    height: float = 0.0
    crop: Crop = Crop()
    grade: Grade = Grade()
    scene: str | None = None
    scene_seed: int = 0
    costume: str = "normal"
    outfit_seed: int = 0
    style: Style = "photo"


def actions(shot: Shot, action_names: list[str]) -> npt.NDArray[np.float64]:
    """Strengths (A,) of the facial actions in a shot, the eyes' turning included."""
    values = emotion_actions(shot.units, action_names)
    for side in ("Left", "Right"):
        wide = values[action_names.index(f"eyeWide{side}")]
        values[action_names.index(f"eyeBlink{side}")] += shot.lids * max(1 - 2 * wide, 0)
    return (values + look_actions(shot.gaze, action_names)).clip(*STRENGTHS)


def square(crop: Crop, landmarks: npt.NDArray[np.float64]) -> Square:
    """The square of a crop around landmarks (68, 2), y up."""
    across, up = crop.shift
    return as_ffhq(landmarks) if crop.kind == "ffhq" else around_box(landmarks, crop.margin, (across, up + FOREHEAD))
