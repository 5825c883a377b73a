"""FID and KID against closed forms, scipy, torchmetrics and torch-fidelity on the same features."""

import numpy as np
import pytest
import scipy.linalg
import torch
from helpers.judges import Projection, pictures
from torch import nn
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance

from facegen_core.errors import WeightsNotFoundError
from facegen_core.metrics.distribution import FID, KID
from facegen_core.metrics.functional.frechet import Moments, frechet_distance, moments
from facegen_core.metrics.functional.kernel_distance import kernel_distances, polynomial_mmd
from facegen_core.metrics.inception import FILE, InceptionFeatures

DIMENSION = 12
JUDGE = Projection(DIMENSION)
GENERATED, REAL = pictures(60, 0), pictures(45, 1) ** 1.5


def _features(count: int, dimension: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    """Correlated features of their own."""
    random = torch.Generator().manual_seed(seed)
    mixing = torch.randn(dimension, dimension, generator=random) / dimension**0.5
    return torch.randn(count, dimension, generator=random) @ mixing + shift


def _numpy_fid(x: torch.Tensor, y: torch.Tensor) -> float:
    a, b = (v.double().numpy() for v in (x, y))
    one, two = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(one @ two)
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(one + two - 2 * root.real))


@pytest.mark.parametrize(("count", "dimension"), [(500, 32), (70, 64)])
def test_fid_is_scipys_and_torch_fidelitys(count, dimension):
    x, y = _features(count, dimension, 0), _features(count + 3, dimension, 1, shift=0.2)
    found = float(frechet_distance(moments(x), moments(y)))
    assert found == pytest.approx(_numpy_fid(x, y), rel=1e-7)
    theirs = fid_statistics_to_metric(*(fid_features_to_statistics(v) for v in (x, y)), verbose=False)
    assert found == pytest.approx(theirs["frechet_inception_distance"], rel=1e-6)


def test_fid_of_known_gaussians():
    """Diagonal covariances: sum of (m1 - m2)^2 + (s1 - s2)^2."""
    m1, m2, s1, s2 = (torch.rand(9, dtype=torch.float64) + shift for shift in (0, 1, 0, 2))
    n = torch.tensor(1000)
    known = (Moments(n, n * m, (n - 1) * (s**2).diag() + n * torch.outer(m, m)) for m, s in ((m1, s1), (m2, s2)))
    expected = float(((m1 - m2) ** 2 + (s1 - s2) ** 2).sum())
    assert float(frechet_distance(*known)) == pytest.approx(expected, rel=1e-9)


def test_fid_of_fewer_pictures_than_features_has_no_noise():
    """Rank 19 of 300: the same set is at distance 0, and another where the eigenvalues of scipy put it."""
    x, y = _features(20, 300, 0), _features(20, 300, 1)
    assert float(frechet_distance(moments(x), moments(x))) == pytest.approx(0, abs=1e-9)
    one, two = (v.double() - v.double().mean(0) for v in (x, y))
    root = np.linalg.svd((one @ two.T).numpy() / 19, compute_uv=False).sum()  # the nonzero eigenvalues, by rows
    means = float((x.double().mean(0) - y.double().mean(0)).square().sum())
    expected = means + float(one.square().sum() + two.square().sum()) / 19 - 2 * root
    assert float(frechet_distance(moments(x), moments(y))) == pytest.approx(expected, rel=1e-9)


def test_fid_far_from_zero_loses_no_digits():
    """Features around 1000 with deviations around 1: float32 sums would leave nothing of the covariance."""
    x, y = (_features(400, 16, seed) for seed in (0, 1))
    near, far = (frechet_distance(moments(x.double() + s), moments(y.double() + s)) for s in (0, 1000))
    assert float(far) == pytest.approx(float(near), rel=1e-6)


class FourPixels(nn.Module):
    """Features for torchmetrics, which hands bytes over."""

    num_features = DIMENSION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return JUDGE(x.float() / 255)


def test_fid_class_is_torchmetrics():
    theirs = FrechetInceptionDistance(feature=FourPixels(), normalize=False)
    ours = FID(JUDGE)
    for rows in (slice(0, 17), slice(17, 60)):
        generated, real = ((x[rows] * 255).byte() for x in (GENERATED, REAL))
        theirs.update(real, real=True)
        theirs.update(generated, real=False)
        ours.update(generated / 255, real / 255)
    assert float(ours.compute()) == pytest.approx(float(theirs.compute()), rel=1e-4)  # theirs ends in float32
    assert float(ours.compute()) > 0.05


def test_fid_protocol_warns_of_few_pictures():
    metric = FID(JUDGE)
    metric.update(GENERATED, REAL[:12])
    metric.compute()
    protocol = metric.protocol()
    assert (protocol["count"], protocol["real_count"], protocol["features"]) == (60, 12, DIMENSION)
    assert protocol["warning"] == "12 pictures for 12 features: covariance of rank 11, biased up"
    metric.update(GENERATED[:0], REAL[12:13])
    metric.compute()
    assert "warning" not in metric.protocol()


@pytest.mark.parametrize("build", [lambda: FID(JUDGE), lambda: KID(JUDGE)])
@pytest.mark.parametrize(("generated", "real"), [(0, 0), (5, 0), (0, 5), (1, 5), (5, 1)])
def test_too_few_pictures_give_nan(build, generated, real):
    metric = build()
    metric.update(GENERATED[:generated], REAL[:real])
    assert metric.compute().isnan()
    assert metric.protocol()["real_count"] == real


