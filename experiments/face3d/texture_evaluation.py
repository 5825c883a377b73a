"""What is measured of generated textures, by a judge fitted on textures of people held out from training."""

import numpy as np
import torch
from torch import Tensor

from datamodules.textures import TextureDataModule, TextureDataset
from experiments.face3d.models import TextureModel
from facegen_core.methods.face3d.judge import fit_judge, judged
from facegen_core.seeding import torch_generator
from facegen_core.types import UNKNOWN
from lightning_modules.texture_progan import TextureProGANModule

JUDGED_PIXELS = 64
"""The judge looks at pictures of this size, or the model's if that is smaller."""

_JUDGED = 90


def judge_textures(model: TextureModel, datamodule: TextureDataModule, people: int, seed: int) -> dict[str, float]:
    """Expression accuracy and identity drift of textures of new people, and of real ones of people trained on.

    Args:
        model: the texture GAN.
        datamodule: set up; its people held out are the judge's.
        people: new people, each with every expression.
        seed: of what is drawn.
    """
    side = min(JUDGED_PIXELS, model.resolution)
    faces, who, what = (
        np.concatenate(p) for p in zip(*(_real(datamodule, s, side) for s in ("val", "test")), strict=True)
    )
    judge = fit_judge(faces, torch.from_numpy(who), torch.from_numpy(what))
    faces, who, what = _real(datamodule, "train", side, people)
    real = judged(judge, torch.from_numpy(faces), torch.from_numpy(who), torch.from_numpy(what))

    generator = torch_generator(seed, _JUDGED)
    identity, noise = model.identity_codes.sample(people, generator), model.draw_noise(people, generator)
    names = len(model.expression_names)
    person, expression = torch.arange(people).repeat_interleave(names), torch.arange(names).repeat(people)
    pictures = model.pictures(noise[person], identity[person], torch.eye(names)[expression])
    made = judged(judge, _as_rows(pictures, side), person, expression)
    return made | {f"real_{key}": value for key, value in real.items()}


@torch.no_grad()
def unit_accuracy(module: TextureProGANModule, datamodule: TextureDataModule) -> float:
    """Share of known action units, present or absent, that the critic reads right off textures of the test people."""
    right = known = 0
    for batch in datamodule.in_order("test"):
        read = module.validation_step(module.transfer_batch_to_device(batch, module.device, 0), 0)
        sure = read["expression"] != UNKNOWN
        right += int(((read["expression_logits"] > 0) == (read["expression"] == 1))[sure].sum())
        known += int(sure.sum())
    return right / known if known else float("nan")


def _real(datamodule: TextureDataModule, split: str, side: int, people: int | None = None) -> tuple[np.ndarray, ...]:
    """Rows of pixels, identity and expression labels of a split's textures, or of its first ``people``."""
    dataset: TextureDataset = datamodule.datasets[split]  # type: ignore[assignment]
    some = torch.isin(dataset.identity, dataset.identity.unique()[:people])
    pictures = dataset.pictures(some.numpy().nonzero()[0], side)
    return _as_rows(pictures, side).numpy(), dataset.identity[some].numpy(), dataset.expression[some].numpy()


def _as_rows(pictures: Tensor, side: int) -> Tensor:
    """Pictures (B, 3, R, R) as (B, side * side, 3)."""
    return torch.nn.functional.adaptive_avg_pool2d(pictures, side).flatten(2).mT.contiguous()
