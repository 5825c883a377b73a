"""Whether the expression is kept, judged by an expression network."""

from typing import Any

from torch import Tensor

from facegen_core.metrics.functional.expression_distance import expression_distance
from facegen_core.metrics.functional.pictures import check_pictures
from facegen_core.metrics.identity import DROPPED
from facegen_core.metrics.judges import FaceFinder, Judge, embed_pairs, judged_by
from facegen_core.metrics.picture_metric import MeanPictureMetric, Measured


class ExpressionDistance(MeanPictureMetric):
    """Mean over pairs of the squared error of expression embeddings of norm 1: column Exp. of DiffSFSR's table.

    The paper does not say its formula; this reading fits the size of its numbers.

    Args:
        judge: the expression network.
        finder: what frames faces for it; None where the judge does so itself or pictures are framed already.
        times_100: report a hundred times the value, as the paper's table does [P].
    """

    higher_is_better = False

    def __init__(self, judge: Judge, finder: FaceFinder | None = None, times_100: bool = False, **kwargs: Any) -> None:
        formula = "mean over pairs of the mean squared error of unit embeddings" + (", x100" if times_100 else "")
        super().__init__(judged_by(judge, formula, finder, DROPPED), **kwargs)
        self.judge, self.finder, self.factor = judge, finder, 100 if times_100 else 1

    def update(self, pictures: Tensor, references: Tensor) -> None:
        """Takes in pairs: pictures (B, 3, H, W) and those whose expression they should show, in [0, 1]."""
        check_pictures(pictures, references)
        if not len(pictures):
            return
        first, second, kept = embed_pairs(self.judge, self.finder, pictures, references)
        self.add(expression_distance(first, second))
        self.without_face += len(kept) - len(first)

    def measure(self) -> Measured:
        return Measured(self.factor * self.total / self.count)
