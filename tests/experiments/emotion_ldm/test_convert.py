"""``facegen convert emotion_ldm`` on files as CompVis' code writes them."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from helpers.compvis_networks import CompVisFirstStage, CompVisLatentDiffusion, CompVisUNet
from omegaconf import OmegaConf

from experiments.cli import main
from experiments.emotion_ldm.trained import open_denoiser, open_first_stage
from facegen_core.diffusion.schedule import ScheduleConfig
from facegen_core.methods.emotion_ldm.compvis_checkpoint import schedule_to_compvis

SCHEDULE = ScheduleConfig("scaled_linear", 0.001, 0.02)
LDM = ["--head-channels", "16", "--pixels", "32"]


@pytest.fixture(scope="module")
def network() -> CompVisLatentDiffusion:
    torch.manual_seed(0)
    unet = CompVisUNet([32, 64], blocks=1, latent=3, context=8, head=16)
    return CompVisLatentDiffusion(unet, CompVisFirstStage([32, 64], blocks=1, latent=3, codes=16), context=8).eval()


@pytest.fixture(scope="module")
def average() -> CompVisUNet:
    return CompVisUNet([32, 64], blocks=1, latent=3, context=8, head=16).eval()


@pytest.fixture(scope="module")
def tensors(network, average) -> dict[str, torch.Tensor]:
    """All that a checkpoint of latent-diffusion names."""
    flat = {f"model_ema.diffusion_model{n.replace('.', '')}": v for n, v in average.state_dict().items()}
    counters = {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(5, dtype=torch.int32)}
    return schedule_to_compvis(SCHEDULE) | network.state_dict() | flat | counters


class Danger:
    """Runs code where it is unpickled as usual."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.write_text, (self.mark, "code was run")


