"""Batches of pictures: what is in them, which are mirrored, who is held out, and how processes share them."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.processes import run_ranks
from helpers.raw_pictures import picture, write_affectnet, write_folder

from datamodules.affectnet import AffectNetDataModule
from datamodules.config import AffectNetConfig, PictureDataConfig
from datamodules.picture_folder import PictureFolderDataModule
from datamodules.pictures import PictureDataset
from datamodules.prepare.picture_folder import EXPECTED, UNLABELLED, PictureFolder, emotion_of_folder
from datamodules.sampling import EndlessSampler
from facegen_core.emotions import EMOTIONS
from facegen_core.errors import ConfigError, DatasetNotFoundError

SIDE = 48  # of the pictures too, so that nothing is resized


def opened(root: Path, seed: int = 3, **settings) -> PictureFolderDataModule:
    datamodule = PictureFolderDataModule(PictureDataConfig(root=str(root), pixels=8, **settings), 4, seed)
    datamodule.setup("fit")
    return datamodule


def write_truth(root: Path, people: int) -> None:
    """Each five pictures in a row are one person's."""
    (root / "truth").mkdir()
    paths = PictureFolder(root).paths
    for person in range(people):
        pictures = [{"file": path} for path in paths[5 * person : 5 * person + 5]]
        (root / "truth" / f"{person}.json").write_text(json.dumps({"person": 10 + person, "pictures": pictures}))


# What is in them


def test_batch_holds_the_pictures_asked_for(tmp_path):
    rows = np.stack([picture(i, SIDE, SIDE) for i in range(5)])
    labels = torch.arange(4), torch.tensor([7, 6, 5, 4])
    dataset = PictureDataset(rows, np.array([4, 2, 0, 1]), *labels)
    batch = dataset.__getitems__([(1, 0), (0, 1), (3, 2)])
    assert batch["image"].shape == (3, 3, SIDE, SIDE) and batch["image"].dtype == torch.float32
    for image, row in zip(batch["image"], (2, 4, 1), strict=True):
        np.testing.assert_allclose(image.permute(1, 2, 0), rows[row] / 127.5 - 1, atol=1e-6)
    assert (batch["identity"].tolist(), batch["emotion"].tolist()) == ([1, 0, 3], [6, 7, 4])
    assert batch["index"].tolist() == [1, 0, 3]


def test_half_of_the_training_pictures_are_mirrored_by_their_own_seed(tmp_path):
    rows = np.stack([picture(i, SIDE, SIDE) for i in range(5)])
    labels = torch.zeros(5), torch.zeros(5)
    plain, mirrored = (PictureDataset(rows, np.arange(5), *labels, flip) for flip in (False, True))
    places = list(islice(EndlessSampler(5, 3), 400))
    count = 0
    for one, two in ((plain.__getitems__([p])["image"], mirrored.__getitems__([p])["image"]) for p in places):
        assert torch.equal(one, two) or torch.equal(one.flip(3), two)
        count += torch.equal(one.flip(3), two)
    assert 160 <= count <= 240  # four standard deviations of a fair coin
    again = mirrored.__getitems__(places[:50])["image"]
    assert torch.equal(again, torch.cat([mirrored.__getitems__([p])["image"] for p in places[:50]]))


def test_only_training_pictures_are_mirrored(tmp_path):
    datamodule = opened(write_folder(tmp_path), val_fraction=0.4)
    assert [datamodule.datasets[split].flip for split in ("train", "val", "test")] == [True, False, False]
    assert not opened(tmp_path, flip=False).datasets["train"].flip


def test_worker_processes_give_the_same_batches(tmp_path):
    root = write_folder(tmp_path)
    alone = list(islice(opened(root).train_dataloader(), 6))
    shared = list(islice(opened(root, num_workers=2).train_dataloader(), 6))
    for one, two in zip(alone, shared, strict=True):
        assert all(torch.equal(one[key], two[key]) for key in one)


# Labels and people


def test_folders_named_as_emotions_are_labels(tmp_path):
    root = write_folder(tmp_path, [*EMOTIONS, "Happiness", "scared", "other"], 2)
    datamodule = opened(root)
    labels = {file.path: file.emotion for file in datamodule.pictures.files}
    for name in EMOTIONS:
        assert labels[f"{name}/1.png"] == EMOTIONS.index(name)
    assert (labels["Happiness/0.png"], labels["scared/0.png"], labels["other/0.png"]) == (1, 4, -1)
    assert datamodule.pictures.listed.counts == {UNLABELLED: 2}


def test_folders_named_otherwise_are_no_labels(tmp_path):
    datamodule = opened(write_folder(tmp_path, ("neutral_front", "smiling_front")))
    assert {file.emotion for file in datamodule.pictures.files} == {-1}
    assert datamodule.pictures.listed.counts == {}
    assert [emotion_of_folder(name) for name in ("happy_front", "HAPPY", "")] == [-1, 1, -1]


