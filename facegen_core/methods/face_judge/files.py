"""Judges as files: half precision, batch normalisation folded in, sizes in the file's own header."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from facegen_core.emotions import EMOTIONS
from facegen_core.errors import WeightsNotFoundError
from facegen_core.files import atomic_path
from facegen_core.methods.face_judge.config import FaceJudgeConfig, TrunkConfig
from facegen_core.methods.face_judge.networks import EmotionJudge, IdentityJudge, fold_batch_norm

FORMAT = "facegen face judge 1"
MOST_BYTES = 4 * 2**20
"""What ships stays below."""
Kind = Literal["identity", "emotion"]


class JudgeFile(NamedTuple):
    """A judge read from a file.

    Attributes:
        network: in evaluation mode, float32.
        kind: what it judges.
        unit_names: action units that an emotion judge reads.
        dim: of its output.
    """

    network: nn.Module
    kind: Kind
    unit_names: list[str]
    dim: int


def save_judge(judge: nn.Module, kind: Kind, config: FaceJudgeConfig, unit_names: list[str], path: Path) -> None:
    """Writes a judge; what it computes stays the same but for rounding to 11 bits.

    Args:
        judge: an :class:`IdentityJudge` or :class:`EmotionJudge`; is folded in place.
        kind: which.
        config: its sizes.
        unit_names: of the action units.
        path: of the file.
    """
    folded = fold_batch_norm(judge.eval()).state_dict()
    tensors = {name: value.to(torch.float16).contiguous() for name, value in folded.items()}
    facts = {"trunk": asdict(getattr(config, kind)), "embedding": config.embedding, "units": unit_names}
    header = {FORMAT: json.dumps({"kind": kind, **facts})}  # one entry: of several, safetensors changes the order
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(tensors, metadata=header))


def load_judge(path: Path, kind: Kind) -> JudgeFile:
    """Reads what :func:`save_judge` wrote.

    Raises:
        WeightsNotFoundError: the file is missing, damaged, or another network's.
    """
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118  # no mapping
    except (OSError, SafetensorError) as error:
        raise WeightsNotFoundError(f"{path}: cannot be read: {error}. Export it again, or reinstall facegen.") from None
    facts = json.loads(header.get(FORMAT, "{}"))
    if facts.get("kind") != kind:
        raise WeightsNotFoundError(f"{path}: expected facegen's {kind} judge, but the file's header says otherwise.")
    trunk = TrunkConfig(facts["trunk"]["stem"], tuple(facts["trunk"]["widths"]), tuple(facts["trunk"]["blocks"]))
    units: list[str] = facts["units"]
    identity = kind == "identity"
    network = IdentityJudge(trunk, facts["embedding"]) if identity else EmotionJudge(trunk, len(units))
    fold_batch_norm(network.eval()).load_state_dict(tensors)
    return JudgeFile(network, kind, units, facts["embedding"] if identity else len(EMOTIONS))
