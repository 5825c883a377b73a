"""The TextureProGAN stage on action units: trained and evaluated as a user does it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.bp4d import units_of, write_bp4d_folder
from helpers.processes import metrics

from datamodules.bp4d import BP4DTextureDataModule
from datamodules.config import BP4DConfig
from experiments.cli import main
from experiments.face3d.models import load_texture_model
from experiments.face3d.texture_evaluation import unit_accuracy
from experiments.face3d.textured_model import whole_maps
from facegen_core.config import OptimConfig
from facegen_core.methods.face3d.config import GrowthConfig, TextureGANConfig, TextureSizes
from facegen_core.methods.face3d.identity_codes import IdentityCodes
from facegen_core.population.action_units import NAMES
from lightning_modules.texture_progan import TextureProGANModule


def facegen(*words: str) -> None:
    """Runs a command, which must succeed."""
    assert main(list(words)) == 0


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run of a few steps on textures of position maps, from 16 to 32 pixels."""
    folder = tmp_path_factory.mktemp("units")
    people = torch.tensor([1, 2, 10_001, 10_002, 10_003])
    IdentityCodes.draw(people, 20, 0).save(folder / "z_id.safetensors")
    root = write_bp4d_folder(folder / "data", tasks=("T1",))
    words = (f"outputs={folder}", "tracking.uri=null")
    facegen("train", "--quiet", "texture_progan", "profile=smoke", "name=run", "data.dataset=bp4d", f"data.root={root}",
            f"identity_codes={folder / 'z_id.safetensors'}", "trainer.log_every=1", *words)  # fmt: skip
    facegen("evaluate", "--quiet", "texture_progan", *words)
    return folder / "face3d" / "texture_progan" / "run"


def test_it_trains_on_action_units(run):
    found = metrics(run)
    assert {step for key, step in found if key == "train/loss"} == set(range(1, 9))
    assert 0 <= found["val/expression_accuracy", 8] <= 1


def test_its_model_makes_whole_maps_of_units_by_name(run):
    model = load_texture_model(run)
    assert model.expression_names == NAMES
    assert model.gan.sizes.whole_maps
    crops = model.pictures(torch.randn(2, 8), torch.randn(2, 20), torch.eye(34)[:2])
    assert torch.equal(whole_maps(model, crops), crops), "nothing is laid around them"
    assert whole_maps(model, crops, 64).shape == (2, 3, 64, 64)


def test_evaluation_draws_textures_and_measures_what_the_critic_reads(run):
    pictures = {path.stem for path in run.rglob("*.png")}
    assert {"textures", "figure-16-texture-intensity"} <= pictures
    values = json.loads((run / "metrics.json").read_text())
    assert 0 <= values["real_unit_accuracy"] <= 1


def test_accuracy_counts_known_units_of_people_held_out(tmp_path):
    """A critic that says present whatever it sees is right as often as units are present."""
    config = BP4DConfig(root=str(write_bp4d_folder(tmp_path, tasks=("T1",))), test_identities=["M002"])
    datamodule = BP4DTextureDataModule(config, (8,), lambda images: (8, 1.0, 4), batch_size=4, seed=0)
    datamodule.setup("test")
    module = TextureProGANModule(
        TextureGANConfig(width=8, noise_dim=4, growth=GrowthConfig(8, 8, 1, 1, [4])), TextureSizes(5, 3, 34),
        OptimConfig(1e-3, [0.0, 0.99]), NAMES, IdentityCodes.draw(torch.arange(3), 5, 0),
    )  # fmt: skip
    module.discriminator.expression.bias.data.fill_(1e6)
    codes = np.array([units_of("M002", "T1", frame) for frame in range(4, 10)])
    assert unit_accuracy(module, datamodule) == pytest.approx((codes == 1).sum() / (codes != 9).sum())