@pytest.mark.parametrize("build", [lambda: FID(JUDGE), lambda: KID(JUDGE, subsets=3, subset_size=20)])
def test_reset_forgets_and_batches_do_not_matter(build):
    metric = build()
    metric.update(GENERATED, REAL)
    expected = float(metric.compute())
    metric.update(REAL, REAL)
    metric.reset()
    for rows in (slice(0, 1), slice(1, 50), slice(50, 60)):
        metric.update(GENERATED[rows], REAL[rows])
    assert float(metric.compute()) == pytest.approx(expected, rel=1e-5)


def test_fid_names_a_judge_of_another_size():
    judge = Projection(DIMENSION)
    judge.dim = 2048
    with pytest.raises(ValueError, match="projection to 12: expected 2048 features, got 12"):
        FID(judge).update(GENERATED, REAL)


def test_mmd_is_torch_fidelitys():
    x, y = _features(80, 20, 0), _features(80, 20, 1, shift=0.1)
    theirs = kid_features_to_metric(
        x.double(), y.double(), kid_subsets=1, kid_subset_size=80, rng_seed=0, verbose=False
    )
    expected = theirs["kernel_inception_distance_mean"]
    assert float(polynomial_mmd(x, y)) == pytest.approx(expected, rel=1e-9)
    assert float(kernel_distances(x, y, 100, 80, 0)) == pytest.approx(expected, rel=1e-9)


def test_mmd_of_unequal_sets_is_the_sum_over_pairs():
    x, y = _features(5, 3, 0).double(), _features(7, 3, 1).double()

    def kernel(a, b):
        return float(a @ b / 3 + 1) ** 3

    within = [np.mean([kernel(a, b) for i, a in enumerate(v) for j, b in enumerate(v) if i != j]) for v in (x, y)]
    across = np.mean([kernel(a, b) for a in x for b in y])
    assert float(polynomial_mmd(x, y)) == pytest.approx(sum(within) - 2 * across, rel=1e-12)


def test_mmd_is_unbiased():
    """Sets of one distribution: the mean over many is 0 within its standard error, which a biased one is far from."""
    x = torch.randn(400, 8, 4, generator=torch.Generator().manual_seed(0))
    values = torch.stack([polynomial_mmd(sets[:4], sets[4:]) for sets in x])
    assert abs(float(values.mean())) < 4 * float(values.std()) / 20
    assert float(values.std()) < 10


def test_kid_hangs_on_the_seed_and_not_on_the_order():
    x, y = _features(90, 6, 0), _features(70, 6, 1)
    order = torch.randperm(90, generator=torch.Generator().manual_seed(1))
    first, turned, other = (kernel_distances(a, y, 8, 30, seed) for a, seed in ((x, 3), (x[order], 3), (x, 4)))
    torch.testing.assert_close(first, turned, rtol=0, atol=0)
    assert (first != other).all()
    assert len(first.unique()) == 8


def test_kid_class_is_the_mean_of_subsets():
    metric = KID(JUDGE, subsets=200, subset_size=40)
    metric.update(GENERATED[:30], REAL)
    metric.update(GENERATED[30:], REAL[:0])
    whole = float(polynomial_mmd(JUDGE(GENERATED), JUDGE(REAL)))
    value, std = float(metric.compute()), metric.details()["std"]
    assert 0 < std < whole
    assert value == pytest.approx(whole, abs=4 * std / 200**0.5)
    protocol = metric.protocol()
    assert (protocol["subsets"], protocol["subset_size"], protocol["seed"]) == (200, 40, 0)
    assert (protocol["count"], protocol["real_count"]) == (60, 45)


def test_kid_of_few_pictures_takes_them_all():
    metric = KID(JUDGE)
    metric.update(GENERATED, REAL)
    assert float(metric.compute()) == pytest.approx(float(polynomial_mmd(JUDGE(GENERATED), JUDGE(REAL))), rel=1e-6)
    assert metric.details() == {}
    assert "subsets" not in metric.protocol()


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    """Where an empty TORCH_HOME keeps weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", lambda *_, **__: pytest.fail("something was downloaded"))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_inception_that_is_missing_is_named_with_its_place(checkpoints):
    with pytest.raises(WeightsNotFoundError, match="TORCH_HOME") as caught:
        InceptionFeatures()
    assert str(checkpoints / FILE) in str(caught.value)


class Intruder:
    def __reduce__(self):
        return pytest.fail, ("code in a weights file was run",)


def test_inception_runs_no_code_of_a_weights_file(checkpoints):
    torch.save({"fc.weight": Intruder()}, checkpoints / FILE)
    with pytest.raises(WeightsNotFoundError, match="not the published"):
        InceptionFeatures()


def test_inception_is_torch_fidelitys(checkpoints, monkeypatch):
    """The same random weights, and pictures as bytes."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    with monkeypatch.context() as patch:  # its constructor wants weights: it gets to keep its own
        patch.setattr("torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        theirs = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    for module in theirs.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)  # or a hundred layers would leave nothing to compare
    torch.save(theirs.state_dict(), checkpoints / FILE)
    ours, shown = InceptionFeatures(), pictures(2, 0, side=75)
    with torch.no_grad():
        found = ours(shown)
        (expected,) = theirs((shown * 255).round().byte())
    assert found.shape == (2, ours.dim)
    assert float((expected[0] - expected[1]).abs().max()) > 1e-3
    torch.testing.assert_close(found, expected)
