"""The protocol on photographs gives known networks their known figures, the judges that ship those of their card."""

import pytest
import torch
from helpers.real_judges import classifier, recogniser
from real.photographs import (
    CHOOSING,
    EVERYBODY,
    PEOPLE,
    REPORTED,
    Photographs,
    embedded,
    hog,
    photographs,
    smile_auc,
    verification,
    views,
)

from facegen_core.emotions import EMOTIONS
from facegen_core.encoders.emotion import emotion_encoder
from facegen_core.encoders.identity import identity_encoder

pytestmark = pytest.mark.real
HAPPY = EMOTIONS.index("happy")


@pytest.fixture(scope="module")
def photos(real) -> Photographs:
    return photographs(real / "data")


def test_halves_share_nobody():
    assert sorted([*CHOOSING.tolist(), *REPORTED.tolist()]) == list(range(PEOPLE))


def test_views_are_the_same_each_time(photos):
    first, again = views(photos), views(photos)
    assert all(torch.equal(a, b) for name in first for a, b in zip(first[name], again[name], strict=True))
    assert not torch.equal(first["hard"][0], first["hard"][1])


def test_untrained_features_tell_people_apart_until_the_views_are_hard(photos):
    figures = verification(embedded(hog, photos), EVERYBODY)
    assert figures["plain"].auc > 0.999 and figures["plain"].rank1 > 0.99
    assert figures["masked"].auc == pytest.approx(0.992, abs=0.006)
    assert figures["hard"].auc == pytest.approx(0.88, abs=0.03)
    assert figures["hard+masked"].auc == pytest.approx(0.745, abs=0.03)


def test_network_trained_on_real_faces_holds_on_to_them(photos, real):
    figures = verification(embedded(recogniser(real), photos), EVERYBODY)
    assert figures["plain"].auc > 0.9999 and figures["masked"].auc > 0.9995
    assert figures["hard"].auc == pytest.approx(0.988, abs=0.006)
    assert figures["hard+masked"].auc == pytest.approx(0.969, abs=0.01)


def test_smiles_are_seen_by_a_network_trained_on_real_faces(photos, real):
    happy = classifier(real)(photos.boxed).softmax(1)[:, HAPPY]
    assert smile_auc(happy, EVERYBODY) == pytest.approx(0.961, abs=0.006)


def test_embedded_judge_knows_photographed_people(photos):
    judge = identity_encoder("judge")
    with torch.no_grad():
        figures = verification(embedded(judge, photos), REPORTED)
    assert figures["masked"].auc == pytest.approx(0.986, abs=0.004)
    assert figures["hard+masked"].auc == pytest.approx(0.954, abs=0.006)


def test_embedded_judge_sees_photographed_smiles(photos):
    """Below the 0.93 that were wanted: see the card."""
    with torch.no_grad():
        happy = emotion_encoder("judge")(photos.aligned).softmax(1)[:, HAPPY]
    assert smile_auc(happy, REPORTED) == pytest.approx(0.88, abs=0.006)
