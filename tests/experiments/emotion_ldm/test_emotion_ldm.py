"""The EmotionLDM stage as a user runs it: published settings, training, stopping and resuming, opening it."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from helpers.processes import differences, metrics
from helpers.raw_pictures import write_affectnet

from experiments.cli import main
from experiments.emotion_ldm import emotion_ldm, vqgan
from experiments.emotion_ldm.trained import open_denoiser, open_first_stage
from experiments.stage import load_stage_config, open_data
from facegen_core.checkpoint import list_checkpoints, load_checkpoint
from facegen_core.config import load_config
from facegen_core.diffusion.schedule import alpha_bars
from facegen_core.errors import ConfigError, FacegenError
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.methods.emotion_ldm.first_stage import encode

FOLDER = Path(emotion_ldm.__file__).parent

# Published settings


@pytest.fixture(scope="module")
def paper() -> emotion_ldm.Config:
    return load_config(emotion_ldm.Config, FOLDER / "paper.yaml")


def test_paper_profile_is_the_published_training(paper):
    """Section 3.3 of the facts: lr is 1e-6 times the batch, and 30 epochs of AffectNet's 287,651 pictures."""
    assert paper.trainer.global_batch == 24
    assert paper.optim.lr == pytest.approx(1e-6 * 24)
    assert (list(paper.optim.betas), paper.optim.weight_decay) == ([0.9, 0.999], 0.01), "torch's AdamW"
    assert paper.trainer.max_steps == pytest.approx(30 * 287_651 / 24, abs=1)
    assert (paper.ema.decay, paper.ema.warm_up) == (0.9999, True)
    assert (paper.model.label_drop, paper.model.label_drop_per) == (0.2, "batch")
    assert not paper.data.flip


def test_paper_profile_has_the_published_schedule(paper):
    """Values of section 3.3, measured on the authors' formula."""
    bars = alpha_bars(paper.model.schedule)
    published = {0: 0.998500, 1: 0.996994, 100: 0.821773, 400: 0.225763, 500: 0.107677, 600: 0.042384, 999: 0.0000969}
    assert {t: float(bars[t]) for t in published} == pytest.approx(published, abs=5e-7)


def test_paper_profile_says_all_that_the_schema_does(paper):
    assert paper.model == DenoiserConfig()
    assert paper.sheets == emotion_ldm.SheetConfig()


def test_every_number_of_the_paper_profile_has_its_source():
    text = (FOLDER / "paper.yaml").read_text()
    body = text[text.index("optim:") : text.index("sheets:")].splitlines() + text.splitlines()[1:4]
    numbers = [line for line in body if any(c.isdigit() for c in line.partition("#")[0])]
    assert len(numbers) > 14
    assert [line for line in numbers if "[" not in line.partition("#")[2]] == []


