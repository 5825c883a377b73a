"""People: repeatable, independent of each other, different from each other, and standing still."""

import hashlib
import re

import numpy as np
import pytest
import torch

from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.identity import ASYMMETRY, SPREAD, Identity, draw_identity, neutral_heads

PEOPLE = 64
FACTORS_SHA256 = "01b0227726a06a1d5496855a5a5f4ea4b400b00fa25e32f32a1cda7cad7a2f2f"
HEADS_SHA256 = "55762870cd94c6e2863b370d154483ef007ce8ea921fc9820cac34d7b1a2792c"


@pytest.fixture(scope="module")
def shared() -> Anatomy:
    return anatomy()


@pytest.fixture(scope="module")
def people(shared) -> list[Identity]:
    return [draw_identity(0, person, shared) for person in range(PEOPLE)]


@pytest.fixture(scope="module")
def heads(people, shared) -> torch.Tensor:
    return neutral_heads(people, shared)


def _some(shared: Anatomy) -> list[Identity]:
    return [draw_identity(seed, person, shared) for seed, person in ((0, 0), (0, 1), (0, 199), (7, 0), (12345, 846))]


def test_factors_of_people_have_not_changed(shared):
    """A population is named by its seed: the same seed gives the same people, or its version is raised."""
    digest = hashlib.sha256()
    for identity in _some(shared):
        for factor in (identity.phenotypes, identity.shapes, identity.tone):
            digest.update((factor.astype("<f8").round(9) + 0.0).tobytes())  # a billionth, so that other CPUs agree
    assert digest.hexdigest() == FACTORS_SHA256


def test_heads_of_people_have_not_changed(shared):
    tenths = (neutral_heads(_some(shared), shared) * 10).round().numpy().astype("<i4")
    assert hashlib.sha256(tenths.tobytes()).hexdigest() == HEADS_SHA256


def test_seed_and_number_decide_a_person(shared, people):
    again = draw_identity(0, 3, shared)
    for value, repeated in zip(people[3][:3], again[:3], strict=True):
        np.testing.assert_array_equal(value, repeated)
    assert people[3].appearance == again.appearance
    for other in (draw_identity(1, 3, shared), draw_identity(0, 4, shared)):
        assert not np.isclose(other.shapes, people[3].shapes).any()


def test_head_does_not_depend_on_who_else_is_made(shared, people, heads):
    alone = neutral_heads([people[5]], shared)[0]
    torch.testing.assert_close(alone, heads[5], atol=1e-6, rtol=0)


def test_factors_stay_in_their_ranges(people):
    for identity in people:
        assert identity.phenotypes.min() >= 0
        assert identity.phenotypes.max() <= 1
        assert np.abs(identity.shapes).max() <= 1
        assert identity.tone.min() >= 0
        assert identity.tone.max() <= 1


def test_both_sexes_and_light_and_dark_skin_occur(shared, people):
    gender = np.array([identity.phenotypes[shared.model.phenotype_labels.index("gender")] for identity in people])
    assert 0.3 < (gender > 0.5).mean() < 0.7
    assert not ((gender > 0.3) & (gender < 0.7)).any()  # nobody is in between
    light = np.array([identity.tone.mean() for identity in people])
    assert light.min() < 0.45 < 0.65 < light.max()


def test_people_mix_three_ancestries(shared, people):
    """Shares of one person sum to one, and each ancestry is most of somebody."""
    columns = [shared.model.phenotype_labels.index(name) for name in ("african", "asian", "caucasian")]
    shares = np.stack([identity.phenotypes for identity in people])[:, columns]
    np.testing.assert_allclose(shares.sum(1), 1)
    assert set(shares.argmax(1)) == {0, 1, 2}


def test_skin_is_redder_than_blue(people):
    tone = np.stack([identity.tone for identity in people])
    assert (tone[:, 0] > tone[:, 2]).all()


def test_left_and_right_shapes_differ_by_the_stated_asymmetry(shared, people):
    """Where a pair is drawn at full spread, left minus right has a standard deviation of sqrt(2) times ASYMMETRY."""
    strengths = np.stack([identity.shapes for identity in people])
    free = (np.abs(strengths).max(0) < 1) & (shared.shape_moves.numpy() * SPREAD < 2.4)
    pairs = [
        (i, shared.shape_names.index("r-" + name[2:]))
        for i, name in enumerate(shared.shape_names)
        if name.startswith("l-") and free[i] and free[shared.shape_names.index("r-" + name[2:])]
    ]
    assert len(pairs) > 3
    left, right = strengths[:, [i for i, _ in pairs]], strengths[:, [i for _, i in pairs]]
    samples = left.size
    assert (left - right).std() == pytest.approx(np.sqrt(2) * ASYMMETRY, rel=4 / np.sqrt(2 * samples))
    assert left.std() == pytest.approx(SPREAD, rel=0.15)


def test_left_and_right_halves_differ_far_less_than_people(heads, shared):
    opposite = heads[:, shared.mirror] * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    asymmetry = (heads - opposite)[:, shared.head].norm(dim=-1).mean()
    between = (heads[1:] - heads[:-1])[:, shared.head].norm(dim=-1).mean()
    assert 0.3 < asymmetry < between / 4


def test_people_differ_by_millimetres_as_real_ones_do(heads, shared):
    """Mean vertex distance of two neutral heads; 5 mm between people of a model of real scans."""
    between = (heads[1:] - heads[:-1])[:, shared.head].norm(dim=-1).mean()
    assert 3 < between < 10


def test_heads_stay_in_place(heads, shared):
    """What is aligned is the head above the chin; its skull's centre shifts with shape alone, never with posture."""
    above_brows = shared.template[:, 1] > 60
    shift = heads[:, above_brows].mean(1) - shared.template[above_brows].mean(0)
    assert shift[:, 0].abs().max() < 1  # left and right hold each other
    assert shift.norm(dim=-1).max() < 15
    assert shift.mean(0).norm() < 4  # no drift of all together
    torch.testing.assert_close(
        heads[:, shared.head].mean(1), shared.template[shared.head].mean(0).expand(PEOPLE, 3), atol=1e-6, rtol=0
    )


def test_everybody_looks_forward(heads):
    """The tip of the nose is the foremost point, near the middle."""
    tips = heads[torch.arange(PEOPLE), heads[..., 2].argmax(1)]
    assert tips[:, 0].abs().max() < 3
    assert tips[:, 2].std() < 8


def test_everybody_has_the_size_of_a_human(heads, shared):
    head = heads[:, shared.head]
    breadth, height, depth = (head.amax(1) - head.amin(1)).unbind(-1)
    for length, least, most in ((breadth, 135, 215), (height, 195, 285), (depth, 175, 270)):
        assert least < length.min() < length.max() < most


def test_size_of_people_is_not_taken_away(heads, shared):
    """Alignment has no scale: mean radii of heads differ by some percent."""
    head = heads[:, shared.head]
    radius = (head - head.mean(1, keepdim=True)).norm(dim=-1).mean(1)
    assert 0.01 < float(radius.std() / radius.mean()) < 0.1


def test_names_of_paired_shapes_come_in_pairs(shared):
    sides = [re.match("([lr])-(.*)", name) for name in shared.shape_names]
    left, right = ({m[2] for m in sides if m and m[1] == side} for side in "lr")
    assert left == right != set()
