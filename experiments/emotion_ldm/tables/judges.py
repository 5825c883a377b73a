"""What is measured of made pictures, one number a picture and target."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.emotion_ldm.tables.config import MetricsConfig
from facegen_core.emotions import EMOTIONS
from facegen_core.encoders.base import Encoder
from facegen_core.encoders.emotion import emotion_encoder
from facegen_core.encoders.identity import identity_encoder
from facegen_core.errors import WeightsNotFoundError
from facegen_core.geometry.face_crop import align_matrix, warp
from facegen_core.metrics.functional.identity import pair_cosine
from facegen_core.metrics.functional.lpips import LPIPSNetwork
from facegen_core.metrics.functional.psnr import psnr
from facegen_core.metrics.functional.ssim import WINDOW, ssim
from facegen_core.metrics.picture_metric import Protocol, as_tags
from facegen_core.progress import say

LAID = "laid_"
"""Before the name of a figure: of the change alone, edit minus reconstruction, laid onto the source, as
``facegen edit`` puts faces back into photographs. Measured where the truth is known, which is what it is held
against."""


@dataclass(frozen=True, eq=False)
class Sources:
    """Pictures before they are edited, and what edits are compared with.

    Attributes:
        index: (B,) their places among all that are edited.
        emotion: (B,) int64, shown.
        raw: (B, 3, R, R) in [0, 1], as they are.
        reconstruction: likewise, as the first stage gives them back: what the paper's figures very probably compare
            with [A, I].
        truth: (B, T, 3, R, R), true pictures with each target; None where those are not known.
        points: (B, 5, 2), where the face is, see :class:`.held_out.HeldOut`; for all that is made of it.
        who_raw: (B, D), the recognition network's embeddings of ``raw``.
        who_reconstruction: (B, D), likewise.
        who_truth: (B, T, D), likewise.
    """

    index: Tensor
    emotion: Tensor
    raw: Tensor
    reconstruction: Tensor
    truth: Tensor | None
    points: Tensor
    who_raw: Tensor
    who_reconstruction: Tensor
    who_truth: Tensor | None


class Judges:
    """The networks that judge, by configuration.

    Args:
        config: which.
        device: where they compute.

    Raises:
        WeightsNotFoundError: those of the emotions or identities are missing; LPIPS is left out instead, which is said.
    """

    def __init__(self, config: MetricsConfig, device: torch.device) -> None:
        self.whole, self.device, self.missing = config.framing == "whole", device, ""
        self.emotion, self.identity = emotion_encoder(config.emotion), identity_encoder(config.identity)
        self.lpips: LPIPSNetwork | None = None
        try:
            self.lpips = LPIPSNetwork(config.lpips)
        except WeightsNotFoundError as error:
            self.missing = f"LPIPS ({config.lpips}): its weights are not there, so its column is empty."
            say(f"{error} {self.missing}")
        for network in (self.emotion, self.identity, self.lpips):
            if isinstance(network, nn.Module):
                network.to(device)

    @property
    def labels(self) -> list[str]:
        """Emotions that the classifier tells; some know no contempt."""
        classes = getattr(self.emotion, "classes", EMOTIONS)
        return [name for name in EMOTIONS if name in classes]

    @property
    def facts(self) -> dict[str, str]:
        """What figures depend on."""
        lpips = self.lpips.name if self.lpips else "none"
        return {"emotion": self.emotion.name, "identity": self.identity.name, "lpips": lpips, "framing": self._framing}

    @property
    def tags(self) -> dict[str, str]:
        """Judges and protocols of the figures, for the tracker."""
        of_emotion, of_identity = (
            {"framing": self._framing, "resize": _resize(e)} for e in (self.emotion, self.identity)
        )
        said = "mean over pictures and targets, the same emotion as before included"
        protocols = {
            "emotion_accuracy": Protocol("share whose highest logit is the target's", self.emotion.name, **of_emotion),
            "id_cosine": Protocol(f"cosine to the reconstruction; {said}", self.identity.name, **of_identity),
            "psnr": Protocol(f"to the reconstruction, -10 log10(MSE + 1e-8); {said}"),
            "ssim": Protocol(f"to the reconstruction, piq's; {said}"),
        }
        for name in ("psnr", "ssim", "id", "emotion"):
            truth = "the same person, light and pose, cut by the source's landmarks; edits that ask for another emotion"
            protocols[f"counterfactual_{name}"] = Protocol(f"against the true picture: {truth}")
        if self.lpips:
            protocols["lpips"] = Protocol(f"to the reconstruction; {said}", self.lpips.name)
        return {tag: value for name, p in protocols.items() for tag, value in as_tags(name, asdict(p)).items()}

    @property
    def _framing(self) -> str:
        if self.whole:
            return "whole aligned crops"
        return "by landmarks of the picture that is edited, bicubic"

    @torch.no_grad()
    def probabilities(self, pictures: Tensor, points: Tensor) -> Tensor:
        """Of the eight emotions (N, 8), for pictures (N, 3, R, R) in [0, 1] with points (N, 5, 2) from 0 to 1."""
        return self._seen(self.emotion, pictures, points).softmax(1)

    @torch.no_grad()
    def embeddings(self, pictures: Tensor, points: Tensor) -> Tensor:
        """Of who it is (N, D), length 1."""
        return F.normalize(self._seen(self.identity, pictures, points), dim=1)

    @torch.no_grad()
    def distances(self, pictures: Tensor, references: Tensor, prefix: str, suffix: str) -> dict[str, Tensor]:
        """PSNR, SSIM and LPIPS (N,) of pairs (N, 3, R, R) in [0, 1], as far as they are to be had."""
        measured = {"psnr": psnr(pictures, references)}
        if min(pictures.shape[-2:]) >= WINDOW:
            measured["ssim"] = ssim(pictures, references)
        if self.lpips is not None:
            measured["lpips"] = self.lpips(pictures.to(self.device), references.to(self.device)).cpu()
        return {f"{prefix}{name}{suffix}": values for name, values in measured.items()}

    def _seen(self, judge: Encoder, pictures: Tensor, points: Tensor) -> Tensor:
        there, wants = pictures.to(self.device), judge.preprocessing
        if (
            not self.whole and wants.framing == "five_points"
        ):  # others want boxes, which are about as tight as the crops
            matrix = align_matrix(points * there.shape[-1] - 0.5, wants.size).to(there.device)
            there = warp(there, matrix, wants.size, interpolation="bicubic").clamp(0, 1)
        return judge(there).float().cpu()


def measure(judges: Judges, sources: Sources, pictures: Tensor, places: Sequence[int]) -> dict[str, Tensor]:
    """All that is measured of pictures made of some sources, one for each target.

    Args:
        judges: who measures.
        sources: what they were made of.
        pictures: (B, T, 3, R, R) in [0, 1]; or (B, 1, 3, R, R), the same for all targets, which is judged once.
        places: (T) columns of ``sources.truth`` that belong to the targets.

    Returns:
        ``emotion`` (B, T, 8), probabilities; (B, T) each of ``psnr``, ``ssim``, ``lpips``, ``id_cosine`` against the
        reconstruction, with ``_raw`` after the name against the source itself. Where the truth is known also against
        it, with ``counterfactual_`` before the name: there the cosine is ``counterfactual_id``. And then all of that
        once more, after :data:`LAID`.
    """
    measured = _measured(judges, sources, pictures, places)
    if sources.truth is not None:
        laid = (sources.raw[:, None] + pictures - sources.reconstruction[:, None]).clamp(0, 1)
        measured |= {f"{LAID}{name}": values for name, values in _measured(judges, sources, laid, places).items()}
    return measured


def _measured(judges: Judges, sources: Sources, pictures: Tensor, places: Sequence[int]) -> dict[str, Tensor]:
    shape, targets = pictures.shape[:2], len(places)
    made = pictures.flatten(0, 1)
    points = sources.points.repeat_interleave(shape[1], 0)
    who = judges.embeddings(made, points)
    measured = {"emotion": judges.probabilities(made, points)}
    for suffix, references, themselves in (
        ("", sources.reconstruction, sources.who_reconstruction),
        ("_raw", sources.raw, sources.who_raw),
    ):
        measured[f"id_cosine{suffix}"] = pair_cosine(who, themselves.repeat_interleave(shape[1], 0))
        measured |= judges.distances(made, references.repeat_interleave(shape[1], 0), "", suffix)
    measured = {name: _for_each(values.unflatten(0, shape), targets) for name, values in measured.items()}
    if sources.truth is not None and sources.who_truth is not None:
        made, who = (_for_each(x, targets).flatten(0, 1) for x in (pictures, who.unflatten(0, shape)))
        against = judges.distances(made, sources.truth[:, list(places)].flatten(0, 1), "counterfactual_", "")
        against["counterfactual_id"] = pair_cosine(who, sources.who_truth[:, list(places)].flatten(0, 1))
        measured |= {name: values.unflatten(0, (shape[0], targets)) for name, values in against.items()}
    return {name: values.float() for name, values in measured.items()}


def _for_each(values: Tensor, targets: int) -> Tensor:
    """(B, T, ...) of that, or of (B, 1, ...)."""
    return values.expand(-1, targets, *values.shape[2:])


def _resize(judge: Any) -> str:
    return f"{judge.preprocessing.resize} {judge.preprocessing.size}"
