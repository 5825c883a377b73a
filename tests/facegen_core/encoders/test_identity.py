"""Recognition networks loaded from files of the released formats, made of random numbers."""

import copy

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from helpers.onnx_networks import save_graph, save_linear
from helpers.recognisers import ir_se50, iresnet, randomised
from onnx import helper

from facegen_core.encoders.base import Preprocessing
from facegen_core.encoders.identity import identity_encoder
from facegen_core.encoders.iresnet import BLOCKS, IResNet
from facegen_core.encoders.irse import IRSE50
from facegen_core.errors import WeightsNotFoundError


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(3))


def unit(codes: torch.Tensor) -> torch.Tensor:
    return codes / codes.norm(dim=1, keepdim=True)


def test_ir_se50_of_a_file_is_the_network_written_out(tmp_path, monkeypatch, pictures):
    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path))
    state = randomised(IRSE50())
    torch.save(state, tmp_path / "model_ir_se50.pth")
    encoder = identity_encoder("ir_se50")
    assert (encoder.name, encoder.dim, encoder.differentiable) == ("ir_se50", 512, True)
    assert encoder.preprocessing == Preprocessing(112, (0.5,) * 3, (0.5,) * 3, "five_points")
    assert torch.allclose(encoder(pictures), unit(ir_se50(pictures * 2 - 1, state)), atol=1e-4)


@pytest.mark.parametrize("depth", [18, 50])
def test_iresnet_of_a_file_is_the_network_written_out(tmp_path, pictures, depth):
    state = randomised(IResNet(BLOCKS[depth]))
    torch.save(state, tmp_path / "backbone.pth")
    encoder = identity_encoder(str(tmp_path / "backbone.pth"))
    assert (encoder.name, encoder.dim) == ("backbone", 512)
    assert torch.allclose(encoder(pictures), unit(iresnet(pictures * 2 - 1, state, BLOCKS[depth])), atol=1e-4)


def test_depth_is_found_in_the_file_of_the_name(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path))
    folder = tmp_path / "glint360k_cosface_r34_fp16_0.1"
    folder.mkdir()
    torch.save({k: v.half() for k, v in IResNet(BLOCKS[34]).state_dict().items()}, folder / "backbone.pth")
    encoder = identity_encoder("glint360k_r34")
    assert [len(getattr(encoder.network, f"layer{i}")) for i in (1, 2, 3, 4)] == list(BLOCKS[34])
    assert encoder.network.conv1.weight.dtype == torch.float32, "half-precision files are computed in float32"


@pytest.mark.parametrize(("name", "people"), [("vggface2", 8631), ("casia", 10575)])
def test_facenet_leaves_out_the_last_layer_of_its_training(tmp_path, monkeypatch, name, people):
    from facenet_pytorch import InceptionResnetV1

    file = {"vggface2": "20180402-114759-vggface2.pt", "casia": "20180408-102900-casia-webface.pt"}[name]
    torch.manual_seed(0)
    network = InceptionResnetV1(pretrained=None).eval()
    classifier = {"logits.weight": torch.zeros(people, 512), "logits.bias": torch.zeros(people)}
    torch.save({**network.state_dict(), **classifier}, tmp_path / file)
    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path))
    encoder = identity_encoder(f"facenet_{name}")
    picture = torch.rand(1, 3, 160, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network((picture * 255 - 127.5) / 128)
    assert torch.allclose(encoder(picture), expected, atol=1e-5)
    assert (encoder.preprocessing.size, encoder.preprocessing.framing) == (160, "box")
    assert encoder(F.interpolate(picture, 80)).shape == (1, 512), "other sizes are resized"


def test_gradients_reach_the_pictures_and_no_parameter(tmp_path, pictures):
    torch.save(randomised(IResNet(BLOCKS[18])), tmp_path / "r18.pth")
    encoder = identity_encoder(str(tmp_path / "r18.pth"))
    asked = pictures.clone().requires_grad_()
    encoder(asked)[:, 0].sum().backward()
    assert float(asked.grad.abs().sum()) > 0
    assert all(parameter.grad is None for parameter in encoder.parameters())


@pytest.mark.parametrize("layout", ["first", "last"])
@pytest.mark.parametrize("batch", [1, "n"])
def test_any_onnx_recogniser(tmp_path, layout, batch):
    weight = save_linear(tmp_path / "net.onnx", size=8, outputs=5, batch=batch, channels=layout)
    preprocessing = Preprocessing(8, (0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    encoder = identity_encoder(str(tmp_path / "net.onnx"), preprocessing)
    assert (encoder.name, encoder.dim, encoder.differentiable) == ("net", 5, False)
    pictures = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1), requires_grad=True)
    ready = (pictures.detach() - torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1)) / torch.tensor([0.5, 0.6, 0.7]).view(
        3, 1, 1
    )
    flat = (ready if layout == "first" else ready.permute(0, 2, 3, 1)).flatten(1)
    found = encoder(pictures)
    assert torch.allclose(found, unit(flat @ weight), atol=1e-5) and not found.requires_grad
    assert encoder(pictures[:0]).shape == (0, 5)
    assert torch.equal(copy.deepcopy(encoder)(pictures), found), "metrics copy their judges"


