"""What a metric asks of the networks that look at pictures. Any object of this shape will do."""

import typing

import torch
from torch import Tensor

from facegen_core.metrics.picture_metric import Protocol
from facegen_core.types import Faces


class Judge(typing.Protocol):
    """Pictures (B, 3, H, W) in [0, 1] -> embeddings or logits (B, D), with the preprocessing that it needs.

    The networks of ``facegen_core/encoders`` are such. Where one says in ``preprocessing`` how it wants its pictures
    (``framing``, ``resize``, ``size``), the protocol tells so.
    """

    @property
    def name(self) -> str:
        """Network and weights, such as "facenet vggface2"."""
        ...

    def __call__(self, pictures: Tensor, /) -> Tensor: ...


class FeatureJudge(Judge, typing.Protocol):
    """A judge that says how many numbers it gives a picture."""

    @property
    def dim(self) -> int:
        """D."""
        ...


class FaceFinder(typing.Protocol):
    """Pictures (B, 3, H, W) in [0, 1] -> the faces in them, framed as the judge that reads them was trained on."""

    @property
    def name(self) -> str:
        """Detector, template and size, such as "MTCNN, five points to ArcFace's template, 112"."""
        ...

    def __call__(self, pictures: Tensor, /) -> Faces: ...


def judged_by(judge: Judge, formula: str, finder: FaceFinder | None = None, no_face: str = "") -> Protocol:
    """The protocol of a metric that a judge reads.

    Args:
        judge: the network.
        formula: what is computed of its output.
        finder: what frames faces for it; None where it is shown whole pictures.
        no_face: what becomes of pictures in which ``finder`` finds none.
    """
    wants = getattr(judge, "preprocessing", judge)
    framing = getattr(wants, "framing", "whole")
    as_given = "as given" if framing == "whole" else f"as given, for a judge of {framing}"
    resize = f"{getattr(wants, 'resize', '')} {getattr(wants, 'size', '')}".strip() or "the judge's own"
    return Protocol(formula, judge.name, finder.name if finder else as_given, resize, no_face if finder else "")


def faces_of(finder: FaceFinder | None, pictures: Tensor) -> Faces:
    """The faces of pictures (B, 3, H, W); without a finder, the pictures themselves."""
    if finder is None:
        return Faces(pictures, pictures.new_ones(len(pictures)).bool())
    faces = finder(pictures)
    if faces.found.shape != (len(pictures),) or len(faces.pictures) != int(faces.found.sum()):
        raise ValueError(
            f"{finder.name}: expected one flag a picture and one crop a face found, got "
            f"{tuple(faces.found.shape)} flags and {len(faces.pictures)} crops for {len(pictures)} pictures"
        )
    return Faces(faces.pictures, faces.found.to(pictures.device))  # detectors and ONNX may answer from the CPU


def embed(judge: Judge, pictures: Tensor) -> Tensor:
    """What a judge makes of pictures, (B, D) float32.

    Raises:
        ValueError: it is not one vector a picture.
    """
    vectors = judge(pictures)
    if vectors.ndim != 2 or len(vectors) != len(pictures):
        raise ValueError(f"{judge.name}: expected one vector a picture, got {tuple(vectors.shape)} for {len(pictures)}")
    return vectors.to(pictures.device, torch.float32)


def embed_pairs(
    judge: Judge, finder: FaceFinder | None, first: Tensor, second: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Embeddings of pairs of pictures that both have a face.

    Args:
        judge: the network.
        finder: what frames faces for it, or None.
        first: (B, 3, H, W).
        second: (B, 3, H', W').

    Returns:
        (P, D), (P, D), and (B,) bool: which pairs these are.

    Raises:
        ValueError: the two are not equally many.
    """
    if len(first) != len(second):
        raise ValueError(f"expected pairs of pictures, got {len(first)} and {len(second)}")
    one, two = faces_of(finder, first), faces_of(finder, second)
    both = one.found & two.found
    if not both.any():
        nothing = first.new_empty(0, 1)
        return nothing, nothing, both
    return (
        embed(judge, one.pictures[both[one.found]]),
        embed(judge, two.pictures[both[two.found]]),
        both,
    )