@pytest.mark.parametrize("profile", ["demo", "smoke"])
def test_other_profiles_fit_the_first_stage_of_their_name(profile):
    config = load_config(emotion_ldm.Config, FOLDER / f"{profile}.yaml")
    first_stage = load_stage_config(vqgan, profile, []).model.first_stage
    assert config.model.latent_pixels == first_stage.latent_pixels
    assert config.model.latent_channels == first_stage.latent_channels
    assert config.trainer.max_steps % config.sheets.every == 0, "the last weights are drawn"


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("sheets.every=7", "must be a multiple of trainer.val_every = 4"),
        ("sheets.strengths=[3]", "coincide"),
        ("sheets.strengths=[1000]", "below the schedule's 1000"),
        ("bands=0", "from 1 to 1000"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(word, says):
    with pytest.raises(ConfigError, match=says):
        load_config(emotion_ldm.Config, FOLDER / "smoke.yaml", ["sheets.steps=5", word])


def test_without_a_first_stage_it_is_said_what_to_do(tmp_path):
    with pytest.raises(FacegenError, match=r"vqgan: no run here yet\. Begin one with facegen train vqgan"):
        load_stage_config(emotion_ldm, "paper", [f"outputs={tmp_path}", "data.root=photographs"])


def test_embedded_people_have_the_shipped_first_stage_where_none_was_trained(tmp_path):
    config = load_stage_config(emotion_ldm, "demo", [f"outputs={tmp_path}"])
    assert (config.first_stage, config.data.pixels) == ("shipped", 64)


# A run


def facegen(*words: str) -> None:
    """Runs a command, which must succeed."""
    assert main(list(words)) == 0


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> Path:
    """Outputs with a first stage trained for one step and a denoiser for eight, a checkpoint after every second."""
    outputs = tmp_path_factory.mktemp("emotion_ldm")
    words = (f"outputs={outputs}", "tracking.uri=null")
    faces = write_affectnet(outputs / "faces")
    facegen("train", "--quiet", "vqgan", "profile=smoke", f"data.root={faces}", "trainer.max_steps=1", *words)
    facegen("train", "--quiet", "emotion_ldm", "profile=smoke", "name=run", "trainer.checkpoint_every=2",
            "trainer.keep_checkpoints=9", *words)  # fmt: skip
    return outputs


@pytest.fixture(scope="module")
def run(outputs) -> Path:
    return outputs / "emotion_ldm" / "emotion_ldm" / "run"


@pytest.fixture(scope="module")
def config(run) -> emotion_ldm.Config:
    return load_config(emotion_ldm.Config, run / "config.yaml")


def test_last_first_stage_and_its_pictures_are_written_down(outputs, config):
    assert config.first_stage == str(outputs / "emotion_ldm" / "vqgan" / "smoke-001")
    assert config.data.root == str(outputs / "faces")
    assert (config.data.pixels, config.data.crop) == (32, "align")
    assert config.data.flip, "its own, not the first stage's"


def test_latents_are_the_first_stages_of_the_pictures(config):
    datamodule = open_data(emotion_ldm, config)
    datamodule.setup("test")
    (batch,) = datamodule.test_dataloader()
    (shown,) = datamodule.pictures.test_dataloader()
    first_stage, _, _ = open_first_stage(config.first_stage, config.outputs)
    with torch.no_grad():
        torch.testing.assert_close(batch["latent"], encode(first_stage, shown["image"]), rtol=1e-5, atol=1e-5)
    assert torch.equal(batch["emotion"], shown["emotion"])


def test_latents_are_encoded_once_for_all_runs(outputs, config):
    before = sorted((outputs / "faces" / ".facegen_cache").glob("latents-*"))
    times = [path.stat().st_mtime_ns for folder in before for path in folder.iterdir()]
    open_data(emotion_ldm, config).setup("fit")
    assert len(before) == 1
    assert [path.stat().st_mtime_ns for folder in before for path in folder.iterdir()] == times


def test_latents_of_other_weights_are_others(outputs, config, tmp_path):
    """A first stage trained on is another, though it bears the same name."""
    run = Path(config.first_stage)
    facegen("train", "--quiet", "vqgan", f"resume={run}", "trainer.max_steps=2", f"outputs={outputs}")
    try:
        open_data(emotion_ldm, config).setup("fit")
        assert len(list((outputs / "faces" / ".facegen_cache").glob("latents-*"))) == 2
    finally:
        for path in (run / "checkpoints").glob("0000002*"):
            path.unlink()


def test_training_and_people_held_out_are_recorded(run):
    found = metrics(run)
    assert {step for key, step in found if key == "train/loss"} == set(range(1, 9))
    for key in ("loss", "loss_t000_499", "loss_t500_999"):
        assert {step for name, step in found if name == f"val/{key}"} == {4, 8}
    assert found["val/loss", 8] < found["val/loss", 4] < 3, "the same times and noise, so that steps compare"
    assert len(list(run.rglob("*edits_0*.png"))) == 2


def test_run_resumed_ends_bit_identical(outputs, run):
    """Times, noise and withheld labels are those that the uninterrupted run would have drawn."""
    other = shutil.copytree(run, run.with_name("other"))
    for path in (other / "checkpoints").iterdir():
        if int(path.name[:7]) > 2:
            path.unlink()
    shutil.rmtree(other / "tracking")
    facegen("train", "--quiet", "emotion_ldm", f"resume={other}", f"outputs={outputs}")
    ends = [load_checkpoint(list_checkpoints(path / "checkpoints")[0]) for path in (run, other)]
    parts = ("state_dict", "optimizer_states", "callbacks", "LatentDataModule", "global_step")
    kept = [{key: end[key] for key in parts} for end in ends]
    assert kept[0]["callbacks"]["ema"]["last_step"] == 8
    assert differences(*kept) == []
    late = [{place: value for place, value in metrics(path).items() if place[1] > 2} for path in (run, other)]
    assert late[0] == late[1]


def test_checkpoint_holds_the_whole_network_and_not_the_first_stage(run):
    state = load_checkpoint(list_checkpoints(run / "checkpoints")[0])["state_dict"]
    assert {name.split(".")[0] for name in state} == {"denoiser"}
    assert "denoiser.unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_q.weight" in state


def test_opened_denoiser_has_the_averaged_u_net_and_the_trained_embeddings(outputs, run, config):
    model, sizes, first_stage = open_denoiser("run", str(outputs))
    saved = load_checkpoint(list_checkpoints(run / "checkpoints")[0])
    average, state = saved["callbacks"]["ema"]["average"], saved["state_dict"]
    for name, weight in model.unet.named_parameters():
        assert torch.equal(weight, average[name] if name in average else state[f"denoiser.unet.{name}"])
    assert torch.equal(model.null, state["denoiser.null"])
    assert torch.equal(model.emotions.weight, state["denoiser.emotions.weight"])
    assert sizes == config.model and first_stage == config.first_stage
    assert not model.training and not any(weight.requires_grad for weight in model.parameters())
    earlier, _, _ = open_denoiser(str(run / "checkpoints" / "0000002.ckpt"), str(outputs))
    assert not torch.equal(earlier.null, model.null)


def test_evaluation_measures_people_held_out(outputs, run):
    facegen("evaluate", "--quiet", "emotion_ldm", "run=run", f"outputs={outputs}")
    values = json.loads((run / "metrics.json").read_text())
    assert values["step"] == 8
    assert values["loss"] == pytest.approx(metrics(run)["val/loss", 8], rel=1e-5), "the averaged weights, both times"
    assert (run / "edits_0.png").is_file()


def test_networks_of_another_size_than_the_latents_are_refused(outputs, capsys):
    words = ["profile=smoke", f"outputs={outputs}", "model.latent_pixels=16"]
    assert main(["train", "--quiet", "emotion_ldm", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert "model.latent_pixels = 16: the first stage's latents are of 3 channels and 8 x 8 pixels" in line