@pytest.mark.parametrize("fractions", [(0.2, 0.0), (0.2, 0.2), (0.0, 0.0), (0.0, 0.3), (0.01, 0.01)])
def test_shares_are_held_out_without_overlap_whatever_the_seed(tmp_path, fractions):
    root = write_folder(tmp_path)
    settings = dict(zip(("val_fraction", "test_fraction"), fractions, strict=True))
    rows = opened(root, **settings).rows
    sizes = {name: 0 if share == 0 else max(1, round(10 * share)) for name, share in settings.items()}
    assert len(rows["val"]) == sizes["val_fraction"]
    if settings["test_fraction"]:
        assert sorted(np.concatenate(list(rows.values()))) == list(range(10))
        assert len(rows["test"]) == sizes["test_fraction"]
    else:
        assert rows["test"].tolist() == rows["val"].tolist()
        assert sorted([*rows["train"], *rows["val"]]) == list(range(10))
    other = opened(root, seed=4, **settings).rows
    assert all(rows[name].tolist() == other[name].tolist() for name in rows)


def test_known_people_are_held_out_whole(tmp_path):
    root = write_folder(tmp_path, "abcdefgh")
    write_truth(root, 8)
    datamodule = opened(root, val_fraction=0.25, test_fraction=0.25)
    people = {name: set(datamodule.datasets[name].identity.tolist()) for name in datamodule.rows}
    assert [len(people[name]) for name in ("train", "val", "test")] == [4, 2, 2]
    assert people["train"] | people["val"] | people["test"] == set(range(8))
    assert [len(rows) for rows in datamodule.rows.values()] == [20, 10, 10]


def test_masks_of_embedded_people_are_no_pictures(tmp_path):
    root = write_folder(tmp_path, ("masks", "train"))
    assert len(PictureFolder(root).paths) == 10, "in any other folder they may be"
    write_truth(root, 2)
    assert {Path(path).parent.name for path in PictureFolder(root).paths} == {"train"}


def test_own_validation_list_stands_and_test_may_be_asked_of_training(tmp_path):
    root = write_affectnet(tmp_path)

    def rows(test_fraction: float):
        config = AffectNetConfig(root=str(root), pixels=8, val_fraction=0.5, test_fraction=test_fraction)
        datamodule = AffectNetDataModule(config, 4, 3)
        datamodule.setup("fit")
        return {name: {datamodule.pictures.files[i].path for i in part} for name, part in datamodule.rows.items()}

    plain, asked = rows(0.0), rows(0.3)
    assert len(plain["val"]) == 3 and plain["test"] == plain["val"] == asked["val"]
    assert len(asked["test"]) == 3 and asked["test"] | asked["train"] == plain["train"]


def test_nothing_left_to_train_on_is_a_mistake(tmp_path):
    root = write_folder(tmp_path, ("a",), 1)
    with pytest.raises(ConfigError, match=r"1 pictures: none is left to train on.*data\.val_fraction"):
        opened(root)
    with pytest.raises(ConfigError, match=r"data\.val_fraction and data\.test_fraction"):
        opened(root, val_fraction=0.6, test_fraction=0.4)


def test_folder_without_pictures_shows_the_expected_tree(tmp_path):
    for root, says in ((tmp_path, "no pictures found"), (tmp_path / "absent", "no such folder")):
        with pytest.raises(DatasetNotFoundError, match=says) as caught:
            opened(root)
        assert str(caught.value).endswith(EXPECTED)


def test_digest_is_of_pictures_split_and_size(tmp_path):
    root = write_folder(tmp_path)
    digest = opened(root).digest()
    assert opened(root, seed=9).digest() == digest
    assert opened(root, val_fraction=0.3).digest() != digest
    (root / "b" / "3.png").write_bytes((root / "a" / "3.png").read_bytes())
    assert opened(root).digest() != digest


# Two processes

RANK = """
from types import SimpleNamespace
from datamodules.config import PictureDataConfig
from datamodules.picture_folder import PictureFolderDataModule

config = PictureDataConfig(root=data["root"], pixels=8, val_fraction=0.3)
datamodule = PictureFolderDataModule(config, 2, 3)
strategy = SimpleNamespace(root_device=torch.device("cpu"))
datamodule.trainer = SimpleNamespace(global_rank=rank, world_size=size, strategy=strategy, training=True)
datamodule.setup("fit")
train = iter(datamodule.train_dataloader())
batches = [next(train)["index"] for _ in range(6)]
value = torch.cat([torch.cat([batch["index"] for batch in datamodule.val_dataloader()]), torch.tensor([-1]), *batches])
"""


def test_two_processes_make_one_cache_and_see_disjoint_shares(tmp_path):
    """Both begin with no cache; each trains on its places of the one stream, and validates on its own share."""
    root = write_folder(tmp_path / "data")
    (tmp_path / "ranks").mkdir()
    values = [value.tolist() for value in run_ranks(RANK, tmp_path / "ranks", {"root": str(root)})]
    val, train = zip(*((v[: v.index(-1)], v[v.index(-1) + 1 :]) for v in values), strict=True)
    assert sorted(val[0] + val[1]) == [0, 1, 2] and not set(val[0]) & set(val[1])
    stream = [index for index, _ in islice(EndlessSampler(7, 3), 24)]
    assert (train[0], train[1]) == (stream[::2], stream[1::2])
    assert len(list((root / ".facegen_cache").glob("pictures-*"))) == 1
