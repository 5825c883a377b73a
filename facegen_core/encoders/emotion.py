"""Emotion classifiers: logits of AffectNet's eight emotions, whatever order and classes a network was trained with."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from facegen_core.emotions import EMOTIONS
from facegen_core.encoders.base import IMAGENET_MEAN, IMAGENET_STD, Encoder, Preprocessing, TorchEncoder
from facegen_core.encoders.onnx_encoder import OnnxEncoder
from facegen_core.errors import WeightsNotFoundError
from facegen_core.weights import WEIGHTS, resolve_weights
from facegen_core.weights.files import name_of, spec_of
from facegen_core.weights.kinds import describe, kind_of
from facegen_core.weights.spec import WeightSpec
from facegen_core.weights.table import HSEMOTION_7, HSEMOTION_8, HSEMOTION_MTL
from facegen_core.weights.tensors import load_into, read_tensors

EMBEDDED = "judge"

# HSEmotion's networks by the width of their last features: name in timm, side of the input.
_EFFICIENTNETS = {1280: ("tf_efficientnet_b0", 224), 1408: ("tf_efficientnet_b2", 260)}
_CLASSES = {len(classes): classes for classes in (HSEMOTION_7, HSEMOTION_8, HSEMOTION_MTL)}
_LEAST_PROBABILITY = 1e-30


class EmotionEncoder(nn.Module):
    """A classifier whose outputs are put into AffectNet's order; missing classes have logits of minus infinity.

    Attributes:
        dim: 8.
        classes: what the classifier's own outputs stand for.
    """

    dim = len(EMOTIONS)

    def __init__(self, classifier: Encoder, classes: Sequence[str], probabilities: bool = False):
        """Wraps a classifier.

        Args:
            classifier: its outputs (B, len(classes)).
            classes: what they stand for: emotions of ``EMOTIONS``, and "valence" and "arousal", which are left out.
            probabilities: whether they are probabilities and not logits.

        Raises:
            ValueError: another count, or none of them is an emotion.
        """
        super().__init__()
        if classifier.dim != len(classes) or not set(classes) & set(EMOTIONS):
            raise ValueError(f"{classifier.name} has {classifier.dim} outputs, not {', '.join(classes)}")
        self.name, self.preprocessing = classifier.name, classifier.preprocessing
        self.differentiable = classifier.differentiable
        self.classifier, self.classes, self._probabilities = classifier, tuple(classes), probabilities
        self._columns = [classes.index(name) if name in classes else len(classes) for name in EMOTIONS]

    def forward(self, pictures: Tensor) -> Tensor:
        outputs = self.classifier(pictures)
        logits = outputs.clamp_min(_LEAST_PROBABILITY).log() if self._probabilities else outputs
        missing = logits.new_full((len(logits), 1), -torch.inf)
        return torch.cat([logits, missing], 1)[:, self._columns]


def emotion_encoder(
    name_or_path: str,
    preprocessing: Preprocessing | None = None,
    classes: Sequence[str] | None = None,
    probabilities: bool | None = None,
) -> Encoder:
    """A classifier of emotions by name or file, giving logits (B, 8) in AffectNet's order.

    Args:
        name_or_path: "judge" for the embedded one; a name of ``facegen weights list``; or a file: HSEmotion's .onnx or
            .pt (networks pickled whole, read without running them), or any ONNX classifier.
        preprocessing: what the network was trained to see; None takes what is known of it.
        classes: names of ``EMOTIONS`` in the order of its outputs; None takes what is known of it.
        probabilities: whether its last layer is a softmax; None takes what is known of it.

    Raises:
        WeightsNotFoundError: the file is missing, damaged, not the published one, or of another kind of network; or it
            is in no table and was not described.
    """
    if name_or_path == EMBEDDED:
        path = resolve_weights("emotion_judge")
        from facegen_core.encoders.judge import emotion_judge

        return emotion_judge(path)
    path = resolve_weights(name_or_path)
    spec = WEIGHTS.get(name_or_path) or spec_of(path)
    name = name_of(path, spec)
    known = _described(path, spec, preprocessing, classes, probabilities)
    if path.suffix == ".onnx":
        if known.preprocessing is None or not known.classes:
            raise WeightsNotFoundError(
                f"{path}: an ONNX network that is in no table; say how its pictures are made ready (Preprocessing) and "
                "what its outputs stand for (classes)."
            )
        classifier: Encoder = OnnxEncoder(name, path, known.preprocessing)
    else:
        network, size = _efficientnet(path)
        outputs = cast("nn.Linear", network.classifier).out_features
        usual = Preprocessing(size, IMAGENET_MEAN, IMAGENET_STD, "box")
        classifier = TorchEncoder(name, network, outputs, known.preprocessing or usual)
        known = dataclasses.replace(known, classes=known.classes or _CLASSES.get(outputs, ()))
    if len(known.classes) != classifier.dim:
        raise WeightsNotFoundError(
            f"{path}: has {classifier.dim} outputs, and {len(known.classes)} classes are known of it "
            f"({', '.join(known.classes)})."
        )
    return EmotionEncoder(classifier, known.classes, known.probabilities)


def expression_encoder(name_or_path: str) -> Encoder:
    """Features of an expression, before the last layer of a classifier of emotions; differentiable.

    Args:
        name_or_path: "judge" for the embedded one (B, 256); a name of ``facegen weights list``, or a .pt file of
            HSEmotion (B, 1280 or 1408).

    Raises:
        WeightsNotFoundError: as for :func:`emotion_encoder`; an ONNX file gives no features.
    """
    if name_or_path == EMBEDDED:
        path = resolve_weights("emotion_judge")
        from facegen_core.encoders.judge import expression_judge

        return expression_judge(path)
    path = resolve_weights(name_or_path)
    if path.suffix == ".onnx":
        raise WeightsNotFoundError(f"{path}: an ONNX file gives no features; take HSEmotion's .pt file of that name.")
    spec = WEIGHTS.get(name_or_path) or spec_of(path)
    network, size = _efficientnet(path)
    features = cast("nn.Linear", network.classifier).in_features
    network.classifier = nn.Identity()
    usual = Preprocessing(size, IMAGENET_MEAN, IMAGENET_STD, "box")
    return TorchEncoder(f"{name_of(path, spec)} features", network, features, usual)


def _described(
    path: Path,
    spec: WeightSpec | None,
    preprocessing: Preprocessing | None,
    classes: Sequence[str] | None,
    probabilities: bool | None,
) -> WeightSpec:
    """What is known of a file, with what the caller says in place of it."""
    known = spec or WeightSpec(path.stem, path.name, "emotion", "", "")
    return dataclasses.replace(
        known,
        preprocessing=preprocessing or known.preprocessing,
        classes=known.classes if classes is None else tuple(classes),
        probabilities=known.probabilities if probabilities is None else probabilities,
    )


def _efficientnet(path: Path) -> tuple[nn.Module, int]:
    """HSEmotion's network of a .pt file, and the side of its input."""
    import timm

    tensors = read_tensors(path)
    width = len(tensors.get("conv_head.weight", ()))
    if kind_of(tensors) != "EfficientNet" or width not in _EFFICIENTNETS:
        raise WeightsNotFoundError(
            f"{path}: expected HSEmotion's EfficientNet-B0 or B2, and it is {describe(tensors)}. Of its other networks "
            "take the ONNX file."
        )
    # Some were saved with their last layer in a Sequential.
    tensors = {name.replace("classifier.0.", "classifier."): value for name, value in tensors.items()}
    model, size = _EFFICIENTNETS[width]
    network = timm.create_model(model, pretrained=False, num_classes=len(tensors.get("classifier.bias", ())))
    load_into(network, tensors, path, model)
    return network, size
