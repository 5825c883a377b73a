"""What the tables' judges measure of made pictures, and how often they look."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.emotion_ldm.tables.config import MetricsConfig
from experiments.emotion_ldm.tables.judges import LAID, Judges, Sources, measure
from facegen_core.emotions import EMOTIONS
from facegen_core.geometry.face_crop import ALIGNED_224

PLACES = range(6)


@pytest.fixture(scope="module")
def judges() -> Judges:
    return Judges(MetricsConfig(), torch.device("cpu"))


@pytest.fixture
def looks(judges, monkeypatch) -> list[int]:
    """How many pictures a judge was shown, a number a look."""
    counts: list[int] = []
    seen = judges._seen
    monkeypatch.setattr(judges, "_seen", lambda judge, x, points: counts.append(len(x)) or seen(judge, x, points))
    return counts


def sources(judges: Judges, has_truth: bool) -> Sources:
    """Two pictures of noise with soft edges."""
    noise = torch.rand(2, 8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    pictures = F.interpolate(noise.flatten(0, 1), size=32, mode="bilinear").unflatten(0, (2, 8))
    raw, reconstruction, truth = pictures[:, 6], pictures[:, 7], pictures[:, :6]
    points = ((ALIGNED_224 + 0.5) / 224).expand(2, 5, 2)
    who = [judges.embeddings(x, points) for x in (raw, reconstruction)]
    who_truth = judges.embeddings(truth.flatten(0, 1), points.repeat_interleave(6, 0)).unflatten(0, (2, 6))
    known = (truth, who_truth) if has_truth else (None, None)
    return Sources(torch.arange(2), torch.tensor([0, 1]), raw, reconstruction, known[0], points, *who, known[1])


def edits() -> Tensor:
    return torch.rand(2, 6, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_changes_are_laid_onto_pictures_where_the_truth_is_known_alone(judges, looks):
    without = sources(judges, has_truth=False)
    looks.clear()
    measured = measure(judges, without, edits(), PLACES)
    assert not any(name.startswith(LAID) or "counterfactual" in name for name in measured)
    assert looks == [12, 12], "two judges, once"
    more = measure(judges, sources(judges, has_truth=True), edits(), PLACES)
    assert {name for name in more if not name.startswith(LAID) and "counterfactual" not in name} == set(measured)
    assert {f"{LAID}emotion", f"{LAID}counterfactual_psnr", "counterfactual_id"} <= set(more)


def test_a_picture_that_is_the_same_for_all_targets_is_judged_once(judges, looks):
    of = sources(judges, has_truth=True)
    looks.clear()
    once = measure(judges, of, of.raw[:, None], PLACES)
    assert looks == [2, 2, 2, 2], "two judges, as it is and laid"
    each = measure(judges, of, of.raw[:, None].expand(-1, 6, -1, -1, -1), PLACES)
    assert looks[4:] == [12, 12, 12, 12]
    assert list(once) == list(each)
    for name, values in once.items():
        assert values.shape == each[name].shape
        torch.testing.assert_close(values, each[name], atol=1e-5, rtol=1e-5)


def test_labels_are_those_that_the_classifier_has(judges, monkeypatch):
    assert judges.labels == list(EMOTIONS)
    monkeypatch.setattr(judges.emotion, "classes", ("anger", "neutral", "valence"), raising=False)
    assert judges.labels == ["neutral", "anger"]
