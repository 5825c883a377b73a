"""The VQGAN stage as a user runs it: published settings, training, stopping and resuming, evaluation, opening it."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from helpers.processes import differences, metrics
from helpers.raw_pictures import write_affectnet

from experiments.cli import main
from experiments.emotion_ldm import data, vqgan
from experiments.emotion_ldm.trained import open_first_stage
from experiments.stage import load_stage_config
from facegen_core.checkpoint import list_checkpoints, load_checkpoint
from facegen_core.errors import ConfigError, FacegenError
from facegen_core.methods.emotion_ldm.first_stage import reconstruct
from facegen_core.methods.emotion_ldm.vqgan_config import VQGANConfig

# Published settings


@pytest.fixture(scope="module")
def paper() -> vqgan.Config:
    return load_stage_config(vqgan, "paper", ["data.root=somewhere"])


def test_paper_profile_is_the_published_training(paper):
    """Section 2.3 of the facts: lr is 4.5e-6 times the batch, and six epochs of AffectNet's 287,651 pictures."""
    assert paper.trainer.global_batch == 8
    assert paper.optim.lr == pytest.approx(4.5e-6 * 8)
    assert list(paper.optim.betas) == [0.5, 0.9] and paper.optim.weight_decay == 0
    assert paper.trainer.max_steps == 6 * 287_651 // 8
    assert paper.ema.decay == 0, "none"
    assert (paper.data.pixels, paper.data.crop, paper.data.flip) == (128, "align", False)


def test_paper_profile_has_the_published_losses(paper):
    model = paper.model
    assert (model.perceptual, model.perceptual_weight, model.quantiser_weight) == ("lpips", 1, 1)
    assert (model.disc_start, model.disc_weight) == (10_000, 0.8), "taming-transformers': the paper's are not known"


def test_paper_profile_says_all_that_the_schema_does(paper):
    assert paper.model == VQGANConfig()


def test_paper_profile_builds_the_published_networks(paper):
    from lightning_modules.vqgan import VQGANModule

    with torch.device("meta"):
        module = VQGANModule(paper.model, paper.optim)
    sizes = [sum(w.numel() for w in part.parameters()) for part in (module.first_stage, module.discriminator)]
    assert sizes == [60_605_598, 2_765_633]
    assert paper.model.first_stage.latent_pixels == 32


def test_every_number_of_the_paper_profile_has_its_source():
    text = (Path(vqgan.__file__).parent / "paper.yaml").read_text()
    body = text[text.index("optim:") :].splitlines() + [line for line in text.splitlines() if "max_steps" in line]
    numbers = [line for line in body if any(c.isdigit() for c in line.partition("#")[0])]
    assert len(numbers) > 12
    assert [line for line in numbers if "[" not in line.partition("#")[2]] == []


@pytest.mark.parametrize(("profile", "side"), [("demo", 16), ("smoke", 8)])
def test_other_profiles_need_nothing_but_the_population(profile, side):
    config = load_stage_config(vqgan, profile, [])
    assert config.data.root is None and config.population.people >= 10, "the tenth is held out"
    assert config.model.first_stage.latent_pixels == side
    assert config.model.perceptual == {"demo": "judge", "smoke": "none"}[profile], "whose weights come with facegen"
    assert config.model.disc_start < config.trainer.max_steps, "both networks are trained"


def test_published_tables_are_there():
    """Table 5 is the mean of table 1's six targets, but for four cells that the paper truncated."""
    folder = Path(data.__file__).parent / "published"
    tables = {path.stem: list(csv.DictReader(path.open())) for path in folder.glob("*.csv")}
    assert set(tables) == {"table1", "table2_realism", "table2_recognition", "table3", "table4", "table5"}
    for row in tables["table5"]:
        for key in ("accuracy", "psnr", "ssim", "lpips", "csim"):
            cells = [float(r[key]) for r in tables["table1"] if r["method"] == row["method"] and r[key]]
            assert len(cells) in (0, 6)
            if cells:
                last = 0.01 if key == "psnr" else 0.001
                assert float(row[key]) == pytest.approx(sum(cells) / 6, abs=1.01 * last)


def test_no_data_says_what_to_give():
    with pytest.raises(ConfigError, match=r"AffectNet data, data\.root=DIR, or use\s+profile=demo"):
        load_stage_config(vqgan, "paper", [])


def test_pictures_of_another_size_than_the_networks_are_refused():
    with pytest.raises(ConfigError, match=r"data\.pixels = 128: the networks are for .*pixels = 64"):
        load_stage_config(vqgan, "demo", ["data.pixels=128"])


def test_population_is_written_as_affectnet_is_and_its_validation_list_held_out(monkeypatch):
    asked = []
    monkeypatch.setattr("facegen_core.population.affectnet_layout.write_affectnet", lambda *words: asked.append(words))
    words = ["population.people=40", "population.seed=3", "outputs=here", "model.perceptual=none"]
    config = load_stage_config(vqgan, "demo", words)
    vqgan.prepare(config)
    people = config.population
    assert asked == [(data.population_folder(config), 40, 3, people.pixels, people.pictures)]
    assert data.population_folder(config).parent == Path("here/data")
    vqgan.prepare(load_stage_config(vqgan, "demo", ["data.root=there"]))
    assert len(asked) == 1


# A run


def facegen(*words: str) -> None:
    """Runs a command, which must succeed."""
    assert main(list(words)) == 0


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> Path:
    """Outputs with a run of eight steps, a checkpoint after every second; the discriminator takes part after four."""
    outputs = tmp_path_factory.mktemp("vqgan")
    facegen(
        "train", "--quiet", "vqgan", "profile=smoke", "name=run", f"data.root={write_affectnet(outputs / 'faces')}",
        f"outputs={outputs}", "tracking.uri=null", "trainer.checkpoint_every=2", "trainer.keep_checkpoints=9",
    )  # fmt: skip
    return outputs


