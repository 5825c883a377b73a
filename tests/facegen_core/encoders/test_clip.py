"""CLIP from local files of every format, on a small model that open_clip is told of."""

import copy
import warnings

import numpy as np
import open_clip
import pytest
import torch
from helpers.tiny_clip import NAME, tiny_clip
from huggingface_hub import constants
from PIL import Image
from safetensors.torch import save_file

from facegen_core.encoders.clip import clip_encoder, clip_weights
from facegen_core.errors import ConfigError, WeightsNotFoundError
from facegen_core.weights.table import CLIP


@pytest.fixture(scope="module")
def network():
    return tiny_clip()


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No weights on this machine but those a test puts into the folder."""
    for variable in ("HOME", "TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


def save_as_openai(network, path) -> None:
    """A TorchScript archive in half precision, with three numbers among its tensors."""
    network = copy.deepcopy(network)
    for name, value in (("input_resolution", 32), ("context_length", 77), ("vocab_size", 49408)):
        vars(network).pop(name, None)
        network.register_buffer(name, torch.tensor(value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network, (torch.zeros(1, 3, 32, 32), torch.zeros(1, 77, dtype=torch.long)))
        traced.half().save(str(path))


@pytest.mark.parametrize("format", ["safetensors", "bin", "openai"])
def test_pictures_and_prompts_are_embedded_as_open_clip_does(tmp_path, network, format):
    path = tmp_path / f"weights.{'pt' if format == 'openai' else format}"
    if format == "openai":
        save_as_openai(network, path)
    elif format == "bin":
        torch.save({"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, path)
    else:
        save_file(network.state_dict(), path)
    encoder = clip_encoder(NAME, str(path))
    assert (encoder.name, encoder.dim, encoder.differentiable) == (NAME, 16, True)
    assert encoder.preprocessing.size == 32 and encoder.preprocessing.mean == CLIP.mean
    exact = 1e-3 if format == "openai" else 1e-5  # half precision
    prompts = ["a photo of a happy face", "a person on the beach", "Gesicht, 42!"]
    with torch.no_grad():
        expected = network.encode_text(open_clip.get_tokenizer(NAME)(prompts), normalize=True)
    assert torch.allclose(encoder.embed_texts(prompts), expected, atol=exact)
    smooth = Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)).resize((61, 43))
    transform = open_clip.image_transform(32, is_train=False, mean=CLIP.mean, std=CLIP.std)
    with torch.no_grad():
        expected = network.encode_image(transform(smooth)[None], normalize=True)
    picture = torch.from_numpy(np.array(smooth)).permute(2, 0, 1)[None] / 255
    found = encoder(picture)
    assert torch.allclose(found.norm(dim=1), torch.ones(1))
    assert float((found * expected).sum()) > 0.999, "Pillow rounds to bytes, and crops after resizing"


def test_gradients_reach_pictures_and_no_prompt(tmp_path, network):
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    encoder = clip_encoder(NAME, str(tmp_path / "w.safetensors")).train()
    assert not encoder.training
    pictures = torch.rand(2, 3, 40, 32, requires_grad=True)
    (encoder(pictures) @ encoder.embed_texts(["a face"]).T).sum().backward()
    assert float(pictures.grad.abs().sum()) > 0
    assert not encoder.embed_texts(["a face"]).requires_grad
    assert encoder.embed_texts([]).shape == (0, 16)


def test_missing_weights_say_what_to_put_where(nowhere):
    with pytest.raises(WeightsNotFoundError) as caught:
        clip_encoder("ViT-B-16-quickgelu")
    for words in ("ViT-B-16.pt", str(nowhere / "weights"), "facegen weights get clip_vit_b_16", "Hugging Face cache"):
        assert words in str(caught.value)
    with pytest.raises(ConfigError, match=r"ViT-B-61: open_clip knows no such model\. Nearest: .*ViT-B-16"):
        clip_encoder("ViT-B-61")


def test_weights_that_open_clip_downloaded_are_found(nowhere):
    repository = nowhere / "hub" / "models--timm--vit_base_patch16_clip_224.openai"
    snapshot = repository / "snapshots" / "0123"
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123")
    (snapshot / "open_clip_model.safetensors").write_bytes(b"weights")
    assert clip_weights("ViT-B-16-quickgelu") == snapshot / "open_clip_model.safetensors"


def testclip_weights_another_model_are_refused(tmp_path, network):
    save_file({**network.state_dict(), "visual.proj": torch.zeros(64, 8)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsNotFoundError, match=rf"expected CLIP {NAME}, and it is CLIP .*'visual\.proj' has shape"):
        clip_encoder(NAME, str(tmp_path / "w.safetensors"))
