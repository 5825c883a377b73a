"""The emotions that pictures are labelled with, in AffectNet's order."""

EMOTIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
"""AffectNet's labels 0 to 7; its 8, 9 and 10 are none, uncertain and no face, which are left out and counted."""
