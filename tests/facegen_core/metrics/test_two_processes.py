"""Every metric class over two processes: with unequal shares, with one sample for one of them, and with none.

They give what one process gives; that it is right is tested metric by metric.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.judges import Corner, NoContempt, Projection, pictures, prompt_vectors, with_faces
from helpers.processes import run_ranks
from torchmetrics import Metric

from facegen_core.metrics.distribution import FID, KID
from facegen_core.metrics.diversity import Diversity
from facegen_core.metrics.emotion import EmotionAccuracy
from facegen_core.metrics.expression_distance import ExpressionDistance
from facegen_core.metrics.face_found import FaceFoundRate
from facegen_core.metrics.identity import IdentityCosine, IdentityRank1
from facegen_core.metrics.picture_metric import PictureMetric
from facegen_core.metrics.prompt_similarity import PromptSimilarity
from facegen_core.metrics.reconstruction import LPIPS, PSNR, SSIM
from facegen_core.metrics.specificity import Specificity
from facegen_core.metrics.verification import VerificationAUC
from facegen_core.metrics.vertex_error import VertexError

COUNTS = (11, 1, 0)
JUDGE, FINDER = Projection(6), Corner()
TRAINING = np.random.default_rng(0).normal(0, 9, (40, 30, 3)).astype(np.float32)
PROMPTS = [f"a person in place {i}" for i in range(max(COUNTS))]


class MeanDifference:
    name = "mean difference"

    def __call__(self, first, second):
        return (first - second).abs().mean((1, 2, 3))


METRICS: dict[str, tuple[Callable[[], Metric], tuple[str, ...]]] = {
    "id_cosine": (lambda: IdentityCosine(JUDGE), ("edited", "source")),
    "id_cosine of faces found": (lambda: IdentityCosine(JUDGE, FINDER), ("edited", "source")),
    "id_cosine of groups": (lambda: IdentityCosine(JUDGE, groups=4), ("edited", "source", "group")),
    "id_rank1": (lambda: IdentityRank1(JUDGE), ("edited", "source", "identity")),
    "id_rank1 of faces found": (lambda: IdentityRank1(JUDGE, FINDER), ("edited", "source", "identity")),
    "emotion_accuracy": (lambda: EmotionAccuracy(NoContempt(), FINDER), ("edited", "target", "shown")),
    "expression_distance": (lambda: ExpressionDistance(JUDGE), ("edited", "source")),
    "psnr": (PSNR, ("edited", "source")),
    "ssim": (SSIM, ("edited", "source")),
    "lpips": (lambda: LPIPS(MeanDifference()), ("edited", "source")),
    "fid": (lambda: FID(JUDGE), ("edited", "source")),
    "kid": (lambda: KID(JUDGE), ("edited", "source")),
    "kid of subsets": (lambda: KID(JUDGE, subsets=5, subset_size=4), ("edited", "source")),
    "prompt_similarity": (lambda: PromptSimilarity(Projection(16), prompt_vectors), ("edited", "prompt")),
    "face_found": (lambda: FaceFoundRate(FINDER), ("edited",)),
    "identity_auc": (VerificationAUC, ("embedding", "identity")),
    "mean vertex error": (lambda: VertexError("mean"), ("mesh", "another")),
    "median vertex error": (lambda: VertexError("median"), ("mesh", "another")),
    "diversity": (lambda: Diversity(2.0), ("mesh", "another")),
    "specificity": (lambda: Specificity(TRAINING), ("mesh",)),
    "distance to all": (lambda: Specificity(TRAINING, "all"), ("mesh",)),
}
NAN_OF_ONE = {"fid", "kid", "kid of subsets", "identity_auc"}
MISSES = {"emotion_accuracy", "face_found"}
"""They count pictures without a face rather than leave them out."""
RANKS = """
import runpy
sys.path.insert(0, data["tests"])
value = runpy.run_path(data["file"])["measure_all"](data, rank, size)
"""


def _step() -> dict:
    count, random = max(COUNTS), torch.Generator().manual_seed(0)
    source = pictures(count, 1)
    edited = with_faces((source + 0.4 * (pictures(count, 0) - source)).clamp(0, 1), [i % 3 != 1 for i in range(count)])
    return {
        "edited": edited, "source": with_faces(source, [True] * count), "group": torch.arange(count) % 3,
        "identity": torch.arange(count) // 2, "target": torch.arange(count) % 8, "shown": torch.arange(count) % 7 - 1,
        "prompt": PROMPTS, "embedding": F.normalize(torch.randn(count, 6, generator=random), dim=1),
        "mesh": 9 * torch.randn(count, 30, 3, generator=random),
        "another": 9 * torch.randn(count, 30, 3, generator=random),
    }  # fmt: skip


def measure_all(step: dict, rank: int, size: int) -> torch.Tensor:
    """For every count and metric: value; of picture metrics also sum of details, pictures counted and without face."""
    rows = []
    for count in COUNTS:
        mine = range(rank, count, size)
        for build, fields in METRICS.values():
            metric = build()
            for i in mine:
                metric.update(*(step[field][i : i + 1] for field in fields))
            row = [float(metric.compute()), 0.0, math.nan, 0]
            if isinstance(metric, PictureMetric):
                protocol = metric.protocol()
                row[1:] = sum(metric.details().values()), protocol["count"], protocol.get("without_face", 0)
            rows.append(row)
    return torch.tensor(rows, dtype=torch.float64).view(len(COUNTS), len(METRICS), 4)


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> tuple[torch.Tensor, torch.Tensor]:
    """What two processes found, equal in both, and what one finds."""
    step = _step()
    place = {"file": __file__, "tests": str(Path(__file__).parents[2])}
    first, second = run_ranks(RANKS, tmp_path_factory.mktemp("ranks"), step | place)
    torch.testing.assert_close(first, second, rtol=0, atol=0, equal_nan=True)
    return first, measure_all(step, 0, 1)


@pytest.mark.parametrize("case", range(len(COUNTS)), ids=["unequal shares", "one process without", "nothing"])
@pytest.mark.parametrize("name", METRICS)
def test_two_processes_give_the_figures_of_one(found, name, case):
    two, one = (values[case, list(METRICS).index(name)].tolist() for values in found)
    assert two == pytest.approx(one, rel=1e-5, abs=1e-9, nan_ok=True)
    assert math.isnan(one[0]) == (COUNTS[case] == 0 or (name in NAN_OF_ONE and COUNTS[case] == 1))
    left_out = 0 if name in MISSES else one[3]
    assert math.isnan(one[2]) or one[2] + left_out == COUNTS[case]
