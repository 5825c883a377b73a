import json

import numpy as np
import pytest
import torch
from helpers.judge_people import write_people

from datamodules.config import JudgeDataConfig
from datamodules.judge_people import JudgeDataModule
from facegen_core.errors import ConfigError, DatasetNotFoundError
from facegen_core.geometry.face_crop import ARCFACE_112
from facegen_core.population.emotions import UNIT_NAMES


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


def opened(root, **settings) -> JudgeDataModule:
    data = JudgeDataModule(JudgeDataConfig(root=str(root), val_fraction=0.2, test_fraction=0.2, **settings), 3, 0)
    data.setup("fit")
    return data


def test_faces_lie_on_arcfaces_points_with_a_margin(root):
    """The dots' centres of mass, in the crop of 96 pixels that shows 140 of ArcFace's about its centre."""
    batch = next(iter(opened(root).val_dataloader()))
    bright = (batch["image"].float().amin(1) - 200).clamp(min=0).double()
    place = torch.arange(96, dtype=torch.float64)
    for picture in bright:
        for x, y in ((ARCFACE_112 + 0.5 + 14) * 96 / 140 - 0.5).tolist():
            near = picture * ((place - x).abs() < 5) * ((place - y).abs() < 5)[:, None]
            assert near.sum() > 0
            assert abs(float((near.sum(0) * place).sum() / near.sum()) - x) < 1.3, "five points cannot all be met"
            assert abs(float((near.sum(1) * place).sum() / near.sum()) - y) < 1.3


def test_batch_has_several_pictures_of_each_person_with_what_is_true_of_them(root):
    data = opened(root)
    batch = next(iter(data.train_dataloader()))
    assert batch["image"].shape == (12, 3, 96, 96) and batch["image"].dtype == torch.uint8
    people = batch["identity"].view(3, 4)
    assert (people == people[:, :1]).all() and len(people[:, 0].unique()) == 3
    assert batch["units"].shape == (12, len(UNIT_NAMES))
    smiles = batch["units"][:, UNIT_NAMES.index("AU12")].view(3, 4)
    assert torch.allclose(smiles.sort(1).values, torch.tensor([0.5, 0.6, 0.7, 0.8])), "each picture once"
    emotions = batch["emotion"].view(3, 4).gather(1, smiles.argsort(1))
    assert torch.equal(emotions, (emotions[:, :1] + torch.arange(4)) % 8), "each with its own labels"


def test_sample_seed_alone_picks_the_pictures(root):
    people = opened(root, pictures_of_each=2).datasets["train"]
    first, again, other = (people.__getitems__([(0, seed)])["units"] for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert any(not torch.equal(first, people.__getitems__([(0, s)])["units"]) for s in range(6, 12)) and len(other) == 2


def test_nobody_is_in_two_splits_and_everybody_in_one(root):
    data = opened(root)
    held = {name: set(data.datasets[name].identity.tolist()) for name in ("val", "test")}
    trained = set(data.datasets["train"].pictures.identity.tolist())
    assert trained == set(range(data.num_people))
    assert not held["val"] & held["test"] and not trained & (held["val"] | held["test"])
    assert len(trained | held["val"] | held["test"]) == 12


def test_pictures_shown_again_with_another_emotion_are_left_out(root):
    data = opened(root)
    assert sum(len(d) for d in (data.datasets["train"].pictures, data.datasets["val"], data.datasets["test"])) == 48


def test_expressions_hardly_to_be_seen_are_trained_on_alone(tmp_path):
    root = write_people(tmp_path)
    for path in (root / "truth").glob("*.json"):
        truth = json.loads(path.read_text())
        truth["pictures"][0]["faint"] = True
        path.write_text(json.dumps(truth))
    data = opened(root)
    assert [len(data.datasets[name]) for name in ("val", "test")] == [2 * 3, 2 * 3]
    assert len(data.datasets["train"].pictures) == 8 * 4


def test_digest_follows_action_units(tmp_path, root):
    before = opened(root).digest()
    other = write_people(tmp_path / "other")
    assert opened(other).digest() == before, "a copy elsewhere"
    path = sorted((other / "truth").glob("*.json"))[0]
    truth = json.loads(path.read_text())
    truth["pictures"][0]["action_units"] = {"AU01": 1.0}
    path.write_text(json.dumps(truth))
    assert opened(other).digest() != before


def test_folder_without_truth_is_refused_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="facegen data population --layout affectnet"):
        opened(tmp_path)


def test_truth_that_lacks_landmarks_is_named(tmp_path):
    root = write_people(tmp_path, people=6, pictures=1)
    path = root / "truth" / "00003.json"
    truth = json.loads(path.read_text())
    del truth["pictures"][0]["landmarks"]
    path.write_text(json.dumps(truth))
    with pytest.raises(DatasetNotFoundError, match=r"00003\.json.*landmarks"):
        opened(root)


def test_too_few_people_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="5 people: too few"):
        opened(write_people(tmp_path, people=5, pictures=1))


def test_picture_that_cannot_be_read_is_left_out(tmp_path):
    root = write_people(tmp_path)
    (root / "pictures" / "3" / "1.png").write_bytes(b"no picture")
    data = opened(root)
    assert sum(len(d) for d in (data.datasets["train"].pictures, data.datasets["val"], data.datasets["test"])) == 47
    assert np.isfinite(next(iter(data.train_dataloader()))["units"].numpy()).all()
