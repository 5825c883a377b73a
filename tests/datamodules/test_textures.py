"""Textures as batches that grow: the schedule by hand, the stream over stops and processes, and whose they are."""

from itertools import islice
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from helpers.textures import NAMES, texture_map, texture_path, write_textures
from PIL import Image

from datamodules.config import TextureConfig
from datamodules.facescape import FaceScapeDataModule, FaceScapeTextureDataModule
from datamodules.sampling import EndlessSampler
from datamodules.textures import GrowingBatches
from facegen_core.errors import DatasetNotFoundError
from facegen_core.geometry.uv import face_rectangle
from facegen_core.methods.face3d.config import GrowthConfig
from facegen_core.methods.face3d.progressive import batch_at, phase_at

GROWTH = GrowthConfig(first_resolution=8, last_resolution=32, stable_images=10, fade_images=8, batch=[4, 2, 2])
BY_HAND = [  # pictures seen before the batch, their side, share of the newest block, pictures in the batch
    (0, 8, 1.0, 4),
    (4, 8, 1.0, 4),
    (8, 8, 1.0, 4),  # reaches over the end of the first phase
    (12, 16, 0.25, 2),
    (14, 16, 0.5, 2),
    (16, 16, 0.75, 2),
    (18, 16, 1.0, 2),
    (20, 16, 1.0, 2),
    (22, 16, 1.0, 2),
    (24, 16, 1.0, 2),
    (26, 16, 1.0, 2),
    (28, 32, 0.0, 2),
    (30, 32, 0.25, 2),
    (32, 32, 0.5, 2),
    (34, 32, 0.75, 2),
    (36, 32, 1.0, 2),
    (38, 32, 1.0, 2),
]
SPLIT = {"val_identities": [2], "test_identities": [5]}
Batch = list[tuple[int, int, float]]


def plan(images: int) -> tuple[int, float, int]:
    return *phase_at(images, GROWTH), batch_at(images, GROWTH)


def batches(count: int, seen: int = 0, rank: int = 0, world_size: int = 1, size: int = 7) -> list[Batch]:
    stream = EndlessSampler(size, 3, seen, rank, world_size)
    return list(islice(GrowingBatches(stream, plan, seen, world_size), count))


def opened(root: Path, seen: int = 0, num_workers: int = 0, **settings) -> FaceScapeTextureDataModule:
    config = TextureConfig(**({"root": str(root), "num_workers": num_workers} | SPLIT | settings))
    datamodule = FaceScapeTextureDataModule(config, (8, 16, 32), plan, batch_size=4, seed=3)
    datamodule.prepare_data()
    datamodule.setup("fit")
    datamodule.seen = seen
    return datamodule


@pytest.fixture
def root(tmp_path) -> Path:
    return write_textures(tmp_path / "data", 6)


# The schedule and the stream


def test_batches_follow_the_schedule_worked_out_by_hand():
    for batch, (_, side, alpha, size) in zip(batches(len(BY_HAND)), BY_HAND, strict=True):
        assert len(batch) == size
        assert {(place[1], place[2]) for place in batch} == {(side, alpha)}


def test_stream_shows_every_sample_once_a_pass_whatever_the_batches():
    indices = [place[0] for batch in batches(len(BY_HAND)) for place in batch][:35]
    for start in range(0, 35, 7):
        assert sorted(indices[start : start + 7]) == list(range(7))


@pytest.mark.parametrize("done", range(1, len(BY_HAND)))
def test_stream_goes_on_after_any_batch(done):
    seen = BY_HAND[done][0]
    assert batches(len(BY_HAND) - done, seen) == batches(len(BY_HAND))[done:]


@pytest.mark.parametrize("seen", [0, 8, 12, 28])
def test_two_processes_share_each_batch_without_repeats(seen):
    alone = batches(6, seen)
    shares = [batches(6, seen, rank, 2) for rank in range(2)]
    for batch, first, second in zip(alone, *shares, strict=True):
        together = [place for pair in zip(first, second, strict=True) for place in pair]
        assert together == batch


# Batches


def test_batch_holds_the_pictures_asked_for_in_one_size(root):
    datamodule = opened(root)
    stream = [index for index, _ in islice(EndlessSampler(12, 3), 40)]
    for batch, (seen, side, alpha, size) in zip(datamodule.train_dataloader(), BY_HAND, strict=False):
        assert batch["image"].shape == (size, 3, side, side)
        assert batch["image"].dtype == torch.float32
        assert float(batch["alpha"]) == alpha
        assert batch["expression"].tolist() == [index % 3 for index in stream[seen : seen + size]]
        people = [datamodule.people[label] for label in batch["identity"]]
        for image, person, expression in zip(batch["image"], people, batch["expression"].tolist(), strict=True):
            expected = face_of(person, expression, side) / 127.5 - 1
            np.testing.assert_allclose(image.permute(1, 2, 0).numpy(), expected, atol=1.01 / 127.5)


def face_of(person: int, expression: int, side: int) -> np.ndarray:
    """Pillow's crop and resize of a map."""
    top, left, length = face_rectangle(64)
    face = Image.fromarray(texture_map(person, expression)).crop((left, top, left + length, top + length))
    return np.asarray(face.resize((side, side), Image.Resampling.BILINEAR)).astype(float)


