"""An edit against the true picture: the same person, light and pose with the expression that was asked for.

Only a population whose factors are known has such truths. Each figure has the one without an edit beside it, the
source picture against the same truth: an edit below it has done harm.
"""

from collections.abc import Callable

from torchmetrics import Metric

from facegen_core.metrics.emotion import EmotionAccuracy
from facegen_core.metrics.functional.lpips import LPIPSNetwork
from facegen_core.metrics.identity import IdentityCosine
from facegen_core.metrics.judges import FaceFinder, Judge
from facegen_core.metrics.reconstruction import LPIPS, PSNR, SSIM

PREFIX = "counterfactual"


def counterfactual_metrics(
    identity: Judge,
    emotion: Judge,
    lpips: LPIPSNetwork | None = None,
    identity_finder: FaceFinder | None = None,
    emotion_finder: FaceFinder | None = None,
) -> dict[str, tuple[Metric, tuple[str, ...]]]:
    """The metrics of an edit, as the Evaluator takes them.

    A step returns ``edited``, ``truth`` and ``source``, (B, 3, H, W) each, in [0, 1]; and ``target_emotion`` and
    ``source_emotion``, (B,) int64.

    Args:
        identity: the recognition network.
        emotion: the classifier.
        lpips: LPIPS's network; without one there is no ``counterfactual_lpips``.
        identity_finder: what frames faces for the recognition network, or None.
        emotion_finder: what frames them for the classifier, or None.

    Returns:
        Metric key -> (metric, fields). ``counterfactual_<metric>`` is of the edit, ``counterfactual_<metric>_no_edit``
        of the source in its place; ``counterfactual_emotion_truth`` is how many truths the classifier reads rightly,
        which no edit can be expected to pass (for the other metrics that is the perfect value).
    """
    kinds: dict[str, Callable[[], Metric]] = {
        "psnr": PSNR,
        "ssim": SSIM,
        "id": lambda: IdentityCosine(identity, identity_finder),
    }
    if lpips is not None:
        kinds["lpips"] = lambda: LPIPS(lpips)
    metrics: dict[str, tuple[Metric, tuple[str, ...]]] = {}
    for name, build in kinds.items():
        metrics[f"{PREFIX}_{name}"] = build(), ("edited", "truth")
        metrics[f"{PREFIX}_{name}_no_edit"] = build(), ("source", "truth")
    for suffix, pictures in (("", "edited"), ("_no_edit", "source"), ("_truth", "truth")):
        fields = (pictures, "target_emotion", "source_emotion")
        metrics[f"{PREFIX}_emotion{suffix}"] = EmotionAccuracy(emotion, emotion_finder), fields
    return metrics
