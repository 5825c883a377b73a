"""EmotionLDM: stages."""

from experiments.emotion_ldm import vqgan

STAGES = {"vqgan": vqgan}
