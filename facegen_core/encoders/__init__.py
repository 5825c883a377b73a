"""Networks that look at faces: detection, landmarks, identity, emotion and CLIP, all under one protocol."""
