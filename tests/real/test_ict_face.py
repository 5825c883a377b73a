"""The reader on faces made from real scans, at FaceScape's scale: 26,719 vertices."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.ict_facescape import ict_file, ict_person, write_ict_facescape

from datamodules.config import FaceScapeConfig
from datamodules.facescape import FaceScapeDataModule
from experiments.cli import main

pytestmark = pytest.mark.real
PEOPLE = 6
SEED = 4


@pytest.fixture(scope="module")
def model(real) -> Path:
    path = ict_file(real)
    if not path.is_file():
        pytest.skip(f"no ICT face model: {path}")
    return path


@pytest.fixture(scope="module")
def datamodule(model, tmp_path_factory) -> FaceScapeDataModule:
    root = tmp_path_factory.mktemp("ict")
    write_ict_facescape(root, model, PEOPLE, SEED)
    config = FaceScapeConfig(root=str(root), val_identities=[2], test_identities=[5], on_bad_sample="raise")
    datamodule = FaceScapeDataModule(config, batch_size=20, seed=0)
    datamodule.prepare_data()
    datamodule.setup("fit")
    return datamodule


def test_reader_returns_the_vertices_that_were_written(datamodule, model):
    people = {"train": [0, 2, 3, 5], "val": [1], "test": [4]}
    for split, expected in people.items():
        batches = list(datamodule.in_order(split))
        assert len(batches) == len(expected)
        for person, batch in zip(expected, batches, strict=True):
            meshes = (batch["displacement"] + datamodule.template).numpy()
            np.testing.assert_allclose(meshes, ict_person(model, SEED, person), atol=1e-3)
            assert batch["expression"].tolist() == list(range(20))


def test_sizes_are_the_models(datamodule):
    assert (datamodule.num_vertices, datamodule.num_identities, datamodule.num_expressions) == (26719, 4, 20)
    assert tuple(datamodule.faces.shape) == (52220, 3)
    assert datamodule.skipped == []


def test_faces_differ_by_millimetres(datamodule):
    """Neutral faces of two people: real ones differ by some millimetres (about 5 on this model)."""
    neutral = np.stack([batch["displacement"][0].numpy() for batch in datamodule.in_order("train")])
    pairs = [(i, j) for i in range(len(neutral)) for j in range(i)]
    distance = np.mean([np.linalg.norm(neutral[i] - neutral[j], axis=-1).mean() for i, j in pairs])
    assert 2 < distance < 12


def test_command_trains_and_measures_at_full_size(datamodule, tmp_path):
    """The whole path: read, train, checkpoint, evaluate, at 26,719 vertices with narrow hidden layers."""
    settings = [f"outputs={tmp_path}", "tracking.uri=null"]
    held_out = ["data.val_identities=[2]", "data.test_identities=[5]"]
    data = f"data.root={datamodule.config.root}"
    assert main(["train", "--quiet", "sae", "profile=smoke", data, *settings, *held_out]) == 0
    assert main(["evaluate", "--quiet", "sae", *settings]) == 0
    (run,) = (tmp_path / "face3d" / "sae").glob("smoke-*")
    measured = json.loads((run / "metrics.json").read_text())
    assert measured["step"] == 12
    unmoved = np.mean([np.linalg.norm(b["displacement"], axis=-1).mean() for b in datamodule.in_order("test")])
    assert 0 < measured["vertex_error_mm"] < 1.5 * unmoved  # twelve steps teach nothing, and spoil little
    assert 0 <= measured["expression_accuracy"] <= 1
    parameters = json.loads((run / "cost.json").read_text())["parameters"]
    assert parameters > 3 * 3 * 26_719 * 32  # three first or last layers of 32 at full width
    assert (run / "embedding.png").stat().st_size > 1000
