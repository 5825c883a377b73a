"""Pictures of embedded people for their judges: several of each person at a time, with all that is true of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from datamodules.base import FaceDataModule
from datamodules.config import JudgeDataConfig
from datamodules.prepare.aligned import FivePoints
from datamodules.prepare.framing import Framing
from datamodules.prepare.picture_cache import build_picture_cache, open_picture_cache
from datamodules.prepare.picture_file import PictureFile
from datamodules.prepare.report import Tally
from datamodules.rows import RowDataset
from facegen_core.errors import ConfigError, DatasetNotFoundError
from facegen_core.methods.face_judge.framing import ARCFACE_SIDE, WIDE_PIXELS, WIDE_SIDE
from facegen_core.population.emotions import UNIT_NAMES
from facegen_core.population.truth import ANOTHER, FAINT, Truth, read_truths
from facegen_core.seeding import numpy_generator, torch_generator
from facegen_core.types import JudgeBatch

_SPLIT = 31
FACTS = ("emotion", "landmarks", "action_units")


@dataclass(frozen=True)
class TruthSet:
    """The pictures of a population, as the truth about its people lists them; see ``picture_cache.PictureSet``.

    Attributes:
        root: the folder.
        truths: of each person.
    """

    root: Path
    truths: Sequence[Truth]
    title: str = "embedded people"
    crops: tuple[Framing, ...] = ()

    def sources(self, needs: str) -> Sequence[str]:
        return [picture["file"] for truth in self.truths for picture in pictures_of(truth)]

    def files(self, tally: Tally, needs: str) -> list[PictureFile]:
        return [
            PictureFile(picture["file"], picture["emotion"], landmarks=np.array(picture["landmarks"]))
            for truth in self.truths
            for picture in pictures_of(truth)
        ]


def pictures_of(truth: Truth) -> list[Truth]:
    """A person's pictures that are used; those that show another one again with another emotion are not."""
    return [picture for picture in truth["pictures"] if ANOTHER not in picture]


class JudgePictures(RowDataset):
    """Pictures one by one, in order.

    Args:
        cache: (M, R, R, 3) uint8, the cache's memory map.
        rows: (N,) the rows that belong to this split.
        identity: (N,) labels.
        emotion: (N,) labels.
        units: (N, U) strengths.
    """

    def __init__(
        self, cache: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], identity: Tensor, emotion: Tensor,
        units: Tensor,
    ) -> None:  # fmt: skip
        super().__init__(cache, rows, identity, emotion)
        self.units = units

    def __getitems__(self, places: list[tuple[int, int]]) -> JudgeBatch:
        """One batch of (index, sample seed)."""
        return self.batch(np.array([index for index, _ in places]))

    def batch(self, chosen: npt.NDArray[np.int64]) -> JudgeBatch:
        """Some of the pictures."""
        pixels = torch.from_numpy(self.cache[self.rows[chosen]])
        return JudgeBatch(
            image=pixels.permute(0, 3, 1, 2).contiguous(),
            identity=self.identity[chosen],
            emotion=self.expression[chosen],
            units=self.units[chosen],
        )


class JudgePeople(Dataset[Any]):
    """People, each as some of their pictures, which the sample seed picks.

    Args:
        pictures: of all of them, sorted by person, people counted from 0.
        of_each: pictures of a person at a time; if there are fewer, some come twice.
    """

    def __init__(self, pictures: JudgePictures, of_each: int) -> None:
        self.pictures, self.of_each = pictures, of_each
        counts = torch.bincount(pictures.identity).tolist()
        self.places = np.split(np.arange(len(pictures)), np.cumsum(counts)[:-1])

    def __len__(self) -> int:
        return len(self.places)

    def __getitems__(self, places: list[tuple[int, int]]) -> JudgeBatch:
        """One batch of (person, sample seed)."""
        return self.pictures.batch(np.concatenate([self._some(person, seed) for person, seed in places]))

    def _some(self, person: int, seed: int) -> npt.NDArray[np.int64]:
        there = self.places[person]
        return numpy_generator(seed).choice(there, self.of_each, replace=len(there) < self.of_each)


