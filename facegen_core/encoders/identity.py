"""Face recognition networks: who is it? Embeddings have length 1, so that their product is the cosine."""

from pathlib import Path

from torch import Tensor, nn

from facegen_core.encoders.base import Encoder, Preprocessing, TorchEncoder
from facegen_core.encoders.iresnet import IResNet
from facegen_core.encoders.irse import IRSE50
from facegen_core.encoders.onnx_encoder import OnnxEncoder
from facegen_core.errors import WeightsNotFoundError
from facegen_core.weights import WEIGHTS, resolve_weights
from facegen_core.weights.files import name_of, spec_of
from facegen_core.weights.kinds import describe, iresnet_blocks, kind_of
from facegen_core.weights.table import ARCFACE, FACENET
from facegen_core.weights.tensors import load_into, read_tensors

EMBEDDED = "judge"


def identity_encoder(name_or_path: str, preprocessing: Preprocessing | None = None) -> Encoder:
    """A recognition network by name or file; which network a file holds is read from it.

    Args:
        name_or_path: "judge" for the embedded one; a name of ``facegen weights list``; or a file: a state dict of
            InceptionResnetV1, IR-SE50 or iResNet, or any ONNX network of pictures.
        preprocessing: what the network was trained to see; None takes what is known of the file or network. An ONNX
            file that is in no table needs it.

    Raises:
        WeightsNotFoundError: the file is missing, damaged, not the published one, or of another kind of network; says
            what it seems to be.
    """
    if name_or_path == EMBEDDED:
        path = resolve_weights("identity_judge")
        from facegen_core.encoders.judge import identity_judge

        return identity_judge(path)
    path = resolve_weights(name_or_path)
    spec = WEIGHTS.get(name_or_path) or (spec_of(path) if path.suffix == ".onnx" else None)
    name = name_of(path, spec)
    if path.suffix == ".onnx":
        known = preprocessing or (spec.preprocessing if spec else None)
        if known is None:
            raise WeightsNotFoundError(
                f"{path}: an ONNX network that is in no table; say how its pictures are made ready (Preprocessing)."
            )
        return OnnxEncoder(name, path, known, unit=True)
    network, usual = _network(read_tensors(path), path)
    return TorchEncoder(name, network, 512, preprocessing or usual, unit=True)


def _network(tensors: dict[str, Tensor], path: Path) -> tuple[nn.Module, Preprocessing]:
    network: nn.Module
    kind = kind_of(tensors)
    if kind == "InceptionResnetV1":
        from facenet_pytorch import InceptionResnetV1

        network, usual = InceptionResnetV1(pretrained=None), FACENET
        tensors = {name: value for name, value in tensors.items() if not name.startswith("logits.")}
    elif kind == "IR-SE50":
        network, usual = IRSE50(), ARCFACE
    elif kind == "iResNet":
        network, usual = IResNet(iresnet_blocks(tensors)), ARCFACE
    else:
        raise WeightsNotFoundError(
            f"{path}: expected a face recognition network (InceptionResnetV1, IR-SE50 or iResNet), and it is "
            f"{describe(tensors)}."
        )
    load_into(network, tensors, path, kind)
    return network, usual
