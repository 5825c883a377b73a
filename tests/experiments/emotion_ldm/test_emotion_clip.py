"""The EmotionClipFinetune stage as a user runs it: published settings, training, resuming, measuring, opening it."""

import json
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from helpers.processes import differences, metrics
from helpers.raw_pictures import picture, save, write_affectnet

from experiments.cli import main
from experiments.emotion_ldm import emotion_clip
from experiments.emotion_ldm.edit import Wish, open_editor, which_runs
from experiments.emotion_ldm.tables import config as tables
from experiments.emotion_ldm.tables.runs import tuned_cells
from experiments.emotion_ldm.trained import open_denoiser, open_first_stage, open_tuned
from experiments.stage import load_stage_config, open_data
from facegen_core.checkpoint import list_checkpoints, load_checkpoint
from facegen_core.config import load_config
from facegen_core.diffusion.schedule import alpha_bars
from facegen_core.emotions import EMOTIONS
from facegen_core.errors import CheckpointError, ConfigError
from facegen_core.methods.emotion_ldm.clip_finetune_config import ClipFinetuneConfig
from facegen_core.methods.emotion_ldm.first_stage import decode, encode
from facegen_core.methods.emotion_ldm.manipulation import invert_emotion, reverse_emotion
from facegen_core.weights.files import FOLDER_VARIABLE

FOLDER = Path(emotion_clip.__file__).parent

# Published settings


@pytest.fixture(scope="module")
def paper() -> emotion_clip.Config:
    return load_config(emotion_clip.Config, FOLDER / "paper.yaml")


def test_paper_profile_is_the_published_tuning(paper):
    """Section 6 of the facts: 20 epochs of 1000 pictures in batches of 4, at 2e-6 times the batch."""
    assert paper.trainer.max_steps * paper.trainer.global_batch == 20 * paper.pool.size
    assert (paper.trainer.global_batch, paper.pool.size, paper.pool.per_class, paper.pool.validation) == (
        4,
        1000,
        500,
        100,
    )
    assert paper.optim.lr == pytest.approx(2e-6 * 4)
    assert (paper.edit.strength, paper.edit.steps, paper.train_steps) == (500, 40, 6)
    assert (paper.weights, paper.ema.decay) == ("raw", 0)
    assert (paper.guide, paper.clip, paper.identity) == ("clip", "ViT-B-16-quickgelu", "ir_se50")
    assert (paper.identity_weight, paper.l2_weight, paper.directional_form) == (1, 1, "log")


def test_paper_profile_says_all_that_the_schema_does(paper):
    assert paper.finetune == ClipFinetuneConfig()
    written = (FOLDER / "paper.yaml").read_text()
    assert [entry.name for entry in fields(ClipFinetuneConfig) if f"\n{entry.name}:" not in written] == []


def test_every_number_of_the_paper_profile_has_its_source():
    lines = (FOLDER / "paper.yaml").read_text().splitlines()[1:]
    numbers = [line for line in lines if any(c.isdigit() for c in line.partition("#")[0])]
    ours = ("log_every", "val_every", "checkpoint_every", "faces")
    published = [line for line in numbers if not line.strip().startswith(ours)]
    assert len(published) > 16
    assert [line for line in published if "[" not in line.partition("#")[2]] == []


def test_target_and_weights_out_of_range_are_refused(paper):
    for word, says in {
        "target=hapy": "target = hapy: no such emotion. Did you mean happy",
        "target=neutral": "guide=clip there are: happy, sad, surprise, fear, disgust, anger",
        "l2_weight=-1": "l2_weight = -1",
        "edit.eta=0.5": "edit.eta = 0.5: must be 0",
        "train_steps=400": "train_steps: 400 steps up to time 500 coincide",
    }.items():
        with pytest.raises(ConfigError) as caught:
            load_config(emotion_clip.Config, FOLDER / "paper.yaml", ["data.root=x", word])
        assert says in str(caught.value)


# A run