def test_validation_shows_every_sample_once_at_the_largest_size(root):
    seen = list(opened(root).val_dataloader())
    assert [batch["image"].shape for batch in seen] == [(3, 3, 32, 32)]
    assert seen[0]["expression"].tolist() == [0, 1, 2]
    assert seen[0]["identity"].tolist() == [4] * 3  # after the four trained on
    assert float(seen[0]["alpha"]) == 1


def test_worker_processes_give_the_same_batches(root):
    alone = list(islice(opened(root).train_dataloader(), 8))
    shared = list(islice(opened(root, num_workers=2).train_dataloader(), 8))
    for one, two in zip(alone, shared, strict=True):
        assert all(torch.equal(one[key], two[key]) for key in one)


class _Looks(pl.LightningModule):
    """Trains a number, and keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.number, self.shown = torch.nn.Parameter(torch.zeros(())), []

    def training_step(self, batch, batch_idx):
        self.shown.append((batch["image"].shape[-1], float(batch["alpha"]), len(batch["image"])))
        return self.number * batch["image"].mean()

    def validation_step(self, batch, batch_idx):
        pass

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize("steps", [3, 7])
def test_place_in_the_stream_counts_what_was_trained_on_not_what_was_fetched(root, tmp_path, steps, num_workers):
    """Workers read batches ahead, and validation reads others: neither is counted."""
    datamodule, module = opened(root, num_workers=num_workers), _Looks()
    trainer = pl.Trainer(
        default_root_dir=tmp_path, max_steps=steps, val_check_interval=2, check_val_every_n_epoch=None, logger=False,
        accelerator="cpu", enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, datamodule)
    assert module.shown == [entry[1:] for entry in BY_HAND[:steps]]
    assert datamodule.state_dict() == {"seen": BY_HAND[steps][0]}


# Whose they are


def test_people_are_split_as_their_meshes_are(tmp_path):
    """By the shares, which nobody names: a person held out of the shapes is held out of the textures."""
    root = write_textures(tmp_path / "data", 24)
    shares = {"val_identities": [], "test_identities": [], "val_fraction": 0.1, "test_fraction": 0.2}
    textures = opened(root, **shares)
    meshes = FaceScapeDataModule(textures.config, batch_size=4, seed=99)
    meshes.setup("fit")
    assert textures.people == meshes.people
    assert textures.everybody == meshes.everybody
    for split in ("train", "val", "test"):
        for key in ("identity", "expression"):
            assert torch.equal(getattr(textures.datasets[split], key), getattr(meshes.datasets[split], key))


def test_only_the_people_asked_for_are_read_and_nobody_changes_sides(tmp_path):
    root = write_textures(tmp_path / "data", 24)
    shares = {"val_identities": [], "test_identities": [], "val_fraction": 0.2, "test_fraction": 0.2}
    everyone, some = opened(root, **shares), opened(root, first_person=4, last_person=19, **shares)
    for split in ("train", "val", "test"):
        all_of = {everyone.everybody[label] for label in everyone.datasets[split].identity.tolist()}
        read = {some.everybody[label] for label in some.datasets[split].identity.tolist()}
        assert read == {person for person in all_of if 4 <= person <= 19}
    assert sorted(some.everybody) == list(range(4, 20))
    assert some.datasets["train"].identity.unique().tolist() == list(range(len(some.people)))


def test_people_without_textures_are_left_out_of_the_labels(root):
    for expression in range(3):
        texture_path(root, 3, expression).unlink()
    datamodule = opened(root)
    assert datamodule.everybody == [1, 4, 6, 2, 5]
    assert datamodule.people == [1, 4, 6]


def test_missing_textures_are_counted(root, capsys):
    for person, expression in ((1, 0), (1, 2), (4, 1)):
        texture_path(root, person, expression).unlink()
    datamodule = opened(root)
    assert "3 of 18 meshes have no texture" in capsys.readouterr().err
    assert [len(datamodule.datasets[split]) for split in ("train", "val", "test")] == [9, 3, 3]
    assert datamodule.expression_names == list(NAMES)


def test_nobody_left_to_train_on_is_said(root):
    with pytest.raises(DatasetNotFoundError, match="nobody who is trained on has a texture"):
        opened(root, first_person=5, last_person=5)


def test_folder_without_textures_is_said(root):
    for path in root.rglob("*.jpg"):
        path.unlink()
    with pytest.raises(DatasetNotFoundError, match="no textures"):
        opened(root)


def test_digest_is_of_pictures_labels_people_and_sizes(root):
    digest = opened(root).digest()
    assert opened(root).digest() == digest
    assert opened(root, val_identities=[3]).digest() != digest
    assert opened(root, last_person=5).digest() != digest
    Image.fromarray(texture_map(9, 0)).save(texture_path(root, 1, 0), format="PNG")
    assert opened(root).digest() != digest


def test_template_is_the_mean_of_maps_of_people_trained_on(root):
    """Of whole maps, as Pillow resizes them."""
    maps = [texture_map(person, k) for person in (1, 3, 4, 6) for k in range(3)]
    large = [np.asarray(Image.fromarray(m).resize((256, 256), Image.Resampling.BILINEAR)).astype(float) for m in maps]
    template = opened(root).template()
    assert template.dtype == torch.uint8
    assert np.abs(template.permute(1, 2, 0).numpy() - np.mean(large, axis=0)).max() <= 1.5
