"""What CLIP is told of emotions [A]: the words, in how many sentences, and the directions between them."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from open_clip import OPENAI_IMAGENET_TEMPLATES
from torch import Tensor

from facegen_core.emotions import EMOTIONS
from facegen_core.methods.emotion_ldm.clip_finetune_config import WORDS

LEFT_OUT = "a photo of many {}."
TEMPLATES = [text for text in (template("{}") for template in OPENAI_IMAGENET_TEMPLATES) if text != LEFT_OUT]
"""OpenAI's 80 sentences for ImageNet without the one of many: 79 [A]."""
FACE = "face"
"""The word of a face of no emotion."""


def target_text(target: int) -> str:
    """What a face is to become, such as "happy face".

    Raises:
        KeyError: neutral or contempt, for which there is no word.
    """
    return f"{WORDS[EMOTIONS[target]]} {FACE}"


def source_text(source: int, target: int) -> str:
    """What a face is before: "sad face"; "face" if it is neutral, shows contempt, an unknown emotion, or the target's.

    [P] has the word "neutral" and leaves out faces that show the target's emotion [A has them].
    """
    named = source >= 0 and source != target and EMOTIONS[source] in WORDS
    return target_text(source) if named else FACE


def text_directions(embed_texts: Callable[[Sequence[str]], Tensor], target: int) -> Tensor:
    """From each emotion's text to the target's, in the space of CLIP.

    Differences of the features of equal sentences, averaged over the sentences, at length 1 [A].

    Args:
        embed_texts: texts -> their features (B, D) of length 1.
        target: the emotion wanted.

    Returns:
        (9, D), by the emotion shown; the last row is for a face whose emotion is not known, -1 in labels.
    """
    sources = [source_text(source, target) for source in (*range(len(EMOTIONS)), -1)]
    features = {text: embed_texts([t.format(text) for t in TEMPLATES]) for text in {target_text(target), *sources}}
    wanted = features[target_text(target)]
    return F.normalize(torch.stack([(wanted - features[source]).mean(0) for source in sources]), dim=1)
