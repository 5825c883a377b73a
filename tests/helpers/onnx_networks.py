"""ONNX files of small networks: what a picture's pixels are multiplied with."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper


def save_linear(
    path: Path, size: int, outputs: int, batch: int | str = "n", channels: str = "first", colours: int = 3,
    softmax: bool = False, seed: int = 0,
) -> torch.Tensor:  # fmt: skip
    """Writes pixels (flattened as they come) @ weight; gives the weight (size * size * colours, outputs)."""
    weight = np.random.default_rng(seed).normal(size=(size * size * colours, outputs)).astype(np.float32) * 0.05
    sides = [batch, colours, size, size] if channels == "first" else [batch, size, size, colours]
    nodes = [helper.make_node("Flatten", ["input"], ["flat"], axis=1),
             helper.make_node("MatMul", ["flat", "weight"], ["product" if softmax else "output"])]  # fmt: skip
    if softmax:
        nodes.append(helper.make_node("Softmax", ["product"], ["output"], axis=1))
    save_graph(path, nodes, sides, [batch, outputs], {"weight": weight})
    return torch.from_numpy(weight)


def save_graph(path: Path, nodes: list, sides: list, out: list, constants: dict[str, np.ndarray]) -> None:
    """Writes nodes from "input" of shape ``sides`` to "output" of shape ``out``."""
    graph = helper.make_graph(
        nodes, "network",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, sides)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, out)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
