"""What CLIP is told: the sentences, the words of all 36 directions, and the directions between them."""

import numpy as np
import pytest
import torch

from facegen_core.emotions import EMOTIONS
from facegen_core.methods.emotion_ldm.prompts import TEMPLATES, source_text, target_text, text_directions

PAPERS = ["happy", "sad", "surprised", "scared", "disgusted", "angry"]


def test_sentences_are_openais_but_for_the_one_of_many():
    assert len(TEMPLATES) == len(set(TEMPLATES)) == 79
    assert all(text.count("{}") == 1 for text in TEMPLATES)
    assert "a photo of many {}." not in TEMPLATES
    assert {"a photo of a {}.", "itap of my {}.", "a photo of the large {}."} <= set(TEMPLATES)


def test_words_of_all_directions_are_the_papers():
    """From neutral to six emotions, and from each of these to the five others: 36."""
    six = [EMOTIONS.index(name) for name in ("happy", "sad", "surprise", "fear", "disgust", "anger")]
    neutral = EMOTIONS.index("neutral")
    directions = {(source_text(a, b), target_text(b)) for b in six for a in [neutral, *six] if a != b}
    faces = [f"{word} face" for word in PAPERS]
    assert directions == {("face", b) for b in faces} | {(a, b) for a in faces for b in faces if a != b}
    assert len(directions) == 36


@pytest.mark.parametrize("source", ["neutral", "contempt", "happy", None])
def test_bare_face_stands_for_no_emotion_and_for_the_targets_own(source):
    label = -1 if source is None else EMOTIONS.index(source)
    assert source_text(label, EMOTIONS.index("happy")) == "face"


def test_directions_are_differences_averaged_over_sentences():
    """Beside numpy, with features that depend on every letter."""

    def embed(texts):
        drawn = [np.random.default_rng(list(text.encode())).normal(size=5) for text in texts]
        return torch.tensor(np.stack([one / np.linalg.norm(one) for one in drawn]))

    target = EMOTIONS.index("fear")
    found = text_directions(embed, target)
    assert found.shape == (9, 5)
    for source, word in [(EMOTIONS.index("anger"), "angry face"), (EMOTIONS.index("neutral"), "face"), (-1, "face")]:
        change = sum(embed([t.format("scared face")])[0] - embed([t.format(word)])[0] for t in TEMPLATES).numpy()
        np.testing.assert_allclose(found[source], change / np.linalg.norm(change), atol=1e-12)
