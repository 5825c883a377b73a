"""EmotionLDM: stages and tables."""

from collections.abc import Sequence

from experiments.emotion_ldm import emotion_clip, emotion_ldm, vqgan

STAGES = {"vqgan": vqgan, "emotion_ldm": emotion_ldm, "emotion_clip": emotion_clip}


def reproduce(words: Sequence[str]) -> None:
    """Edits and measures all that the paper's tables need; see ``tables/``."""
    from experiments.emotion_ldm.tables import make_tables

    make_tables(words)