def test_onnx_network_needs_to_be_described(tmp_path):
    save_linear(tmp_path / "net.onnx", size=8, outputs=5)
    with pytest.raises(WeightsNotFoundError, match=r"net\.onnx: an ONNX network that is in no table; say how"):
        identity_encoder(str(tmp_path / "net.onnx"))
    with pytest.raises(WeightsNotFoundError, match="takes pictures of 8 x 8 pixels, and 112"):
        identity_encoder(str(tmp_path / "net.onnx"), Preprocessing(112))
    save_linear(tmp_path / "w600k_r50.onnx", size=112, outputs=4)
    assert identity_encoder(str(tmp_path / "w600k_r50.onnx")).name == "buffalo_l_r50", "known by its name"


def test_files_that_are_no_onnx_network(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"not a network")
    with pytest.raises(WeightsNotFoundError, match=r"bad\.onnx: not a network in ONNX"):
        identity_encoder(str(tmp_path / "bad.onnx"), Preprocessing(112))
    (tmp_path / "pointer.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1")
    with pytest.raises(WeightsNotFoundError, match=r"pointer\.onnx: a pointer of git LFS"):
        identity_encoder(str(tmp_path / "pointer.onnx"), Preprocessing(112))
    save_linear(tmp_path / "grey.onnx", size=8, outputs=5, colours=1)
    with pytest.raises(WeightsNotFoundError, match="not a network with one input of RGB pictures"):
        identity_encoder(str(tmp_path / "grey.onnx"), Preprocessing(8))


def test_onnx_networks_that_cannot_take_the_pictures(tmp_path):
    """One of bytes; and one that promises any size and multiplies with a matrix of another."""
    nodes = [helper.make_node("Flatten", ["input"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["output"])]
    save_graph(tmp_path / "sizes.onnx", nodes, ["n", 3, "h", "w"], ["n", 2], {"w": np.zeros((10, 2), np.float32)})
    network = onnx.load(tmp_path / "sizes.onnx")
    network.graph.node[0].op_type, network.graph.node[1].op_type = "Identity", "Identity"
    del network.graph.node[1].input[1:]
    for end in (network.graph.input[0], network.graph.output[0]):
        end.type.tensor_type.elem_type = onnx.TensorProto.UINT8
    onnx.save(network, tmp_path / "bytes.onnx")
    for file in ("sizes", "bytes"):
        words = rf"{file}\.onnx: cannot take pictures, float32 of \(1, 3, 8, 8\)"
        with pytest.raises(WeightsNotFoundError, match=words):
            identity_encoder(str(tmp_path / f"{file}.onnx"), Preprocessing(8))


def test_another_network_is_called_what_it_is(tmp_path):
    import torchvision

    torch.save(torchvision.models.squeezenet1_1().state_dict(), tmp_path / "it.pth")
    with pytest.raises(
        WeightsNotFoundError, match=r"expected a face recognition network .*, and it is SqueezeNet \(1,2"
    ):
        identity_encoder(str(tmp_path / "it.pth"))
    state = IResNet(BLOCKS[18]).state_dict()
    state["features.weight"] = torch.ones(256)
    torch.save(state, tmp_path / "small.pth")
    with pytest.raises(WeightsNotFoundError, match=r"expected iResNet, and it is iResNet-18 .*'features\.weight' has"):
        identity_encoder(str(tmp_path / "small.pth"))


def test_nothing_is_downloaded(tmp_path, monkeypatch):
    import urllib.request

    def refuse(*_, **__):
        raise AssertionError("a download was tried")

    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    for name in ("facenet_vggface2", "ir_se50", "glint360k_r100", "mobilefacenet_128"):
        with pytest.raises(WeightsNotFoundError, match=f"{name}: .* is missing"):
            identity_encoder(name)
