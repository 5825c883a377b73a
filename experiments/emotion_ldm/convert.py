"""``facegen convert emotion_ldm``: checkpoints of CompVis' code, as the original release's are, to runs and back; and
runs to one small file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from omegaconf import OmegaConf
from torch import Tensor

from experiments.emotion_ldm import emotion_ldm, vqgan
from experiments.emotion_ldm.data import PictureStageConfig
from experiments.emotion_ldm.trained import PAPER, open_denoiser, open_first_stage
from experiments.evaluate import read_checkpoint
from experiments.runs import find_run, new_run, stage_folder
from experiments.schema import StageConfig
from facegen_core.checkpoint import save_checkpoint, without
from facegen_core.config import as_config, load_config, to_yaml
from facegen_core.errors import CheckpointError, ConfigError
from facegen_core.files import atomic_path
from facegen_core.methods.emotion_ldm.compvis_checkpoint import (
    FIRST_STAGE,
    Contents,
    schedule_to_compvis,
    sort_checkpoint,
)
from facegen_core.methods.emotion_ldm.compvis_denoiser import (
    Average,
    average_from_compvis,
    denoiser_from_compvis,
    denoiser_to_compvis,
)
from facegen_core.methods.emotion_ldm.compvis_first_stage import first_stage_from_compvis, first_stage_to_compvis
from facegen_core.methods.emotion_ldm.compvis_settings import denoiser_settings, first_stage_settings
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.files import Networks, save_networks
from facegen_core.methods.emotion_ldm.vqgan_config import FirstStageConfig
from facegen_core.progress import say
from facegen_core.weights.tensors import read_tensors
from lightning_modules.base import FaceGenModule
from lightning_modules.emotion_ldm import EmotionLDMModule
from lightning_modules.vqgan import VQGANModule

PEOPLE = 200
"""Embedded people that a converted run is measured on where no data are given."""


@dataclass(frozen=True)
class Conversion:
    """What is asked for; the command line's options.

    Attributes:
        out: with ``to`` facegen the folder of runs that they are added to, as ``outputs`` is; else where the files go.
        first_stage: a file of theirs; a run of ours with ``to`` compvis. None: the one in the denoiser's file, or that
            the denoiser's run was trained on.
        denoiser: likewise; None: the first stage alone is converted.
        to: which way; "file": of ours to one file of both networks, with averaged weights in half precision.
        pixels: side of the pictures that a first stage of theirs was trained on [P, A].
        head_channels: channels of an attention head of a denoiser of theirs [A].
        outputs: folder of all runs of ours.
    """

    out: Path
    first_stage: str | None = None
    denoiser: str | None = None
    to: Literal["facegen", "compvis", "file"] = "facegen"
    pixels: int = 128
    head_channels: int = 32
    outputs: str = StageConfig.outputs


def convert(asked: Conversion) -> list[Path]:
    """Converts a first stage, a denoiser, or both.

    Returns:
        The runs, or the files, first the first stage's.

    Raises:
        FacegenError: files or runs that cannot be read or do not fit together; says which and why.
    """
    if asked.first_stage is None and asked.denoiser is None:
        raise ConfigError("nothing to convert: give --first-stage, --denoiser, or both.")
    if asked.to == "file":
        return [_to_one_file(asked)]
    return _to_runs(asked) if asked.to == "facegen" else _to_files(asked)


# Theirs -> ours ------------------------------------------------------------------------------------------------------


class _Converted(NamedTuple):
    """A run to be written: its stage, settings, networks, and states of callbacks."""

    stage: str
    config: Any
    module: FaceGenModule
    callbacks: dict[str, Any]


def _to_runs(asked: Conversion) -> list[Path]:
    first, denoiser = (_sorted(name) for name in (asked.first_stage, asked.denoiser))
    tensors = _which_first_stage(asked, first, denoiser)
    size, weights = first_stage_from_compvis(tensors, asked.pixels, f"{_holder(asked)}, first stage")
    converted = [_converted_first_stage(asked, size, weights)]
    if denoiser is not None:
        converted.append(_converted_denoiser(asked, size, denoiser))
    runs: list[Path] = []
    for stage, config, module, callbacks in converted:
        run = new_run(stage_folder(str(asked.out), PAPER, stage), None, "converted")
        if runs:
            config.first_stage = runs[0].name
        _write_run(run, config, module, callbacks)
        say(f"{run}: {sum(p.numel() for p in module.get_submodule(module.network).parameters()):,} parameters")
        runs.append(run)
    for file, contents in ((asked.first_stage, first), (asked.denoiser, denoiser)):
        if contents is not None and contents.left:
            say(f"{file}: left behind: {', '.join(contents.left)}")
    return runs


def _converted_first_stage(asked: Conversion, size: FirstStageConfig, weights: dict[str, Tensor]) -> _Converted:
    config = _stage_config(vqgan, asked, size.pixels)
    config.model.first_stage = size
    torch.manual_seed(config.seed)
    module = VQGANModule(config.model, config.optim)  # with a discriminator that has learnt nothing
    module.first_stage.load_state_dict(weights)
    return _Converted("vqgan", config, module, {})


def _converted_denoiser(asked: Conversion, first_stage: FirstStageConfig, contents: Contents) -> _Converted:
    what = f"{asked.denoiser}, denoiser"
    if contents.schedule is None:
        say(f"{asked.denoiser}: no noise schedule in it; the original release's is taken")
    schedule = contents.schedule or DenoiserConfig().schedule
    size, weights = denoiser_from_compvis(
        contents.denoiser, schedule, first_stage.latent_pixels, asked.head_channels, what
    )
    if size.latent_channels != first_stage.latent_channels:
        raise CheckpointError(
            f"{what}: for latents of {size.latent_channels} channels; the first stage's have "
            f"{first_stage.latent_channels}."
        )
    config = _stage_config(emotion_ldm, asked, first_stage.pixels)
    config.model = size
    module = EmotionLDMModule(size, config.optim)
    module.denoiser.load_state_dict(weights)
    if not contents.average:
        return _Converted("emotion_ldm", config, module, {})
    average = average_from_compvis(size, contents.average, what)
    ema = {"average": average.weights, "decay": average.decay, "last_step": average.updates}
    return _Converted("emotion_ldm", config, module, {"ema": ema})


def _sorted(file: str | None) -> Contents | None:
    return sort_checkpoint(read_tensors(Path(file)), file) if file is not None else None


def _which_first_stage(asked: Conversion, first: Contents | None, denoiser: Contents | None) -> dict[str, Tensor]:
    """The named one, which must be the one that the denoiser was trained on if its file has it."""
    if denoiser is not None and not denoiser.denoiser:
        raise CheckpointError(f"{asked.denoiser}: a first stage alone; name it with --first-stage.")
    own = denoiser.first_stage if denoiser is not None else {}
    given = first.first_stage if first is not None else own
    if not given:
        raise CheckpointError(f"{_holder(asked)}: no first stage in it. Name the file of one with --first-stage.")
    if own and (own.keys() != given.keys() or not all(torch.equal(own[name], given[name]) for name in own)):
        raise CheckpointError(
            f"{asked.first_stage}: not the first stage that {asked.denoiser} was trained on, which is in that file. "
            "Leave out --first-stage."
        )
    return given


def _holder(asked: Conversion) -> str:
    """The file that the first stage is in."""
    return asked.first_stage or asked.denoiser or ""


def _stage_config(stage: Any, asked: Conversion, pixels: int) -> Any:
    """The paper's settings of a stage; measured on embedded people unless ``data.root`` names a folder."""
    path = Path(stage.__file__).with_name("paper.yaml")
    people = [f"population.people={PEOPLE}", f"population.pixels={2 * pixels}"]
    config: PictureStageConfig = load_config(stage.Config, path, people)
    config.outputs, config.data.pixels = str(asked.out), pixels
    return config


