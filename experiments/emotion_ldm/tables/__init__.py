"""``facegen reproduce emotion_ldm``: tables 1, 3, 4 and 5 and figures of the paper, ours beside the published."""
