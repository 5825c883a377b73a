"""Emotion classifiers of files in the released formats: every one ends in AffectNet's order."""

import pytest
import timm
import torch
from helpers.onnx_networks import save_linear
from torch import nn

from facegen_core.emotions import EMOTIONS
from facegen_core.encoders.base import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from facegen_core.encoders.emotion import EmotionEncoder, emotion_encoder, expression_encoder
from facegen_core.errors import WeightsNotFoundError
from facegen_core.weights.table import FACE_API_7

# AffectNet's index -> HSEmotion's, as the owners of HSEmotion print their classes (alphabetical).
TO_8 = {0: 5, 1: 4, 2: 6, 3: 7, 4: 3, 5: 2, 6: 0, 7: 1}
TO_7 = {0: 4, 1: 3, 2: 5, 3: 6, 4: 2, 5: 1, 6: 0}
MODELS = {"b0": ("tf_efficientnet_b0", 224), "b2": ("tf_efficientnet_b2", 260)}


@pytest.fixture(scope="module")
def networks() -> dict[tuple[str, int], nn.Module]:
    made = {}
    for size, outputs in (("b0", 8), ("b0", 10), ("b2", 7)):
        torch.manual_seed(outputs)
        made[size, outputs] = timm.create_model(MODELS[size][0], pretrained=False, num_classes=outputs).eval()
    return made


def reordered(logits: torch.Tensor, order: dict[int, int]) -> torch.Tensor:
    wanted = torch.full((len(logits), 8), -torch.inf)
    for affectnet, theirs in order.items():
        wanted[:, affectnet] = logits[:, theirs]
    return wanted


def imagenet(pictures: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (IMAGENET_MEAN, IMAGENET_STD))
    return (pictures - mean) / std


@pytest.mark.parametrize(
    ("file", "size", "outputs", "order"),
    [("enet_b0_8.pt", "b0", 8, TO_8), ("enet_b0_mtl.pt", "b0", 10, TO_8), ("enet_b2_7.pt", "b2", 7, TO_7)],
)
@pytest.mark.parametrize("saved", ["whole", "whole in a Sequential", "state dict"])
def test_hsemotion_pt(tmp_path, networks, file, size, outputs, order, saved):
    """As its owners save it: the network whole, of whatever timm they had."""
    network = networks[size, outputs]
    if saved == "whole in a Sequential":
        plain = network.classifier
        network.classifier = nn.Sequential(plain)
        torch.save(network, tmp_path / file)
        network.classifier = plain
    else:
        torch.save(network if saved == "whole" else network.state_dict(), tmp_path / file)
    encoder = emotion_encoder(str(tmp_path / file))
    side = MODELS[size][1]
    assert encoder.preprocessing == Preprocessing(side, IMAGENET_MEAN, IMAGENET_STD, "box")
    assert (encoder.dim, encoder.differentiable) == (8, True)
    pictures = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0), requires_grad=True)
    found = encoder(pictures)
    with torch.no_grad():
        assert torch.allclose(found, reordered(network(imagenet(pictures)), order), atol=1e-5)
    found[0, 1].backward()
    assert float(pictures.grad.abs().sum()) > 0


@pytest.mark.parametrize(
    ("file", "size", "outputs", "order", "name"),
    [
        ("enet_b0_8_best_vgaf.onnx", 224, 8, TO_8, "enet_b0_8_best_vgaf"),
        ("enet_b2_7.onnx", 260, 7, TO_7, "hsemotion_b2_7_onnx"),
        ("mbf_va_mtl.onnx", 112, 10, TO_8, "mbf_va_mtl"),
    ],
)
def test_hsemotion_onnx_is_known_by_its_name(tmp_path, file, size, outputs, order, name):
    """Where a digest is published and the file has another, it does not get the published file's name."""
    weight = save_linear(tmp_path / file, size, outputs)
    encoder = emotion_encoder(str(tmp_path / file))
    assert (encoder.name, encoder.preprocessing.size, encoder.differentiable) == (name, size, False)
    pictures = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    ready = (pictures * 2 - 1) if "mbf" in file else imagenet(pictures)
    assert torch.allclose(encoder(pictures), reordered(ready.flatten(1) @ weight, order), atol=1e-3)


def test_face_api_gives_probabilities_of_bytes(tmp_path):
    weight = save_linear(tmp_path / "emotion_faceapi_7.onnx", 112, 7, softmax=True) / 1
    encoder = emotion_encoder(str(tmp_path / "emotion_faceapi_7.onnx"))
    assert encoder.name == "emotion_faceapi_7" and encoder.preprocessing.framing == "square"
    pictures = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(0)) / 255
    expected = (pictures.flatten(1) * 255 @ weight).softmax(1)
    found = encoder(pictures).softmax(1)
    for i, emotion in enumerate(FACE_API_7):
        assert torch.allclose(found[:, EMOTIONS.index(emotion)], expected[:, i], atol=1e-4), emotion
    assert torch.equal(found[:, EMOTIONS.index("contempt")], torch.zeros(2))


