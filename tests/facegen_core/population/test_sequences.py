"""Tasks as embedded people play them."""

import hashlib

import numpy as np
import pytest

from facegen_core.population.action_units import ACTION_UNITS, FACIAL_ACTIONS, NAMES, unit_actions
from facegen_core.population.anatomy import anatomy
from facegen_core.population.expressions import STRENGTH_SPREAD
from facegen_core.population.sequences import FRAMES, FURTHER_UNITS, TASKS, play

PLAYED_SHA256 = "a388b49255f4d1f4473502cb4ca2a0507cb2c1d9d0cc7a28cabf81fb035b9a16"


@pytest.fixture(scope="module")
def played() -> np.ndarray:
    """Intensities (people, tasks, T, 34) of 20 people."""
    shared = anatomy()
    return np.array([[play(0, person, task, shared).intensity for task in range(8)] for person in range(20)])


def test_tasks_are_bp4ds_eight():
    names = ["happy", "sad", "surprise", "embarrassment", "fear", "pain", "anger", "disgust"]
    assert list(TASKS) == names


def test_sequences_have_not_changed():
    """The same seed, the same sequences."""
    digest, shared = hashlib.sha256(), anatomy()
    for seed, person, task in ((0, 0, 0), (0, 1, 7), (7, 40, 3)):
        for values in play(seed, person, task, shared):
            digest.update(values.astype("<f8").round(9).tobytes())
    assert digest.hexdigest() == PLAYED_SHA256


def test_every_unit_that_shows_rises_once_and_falls_once(played):
    shown = played.transpose(0, 1, 3, 2)[played.max(axis=2) > 0]
    rising = np.diff(shown, axis=1) > 1e-9
    falling = np.diff(shown, axis=1) < -1e-9
    assert len(shown) > 300
    for up, down in zip(rising, falling, strict=True):
        assert not up[down.argmax() :].any() or not down.any()
    assert shown.max() <= 1.1
    assert shown.min() == 0


def test_a_tasks_own_units_show_in_most_of_its_sequences(played):
    for task, units in enumerate(TASKS.values()):
        own = [list(ACTION_UNITS).index(unit) for unit in units]
        assert (played[:, task].max(axis=1)[:, own] > 0).mean() > 0.75


def test_every_unit_that_can_be_shown_is_shown_and_no_other(played):
    seen = {unit for unit, most in zip(ACTION_UNITS, played.max((0, 1, 2)), strict=True) if most > 0}
    assert seen == set(FACIAL_ACTIONS)
    usual = np.array([len(units) for units in TASKS.values()])
    assert ((played.max(axis=2) > 0).sum(-1) <= usual + FURTHER_UNITS).all()


def test_actions_are_the_units_in_the_persons_own_manner():
    """One factor for each action and person, the same in all sequences."""
    shared = anatomy()
    factors: dict[int, set[float]] = {}
    for task in range(8):
        shown = play(3, 5, task, shared)
        assert shown.actions.shape == (FRAMES, len(shared.action_names))
        for intensity, actions in zip(shown.intensity, shown.actions, strict=True):
            plain = unit_actions(dict(zip(NAMES, intensity, strict=True)), shared.action_names)
            for action in np.flatnonzero(np.abs(plain) > 1e-6):
                factors.setdefault(int(action), set()).add(round(actions[action] / plain[action], 6))
            assert not actions[plain == 0].any()
    assert all(len(values) == 1 for values in factors.values())
    spread = [values.pop() - 1 for values in factors.values()]
    assert 0 < np.abs(spread).max() <= 2 * STRENGTH_SPREAD