class JudgeDataModule(FaceDataModule):
    """Embedded people, split by person. After :meth:`setup`: ``num_people``, how many are trained on.

    Expressions that can hardly be seen are trained on and not measured on.

    Args:
        config: which people.
        batch_size: people a process takes at a time.
        seed: the run's seed; the split does not depend on it.
    """

    def __init__(self, config: JudgeDataConfig, batch_size: int, seed: int) -> None:
        super().__init__(batch_size, seed, config.num_workers)
        self.config = config
        self.unit_names = UNIT_NAMES
        self.folder: Path | None = None
        """Of the cache, once it is there."""

    def prepare_data(self) -> None:
        if self.folder is not None:
            return
        root = Path(self.config.root or "")
        truths = read_truths(root, *FACTS)
        if not truths:
            raise DatasetNotFoundError(
                f"{root}: no truth/*.json. The judges are trained on embedded people: write some with `facegen data "
                "population --layout affectnet --people 2000 --out DIR`."
            )
        self.units = {picture["file"]: picture["action_units"] for t in truths for picture in t["pictures"]}
        self.faint = {picture["file"] for t in truths for picture in t["pictures"] if FAINT in picture}
        cache = Path(self.config.cache) if self.config.cache else root / ".facegen_cache"
        framing = FivePoints(ARCFACE_SIDE, WIDE_SIDE)
        self.folder = build_picture_cache(
            TruthSet(root, truths), WIDE_PIXELS, framing, cache, self.config.on_bad_sample
        )

    def setup(self, stage: str) -> None:
        if self.datasets:
            return
        self.prepare_data()
        assert self.folder is not None
        cache = open_picture_cache(self.folder, self.config.on_bad_sample)
        person = np.array([file.identity for file in cache.files])
        split = split_people(np.unique(person), self.config)
        emotion = torch.tensor([file.emotion for file in cache.files])
        units = torch.tensor([[self.units[f.path].get(unit, 0.0) for unit in UNIT_NAMES] for f in cache.files])
        everybody = [number for people in split.values() for number in people]
        label = np.zeros(max(everybody) + 1, dtype=np.int64)
        label[everybody] = np.arange(len(everybody))
        parts = {}
        faint = np.array([file.path in self.faint for file in cache.files])
        for name, people in split.items():
            rows = np.flatnonzero(np.isin(person, people) & ((name == "train") | ~faint))
            rows = rows[np.argsort(label[person[rows]], kind="stable")]
            parts[name] = JudgePictures(
                cache.rows, rows, torch.from_numpy(label[person[rows]]), emotion[rows], units[rows]
            )
        self.num_people = len(split["train"])
        self.datasets = {**parts, "train": JudgePeople(parts["train"], self.config.pictures_of_each)}
        crop = self.folder.name.rsplit("-", 1)[0]  # what follows depends on where and when the files were written
        content = f"{cache.digest} {split} {crop}"
        self._digest = hashlib.sha256(content.encode() + units.numpy().tobytes()).hexdigest()

    def digest(self) -> str:
        return self._digest

    def in_order(self, split: str) -> DataLoader[Any]:
        """Every picture of people held out, as many at a time as a training batch has."""
        loader = super().in_order(split)
        return self._loader(
            self.datasets[split], batch_size=self.batch_size * self.config.pictures_of_each, sampler=loader.sampler
        )


def split_people(people: npt.NDArray[np.int64], config: JudgeDataConfig) -> dict[str, list[int]]:
    """Who is trained on, validated on and tested on; a function of how many there are.

    Raises:
        ConfigError: too few people for two to be in each.
    """
    count = len(people)
    order = torch.randperm(count, generator=torch_generator(0, _SPLIT)).numpy()
    val, test = (max(2, round(share * count)) for share in (config.val_fraction, config.test_fraction))
    if count - val - test < 2:
        raise ConfigError(f"{count} people: too few for two to train on, two to validate on and two to test on.")
    parts = {"train": order[val + test :], "val": order[:val], "test": order[val : val + test]}
    return {name: sorted(people[part].tolist()) for name, part in parts.items()}