def facegen(*words: str) -> None:
    """Runs a command, which must succeed."""
    assert main(list(words)) == 0


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> Path:
    """Outputs with networks trained for a step each, and a tuned one, a checkpoint after every second step."""
    outputs = tmp_path_factory.mktemp("emotion_clip")
    words = (f"outputs={outputs}", "tracking.uri=null", "profile=smoke")
    faces = write_affectnet(outputs / "faces")
    facegen("train", "--quiet", "vqgan", f"data.root={faces}", "trainer.max_steps=1", *words)
    facegen("train", "--quiet", "emotion_ldm", "trainer.max_steps=2", "sheets.steps=1", *words)
    facegen("train", "--quiet", "emotion_clip", "name=run", "weights=raw", "trainer.max_steps=4",
            "trainer.val_every=2", "trainer.checkpoint_every=2", "trainer.keep_checkpoints=9", "optim.lr=1e-3",
            *words)  # fmt: skip
    return outputs


@pytest.fixture(scope="module")
def run(outputs) -> Path:
    return outputs / "emotion_ldm" / "emotion_clip" / "run"


@pytest.fixture(scope="module")
def config(run) -> emotion_clip.Config:
    return load_config(emotion_clip.Config, run / "config.yaml")


def test_last_model_and_its_pictures_are_written_down(outputs, config):
    assert config.model == str(outputs / "emotion_ldm" / "emotion_ldm" / "smoke-001")
    assert config.data.root == str(outputs / "faces")
    assert (config.data.pixels, config.data.crop, config.data.flip) == (32, "align", False)


def test_pool_is_inverted_by_the_raw_model_under_each_pictures_own_emotion(config):
    datamodule = open_data(emotion_clip, config)
    datamodule.setup("fit")
    pool = datamodule.datasets["val"]
    batch = pool.__getitems__([(i, 0) for i in range(len(pool))])
    denoiser, model, reference = open_denoiser(config.model, config.outputs, "raw")
    first_stage, _, _ = open_first_stage(reference, config.outputs)
    shown = datamodule.pictures.datasets["val"]
    pictures = shown.__getitems__([(place, 0) for place in (0, len(shown) - 1)])
    with torch.no_grad():
        clean = encode(first_stage, pictures["image"])
        noisy = invert_emotion(denoiser, clean, pictures["emotion"], config.edit, alpha_bars(model.schedule))
        torch.testing.assert_close(batch["latent"], noisy, rtol=1e-4, atol=1e-4)
        seen = decode(first_stage, clean).clamp(-1, 1)
        torch.testing.assert_close(batch["reference"], seen, rtol=0, atol=1.01 / 255)
    assert torch.equal(batch["emotion"], pictures["emotion"])


def test_raw_and_averaged_weights_are_two_models(config):
    raw, average = (open_denoiser(config.model, config.outputs, which)[0] for which in ("raw", "average"))
    assert not torch.equal(raw.unet.conv_in.weight, average.unet.conv_in.weight)
    state = load_checkpoint(list_checkpoints(Path(config.model) / "checkpoints")[0])["state_dict"]
    assert torch.equal(raw.unet.conv_in.weight, state["denoiser.unet.conv_in.weight"])


def test_pool_is_inverted_once_for_all_targets(outputs, config):
    """Neither the target nor the weights of the losses have a part in it; guidance has."""
    pools = sorted((outputs / "faces" / ".facegen_cache").glob("pool-*"))
    words = [f"outputs={outputs}", "data.root=" + str(outputs / "faces"), "weights=raw"]
    for more in (["target=happy"], ["directional_weight=3"], ["train_steps=3"], ["edit.guidance=1.5"]):
        there = load_stage_config(emotion_clip, "smoke", [*words, *more])
        open_data(emotion_clip, there).setup("fit")
        new = sorted((outputs / "faces" / ".facegen_cache").glob("pool-*"))
        assert (len(new) > len(pools)) == (more == ["edit.guidance=1.5"])


def test_metrics_and_sheets_are_recorded(run):
    found = metrics(run)
    names = {key for key, _ in found}
    losses = {"loss", "judge_direction_loss", "judge_direction_cosine", "identity_loss", "l2_loss"}
    assert {f"train/{name}" for name in (*losses, "grad_norm")} <= names
    assert {f"val/{name}" for name in (*losses, "emotion_accuracy", "id_cosine", "psnr")} <= names
    assert not any("directional" in name for name in names), "CLIP had no say"
    assert len(list(run.rglob("*tuning*.png"))) == 2