@pytest.fixture(scope="module")
def run(outputs) -> Path:
    return outputs / "emotion_ldm" / "vqgan" / "run"


def test_training_and_people_held_out_are_recorded(run):
    found = metrics(run)
    steps = {key: {step for name, step in found if name == f"train/{key}"} for key in ("loss", "d_loss")}
    assert steps == {"loss": set(range(1, 9)), "d_loss": {5, 6, 7, 8}}
    assert {step for key, step in found if key == "train/adaptive_weight"} == {5, 6, 7, 8}
    for key in ("psnr", "ssim", "reconstruction_loss", "quantiser_loss", "codebook_perplexity", "codebook_usage"):
        assert {step for name, step in found if name == f"val/{key}"} == {4, 8}
    assert 1 <= found["val/codebook_perplexity", 8] <= 64 and 1 / 64 <= found["val/codebook_usage", 8] <= 1
    assert 1 <= found["train/codebook_perplexity", 8] <= 64
    assert list(run.rglob("*reconstructions*.png"))


def test_run_resumed_before_the_discriminators_start_ends_bit_identical(outputs, run):
    """Batches done are in the checkpoint: a run that forgot them would begin to train it at another step."""
    other = shutil.copytree(run, run.with_name("other"))
    for path in (other / "checkpoints").iterdir():
        if int(path.name[:7]) > 2:
            path.unlink()
    shutil.rmtree(other / "tracking")
    facegen("train", "--quiet", "vqgan", f"resume={other}", f"outputs={outputs}")
    ends = [load_checkpoint(list_checkpoints(path / "checkpoints")[0]) for path in (run, other)]
    parts = ("state_dict", "optimizer_states", "callbacks", "AffectNetDataModule", "global_step")
    kept = [{key: end[key] for key in parts} for end in ends]
    assert kept[0]["callbacks"]["step_seed"] == {"batches": 8}
    assert differences(*kept) == []
    late = [{place: value for place, value in metrics(path).items() if place[1] > 2} for path in (run, other)]
    assert late[0] == late[1]


def test_evaluation_measures_people_held_out(outputs, run):
    facegen("evaluate", "--quiet", "vqgan", f"run={run}", f"outputs={outputs}")
    values = json.loads((run / "metrics.json").read_text())
    assert values["step"] == 8
    found = metrics(run)
    for key in ("psnr", "ssim", "reconstruction_loss", "quantiser_loss", "codebook_perplexity", "codebook_usage"):
        assert values[key] == pytest.approx(found[f"val/{key}", 8], rel=1e-4), "the validation list is what is held out"
    assert (run / "reconstructions.png").is_file()
    tags = [json.loads(line) for line in (run / "tracking" / "journal.jsonl").read_text().splitlines()]
    text = json.dumps(tags)
    assert "protocol.psnr.formula" in text and "perceptual=none" in text


def test_later_stages_open_what_was_trained(outputs, run):
    network, config, digest = open_first_stage("run", str(outputs))
    newest = list_checkpoints(run / "checkpoints")[0]
    saved = load_checkpoint(newest)
    assert config == load_stage_config(vqgan, "smoke", []).model.first_stage
    assert not network.training and not any(weight.requires_grad for weight in network.parameters())
    state = network.state_dict()
    assert all(torch.equal(value, saved["state_dict"][f"first_stage.{name}"]) for name, value in state.items())
    assert len(state) == sum(name.startswith("first_stage.") for name in saved["state_dict"])
    assert open_first_stage(str(newest), str(outputs))[2] == digest, "it is of the weights"
    earlier = open_first_stage(str(run / "checkpoints" / "0000002.ckpt"), str(outputs))
    assert earlier[2] != digest
    pictures = torch.zeros(1, 3, 32, 32)
    assert not torch.equal(reconstruct(earlier[0], pictures).pictures, reconstruct(network, pictures).pictures)


def test_averaged_weights_are_opened_where_there_are_any(outputs):
    facegen(
        "train", "--quiet", "vqgan", "profile=smoke", "name=averaged", f"data.root={outputs / 'faces'}",
        f"outputs={outputs}", "tracking.uri=null", "ema.decay=0.5", "trainer.max_steps=2", "model.disc_start=9",
    )  # fmt: skip
    network, *_ = open_first_stage("averaged", str(outputs))
    folder = outputs / "emotion_ldm" / "vqgan" / "averaged" / "checkpoints"
    average = load_checkpoint(list_checkpoints(folder)[0])["callbacks"]["ema"]["average"]
    weights = dict(network.named_parameters())
    assert set(average) == set(weights)
    assert all(torch.equal(weights[name], value) for name, value in average.items())


def test_nothing_trained_yet_says_so(tmp_path):
    with pytest.raises(FacegenError, match="no run here yet"):
        open_first_stage("last", str(tmp_path))


def test_missing_weights_of_the_judge_end_the_command_with_one_line(capsys, tmp_path, monkeypatch):
    """Before people are written, which takes minutes."""
    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("facegen_core.weights.files.EMBEDDED", tmp_path)
    monkeypatch.setattr("facegen_core.population.affectnet_layout.write_affectnet", lambda *_: pytest.fail("written"))
    words = [f"outputs={tmp_path}", "model.perceptual=judge"]
    assert main(["train", "--quiet", "vqgan", "profile=smoke", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert "identity_judge.safetensors" in line and "model.perceptual=none" in line
