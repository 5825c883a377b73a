"""Recognition networks written out as functions of their named tensors: the other hand that the loaders are held to."""

import torch
import torch.nn.functional as F
from torch import Tensor


def randomised(network: torch.nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """A state dict of random numbers, running statistics included, so that no part is the identity."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, value in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
        elif value.ndim < 2:
            state[name] = 0.5 + torch.rand(value.shape, generator=generator)
        else:
            fan = value[0].numel()
            state[name] = torch.randn(value.shape, generator=generator) / fan**0.5
    return state


def batch_norm(x: Tensor, t: dict[str, Tensor], name: str) -> Tensor:
    shape = (1, -1) + (1,) * (x.ndim - 2)
    mean, var, weight, bias = (t[f"{name}.{k}"].view(shape) for k in ("running_mean", "running_var", "weight", "bias"))
    return (x - mean) / torch.sqrt(var + 1e-5) * weight + bias


def prelu(x: Tensor, t: dict[str, Tensor], name: str) -> Tensor:
    return torch.where(x > 0, x, x * t[f"{name}.weight"].view(1, -1, 1, 1))


def ir_se50(x: Tensor, t: dict[str, Tensor]) -> Tensor:
    """IR-SE50 as TreB1eN's InsightFace_Pytorch lays it out, without its last division by the length."""
    x = prelu(batch_norm(F.conv2d(x, t["input_layer.0.weight"], padding=1), t, "input_layer.1"), t, "input_layer.2")
    for i in range(24):
        stride = 2 if i in (0, 3, 7, 21) else 1
        block = f"body.{i}"
        y = F.conv2d(batch_norm(x, t, f"{block}.res_layer.0"), t[f"{block}.res_layer.1.weight"], padding=1)
        y = prelu(y, t, f"{block}.res_layer.2")
        y = F.conv2d(y, t[f"{block}.res_layer.3.weight"], stride=stride, padding=1)
        y = batch_norm(y, t, f"{block}.res_layer.4")
        share = y.mean((2, 3), keepdim=True)
        share = F.conv2d(share, t[f"{block}.res_layer.5.fc1.weight"]).clamp_min(0)
        share = 1 / (1 + torch.exp(-F.conv2d(share, t[f"{block}.res_layer.5.fc2.weight"])))
        if f"{block}.shortcut_layer.0.weight" in t:
            x = batch_norm(
                F.conv2d(x, t[f"{block}.shortcut_layer.0.weight"], stride=stride), t, f"{block}.shortcut_layer.1"
            )
        else:
            x = x[:, :, ::stride, ::stride]
        x = x + y * share
    flat = batch_norm(x, t, "output_layer.0").flatten(1)
    return batch_norm(flat @ t["output_layer.3.weight"].T + t["output_layer.3.bias"], t, "output_layer.4")


def iresnet(x: Tensor, t: dict[str, Tensor], blocks: tuple[int, ...]) -> Tensor:
    """iResNet as insightface's arcface_torch lays it out."""
    x = prelu(batch_norm(F.conv2d(x, t["conv1.weight"], padding=1), t, "bn1"), t, "prelu")
    for layer, count in enumerate(blocks, 1):
        for i in range(count):
            block, stride = f"layer{layer}.{i}", 2 if i == 0 else 1
            y = F.conv2d(batch_norm(x, t, f"{block}.bn1"), t[f"{block}.conv1.weight"], padding=1)
            y = prelu(batch_norm(y, t, f"{block}.bn2"), t, f"{block}.prelu")
            y = batch_norm(F.conv2d(y, t[f"{block}.conv2.weight"], stride=stride, padding=1), t, f"{block}.bn3")
            if i == 0:
                x = batch_norm(F.conv2d(x, t[f"{block}.downsample.0.weight"], stride=2), t, f"{block}.downsample.1")
            x = x + y
    flat = batch_norm(x, t, "bn2").flatten(1)
    return batch_norm(flat @ t["fc.weight"].T + t["fc.bias"], t, "features")
