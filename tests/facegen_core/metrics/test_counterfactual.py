"""An edit against its truth, with what no edit would give beside it."""

import pytest
import torch
from helpers.judges import Corner, NoContempt, Projection, pictures, with_faces

from facegen_core.metrics.counterfactual import counterfactual_metrics
from facegen_core.metrics.functional.identity import id_cosine
from facegen_core.metrics.functional.psnr import psnr
from facegen_core.metrics.functional.ssim import ssim

IDENTITY, EMOTION = Projection(6), NoContempt()
TRUTH, SOURCE = pictures(12, 0), pictures(12, 1)
SHOWN = EMOTION(TRUTH).argmax(1)


class MeanDifference:
    """In place of LPIPS's network."""

    name = "mean difference"

    def __call__(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return (first - second).abs().mean((1, 2, 3))


def _values(edited: torch.Tensor, target: torch.Tensor = SHOWN) -> dict[str, float]:
    step = {"edited": edited, "truth": TRUTH, "source": SOURCE, "target_emotion": target,
            "source_emotion": EMOTION(SOURCE).argmax(1)}  # fmt: skip
    values = {}
    for name, (metric, fields) in counterfactual_metrics(IDENTITY, EMOTION, MeanDifference()).items():
        metric.update(*(step[field] for field in fields))
        values[name] = float(metric.compute())
    return values


def test_the_truth_is_the_best_edit():
    values = _values(TRUTH)
    best = {"psnr": 80, "ssim": 1, "lpips": 0, "id": 1, "emotion": 1, "emotion_truth": 1}
    assert {name: values[f"counterfactual_{name}"] for name in best} == pytest.approx(best, abs=1e-4)


def test_the_source_is_the_reference():
    """An edit that does nothing scores what stands beside it."""
    values = _values(SOURCE)
    for name in ("psnr", "ssim", "lpips", "id", "emotion"):
        assert values[f"counterfactual_{name}"] == values[f"counterfactual_{name}_no_edit"]
    expected = {
        "psnr": float(psnr(SOURCE, TRUTH).mean()),
        "ssim": float(ssim(SOURCE, TRUTH).mean()),
        "lpips": float((SOURCE - TRUTH).abs().mean()),
        "id": id_cosine(IDENTITY(SOURCE), IDENTITY(TRUTH)),
        "emotion": float((EMOTION(SOURCE).argmax(1) == SHOWN).double().mean()),
    }
    assert {name: values[f"counterfactual_{name}_no_edit"] for name in expected} == pytest.approx(expected, abs=1e-5)
    assert expected["emotion"] < 1


def test_truths_that_the_classifier_misreads_bound_the_edit():
    target = SHOWN.clone()
    target[:3] = 7  # which it does not know
    values = _values(TRUTH, target)
    assert values["counterfactual_emotion"] == values["counterfactual_emotion_truth"] == 0.75


def test_without_a_network_there_is_no_lpips():
    names = counterfactual_metrics(IDENTITY, EMOTION)
    assert not [name for name in names if "lpips" in name]
    assert {"counterfactual_psnr", "counterfactual_ssim", "counterfactual_id", "counterfactual_emotion"} <= set(names)


def test_each_judge_has_its_own_framing():
    """Where no face is found, the recognition network sees none, and the classifier all."""
    metrics = counterfactual_metrics(IDENTITY, EMOTION, identity_finder=Corner())
    dark = with_faces(TRUTH, [False] * len(TRUTH))
    metrics["counterfactual_id"][0].update(dark, dark)
    metrics["counterfactual_emotion"][0].update(TRUTH, SHOWN)
    assert metrics["counterfactual_id"][0].compute().isnan()
    assert float(metrics["counterfactual_emotion"][0].compute()) == 1
