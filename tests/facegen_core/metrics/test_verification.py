import math

import torch
import torch.nn.functional as F
from helpers.processes import run_ranks
from sklearn.metrics import roc_auc_score

from facegen_core.metrics.verification import VerificationAUC

BODY = """
from facegen_core.metrics.verification import VerificationAUC
metric = VerificationAUC()
metric.update(data["embeddings"][rank::size], data["identities"][rank::size])
value = metric.compute()
"""


def embeddings() -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    identities = torch.randint(0, 5, (23,), generator=random)
    centres = torch.randn(5, 8, generator=random)
    return F.normalize(centres[identities] + torch.randn(23, 8, generator=random), dim=1), identities


def expected() -> float:
    found, who = embeddings()
    pairs = [(i, j) for i in range(23) for j in range(i)]
    return roc_auc_score([bool(who[i] == who[j]) for i, j in pairs], [float(found[i] @ found[j]) for i, j in pairs])


def test_it_is_the_area_under_the_curve_over_all_pairs():
    found, who = embeddings()
    metric = VerificationAUC()
    for part in (slice(0, 10), slice(10, 11), slice(11, 23)):
        metric.update(found[part], who[part])
    assert math.isclose(float(metric.compute()), expected(), abs_tol=1e-6)


def test_two_processes_count_pairs_between_them(tmp_path):
    found, who = embeddings()
    values = run_ranks(BODY, tmp_path, {"embeddings": found, "identities": who})
    assert all(math.isclose(float(value), expected(), abs_tol=1e-6) for value in values)


def test_nobody_seen_is_no_number():
    assert math.isnan(float(VerificationAUC().compute()))
