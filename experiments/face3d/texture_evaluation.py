"""What is measured of generated textures, by a judge fitted on textures of people held out from training."""

import torch
from torch import Tensor

from datamodules.textures import TextureDataModule, TextureDataset
from experiments.face3d.models import AT_A_TIME, TextureModel
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
    held_out = [_real(datamodule, split, model.resolution) for split in ("val", "test")]
    faces, who, what = (torch.cat(parts) for parts in zip(*held_out, strict=True))
    judge = fit_judge(faces.numpy(), who, what)
    real = judged(judge, *_real(datamodule, "train", model.resolution, people))

    generator = torch_generator(seed, _JUDGED)
    identity, noise = model.identity_codes.sample(people, generator), model.draw_noise(people, generator)
    names = len(model.expression_names)
    person, expression = torch.arange(people).repeat_interleave(names), torch.arange(names).repeat(people)
    batches = zip(person.split(AT_A_TIME), torch.eye(names)[expression].split(AT_A_TIME), strict=True)
    rows = [_as_rows(model.pictures(noise[some], identity[some], codes)) for some, codes in batches]
    made = judged(judge, torch.cat(rows), person, expression)
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


def _real(
    datamodule: TextureDataModule, split: str, resolution: int, people: int | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of pixels, identity and expression labels of a split's textures, or of its first ``people``.

    They are read as large as the model makes its own, and shrunk in the same way.
    """
    dataset: TextureDataset = datamodule.datasets[split]  # type: ignore[assignment]
    some = torch.isin(dataset.identity, dataset.identity.unique()[:people])
    rows = [_as_rows(dataset.pictures(part.numpy(), resolution)) for part in some.nonzero()[:, 0].split(AT_A_TIME)]
    nothing = torch.empty(0, _as_rows(torch.empty(1, 3, resolution, resolution)).shape[1], 3)
    return torch.cat([nothing, *rows]), dataset.identity[some], dataset.expression[some]


def _as_rows(pictures: Tensor) -> Tensor:
    """Pictures (B, 3, R, R) as rows of pixels (B, N, 3) at the judge's size."""
    side = min(JUDGED_PIXELS, pictures.shape[-1])
    return torch.nn.functional.adaptive_avg_pool2d(pictures, side).flatten(2).mT.contiguous()