def lightning_file(path: Path, tensors: dict[str, torch.Tensor], mark: Path) -> Path:
    """As Lightning 1.4 wrote it: callbacks by their class, objects of whatever was in reach."""
    extras = {"epoch": 25, "global_step": 7, "pytorch-lightning_version": "1.4.2", "lr_schedulers": []}
    optimiser = {"state": {0: {"step": 7, "exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 1e-6}]}
    callbacks = {Danger: {"best": Danger(mark)}}
    torch.save({**extras, "state_dict": tensors, "callbacks": callbacks, "optimizer_states": [optimiser]}, path)
    return path


@pytest.fixture(scope="module")
def converted(tmp_path_factory, tensors) -> Path:
    """A folder of runs made of one file that holds everything."""
    folder = tmp_path_factory.mktemp("convert")
    file, mark = lightning_file(folder / "epoch=000025.ckpt", tensors, folder / "mark"), folder / "mark"
    with pytest.raises(pickle.UnpicklingError):
        torch.load(file, weights_only=True)
    assert main(["convert", "emotion_ldm", "--denoiser", str(file), "--out", str(folder / "runs"), *LDM]) == 0
    assert not mark.exists()
    return folder / "runs"


@torch.no_grad()
def test_runs_are_opened_as_those_trained_here(converted, network, average):
    first_stage, stage_config, _ = open_first_stage("last", str(converted))
    pictures = torch.rand(1, 3, 32, 32)
    wanted = network.first_stage_model.encode(pictures)
    torch.testing.assert_close(first_stage.encode(pictures).latents, wanted, rtol=0, atol=1e-5)

    denoiser, config, reference = open_denoiser("last", str(converted))
    assert (stage_config.latent_pixels, config.latent_pixels, config.schedule) == (16, 16, SCHEDULE)
    latents, t, token = torch.randn(1, 3, 16, 16), torch.tensor([400]), network.cond_stage_model.embedding.weight[3]
    wanted = average(latents, t, token[None, None])  # the average, not the weights last trained
    made = denoiser(latents, t, denoiser.context(torch.tensor([3])))
    torch.testing.assert_close(made, wanted, rtol=0, atol=1e-4)
    again, _, _ = open_first_stage(reference, str(converted))
    assert torch.equal(again.quantize.embedding.weight, first_stage.quantize.embedding.weight)


@torch.no_grad()
def test_converted_run_is_exported_to_diffusers(converted, average, tmp_path):
    assert main(["export", "emotion_ldm", "run=last", f"outputs={converted}", f"out={tmp_path}"]) == 0
    unet = UNet2DConditionModel.from_pretrained(tmp_path, subfolder="unet", low_cpu_mem_usage=False)
    latents, t, token = torch.randn(1, 3, 16, 16), torch.tensor([7]), torch.randn(1, 1, 8)
    torch.testing.assert_close(unet(latents, t, token).sample, average(latents, t, token), rtol=0, atol=1e-4)
    assert "of run converted-001" in (tmp_path / "README.md").read_text()


def test_back_gives_the_same_tensors_and_the_settings_that_open_them(converted, tensors, network, tmp_path, capsys):
    words = ["--first-stage", "last", "--denoiser", "last", "--outputs", str(converted), "--out", str(tmp_path)]
    assert main(["convert", "emotion_ldm", "--to", "compvis", *words]) == 0
    whole = torch.load(tmp_path / "denoiser.ckpt", weights_only=True)["state_dict"]
    assert whole.keys() == tensors.keys()
    assert all(torch.equal(whole[name], tensors[name]) for name in tensors)
    stage = torch.load(tmp_path / "first_stage.ckpt", weights_only=True)["state_dict"]
    network.first_stage_model.load_state_dict(stage)

    settings = OmegaConf.to_container(OmegaConf.load(tmp_path / "denoiser.yaml"))["model"]["params"]
    unet, first = (settings[f"{part}_config"]["params"] for part in ("unet", "first_stage"))
    assert (settings["linear_start"], settings["linear_end"], settings["use_ema"]) == (0.001, 0.02, True)
    assert (unet["model_channels"], unet["channel_mult"], unet["num_head_channels"]) == (32, [1, 2], 16)
    assert (first["n_embed"], first["ddconfig"]["ch_mult"]) == (16, [1, 2])
    assert first["ddconfig"]["attn_resolutions"] == [16]
    assert main(["convert", "emotion_ldm", "--to", "compvis", *words]) == 2
    assert "is there already" in capsys.readouterr().err


def test_network_without_an_average_is_opened_without_one(tensors, tmp_path):
    """Told nothing, their code makes an average of random weights, and samples with it."""
    plain = {name: value for name, value in tensors.items() if not name.startswith("model_ema.")}
    torch.save({"state_dict": plain}, tmp_path / "ldm.ckpt")
    runs, out = str(tmp_path / "runs"), tmp_path / "out"
    assert main(["convert", "emotion_ldm", "--denoiser", str(tmp_path / "ldm.ckpt"), "--out", runs, *LDM]) == 0
    words = ["--denoiser", "last", "--outputs", runs, "--out", str(out)]
    assert main(["convert", "emotion_ldm", "--to", "compvis", *words]) == 0
    assert torch.load(out / "denoiser.ckpt", weights_only=True)["state_dict"].keys() == plain.keys()
    assert OmegaConf.load(out / "denoiser.yaml").model.params.use_ema is False


def test_first_stage_alone(tensors, tmp_path, capsys):
    """A file of taming-transformers: no prefixes, and the networks of the loss beside it."""
    stage = {n.removeprefix("first_stage_model."): v for n, v in tensors.items() if n.startswith("first_stage_model.")}
    torch.save({"state_dict": stage | {"loss.discriminator.main.0.bias": torch.zeros(4)}}, tmp_path / "vqgan.ckpt")
    words = ["--first-stage", str(tmp_path / "vqgan.ckpt"), "--out", str(tmp_path / "runs"), "--pixels", "32"]
    assert main(["convert", "emotion_ldm", *words]) == 0
    said = capsys.readouterr()
    assert "left behind: loss (1 tensor)" in said.out + said.err
    assert open_first_stage("last", str(tmp_path / "runs"))[1].codes == 16
    assert not (tmp_path / "runs" / "emotion_ldm" / "emotion_ldm").exists()


@pytest.mark.parametrize(
    "first, denoiser, says",
    [
        (None, None, "give --first-stage, --denoiser, or both"),
        ("missing.ckpt", None, "missing.ckpt"),
        ("text.ckpt", None, "not a file of tensors"),
        ("other.ckpt", "ldm.ckpt", "not the first stage that"),
        (None, "headless.ckpt", "no first stage in it"),
        (None, "other.ckpt", "a first stage alone"),
        ("resnet.ckpt", None, "no encoder.conv_out.weight"),
    ],
)
def test_what_does_not_fit_is_told(tensors, tmp_path, capsys, first, denoiser, says):
    own = {n.removeprefix("first_stage_model."): v for n, v in tensors.items() if n.startswith("first_stage_model.")}
    files = {
        "ldm.ckpt": tensors,
        "other.ckpt": {name: value + 1 for name, value in own.items()},
        "headless.ckpt": {n: v for n, v in tensors.items() if not n.startswith("first_stage_model.")},
        "resnet.ckpt": {"layer1.0.conv1.weight": torch.zeros(3)},
    }
    for name in {first, denoiser} & files.keys():
        torch.save({"state_dict": files[name]}, tmp_path / name)
    (tmp_path / "text.ckpt").write_text("not a checkpoint " * 9)
    words = [("--first-stage", first), ("--denoiser", denoiser)]
    given = [word for option, name in words if name for word in (option, str(tmp_path / name))]
    assert main(["convert", "emotion_ldm", *given, "--out", str(tmp_path / "runs"), *LDM]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