def _write_run(run: Path, config: StageConfig, module: FaceGenModule, callbacks: dict[str, Any]) -> None:
    """A run that was never trained here: it can be measured and used, not resumed."""
    agreement = {"checkpoints": {"agreement": {"data": "not known: converted"}}}
    checkpoint = {
        "state_dict": module.state_dict(),
        "hyper_parameters": dict(module.hparams),
        "callbacks": callbacks | agreement,
    }
    save_checkpoint(checkpoint, run / "checkpoints" / "0.ckpt")
    with atomic_path(run / "config.yaml") as temporary:  # last: a folder without it is no run
        temporary.write_text(to_yaml(config))


# Ours -> theirs ------------------------------------------------------------------------------------------------------


def _to_files(asked: Conversion) -> list[Path]:
    files = [
        asked.out / name for name, given in (("first_stage", asked.first_stage), ("denoiser", asked.denoiser)) if given
    ]
    for file in files:
        if file.with_suffix(".ckpt").exists():
            raise ConfigError(f"{file.with_suffix('.ckpt')}: is there already. Move it, or name another folder.")
    run, reference = None, asked.first_stage
    if asked.denoiser is not None:
        run = find_run(stage_folder(asked.outputs, PAPER, "emotion_ldm"), asked.denoiser)
        trained: emotion_ldm.Config = load_config(emotion_ldm.Config, run / "config.yaml")
        reference = reference or trained.first_stage
    assert reference is not None
    network, config, _ = open_first_stage(reference, asked.outputs)
    first_stage, settings = first_stage_to_compvis(config, network.state_dict()), first_stage_settings(config)
    contents = {"first_stage": (first_stage, settings)}
    if run is not None:
        contents["denoiser"] = _their_denoiser(asked, run, config, first_stage)
    for file in files:
        tensors, settings = contents[file.name]
        _write_file(file, tensors, settings)
        say(f"{file.with_suffix('.ckpt')}: {len(tensors)} tensors; {file.with_suffix('.yaml').name} opens it")
    return [file.with_suffix(".ckpt") for file in files]


