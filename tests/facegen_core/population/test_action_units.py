"""BP4D's action units: the coded ones, and doing to the face what FACS says of them."""

import numpy as np
import pytest
import torch

from facegen_core.errors import ConfigError
from facegen_core.population.action_units import ACTION_UNITS, FACIAL_ACTIONS, NAMES, WITH_INTENSITY, unit_actions
from facegen_core.population.anatomy import Anatomy, anatomy

WITHOUT_ACTION = ["AU31", "AU36", "AU37", "AU38", "AU39"]


@pytest.fixture(scope="module")
def shared() -> Anatomy:
    return anatomy()


def _moved(shared: Anatomy, **intensities: float) -> torch.Tensor:
    """Displacement (V, 3) that action units give the template."""
    actions = torch.from_numpy(unit_actions(intensities, shared.action_names))
    return shared.express(shared.template[None], actions[None])[0] - shared.template


def _region(shared: Anatomy, action: str, least: float = 0.7) -> torch.Tensor:
    """(V,) bool: the vertices that one facial action moves by at least this share of its furthest."""
    distance = shared.actions[shared.action_names.index(action)].norm(dim=-1)
    return distance > least * distance.max()


def test_units_are_the_34_that_bp4d_codes():
    numbers = "1,2,4,5,6,7,9,10,11,12,13,14,15,16,17,18,19,20,22,23,24,27,28,29,30,31,32,33,34,35,36,37,38,39"
    assert list(ACTION_UNITS) == [int(number) for number in numbers.split(",")]
    assert (len(NAMES), NAMES[0], NAMES[-1]) == (34, "AU01", "AU39")
    assert WITH_INTENSITY == (6, 10, 12, 14, 17)


def test_units_without_an_action_are_the_stated_ones_and_move_nothing(shared):
    still = [name for name in NAMES if not _moved(shared, **{name: 1.0}).any()]
    assert still == WITHOUT_ACTION


def test_no_two_units_are_alike(shared):
    shown = torch.stack([_moved(shared, **{f"AU{unit}": 1.0}).flatten() for unit in FACIAL_ACTIONS])
    distance = torch.cdist(shown, shown) / np.sqrt(len(shared.template))
    assert (distance + torch.eye(len(shown)) * 1e9).min() > 0.1  # root mean square over the whole head, mm


@pytest.mark.parametrize(
    ("unit", "action", "axis", "least"),
    [
        ("AU01", "browInnerUp", 1, 1),
        ("AU02", "browOuterUpLeft", 1, 1),
        ("AU04", "browDownLeft", 1, -1),
        ("AU10", "mouthUpperUpLeft", 1, 0.5),
        ("AU12", "mouthSmileLeft", 1, 1),
        ("AU12", "mouthSmileLeft", 0, 1),
        ("AU15", "mouthFrownLeft", 1, -1),
        ("AU16", "mouthLowerDownRight", 1, -0.5),
        ("AU18", "mouthPucker", 2, 0.5),
        ("AU27", "jawOpen", 1, -10),
        ("AU29", "jawForward", 2, 2),
        ("AU30", "jawLeft", 0, 2),
        ("AU34", "cheekPuff", 2, 1),
        ("AU35", "cheekPuff", 2, -0.5),
    ],
)
def test_unit_moves_its_part_of_the_face_its_way(shared, unit, action, axis, least):
    """Up and forward are positive, and so is the person's own left."""
    mean = _moved(shared, **{unit: 1.0})[_region(shared, action), axis].mean()
    assert mean * np.sign(least) > abs(least)


def test_units_add_up_and_scale(shared):
    together = _moved(shared, AU06=0.5, AU12=2.0)
    torch.testing.assert_close(together, 0.5 * _moved(shared, AU06=1.0) + 2 * _moved(shared, AU12=1.0))


def test_unknown_unit_gets_the_nearest(shared):
    with pytest.raises(ConfigError, match=r"'AU08'.*Nearest: .*AU"):
        unit_actions({"AU08": 1.0}, shared.action_names)
