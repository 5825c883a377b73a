"""What a face does: expressions as strengths of facial actions."""

import numpy as np
import numpy.typing as npt

from facegen_core.seeding import numpy_generator

_EXPRESSION = 101

FACESCAPE: dict[str, dict[str, float]] = {
    "neutral": {},
    "smile": {"mouthSmile": 0.85, "cheekSquint": 0.5, "eyeSquint": 0.2, "mouthDimple": 0.2},
    "mouth_stretch": {"jawOpen": 0.9, "mouthLowerDown": 0.25, "eyeWide": 0.2},
    "anger": {"browDown": 0.9, "noseSneer": 0.6, "mouthPress": 0.5, "eyeSquint": 0.35},
    "jaw_left": {"jawLeft": 1.0, "mouthLeft": 0.25},
    "jaw_right": {"jawRight": 1.0, "mouthRight": 0.25},
    "jaw_forward": {"jawForward": 1.0, "mouthShrugLower": 0.15},
    "mouth_left": {"mouthLeft": 1.0},
    "mouth_right": {"mouthRight": 1.0},
    "dimpler": {"mouthDimple": 1.0, "mouthPress": 0.25, "mouthStretch": 0.15},
    "chin_raiser": {"mouthShrugLower": 1.0, "mouthShrugUpper": 0.4, "mouthFrown": 0.25},
    "lip_puckerer": {"mouthPucker": 1.0},
    "lip_funneler": {"mouthFunnel": 1.0, "jawOpen": 0.12},
    "sadness": {"mouthFrown": 0.9, "browInnerUp": 0.75, "mouthShrugLower": 0.2, "eyeSquint": 0.15},
    "lip_roll": {"mouthRollLower": 0.9, "mouthRollUpper": 0.9},
    "grin": {"mouthSmile": 0.6, "mouthStretch": 0.5, "mouthUpperUp": 0.5, "mouthLowerDown": 0.5, "jawOpen": 0.1},
    "cheek_blowing": {"cheekPuff": 1.0, "mouthPress": 0.2},
    "eye_closed": {"eyeBlink": 1.0},
    "brow_raiser": {"browInnerUp": 0.9, "browOuterUp": 0.9, "eyeWide": 0.25},
    "brow_lower": {"browDown": 1.0},
}
"""FaceScape's 20 expressions, in its order; a name without Left or Right stands for both sides where there are two."""

STRENGTH_SPREAD = 0.12
"""People differ in how strongly they do an action: standard deviation as a share of the strength."""
RESTLESSNESS = 0.03
"""Nobody holds still: standard deviation of the strength of a few further actions."""
RESTLESS_ACTIONS = 6


def strengths(name: str, action_names: list[str], intensity: float = 1.0) -> npt.NDArray[np.float64]:
    """The facial actions of an expression, as everybody would do it.

    Args:
        name: one of :data:`FACESCAPE`.
        action_names: the anatomy's actions, in order.
        intensity: 0 is neutral, 1 as listed, more is exaggerated.

    Returns:
        (A,) strengths.

    Raises:
        KeyError: no such expression, or an action the anatomy does not have.
    """
    values = np.zeros(len(action_names))
    for action, strength in FACESCAPE[name].items():
        add_action(values, action, strength * intensity, action_names)
    return values


def add_action(values: npt.NDArray[np.float64], action: str, strength: float, action_names: list[str]) -> None:
    """Adds a facial action, on both sides where there are two, to strengths (A,) of all actions.

    Raises:
        KeyError: the anatomy does not have it.
    """
    for side in [action] if action in action_names else [f"{action}Left", f"{action}Right"]:
        if side not in action_names:
            raise KeyError(f"no facial action {action}")
        values[action_names.index(side)] += strength


def personal_strengths(
    seed: int, person: int, name: str, action_names: list[str], intensity: float = 1.0
) -> npt.NDArray[np.float64]:
    """The facial actions of an expression as one person does it: a function of (seed, person, expression) alone.

    Args:
        seed: of the population.
        person: the person's number.
        name: one of :data:`FACESCAPE`.
        action_names: the anatomy's actions, in order.
        intensity: scales the expression, not the restlessness.

    Returns:
        (A,) strengths, none below 0.
    """
    random = numpy_generator(seed, _EXPRESSION, person, list(FACESCAPE).index(name))
    listed = strengths(name, action_names)
    own = listed * (1 + STRENGTH_SPREAD * random.normal(size=len(listed)).clip(-2, 2))
    still = [i for i, action in enumerate(action_names) if action.startswith(("brow", "mouth", "eyeSquint", "cheek"))]
    restless = random.choice(still, RESTLESS_ACTIONS, replace=False)
    noise = np.abs(random.normal(0, RESTLESSNESS, RESTLESS_ACTIONS))
    values = own * intensity
    values[restless] += noise
    return values
