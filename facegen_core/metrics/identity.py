"""Whether the person is kept, judged by a recognition network."""

from typing import Any

import torch
from torch import Tensor

from facegen_core.metrics.functional.identity import GROUP_FLOOR, id_rank1, mean_of_groups, pair_cosine
from facegen_core.metrics.functional.pictures import check_pictures
from facegen_core.metrics.judges import FaceFinder, Judge, embed_pairs, judged_by
from facegen_core.metrics.kept_rows import add_rows, all_rows, keep_rows
from facegen_core.metrics.picture_metric import Measured, PictureMetric

DROPPED = "the pair is left out and counted"


class IdentityCosine(PictureMetric):
    """Mean cosine of the embeddings of pictures and of reference pictures of the person: ``id_cosine``.

    Args:
        judge: the recognition network.
        finder: what frames faces for it; None where the judge does so itself or pictures are framed already.
        groups: 0 takes the mean over pairs. Above, the mean over so many groups of each group's mean, where a group is
            a person with a prompt and counts only if its mean is above 1e-6: the protocol of Celeb Basis, which Cross
            Initialization follows [C].

    ``details`` holds ``face_found``, the share of pairs with two faces, where there is a finder.
    """

    higher_is_better = True
    total: Tensor
    pairs: Tensor

    def __init__(self, judge: Judge, finder: FaceFinder | None = None, groups: int = 0, **kwargs: Any) -> None:
        formula = "mean cosine over pairs"
        if groups:
            formula = f"mean over groups of the mean cosine, groups above {GROUP_FLOOR:g}"
        super().__init__(judged_by(judge, formula, finder, DROPPED), **kwargs)
        self.judge, self.finder, self.groups = judge, finder, groups
        self.add_state("total", torch.zeros(max(1, groups), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("pairs", torch.zeros(max(1, groups), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, pictures: Tensor, references: Tensor, group: Tensor | None = None) -> None:
        """Takes in pairs.

        Args:
            pictures: (B, 3, H, W) in [0, 1].
            references: (B, 3, H', W') in [0, 1], a picture of the person that each should show.
            group: (B,) int64 below ``groups``, where there are any.
        """
        check_pictures(pictures, references)
        if (group is None) == (self.groups > 0):
            raise ValueError(
                f"the metric has {self.groups} groups, so update takes {'a' if self.groups else 'no'} group"
            )
        if not len(pictures):
            return
        first, second, kept = embed_pairs(self.judge, self.finder, pictures, references)
        into = kept.nonzero().flatten() * 0 if group is None else group[kept]
        self.total.index_add_(0, into, pair_cosine(first, second))
        self.pairs.index_add_(0, into, torch.ones_like(into))
        self.count += len(first)
        self.without_face += len(kept) - len(first)

    def measure(self) -> Measured:
        notes: dict[str, str | int] = {}
        value = self.total.sum() / self.count
        if self.groups:
            value, counted = mean_of_groups(self.total, self.pairs)
            notes = {"groups": counted, "groups_left_out": self.groups - counted}
        found = float(self.count / (self.count + self.without_face))
        return Measured(value, {"face_found": found} if self.finder else {}, notes)


class IdentityRank1(PictureMetric):
    """Share of pictures whose nearest reference, of all references, is of the right person: ``id_rank1``.

    Args:
        judge: the recognition network.
        finder: as in :class:`IdentityCosine`.
    """

    higher_is_better = True

    def __init__(self, judge: Judge, finder: FaceFinder | None = None, **kwargs: Any) -> None:
        formula = "share of pictures whose nearest reference by cosine is of the same person"
        super().__init__(judged_by(judge, formula, finder, DROPPED), **kwargs)
        self.set_dtype(torch.float64)  # of the rows: embeddings, and who it is
        self.judge, self.finder = judge, finder
        keep_rows(self, "rows")

    def update(self, pictures: Tensor, references: Tensor, identity: Tensor) -> None:
        """Takes in pairs.

        Args:
            pictures: (B, 3, H, W) in [0, 1].
            references: (B, 3, H', W') in [0, 1], a picture of the person that each should show.
            identity: (B,) int64, which person that is.
        """
        check_pictures(pictures, references)
        if not len(pictures):
            return
        first, second, kept = embed_pairs(self.judge, self.finder, pictures, references)
        self.count += len(first)
        self.without_face += len(kept) - len(first)
        if len(first):
            add_rows(self, "rows", torch.cat([identity[kept, None].double(), first.double(), second.double()], dim=1))

    def measure(self) -> Measured:
        if not int(self.count):
            return Measured(torch.tensor(float("nan")))
        rows = all_rows(self, "rows")
        identity = rows[:, 0].long()
        pictures, references = rows[:, 1:].chunk(2, dim=1)
        return Measured(torch.tensor(id_rank1(references, identity, pictures, identity)))