def test_run_resumed_ends_bit_identical(outputs, run):
    other = shutil.copytree(run, run.with_name("other"))
    for path in (other / "checkpoints").iterdir():
        if int(path.name[:7]) > 2:
            path.unlink()
    shutil.rmtree(other / "tracking")
    facegen("train", "--quiet", "emotion_clip", f"resume={other}", f"outputs={outputs}")
    ends = [load_checkpoint(list_checkpoints(path / "checkpoints")[0]) for path in (run, other)]
    parts = ("state_dict", "optimizer_states", "callbacks", "PoolDataModule", "global_step")
    kept = [{key: end[key] for key in parts} for end in ends]
    assert differences(*kept) == []
    late = [{place: value for place, value in metrics(path).items() if place[1] > 2} for path in (run, other)]
    assert late[0] == late[1] and late[0]


@pytest.fixture(scope="module")
def trained_on(outputs, run, tmp_path_factory) -> Path:
    """A copy of all runs, in which the model was trained on after it had been tuned."""
    moved = shutil.copytree(outputs, tmp_path_factory.mktemp("trained_on") / "o")
    facegen("train", "--quiet", "emotion_ldm", f"resume={moved / 'emotion_ldm' / 'emotion_ldm' / 'smoke-001'}",
            "trainer.max_steps=4", f"outputs={moved}", "tracking.uri=null")  # fmt: skip
    config = moved / "emotion_ldm" / "emotion_clip" / "run" / "config.yaml"
    config.write_text(config.read_text().replace(f"model: {outputs}/", f"model: {moved}/"))
    return moved


def test_run_of_a_model_that_was_trained_on_is_not_resumed(trained_on, capsys):
    """Its pool would be another model's."""
    capsys.readouterr()
    words = ("resume=run", "trainer.max_steps=6", f"outputs={trained_on}", "tracking.uri=null")
    assert main(["train", "--quiet", "emotion_clip", *words]) == 2
    assert "data" in capsys.readouterr().err.splitlines()[-1]


def test_network_is_not_used_beside_a_model_that_was_trained_on(trained_on):
    """What it learnt are pictures inverted by the model as it was."""
    with pytest.raises(CheckpointError, match=r"emotion_clip/run: .* weights have changed since.* Tune it again"):
        open_tuned("run", str(trained_on))


def test_tables_take_it_while_the_model_is_as_it_was(outputs, trained_on, monkeypatch, capsys):
    monkeypatch.chdir(outputs)  # the run knows its model by the whole path
    here = load_stage_config(tables, "smoke", ["outputs=.", "model=emotion_ldm/emotion_ldm/smoke-001"])
    assert [(cell.guide, cell.targets) for cell in tuned_cells(here)] == [("judge", (EMOTIONS.index("sad"),))]
    model = trained_on / "emotion_ldm" / "emotion_ldm" / "smoke-001"
    assert tuned_cells(load_stage_config(tables, "smoke", [f"outputs={trained_on}", f"model={model}"])) == []
    assert "left out of the tables" in capsys.readouterr().err


def test_evaluation_stands_beside_that_of_the_untuned_model(outputs, run):
    facegen("evaluate", "--quiet", "emotion_clip", "run=run", f"outputs={outputs}")
    values = json.loads((run / "metrics.json").read_text())
    for name in ("loss", "judge_direction_cosine", "identity_loss", "l2_loss", "emotion_accuracy", "id_cosine", "psnr"):
        assert {name, f"{name}_untuned"} <= values.keys()
    assert values["loss"] != values["loss_untuned"]
    assert (run / "tuning.png").is_file()


