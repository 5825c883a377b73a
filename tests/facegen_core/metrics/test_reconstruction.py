"""PSNR, SSIM and LPIPS against piq, scikit-image and lpips."""

import numpy as np
import piq
import pytest
import torch
import torchvision
from skimage.metrics import structural_similarity

from facegen_core.errors import WeightsNotFoundError
from facegen_core.metrics.functional.lpips import FILES, LPIPSNetwork
from facegen_core.metrics.functional.psnr import psnr
from facegen_core.metrics.functional.ssim import ssim
from facegen_core.metrics.reconstruction import LPIPS, PSNR, SSIM

NETWORKS = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}


def _pairs(side: int, count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Pairs from alike to unlike, with a bright, almost even edge as photographs have."""
    generator = torch.Generator().manual_seed(side)
    truth = torch.rand(count, 3, side, side + 5, generator=generator)
    truth[..., : side // 3] = 0.85 + truth[..., : side // 3] / 500
    noise = torch.randn(truth.shape, generator=generator) * torch.linspace(0.02, 0.5, count).view(-1, 1, 1, 1)
    return (truth + noise).clamp(0, 1), truth


@pytest.mark.parametrize("side", [11, 64, 140, 390])  # from 384 on SSIM shrinks them
@pytest.mark.parametrize(("ours", "theirs"), [(psnr, piq.psnr), (ssim, piq.ssim)])
def test_each_pair_is_as_piq_has_it(ours, theirs, side):
    first, second = _pairs(side)
    expected = theirs(first.double(), second.double(), data_range=1.0, reduction="none")  # its floats lose digits
    torch.testing.assert_close(ours(first, second).double(), expected, atol=1e-5, rtol=0)


def test_ssim_is_scikit_images_where_the_window_fits():
    first, second = (x[0] for x in _pairs(64))
    _, full = structural_similarity(
        first.double().numpy(), second.double().numpy(), channel_axis=0, data_range=1, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True,
    )  # fmt: skip
    assert float(ssim(first[None], second[None])) == pytest.approx(full[:, 5:-5, 5:-5].mean(), abs=1e-5)


@pytest.mark.parametrize(("metric", "best"), [(PSNR, 80), (SSIM, 1)])
def test_equal_pictures_give_the_best_value(metric, best):
    _, truth = _pairs(32)
    measured = metric()
    measured.update(truth, truth)
    assert float(measured.compute()) == pytest.approx(best, abs=1e-4)


def test_psnr_is_the_mean_of_decibels_not_of_the_pooled_error():
    first, second = _pairs(32)
    metric = PSNR()
    for a, b in zip(first.split(2), second.split(2), strict=True):
        metric.update(a, b)
    error = ((first.double() - second.double()) ** 2).mean((1, 2, 3))
    assert float(metric.compute()) == pytest.approx(float((-10 * error.log10()).mean()), abs=1e-4)
    assert abs(float(metric.compute()) + 10 * float(error.mean().log10())) > 3


@pytest.mark.parametrize("metric", [PSNR, SSIM])
def test_none_one_and_reset(metric):
    first, second = _pairs(32)
    measured = metric()
    measured.update(first[:0], second[:0])
    assert measured.compute().isnan()
    measured.update(first[:1], second[:1])
    one = float(measured.compute())
    assert np.isfinite(one)
    assert measured.protocol()["count"] == 1
    measured.update(first, second)
    measured.reset()
    measured.update(first[:1], second[:1])
    assert float(measured.compute()) == one


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x * 2 - 1, "from_signed"),
        (lambda x: x * 255, r"in \[0, 1\]"),
        (lambda x: x * float("nan"), "got nan"),
        (lambda x: (x * 255).byte(), "real numbers"),
        (lambda x: x[:, :1], "expected pictures"),
        (lambda x: x[0], "expected pictures"),
        (lambda x: x[..., 1:], "pairs of one size"),
        (lambda x: x[1:], "pairs of one size"),
    ],
)
def test_what_are_no_pairs_of_pictures_is_refused(change, message):
    first, second = _pairs(32)
    with pytest.raises(ValueError, match=message):
        PSNR().update(change(first), second)


def test_ssim_refuses_pictures_below_its_window():
    with pytest.raises(ValueError, match="11 px"):
        ssim(torch.rand(1, 3, 10, 40), torch.rand(1, 3, 10, 40))


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    """An empty TORCH_HOME that no library downloads into."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", lambda *_, **__: pytest.fail("something was downloaded"))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("backbone", FILES)
def test_a_backbone_that_is_missing_is_named_with_its_place(torch_home, backbone):
    with pytest.raises(WeightsNotFoundError, match="TORCH_HOME") as caught:
        LPIPSNetwork(backbone)
    assert str(torch_home / "hub" / "checkpoints" / FILES[backbone]) in str(caught.value)


@pytest.mark.parametrize("backbone", FILES)
def test_files_are_those_that_torchvision_reads(backbone):
    network = NETWORKS[backbone]
    assert torchvision.models.get_model_weights(network).DEFAULT.url.endswith("/" + FILES[backbone])


def test_a_damaged_backbone_is_refused(torch_home):
    (torch_home / "hub" / "checkpoints" / FILES["squeeze"]).write_bytes(b"<html>not found</html>")
    with pytest.raises(WeightsNotFoundError, match=f"not the published {FILES['squeeze']}"):
        LPIPSNetwork("squeeze")


@pytest.mark.parametrize("backbone", FILES)
def test_lpips_is_the_lpips_packages(torch_home, backbone):
    """With random backbones, at even and odd sizes: the heads and all else are the published ones."""
    import lpips

    network = NETWORKS[backbone]
    with torch.device("meta"):
        shapes = torchvision.models.get_model(network).state_dict()
    generator = torch.Generator().manual_seed(0)
    weights = {name: torch.randn(x.shape, generator=generator) / 30 for name, x in shapes.items() if "features" in name}
    # The classifier, most of the file, is not looked at: one number stands for each of its tensors.
    weights |= {name: torch.zeros(1).expand(x.shape) for name, x in shapes.items() if "features" not in name}
    torch.save(weights, torch_home / "hub" / "checkpoints" / FILES[backbone])
    first, second = _pairs(67)
    metric = LPIPS(LPIPSNetwork(backbone))
    metric.update(first[:2], second[:2])
    metric.update(first[2:], second[2:])
    with torch.no_grad():
        each = lpips.LPIPS(net=backbone, version="0.1", verbose=False)(first * 2 - 1, second * 2 - 1)
    assert float(each.min()) > 1e-4
    assert float(metric.compute()) == pytest.approx(float(each.mean()), rel=1e-5)
    assert metric.protocol()["judge"] == f"LPIPS 0.1 {backbone}"


def test_dropout_stays_off(torch_home):
    import torch.nn as nn

    weights = torchvision.models.squeezenet1_1().state_dict()
    torch.save(weights, torch_home / "hub" / "checkpoints" / FILES["squeeze"])
    network = LPIPSNetwork("squeeze").train()
    assert not any(module.training for module in network.modules() if isinstance(module, nn.Dropout))