def test_any_onnx_classifier_that_is_described(tmp_path):
    weight = save_linear(tmp_path / "mine.onnx", 16, 3)
    with pytest.raises(WeightsNotFoundError, match=r"in no table; say how .* and what its outputs stand for"):
        emotion_encoder(str(tmp_path / "mine.onnx"), Preprocessing(16))
    encoder = emotion_encoder(str(tmp_path / "mine.onnx"), Preprocessing(16), ("happy", "anger", "neutral"))
    pictures = torch.rand(1, 3, 16, 16)
    logits = (pictures * 2 - 1).flatten(1) @ weight
    assert torch.allclose(encoder(pictures), reordered(logits, {1: 0, 6: 1, 0: 2}), atol=1e-4)
    with pytest.raises(WeightsNotFoundError, match="has 3 outputs, and 2 classes are known"):
        emotion_encoder(str(tmp_path / "mine.onnx"), Preprocessing(16), ("happy", "anger"))


def test_classes_must_be_emotions_and_as_many_as_outputs():
    class Judge:
        name, dim, preprocessing, differentiable = "judge", 2, Preprocessing(8), False

        def __call__(self, pictures):
            return pictures.new_zeros(len(pictures), 2)

    assert EmotionEncoder(Judge(), ("fear", "valence"))(torch.zeros(1, 3, 8, 8))[0, 4] == 0
    for classes in (("valence", "arousal"), ("fear",)):
        with pytest.raises(ValueError, match="judge has 2 outputs, not"):
            EmotionEncoder(Judge(), classes)


def test_features_before_the_classifier(tmp_path, networks):
    network = networks["b2", 7]
    torch.save(network, tmp_path / "enet_b2_7.pt")
    encoder = expression_encoder(str(tmp_path / "enet_b2_7.pt"))
    assert encoder.dim == 1408 and encoder.differentiable
    pictures = torch.rand(1, 3, 260, 260, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network.global_pool(network.forward_features(imagenet(pictures)))
    assert torch.allclose(encoder(pictures), expected, atol=1e-5)
    save_linear(tmp_path / "enet_b2_7.onnx", 260, 7)
    with pytest.raises(WeightsNotFoundError, match="an ONNX file gives no features"):
        expression_encoder(str(tmp_path / "enet_b2_7.onnx"))


def test_another_network_is_called_what_it_is(tmp_path):
    torch.save(timm.create_model("tf_efficientnet_b1", num_classes=8), tmp_path / "b1.pt")
    torch.save(timm.create_model("mobilenetv3_small_050", num_classes=8), tmp_path / "mobile.pt")
    for file, words in (("b1", "'blocks.0.1.bn1.weight' is of no use|blocks"), ("mobile", "and it is ")):
        with pytest.raises(WeightsNotFoundError, match=rf"{file}\.pt: expected .*{words}"):
            emotion_encoder(str(tmp_path / f"{file}.pt"))


@pytest.mark.parametrize("kind", ["identity", "emotion"])
def test_embedded_judge_is_read_from_the_package(tmp_path, monkeypatch, kind):
    import sys
    import types

    from facegen_core.encoders.identity import identity_encoder
    from facegen_core.weights import files

    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setattr(files, "EMBEDDED", tmp_path)
    make = {"identity": identity_encoder, "emotion": emotion_encoder}[kind]
    with pytest.raises(WeightsNotFoundError, match=rf"{kind}_judge: .*{kind}_judge\.safetensors is missing"):
        make("judge")
    (tmp_path / f"{kind}_judge.safetensors").touch()
    judges = types.ModuleType("judge")
    setattr(judges, f"{kind}_judge", lambda path: path)
    monkeypatch.setitem(sys.modules, "facegen_core.encoders.judge", judges)
    assert make("judge") == tmp_path / f"{kind}_judge.safetensors"


def test_features_of_the_embedded_judge_are_what_its_last_layer_reads():
    features, logits = expression_encoder("judge"), emotion_encoder("judge")
    pictures = torch.rand(3, 3, 76, 76, generator=torch.Generator().manual_seed(0))
    last = features.network.judge.read
    found = features(pictures)
    assert found.shape == (3, features.dim) and features.preprocessing == logits.preprocessing
    torch.testing.assert_close(last(found)[:, : len(EMOTIONS)], logits(pictures))
