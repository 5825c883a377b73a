"""Whether generated pictures are distributed as real ones: FID and KID, of the features of any network."""

from typing import Any

import torch
from torch import Tensor

from facegen_core.metrics.functional.frechet import Moments, frechet_distance, moments
from facegen_core.metrics.functional.kernel_distance import kernel_distances
from facegen_core.metrics.functional.pictures import check_pictures
from facegen_core.metrics.judges import FeatureJudge, Judge, embed, judged_by
from facegen_core.metrics.kept_rows import add_rows, all_rows, keep_rows
from facegen_core.metrics.picture_metric import Measured, PictureMetric


class _TwoSets(PictureMetric):
    """Two sets of pictures, of any two sizes, seen through one network. ``count`` is of the generated ones."""

    higher_is_better = False
    real_count: Tensor

    def __init__(self, judge: Judge, formula: str, **kwargs: Any) -> None:
        super().__init__(judged_by(judge, formula), **kwargs)
        self.judge = judge
        self.add_state("real_count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def add(self, features: Tensor, kind: str) -> None:
        """Takes in features (B, D) of pictures that are "generated" or "real"."""
        raise NotImplementedError

    def update(self, generated: Tensor, real: Tensor) -> None:
        """Takes in pictures of either kind, (B, 3, H, W) and (B', 3, H', W') in [0, 1]; either may be none."""
        check_pictures(generated, real)
        for kind, pictures in (("generated", generated), ("real", real)):
            if len(pictures):
                self.add(embed(self.judge, pictures), kind)
        self.count += len(generated)
        self.real_count += len(real)


class FID(_TwoSets):
    """Fréchet distance of the features of generated and real pictures.

    ``fid`` is the key of the Inception network's, see ``metrics/inception.py``; features of another network go under a
    key of their own, such as ``fid_judge``, since the numbers do not compare.

    Args:
        judge: pictures -> features (B, D).
    """

    def __init__(self, judge: FeatureJudge, **kwargs: Any) -> None:
        super().__init__(judge, "Frechet distance, covariances over n - 1, float64", **kwargs)
        self.dim = judge.dim
        for kind in ("generated", "real"):
            self.add_state(f"{kind}_sums", torch.zeros(self.dim, dtype=torch.float64), dist_reduce_fx="sum")
            products = torch.zeros(self.dim, self.dim, dtype=torch.float64)
            self.add_state(f"{kind}_products", products, dist_reduce_fx="sum")

    def add(self, features: Tensor, kind: str) -> None:
        if features.shape[1] != self.dim:
            raise ValueError(f"{self.judge.name}: expected {self.dim} features, got {features.shape[1]}")
        _, sums, products = moments(features)
        getattr(self, f"{kind}_sums").add_(sums)
        getattr(self, f"{kind}_products").add_(products)

    def measure(self) -> Measured:
        generated, real = (
            Moments(count, getattr(self, f"{kind}_sums"), getattr(self, f"{kind}_products"))
            for kind, count in (("generated", self.count), ("real", self.real_count))
        )
        notes: dict[str, str | int] = {"features": self.dim, "real_count": int(self.real_count)}
        fewest = min(int(self.count), int(self.real_count))
        if fewest <= self.dim:
            rank = max(0, fewest - 1)
            notes["warning"] = f"{fewest} pictures for {self.dim} features: covariance of rank {rank}, biased up"
        return Measured(frechet_distance(generated, real), notes=notes)


class KID(_TwoSets):
    """Kernel distance of the features of generated and real pictures: mean over random subsets.

    Where no set is larger than a subset, it is the one value of all pictures. The same number comes of any number of
    processes and any order of the pictures. All features are kept, 8 KB a picture with Inception's.

    Args:
        judge: pictures -> features (B, D).
        subsets: how many.
        subset_size: pictures of each kind in a subset.
        seed: of the subsets.

    ``details`` holds ``std``, the deviation between subsets.
    """

    def __init__(self, judge: Judge, subsets: int = 100, subset_size: int = 1000, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(judge, "unbiased squared MMD, kernel (xy/D + 1)^3, float64", **kwargs)
        if subsets < 1 or subset_size < 2:
            raise ValueError(f"KID needs a subset of two pictures at least, got {subsets} of {subset_size}")
        self.subsets, self.subset_size, self.seed = subsets, subset_size, seed
        keep_rows(self, "generated", "real")

    def add(self, features: Tensor, kind: str) -> None:
        add_rows(self, kind, features)

    def measure(self) -> Measured:
        fewest, most = sorted((int(self.count), int(self.real_count)))
        notes: dict[str, str | int] = {"real_count": int(self.real_count)}
        if not fewest:
            return Measured(torch.tensor(float("nan")), notes=notes)
        values = kernel_distances(
            all_rows(self, "generated"), all_rows(self, "real"), self.subsets, self.subset_size, self.seed
        )
        if most > self.subset_size:
            notes |= {"subsets": self.subsets, "subset_size": min(self.subset_size, fewest), "seed": self.seed}
        return Measured(values.mean(), {"std": float(values.std(correction=0))} if len(values) > 1 else {}, notes)
