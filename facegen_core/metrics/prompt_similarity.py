"""Whether pictures show what their prompts say, judged by a network that embeds both."""

import typing
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from facegen_core.metrics.functional.identity import pair_cosine
from facegen_core.metrics.functional.pictures import check_pictures
from facegen_core.metrics.judges import Judge, embed, judged_by
from facegen_core.metrics.picture_metric import MeanPictureMetric


class PromptEncoder(typing.Protocol):
    """Prompts -> embeddings (B, D) in the space of a judge of pictures."""

    def __call__(self, prompts: Sequence[str], /) -> Tensor: ...


class PromptSimilarity(MeanPictureMetric):
    """Mean cosine of the embeddings of pictures and of their prompts: Cross Initialization's Prompt column.

    All pictures count, whether they show a face or not, and nothing is multiplied by 100 [C Celeb Basis, CLIP
    ViT-B/32]. A prompt is given without the placeholder of the person: "a person on the beach".

    Args:
        judge: pictures -> embeddings, such as CLIP's image half.
        prompts: prompts -> embeddings, the other half.
    """

    higher_is_better = True

    def __init__(self, judge: Judge, prompts: PromptEncoder, **kwargs: Any) -> None:
        super().__init__(judged_by(judge, "mean cosine of picture and prompt, all pictures"), **kwargs)
        self.judge, self.prompts = judge, prompts

    def update(self, pictures: Tensor, prompts: Sequence[str]) -> None:
        """Takes in pictures (B, 3, H, W) in [0, 1] and a prompt for each."""
        check_pictures(pictures)
        if len(pictures) != len(prompts):
            raise ValueError(f"expected one prompt a picture, got {len(prompts)} for {len(pictures)}")
        if len(pictures):
            self.add(pair_cosine(embed(self.judge, pictures), self.prompts(prompts).to(pictures.device)))