def _to_one_file(asked: Conversion) -> Path:
    if asked.denoiser is None or asked.first_stage is not None:
        raise ConfigError("--to file takes --denoiser alone; the file holds the first stage it was trained on too.")
    path = asked.out / "emotion_ldm.safetensors"
    if path.exists():
        raise ConfigError(f"{path}: is there already. Move it, or name another folder.")
    denoiser, config, reference = open_denoiser(asked.denoiser, asked.outputs)
    first_stage, first_config, _ = open_first_stage(reference, asked.outputs)
    save_networks(Networks(first_stage, first_config, denoiser, config), path)
    say(f"{path}: {path.stat().st_size:,} bytes; model={path} opens it")
    return path


def _their_denoiser(
    asked: Conversion, run: Path, first_stage: FirstStageConfig, tensors: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The whole ``LatentDiffusion``: schedule, U-Net, its average, first stage, embeddings."""
    which = asked.denoiser or ""
    _, saved = read_checkpoint(run, Path(which) if which.endswith(".ckpt") else None)
    config = as_config(DenoiserConfig, saved["hyper_parameters"]["model"])
    ema = saved["callbacks"].get("ema", {})
    average = Average(ema["average"], ema["decay"], ema["last_step"]) if ema.get("average") else None
    denoiser = denoiser_to_compvis(config, without("denoiser.", saved["state_dict"]), average)
    whole = schedule_to_compvis(config.schedule) | denoiser
    whole |= {f"{FIRST_STAGE}{name}": value for name, value in tensors.items()}
    return whole, denoiser_settings(config, first_stage, average is not None)


def _write_file(file: Path, tensors: dict[str, Tensor], settings: dict[str, Any]) -> None:
    with atomic_path(file.with_suffix(".yaml")) as temporary:
        temporary.write_text(OmegaConf.to_yaml(OmegaConf.create({"model": settings})))
    with atomic_path(file.with_suffix(".ckpt")) as temporary:
        torch.save({"state_dict": {name: value.contiguous() for name, value in tensors.items()}}, temporary)
