"""Prompt similarity and the rate of faces found."""

import pytest
import torch
from helpers.judges import Corner, Projection, pictures, prompt_vectors, with_faces

from facegen_core.metrics.face_found import FaceFoundRate
from facegen_core.metrics.prompt_similarity import PromptSimilarity

JUDGE, PICTURES = Projection(16), pictures(4, 0)
PROMPTS = ["a person on the beach", "a person in the snow", "a person in Times Square", "a Greek sculpture of a person"]


def test_similarity_is_the_mean_cosine_of_each_picture_and_its_prompt():
    metric = PromptSimilarity(JUDGE, prompt_vectors)
    metric.update(PICTURES[:0], [])
    assert metric.compute().isnan()
    metric.update(PICTURES[:3], PROMPTS[:3])
    metric.update(PICTURES[3:], PROMPTS[3:])
    a, b = JUDGE(PICTURES).double(), prompt_vectors(PROMPTS).double()
    each = (a * b).sum(1) / a.norm(dim=1) / b.norm(dim=1)
    assert float(metric.compute()) == pytest.approx(float(each.mean()), abs=1e-6)
    assert metric.protocol()["count"] == 4
    metric.reset()
    metric.update(PICTURES[:1], PROMPTS[:1])
    assert float(metric.compute()) == pytest.approx(float(each[0]), abs=1e-6)


def test_a_prompt_too_few_is_refused():
    with pytest.raises(ValueError, match="got 3 for 4"):
        PromptSimilarity(JUDGE, prompt_vectors).update(PICTURES, PROMPTS[:3])


def test_rate_is_the_share_of_pictures_with_a_face():
    metric = FaceFoundRate(Corner())
    metric.update(PICTURES[:0])
    assert metric.compute().isnan()
    metric.update(with_faces(PICTURES[:3], [True, False, True]))
    metric.update(with_faces(PICTURES[3:], [True]))
    assert float(metric.compute()) == 0.75
    assert metric.protocol()["without_face"] == 1
    metric.reset()
    metric.update(with_faces(PICTURES[:1], [False]))
    assert float(metric.compute()) == 0


class Careless:
    name = "careless"

    def __call__(self, pictures):
        return Corner()(pictures)._replace(found=torch.ones(len(pictures), dtype=torch.bool))


def test_a_finder_whose_crops_do_not_fit_its_flags_is_named():
    with pytest.raises(ValueError, match="careless: expected one flag a picture"):
        FaceFoundRate(Careless()).update(with_faces(PICTURES, [True, False, True, True]))
