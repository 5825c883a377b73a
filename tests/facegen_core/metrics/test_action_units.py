"""Agreement with coded action units, against scikit-learn and the definition of a rank correlation."""

import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from sklearn.metrics import f1_score

from facegen_core.metrics.functional.action_units import intensity_correlation, unit_f1


def test_f1_is_sklearns_on_the_known_frames():
    random = np.random.default_rng(0)
    logits, units = random.normal(size=(200, 34)), random.integers(-1, 2, (200, 34))
    expected = [f1_score(u[u >= 0], x[u >= 0] > 0) for x, u in zip(logits.T, units.T, strict=True)]
    np.testing.assert_allclose(unit_f1(torch.from_numpy(logits), torch.from_numpy(units)), expected, rtol=1e-12)


def test_unit_that_never_shows_has_no_f1():
    units = torch.tensor([[0, 1, -1], [0, 0, -1]])
    assert unit_f1(torch.ones(2, 3), units).isnan().tolist() == [True, False, True]


def test_correlation_is_spearmans_on_the_known_frames():
    random = np.random.default_rng(1)
    scores, intensity = random.normal(size=(100, 5)), random.integers(-1, 6, (100, 5))
    intensity[:, 0] = np.maximum(intensity[:, 0], 0)
    ranks = [(rankdata(s[i >= 0]), rankdata(i[i >= 0])) for s, i in zip(scores.T, intensity.T, strict=True)]
    expected = [np.corrcoef(*pair)[0, 1] for pair in ranks]
    got = intensity_correlation(torch.from_numpy(scores), torch.from_numpy(intensity))
    np.testing.assert_allclose(got, expected, atol=1e-12)


@pytest.mark.parametrize("intensity", [[3, 3, 3], [-1, -1, -1], [-1, 2, -1]])
def test_intensity_that_does_not_vary_has_no_correlation(intensity):
    assert intensity_correlation(torch.tensor([[0.1], [0.2], [0.3]]), torch.tensor(intensity)[:, None]).isnan().all()
