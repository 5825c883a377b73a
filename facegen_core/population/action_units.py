"""BP4D's action units, and how embedded people do them: as strengths of anny's facial actions."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from facegen_core.names import find_name
from facegen_core.population.expressions import add_action

ACTION_UNITS: dict[int, str] = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    11: "nasolabial deepener",
    12: "lip corner puller",
    13: "sharp lip puller",
    14: "dimpler",
    15: "lip corner depressor",
    16: "lower lip depressor",
    17: "chin raiser",
    18: "lip pucker",
    19: "tongue show",
    20: "lip stretcher",
    22: "lip funneler",
    23: "lip tightener",
    24: "lip pressor",
    27: "mouth stretch",
    28: "lips suck",
    29: "jaw thrust",
    30: "jaw sideways",
    31: "jaw clencher",
    32: "lip bite",
    33: "cheek blow",
    34: "cheek puff",
    35: "cheek suck",
    36: "tongue bulge",
    37: "lip wipe",
    38: "nostril dilator",
    39: "nostril compressor",
}
"""The 34 units that BP4D codes [P 4.1: "34 labeled AUs"; their numbers from its loaders], with their FACS names."""

NAMES = [f"AU{number:02d}" for number in ACTION_UNITS]
"""Names of the 34 units, in the order of their labels."""

WITH_INTENSITY = (6, 10, 12, 14, 17)
"""The units whose intensity BP4D codes too, from 0 to 5 [P 4.1: "5 AUs labeled with intensity"]."""

FACIAL_ACTIONS: dict[int, dict[str, float]] = {
    1: {"browInnerUp": 1.0},
    2: {"browOuterUp": 1.0},
    4: {"browDown": 1.0},
    5: {"eyeWide": 1.0},
    6: {"cheekSquint": 1.0, "eyeSquint": 0.3},
    7: {"eyeSquint": 1.0},
    9: {"noseSneer": 1.0},
    10: {"mouthUpperUp": 1.0},
    11: {"noseSneer": 0.35, "mouthUpperUp": 0.3, "mouthDimple": 0.15},  # nearest: a deeper fold, the lip hardly up
    12: {"mouthSmile": 1.0},
    13: {"mouthSmile": 0.6, "cheekPuff": 0.3},  # nearest: corners sharply up, cheeks full
    14: {"mouthDimple": 1.0},
    15: {"mouthFrown": 1.0},
    16: {"mouthLowerDown": 1.0},
    17: {"mouthShrugLower": 1.0},
    18: {"mouthPucker": 1.0},
    19: {"tongueOut": 1.0, "jawOpen": 0.3},
    20: {"mouthStretch": 1.0},
    22: {"mouthFunnel": 1.0},
    23: {"mouthRollUpper": 0.35, "mouthRollLower": 0.35, "mouthPucker": 0.2},  # nearest: lips narrow, not pressed
    24: {"mouthPress": 1.0},
    27: {"jawOpen": 1.0},
    28: {"mouthRollUpper": 1.0, "mouthRollLower": 1.0, "jawOpen": 0.1},
    29: {"jawForward": 1.0},
    30: {"jawLeft": 1.0},  # FACS has one unit for both sides; always the person's left here
    32: {"mouthRollLower": 0.9, "jawOpen": 0.05},  # nearest: the lower lip goes between the teeth
    33: {"cheekPuff": 0.6, "mouthFunnel": 0.4},  # nearest: blown out through open lips
    34: {"cheekPuff": 1.0, "mouthPress": 0.2},
    35: {"cheekPuff": -0.6, "mouthPucker": 0.25},  # the opposite of blown cheeks
}
"""What each unit does at intensity 1; a name without Left or Right stands for both sides where there are two.

Five units are not here, and move nothing: 31 (a muscle bulges at the jaw), 36 (the tongue pushes a cheek from inside),
37 (a movement over time), 38 and 39 (nostrils); anny has no such actions.
"""


def unit_actions(intensities: Mapping[str, float], action_names: list[str]) -> npt.NDArray[np.float64]:
    """The facial actions of several action units at once: their sum.

    Args:
        intensities: strength of units by name, such as ``{"AU06": 1.0, "AU12": 0.5}``; 1 is the full movement.
        action_names: the anatomy's actions, in order.

    Returns:
        (A,) strengths.

    Raises:
        ConfigError: there is no such unit.
        KeyError: the anatomy lacks an action.
    """
    values = np.zeros(len(action_names))
    numbers = list(ACTION_UNITS)
    for name, intensity in intensities.items():
        for action, strength in FACIAL_ACTIONS.get(numbers[find_name(name, NAMES)], {}).items():
            add_action(values, action, strength * intensity, action_names)
    return values
