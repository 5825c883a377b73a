"""Step between SAE and shape GAN: every mesh is encoded once [C]."""

from pathlib import Path
from typing import cast

import torch

from datamodules.codes import SPLITS, CodeFile
from datamodules.meshes import MeshDataModule
from experiments.device import pick_device
from experiments.evaluate import load_weights
from experiments.face3d import sae
from experiments.stage import open_data
from facegen_core.checkpoint import digest_path, list_checkpoints
from facegen_core.config import load_config
from facegen_core.errors import CheckpointError
from facegen_core.files import only_one
from facegen_core.progress import track
from facegen_core.types import CodeBatch
from lightning_modules.sae import SAEModule


def codes_path(run: Path) -> Path:
    """Where the codes of an SAE's run are kept."""
    return run / "codes.safetensors"


def encode_meshes(run: Path) -> Path:
    """Encodes all meshes an SAE was trained and tested on, unless its newest checkpoint has done so already.

    Args:
        run: folder of the SAE's run.

    Returns:
        The file of codes, see :class:`CodeFile`.

    Raises:
        CheckpointError: the run has no checkpoint yet.
    """
    checkpoints = list_checkpoints(run / "checkpoints")
    if not checkpoints:
        raise CheckpointError(f"{run}: this SAE has no checkpoint yet. Continue it with resume={run}.")
    made_from = {"checkpoint": digest_path(checkpoints[0]).read_text().split()[0]}
    path = codes_path(run)
    with only_one(run / ".codes.lock"):
        if not path.is_file() or CodeFile.load(path).made_from != made_from:
            _encode_all(run, checkpoints[0], made_from).save(path)
    return path


def _encode_all(run: Path, checkpoint: Path, made_from: dict[str, str]) -> CodeFile:
    config = load_config(sae.Config, run / "config.yaml")
    datamodule = open_data(sae, config)
    datamodule.setup("test")
    module = sae.build_module(config, datamodule)
    load_weights(module, run, checkpoint)
    return CodeFile(
        splits={split: _encode(module, datamodule, split) for split in SPLITS},
        people=torch.tensor(datamodule.people),
        template=datamodule.template,
        faces=datamodule.faces,
        uv=datamodule.uv,
        faces_uv=datamodule.faces_uv,
        classifier_weight=module.model.expression_classifier.weight.detach(),
        classifier_bias=module.model.expression_classifier.bias.detach(),
        expression_names=datamodule.expression_names,
        made_from=made_from,
    )


@torch.no_grad()
def _encode(module: SAEModule, datamodule: MeshDataModule, split: str) -> CodeBatch:
    device = pick_device()
    model = module.model.to(device)
    parts = []
    for batch in track(datamodule.in_order(split), f"encode {split}", "batch"):
        identity, expression = model.encode(batch["displacement"].to(device))
        parts.append((identity.cpu(), expression.cpu(), batch["identity"], batch["expression"]))
    columns = (torch.cat(column) for column in zip(*parts, strict=True))
    return cast(CodeBatch, dict(zip(CodeBatch.__annotations__, columns, strict=True)))
