"""Emotion accuracy and expression distance against scikit-learn and closed forms."""

import numpy as np
import pytest
import torch
from helpers.judges import Corner, NoContempt, Projection, pictures, with_faces
from sklearn.metrics import confusion_matrix

from facegen_core.emotions import EMOTIONS
from facegen_core.metrics.emotion import EmotionAccuracy, HSEmotionAccuracy
from facegen_core.metrics.expression_distance import ExpressionDistance
from facegen_core.metrics.functional.emotion import emotion_counts, emotion_report, predict_emotion
from facegen_core.metrics.functional.expression_distance import expression_distance

COUNT = 40
PICTURES = pictures(COUNT, 0)
TARGET = torch.arange(COUNT) % 8
SOURCE = torch.arange(COUNT) // 3 % 7
"""Nobody was contemptuous before."""
JUDGE = NoContempt()
PREDICTED = JUDGE(PICTURES).argmax(1)


def _measured(*batches: slice, finder=None, found=None, source=SOURCE) -> EmotionAccuracy:
    metric, shown = EmotionAccuracy(JUDGE, finder), PICTURES if found is None else with_faces(PICTURES, found)
    for rows in batches:
        metric.update(shown[rows], TARGET[rows], None if source is None else source[rows])
    return metric


def test_accuracy_is_the_share_of_all_pictures():
    metric = _measured(slice(0, 7), slice(7, 7), slice(7, COUNT))
    assert float(metric.compute()) == float((PREDICTED == TARGET).double().mean()) > 0


def test_confusion_is_scikit_learns_by_target_and_by_source():
    metric = _measured(slice(None))
    metric.compute()
    for rows, labels in (("by_target", TARGET), ("by_source", SOURCE)):
        expected = confusion_matrix(labels, PREDICTED, labels=range(8), normalize=None).astype(float)
        with np.errstate(invalid="ignore"):
            expected /= expected.sum(1, keepdims=True)
        np.testing.assert_allclose(getattr(metric.report, rows).numpy(), expected)


def test_details_are_the_shares_of_classes_and_the_accuracy_of_sources():
    metric = _measured(slice(None))
    metric.compute()
    details = metric.details()
    for label, name in enumerate(EMOTIONS):
        assert details[f"share_{name}"] == pytest.approx(float(PREDICTED.eq(label).double().mean()))
        if name != "contempt":
            mine = SOURCE.eq(label)
            assert details[f"from_{name}"] == pytest.approx(float((PREDICTED == TARGET)[mine].double().mean()))
    assert "from_contempt" not in details, "no picture was of it"
    assert sum(details[f"share_{name}"] for name in EMOTIONS) == pytest.approx(1)


def test_a_class_the_judge_does_not_know_is_never_predicted():
    metric = _measured(slice(None))
    metric.compute()
    assert metric.details()["share_contempt"] == 0
    assert float(metric.report.by_target[7, 7]) == 0
    assert (TARGET == 7).any(), "though it was asked for, and counts against the accuracy"


def test_unknown_sources_count_in_the_accuracy_alone():
    for source in (None, torch.full((COUNT,), -1)):
        metric = _measured(slice(None), source=source)
        assert float(metric.compute()) == float((PREDICTED == TARGET).double().mean())
        assert not [name for name in metric.details() if name.startswith("from_")]
        assert metric.report.by_source.isnan().all()


def test_a_picture_without_a_face_is_a_miss():
    found = [i % 4 != 0 for i in range(COUNT)]
    metric = _measured(slice(0, 4), slice(4, COUNT), finder=Corner(), found=found)
    crops = with_faces(PICTURES, found)[..., 1:-1, 1:-1]
    hits = (JUDGE(crops).argmax(1) == TARGET) & torch.tensor(found)
    assert float(metric.compute()) == float(hits.double().mean())
    assert metric.details()["share_no_face"] == 0.25
    assert sum(metric.details()[f"share_{name}"] for name in EMOTIONS) == pytest.approx(0.75)
    assert (metric.protocol()["count"], metric.protocol()["without_face"]) == (COUNT, 10)


def test_a_batch_without_any_face_is_all_misses():
    metric = _measured(slice(None), finder=Corner(), found=[False] * COUNT)
    assert float(metric.compute()) == 0


def test_none_one_and_reset():
    metric = _measured()
    assert metric.compute().isnan()
    assert metric.details() == {}
    metric.update(PICTURES[:1], PREDICTED[:1])
    assert float(metric.compute()) == 1
    metric.update(PICTURES, (PREDICTED + 1) % 8)
    metric.reset()
    metric.update(PICTURES[:1], (PREDICTED[:1] + 1) % 8)
    assert float(metric.compute()) == 0


