"""Whether pictures show the emotion they should, judged by a classifier."""

import math
from typing import Any

import torch
from torch import Tensor

from facegen_core.emotions import EMOTIONS
from facegen_core.metrics.functional.emotion import (
    CLASSES,
    NO_FACE,
    EmotionReport,
    emotion_counts,
    emotion_report,
    predict_emotion,
)
from facegen_core.metrics.functional.pictures import check_pictures
from facegen_core.metrics.judges import FaceFinder, Judge, embed, faces_of, judged_by
from facegen_core.metrics.picture_metric import Measured, PictureMetric

HSEMOTION = ("hsemotion", "enet_b")
"""How names of HSEmotion's networks begin: here, and as the files are published."""


class EmotionAccuracy(PictureMetric):
    """Share of all pictures that a classifier takes for their target emotion: ``emotion_accuracy``.

    All means all: every source emotion, the target itself among them [C emotion_ldm].

    Args:
        judge: the classifier: pictures -> logits (B, 8) in AffectNet's order, -inf where it knows no such class.
        finder: what frames faces for it; None where it is shown whole pictures. A picture without a face is a miss.

    ``details`` holds the share of every predicted class, the accuracy for every source emotion seen, and the share
    without a face; :attr:`report` holds all, the confusion matrices among it.
    """

    higher_is_better = True
    counts: Tensor

    def __init__(self, judge: Judge, finder: FaceFinder | None = None, **kwargs: Any) -> None:
        formula = "share of all pictures whose highest logit is the target's"
        super().__init__(judged_by(judge, formula, finder, "the picture is a miss, and counted"), **kwargs)
        self.judge, self.finder = judge, finder
        shape = (CLASSES + 1, CLASSES, CLASSES + 1)
        self.add_state("counts", torch.zeros(shape, dtype=torch.int64), dist_reduce_fx="sum")
        self.report: EmotionReport | None = None
        """Of the last ``compute``."""

    def update(self, pictures: Tensor, target: Tensor, source: Tensor | None = None) -> None:
        """Takes in pictures.

        Args:
            pictures: (B, 3, H, W) in [0, 1].
            target: (B,) int64, 0 to 7.
            source: (B,) int64, what each showed before it was edited, -1 where that is unknown; unknown if None.
        """
        check_pictures(pictures)
        if not len(pictures):
            return
        faces = faces_of(self.finder, pictures)
        predicted = torch.full_like(target, NO_FACE)
        if len(faces.pictures):
            predicted[faces.found] = predict_emotion(embed(self.judge, faces.pictures))
        self.counts += emotion_counts(predicted, target, source)
        self.count += len(pictures)
        self.without_face += len(pictures) - len(faces.pictures)

    def measure(self) -> Measured:
        self.report = report = emotion_report(self.counts)
        details = {f"share_{name}": float(share) for name, share in zip(EMOTIONS, report.share, strict=True)}
        details |= {f"from_{name}": float(x) for name, x in zip(EMOTIONS, report.accuracy_by_source, strict=True)}
        if self.finder:
            details["share_no_face"] = report.no_face
        value = torch.tensor(report.accuracy, dtype=torch.float64)
        return Measured(value, {name: x for name, x in details.items() if not math.isnan(x)})


class HSEmotionAccuracy(EmotionAccuracy):
    """:class:`EmotionAccuracy` with an HSEmotion network as judge: what EmotionLDM's tables 3 and 4 report.

    Args:
        judge: a network of HSEmotion, told by its name; it resizes whole crops to its square, so there is no finder.

    Raises:
        ValueError: another judge, whose figures must not stand under this name.
    """

    def __init__(self, judge: Judge, **kwargs: Any) -> None:
        if not judge.name.lower().startswith(HSEMOTION):
            raise ValueError(f"HSEmotionAccuracy needs an HSEmotion network, got {judge.name!r}; use EmotionAccuracy")
        super().__init__(judge, **kwargs)
