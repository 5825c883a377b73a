"""The detector and the encoders in a metric, on photographs."""

import pytest
from helpers.real_judges import london_faces

from facegen_core.encoders.emotion import emotion_encoder
from facegen_core.encoders.framing import FaceFramer
from facegen_core.encoders.identity import identity_encoder
from facegen_core.metrics.emotion import EmotionAccuracy
from facegen_core.metrics.identity import IdentityCosine

pytestmark = pytest.mark.real


def test_detector_and_encoders_stand_in_the_metrics(real):
    """Five people; one smiling photograph is grey, and its pair is left out."""
    neutral, smiling = london_faces(real / "data", 5)
    smiling[1] = 0.5
    judge = identity_encoder(str(real / "weights" / "identity_mobilefacenet_128.onnx"))
    metric = IdentityCosine(judge, FaceFramer(judge.preprocessing))
    metric.update(smiling, neutral)
    assert 0.8 < float(metric.compute()) < 1
    protocol = metric.protocol()
    assert (protocol["count"], protocol["without_face"]) == (4, 1)
    assert protocol["framing"] == "MTCNN from 0.9, five_points, 112"
    assert protocol["resize"].endswith(" 112")
    classifier = emotion_encoder(str(real / "weights" / "emotion_faceapi_7.onnx"))
    emotions = EmotionAccuracy(classifier, FaceFramer(classifier.preprocessing))
    emotions.update(smiling, neutral.new_ones(5).long())
    assert float(emotions.compute()) >= 0.4
    assert emotions.details()["share_no_face"] == pytest.approx(0.2)
