"""What a file is, told from its names: the real architectures of torchvision, timm and open_clip."""

import pytest
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn

from facegen_core.encoders.iresnet import BLOCKS, IResNet
from facegen_core.encoders.irse import IRSE50
from facegen_core.errors import WeightsNotFoundError
from facegen_core.weights import WEIGHTS, find_weights
from facegen_core.weights.kinds import describe, folder_shapes, kind_of, parameter_count


def on_meta(make) -> dict:
    with torch.device("meta"):
        return make().state_dict()


def facenet(people: int) -> dict:
    from facenet_pytorch import InceptionResnetV1

    classifier = {"logits.weight": torch.empty(people, 512, device="meta"), "logits.bias": torch.empty(people)}
    return {**on_meta(lambda: InceptionResnetV1(pretrained=None)), **classifier}


def clip(model: str) -> dict:
    import open_clip

    settings = {k: v for k, v in open_clip.get_model_config(model).items() if k != "custom_text"}
    return on_meta(lambda: open_clip.model.CLIP(**settings))


MAKERS = {
    "facenet_vggface2": ("InceptionResnetV1", lambda: facenet(8631)),
    "facenet_casia": ("InceptionResnetV1", lambda: facenet(10575)),
    "ir_se50": ("IR-SE50", lambda: on_meta(IRSE50)),
    **{f"glint360k_r{n}": ("iResNet", lambda n=n: on_meta(lambda: IResNet(BLOCKS[n]))) for n in BLOCKS},
    **{
        f"hsemotion_{name}": ("EfficientNet", lambda b=b, n=n: on_meta(lambda: timm.create_model(b, num_classes=n)))
        for name, b, n in (
            ("b0_8_vgaf", "tf_efficientnet_b0", 8),
            ("b0_8_mtl", "tf_efficientnet_b0", 10),
            ("b2_8", "tf_efficientnet_b2", 8),
            ("b2_7", "tf_efficientnet_b2", 7),
        )
    },
    "alexnet": ("AlexNet", lambda: on_meta(torchvision.models.alexnet)),
    "vgg16": ("VGG", lambda: on_meta(torchvision.models.vgg16)),
    "squeezenet": ("SqueezeNet", lambda: on_meta(torchvision.models.squeezenet1_1)),
    "clip_vit_b_32": ("CLIP", lambda: clip("ViT-B-32-quickgelu")),
    "clip_vit_b_16": ("CLIP", lambda: clip("ViT-B-16-quickgelu")),
    "clip_vit_l_14": ("CLIP", lambda: clip("ViT-L-14-quickgelu")),
}


@pytest.mark.parametrize("name", MAKERS)
def test_kind_and_parameter_count_of_the_table(name):
    kind, make = MAKERS[name]
    tensors = make()
    assert kind_of(tensors) == kind
    assert parameter_count(tensors) == WEIGHTS[name].parameters
    assert f"{WEIGHTS[name].parameters:,} parameters" in describe(tensors)


def test_descriptions_say_depth_classes_and_people():
    assert describe(MAKERS["glint360k_r100"][1]()).startswith("iResNet-100 ")
    assert "1408 features" in describe(MAKERS["hsemotion_b2_7"][1]()) and "7 outputs" in describe(
        MAKERS["hsemotion_b2_7"][1]()
    )
    assert "trained on 10575 people" in describe(MAKERS["facenet_casia"][1]())
    for kind in ("identity", "emotion"):
        assert describe(load_file(find_weights(WEIGHTS[f"{kind}_judge"]))).startswith(f"embedded {kind} judge (")
    assert describe(nn.Linear(2, 1).state_dict()) == "unknown network (3 parameters; weight, bias, ...)"


@pytest.mark.parametrize("inside", ["unet", "."])
def test_folder_of_diffusers_is_read_from_headers_alone(tmp_path, inside):
    folder = tmp_path / inside
    folder.mkdir(exist_ok=True)
    parts = {"conv_in.weight": torch.ones(4, 4), "down_blocks.0.resnets.0.conv1.weight": torch.ones(2, 3)}
    for i, (name, value) in enumerate(parts.items()):
        save_file({name: value}, folder / f"diffusion_pytorch_model-{i}-of-2.safetensors")
    save_file({"other": torch.ones(9)}, folder / "diffusion_pytorch_model.fp16.safetensors")
    shapes = folder_shapes(tmp_path)
    assert kind_of(shapes) == "diffusion UNet" and parameter_count(shapes) == 22
    assert all(value.is_meta for value in shapes.values())


def test_folder_without_a_network(tmp_path):
    with pytest.raises(WeightsNotFoundError, match=r"no diffusion_pytorch_model\.safetensors"):
        folder_shapes(tmp_path)
