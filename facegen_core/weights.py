"""Pretrained weights: one table of names, files, checks and licences. Nothing here downloads."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facegen_core.errors import WeightsNotFoundError

FOLDER_VARIABLE = "FACEGEN_WEIGHTS"


@dataclass(frozen=True)
class WeightSpec:
    """A file of pretrained weights.

    Attributes:
        name: what configurations call it.
        file: its name as its owners hand it out.
        purpose: what it is used for here.
        source: where its owners hand it out.
        licence: of the weights; "unstated" where the owners say none.
        check: how to tell that a file is the right one: "git" (SHA-1 of a git blob, for files kept in a git
            repository), "sha256", or "none" where the owners publish no digest.
        digest: the expected value, in hex.
    """

    name: str
    file: str
    purpose: str
    source: str
    licence: str
    check: Literal["git", "sha256", "none"] = "none"
    digest: str = ""


_HSEMOTION = "public repository sb-ai-lab/EmotiEffLib, folder models/affectnet_emotions"
_FACENET = "release v2.2.9 of timesler/facenet-pytorch"

WEIGHTS = {
    spec.name: spec
    for spec in (
        WeightSpec("facenet_vggface2", "20180402-114759-vggface2.pt", "identity", _FACENET, "MIT"),
        WeightSpec("facenet_casia", "20180408-102900-casia-webface.pt", "identity", _FACENET, "MIT"),
        WeightSpec(
            "hsemotion_b0_8_vgaf", "enet_b0_8_best_vgaf.pt", "emotion", _HSEMOTION, "Apache-2.0",
            "git", "7219cfb037209b253ea8b81cf969e60a00e9181c",
        ),
        WeightSpec(
            "hsemotion_b0_8_afew", "enet_b0_8_best_afew.pt", "emotion", _HSEMOTION, "Apache-2.0",
            "git", "9540c8beff661f1c2fca16de63b530cce24bb17d",
        ),
        WeightSpec(
            "ir_se50", "model_ir_se50.pth", "identity", "drives linked by TreB1eN/InsightFace_Pytorch", "unstated"
        ),
        WeightSpec(
            "iresnet_glint360k", "backbone.pth", "identity",
            "insightface arcface_torch, glint360k_cosface_r50_fp16_0.1",
            "non-commercial",
        ),
    )
}  # fmt: skip


def weights_folder() -> Path:
    """Where weights are looked for: ``$FACEGEN_WEIGHTS``, else ``weights/`` in the working folder."""
    return Path(os.environ.get(FOLDER_VARIABLE, "weights"))


def resolve_weights(name_or_path: str) -> Path:
    """The file of a named network, or a path given as it is.

    Raises:
        WeightsNotFoundError: no such file, or it is not the one its owners published; says which file goes where.
    """
    spec = WEIGHTS.get(name_or_path)
    if spec is None:
        if not Path(name_or_path).is_file():
            raise WeightsNotFoundError(f"{name_or_path}: neither a file nor a known network ({', '.join(WEIGHTS)}).")
        return Path(name_or_path)
    path = weights_folder() / spec.file
    if not path.is_file():
        raise WeightsNotFoundError(
            f"{spec.name}: {path} is missing. Get {spec.file} from {spec.source} (licence: {spec.licence}) and put it "
            f"there, or set {FOLDER_VARIABLE} to the folder it is in."
        )
    if spec.check != "none" and _digest(path, spec.check) != spec.digest:
        raise WeightsNotFoundError(
            f"{spec.name}: {path} is not the published file: its {spec.check} digest is {_digest(path, spec.check)}, "
            f"expected {spec.digest}. Get it again from {spec.source}."
        )
    return path


def _digest(path: Path, check: str) -> str:
    content = path.read_bytes()
    if check == "git":
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return hashlib.sha256(content).hexdigest()