def test_protocol_says_who_judged():
    metric = _measured(slice(None))
    metric.compute()
    protocol = metric.protocol()
    assert protocol["judge"] == JUDGE.name
    assert (protocol["framing"], protocol["resize"]) == ("as given, for a judge of five_points", "area 4")


@pytest.mark.parametrize(("target", "source"), [(8, 0), (-1, 0), (0, 8), (0, -2)])
def test_labels_out_of_range_are_refused(target, source):
    with pytest.raises(ValueError, match="must be"):
        emotion_counts(torch.tensor([0]), torch.tensor([target]), torch.tensor([source]))


@pytest.mark.parametrize(("logits", "message"), [(torch.zeros(3, 7), "logits"), (torch.full((1, 8), torch.nan), "NaN")])
def test_logits_that_are_none_are_refused(logits, message):
    with pytest.raises(ValueError, match=message):
        predict_emotion(logits)


def test_report_of_counts_by_hand():
    """Two happy faces made sad: one read as sad, one as happy; and a neutral one made happy, without a face."""
    counts = emotion_counts(torch.tensor([2, 1, 8]), torch.tensor([2, 2, 1]), torch.tensor([1, 1, 0]))
    report = emotion_report(counts)
    assert report.accuracy == pytest.approx(1 / 3)
    assert report.no_face == pytest.approx(1 / 3)
    assert report.share.tolist() == pytest.approx([0, 1 / 3, 1 / 3, 0, 0, 0, 0, 0])
    assert report.by_source[1].tolist() == [0, 0.5, 0.5, 0, 0, 0, 0, 0]
    assert report.by_target[1].tolist() == [0] * 8, "its picture has no face, so its row does not reach 1"
    assert report.accuracy_by_source[:2].tolist() == [0, 0.5]


def test_hsemotion_takes_no_other_judge():
    judge = NoContempt()
    with pytest.raises(ValueError, match="use EmotionAccuracy"):
        HSEmotionAccuracy(judge)
    for judge.name in ("hsemotion_b2_7", "enet_b2_8_best"):
        metric = HSEmotionAccuracy(judge)
        metric.update(PICTURES, TARGET)
        assert float(metric.compute()) == float(_measured(slice(None)).compute())


def test_expression_distance_is_a_cosine_in_disguise():
    """|u - v|^2 / D = 2 (1 - cos) / D; so opposite embeddings are 4 / D apart."""
    a, b = torch.randn(30, 16), torch.randn(30, 16)
    cosine = torch.nn.functional.cosine_similarity(a.double(), b.double())
    np.testing.assert_allclose(expression_distance(5 * a, b), 2 * (1 - cosine) / 16, atol=1e-12)
    np.testing.assert_allclose(expression_distance(a, -a), np.full(30, 4 / 16), atol=1e-12)


def test_expression_distance_has_the_size_of_the_papers_for_16_numbers():
    """A5: 0.0063 is a cosine of .950 for an embedding of 16."""
    turn = np.arccos(0.95)
    a, b = torch.zeros(1, 16), torch.zeros(1, 16)
    a[0, 0], b[0, 0], b[0, 1] = 1, np.cos(turn), np.sin(turn)
    assert float(expression_distance(a, b)) == pytest.approx(0.0063, abs=5e-5)


def test_expression_distance_class():
    judge, other = Projection(16), pictures(COUNT, 1)
    a, b = (torch.nn.functional.normalize(judge(x).double(), dim=1).numpy() for x in (PICTURES, other))
    expected = ((a - b) ** 2).mean()
    for times_100, factor in ((False, 1), (True, 100)):
        metric = ExpressionDistance(judge, times_100=times_100)
        assert metric.compute().isnan()
        metric.reset()
        metric.update(PICTURES[:1], other[:1])
        assert float(metric.compute()) == pytest.approx(factor * ((a - b)[0] ** 2).mean(), rel=1e-5)
        metric.update(PICTURES[1:], other[1:])
        assert float(metric.compute()) == pytest.approx(factor * expected, rel=1e-5)
        assert ("x100" in metric.protocol()["formula"]) == times_100


def test_expression_distance_leaves_pairs_without_faces_out():
    metric = ExpressionDistance(Projection(16), Corner())
    metric.update(with_faces(PICTURES, [i != 3 for i in range(COUNT)]), with_faces(PICTURES, [True] * COUNT))
    assert float(metric.compute()) == pytest.approx(0, abs=1e-9)
    assert (metric.protocol()["count"], metric.protocol()["without_face"]) == (COUNT - 1, 1)