def test_opened_network_is_the_tuned_one_with_what_it_was_tuned_for(outputs, run, config):
    before, tuned, model, first_stage, settings = open_tuned("run", str(outputs))
    state = load_checkpoint(list_checkpoints(run / "checkpoints")[0])["state_dict"]
    assert all(torch.equal(value, state[f"denoiser.{name}"]) for name, value in tuned.state_dict().items())
    untuned, theirs, theirs_first = open_denoiser(settings.model, str(outputs), settings.weights)
    assert model == theirs and first_stage == theirs_first and settings == config
    assert all(torch.equal(value, before.state_dict()[name]) for name, value in untuned.state_dict().items())
    assert torch.equal(tuned.emotions.weight, untuned.emotions.weight)
    assert not torch.equal(tuned.unet.conv_in.weight, untuned.unet.conv_in.weight)
    assert not any(weight.requires_grad for weight in tuned.parameters()) and not tuned.training


# Without weights


def test_missing_weights_are_said_before_anything_is_done(outputs, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    words = ["train", "--quiet", "emotion_clip", "profile=smoke", f"outputs={outputs}", "name=without"]
    for more, says in (
        (["guide=clip"], ("guide = clip", "facegen weights get clip_vit_b_16", "guide=judge")),
        (["identity=ir_se50"], ("identity = ir_se50", "model_ir_se50.pth", "identity=judge")),
        (
            ["judges.emotion=hsemotion_b2_7"],
            ("judges.emotion = hsemotion_b2_7", "enet_b2_7.pt", "judges.emotion=judge"),
        ),
    ):
        assert main([*words, *more]) == 2
        line = capsys.readouterr().err.splitlines()[-1]
        assert all(word in line for word in says)
        shutil.rmtree(outputs / "emotion_ldm" / "emotion_clip" / "without", ignore_errors=True)


# Edits


def wish(outputs: Path, **options) -> Wish:
    asked = {"emotion": "sad", "strength": 500, "guidance": 3.0, "steps": 2, "tuned": "run"}
    return Wish(("a.png",), Path("b.png"), outputs=str(outputs), **asked | options)


def test_edits_are_inverted_by_the_untuned_network_and_brought_back_by_the_tuned(outputs):
    editor = open_editor(which_runs(wish(outputs)))
    (raw, model, _), tuned = open_denoiser("last", str(outputs), "raw"), open_tuned("run", str(outputs)).after
    crops = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    source, target = torch.tensor([0, 1]), torch.full((2,), EMOTIONS.index("sad"))
    bars, first_stage = alpha_bars(model.schedule), editor.first_stage
    with torch.no_grad():
        noisy = invert_emotion(raw, encode(first_stage, crops * 2 - 1), source, editor.config, bars)
        expected = [decode(first_stage, reverse_emotion(m, noisy, target, editor.config, bars)) for m in (tuned, raw)]
    made = editor.edit_crops(crops, source, [EMOTIONS.index("sad")])[0]
    by_tuned, by_raw = ((some / 2 + 0.5).clamp(0, 1) for some in expected)
    torch.testing.assert_close(made, by_tuned, rtol=0, atol=1e-4)
    assert (made - by_raw).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"emotion": "happy"}, "--emotion happy: .*run was tuned for --emotion sad"),
        ({"strength": 400}, "--strength 400: .* was tuned for --strength 500"),
        ({"guidance": 5.0}, r"--guidance 5\.0: .* was tuned for --guidance 3\.0"),
        ({"inversion_guidance": "none"}, "--inversion-guidance none: .* was tuned for --inversion-guidance same"),
        ({"at": "origin"}, "--at origin: .* was tuned for --at destination"),
        ({"model": "shipped"}, "--model shipped: .* was tuned for --model .*smoke-001"),
    ],
)
def test_edits_it_was_not_tuned_for_are_refused(outputs, options, says):
    with pytest.raises(ConfigError, match=says):
        which_runs(wish(outputs, **options))


def test_command_says_what_a_network_was_tuned_for(outputs, tmp_path, capsys):
    source = save(tmp_path / "in.png", picture(0))
    words = ["--emotion", "happy", "--source", "neutral", "--tuned", "run", "--outputs", str(outputs)]
    assert main(["edit", "emotion_ldm", str(source), str(tmp_path / "out.png"), *words]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "--emotion happy" in line and "--emotion sad and --guidance 3.0" in line
