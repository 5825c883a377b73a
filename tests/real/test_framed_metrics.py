"""The detector and the encoders in a metric, on photographs."""

import pytest
from helpers.real_judges import classifier, london_faces, recogniser

from facegen_core.encoders.framing import FaceFramer
from facegen_core.metrics.emotion import EmotionAccuracy
from facegen_core.metrics.identity import IdentityCosine

pytestmark = pytest.mark.real


def test_detector_and_encoders_stand_in_the_metrics(real):
    """Five people; one smiling photograph is grey, and its pair is left out."""
    neutral, smiling = london_faces(real / "data", 5)
    smiling[1] = 0.5
    judge = recogniser(real)
    metric = IdentityCosine(judge, FaceFramer(judge.preprocessing))
    metric.update(smiling, neutral)
    assert 0.8 < float(metric.compute()) < 1
    protocol = metric.protocol()
    assert (protocol["count"], protocol["without_face"]) == (4, 1)
    assert protocol["framing"] == "MTCNN from 0.9, five_points, 112"
    assert protocol["resize"].endswith(" 112")
    expressions = classifier(real)
    emotions = EmotionAccuracy(expressions, FaceFramer(expressions.preprocessing))
    emotions.update(smiling, neutral.new_ones(5).long())
    assert float(emotions.compute()) >= 0.4
    assert emotions.details()["share_no_face"] == pytest.approx(0.2)
