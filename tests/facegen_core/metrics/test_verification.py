import math

import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score

from facegen_core.metrics.verification import VerificationAUC


def test_it_is_the_area_under_the_curve_over_all_pairs():
    random = torch.Generator().manual_seed(0)
    who = torch.randint(0, 5, (23,), generator=random)
    centres = torch.randn(5, 8, generator=random)
    found = F.normalize(centres[who] + torch.randn(23, 8, generator=random), dim=1)
    metric = VerificationAUC()
    for part in (slice(0, 10), slice(10, 11), slice(11, 11), slice(11, 23)):
        metric.update(found[part], who[part])
    pairs = [(i, j) for i in range(23) for j in range(i)]
    same, cosines = [bool(who[i] == who[j]) for i, j in pairs], [float(found[i] @ found[j]) for i, j in pairs]
    assert float(metric.compute()) == pytest.approx(roc_auc_score(same, cosines), abs=1e-6)


@pytest.mark.parametrize("people", [[], [3], [3, 3], [3, 4]])
def test_pairs_of_one_kind_alone_give_no_number(people):
    metric = VerificationAUC()
    metric.update(F.normalize(torch.randn(len(people), 4), dim=1), torch.tensor(people, dtype=torch.int64))
    assert math.isnan(float(metric.compute()))
