"""EmotionLDM: stages."""

from experiments.emotion_ldm import emotion_clip, emotion_ldm, vqgan

STAGES = {"vqgan": vqgan, "emotion_ldm": emotion_ldm, "emotion_clip": emotion_clip}
