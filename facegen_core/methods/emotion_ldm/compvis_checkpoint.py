"""What lies in a checkpoint file of CompVis' code: which tensors are whose, and the noise schedule."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from facegen_core.checkpoint import without
from facegen_core.diffusion.schedule import ScheduleConfig, alpha_bars
from facegen_core.errors import CheckpointError
from facegen_core.methods.emotion_ldm.compvis import some
from facegen_core.methods.emotion_ldm.compvis_denoiser import AVERAGE, UNET

FIRST_STAGE, EMBEDDINGS = "first_stage_model.", "cond_stage_model."
_TRAINING = ("loss.", "logvar", "cond_ids", "colorize")
"""What only training needs: losses with their networks (discriminator, LPIPS), their weights, drawings."""


class Contents(NamedTuple):
    """A checkpoint file, sorted.

    Attributes:
        first_stage: tensors of the autoencoder, without a prefix; empty if there are none.
        denoiser: those of U-Net and embeddings, as :func:`denoiser_from_compvis` takes them; empty in a first stage's
            file.
        average: moving average of the U-Net; empty if none was kept.
        schedule: of the noise; None where the file does not say.
        left: what is left behind, as words for the user.
    """

    first_stage: dict[str, Tensor]
    denoiser: dict[str, Tensor]
    average: dict[str, Tensor]
    schedule: ScheduleConfig | None
    left: list[str]


def sort_checkpoint(tensors: Mapping[str, Tensor], what: str) -> Contents:
    """Sorts the tensors of a first stage's or a latent diffusion's checkpoint.

    Args:
        tensors: by their names in the file.
        what: the file, for messages.

    Raises:
        CheckpointError: a tensor is neither's, latents are scaled, or the schedule is none that facegen has.
    """
    if not any(name.startswith((UNET, FIRST_STAGE)) for name in tensors):
        first_stage = {name: value for name, value in tensors.items() if not name.startswith((*_TRAINING, AVERAGE))}
        return Contents(first_stage, {}, {}, None, _groups(tensors.keys() - first_stage.keys()))
    scale = float(tensors.get("scale_factor", torch.tensor(1.0)))
    if scale != 1:
        raise CheckpointError(f"{what}: made for latents multiplied by {scale:g}; facegen's are not multiplied.")
    known = (UNET, FIRST_STAGE, EMBEDDINGS, AVERAGE, *_TRAINING)
    schedule = schedule_from_compvis(tensors["betas"], what) if "betas" in tensors else None
    tables = {"scale_factor", "lvlb_weights", *(schedule_to_compvis(schedule) if schedule else ())}
    unknown = [name for name in tensors if not name.startswith(known) and name not in tables]
    if unknown:
        raise CheckpointError(f"{what}: {some(unknown)} not known in a checkpoint of latent diffusion.")
    inside = without(FIRST_STAGE, tensors)
    first_stage = {name: value for name, value in inside.items() if not name.startswith(_TRAINING)}
    return Contents(
        first_stage,
        {name: value for name, value in tensors.items() if name.startswith((UNET, EMBEDDINGS))},
        {name: value for name, value in tensors.items() if name.startswith(AVERAGE)},
        schedule,
        _groups([*(name for name in tensors if name.startswith(_TRAINING)), *(inside.keys() - first_stage.keys())]),
    )


def schedule_from_compvis(betas: Tensor, what: str) -> ScheduleConfig:
    """The schedule whose variances (T,) these are.

    Raises:
        CheckpointError: it is of another kind.
    """
    values = betas.double()
    first, last = (float(f"{float(value):.6g}") for value in (values[0], values[-1]))
    ends = (first, last, len(values))
    for schedule in (ScheduleConfig("linear", *ends), ScheduleConfig("scaled_linear", *ends)):
        if torch.allclose(_betas(schedule), values, rtol=1e-5, atol=0):
            return schedule
    raise CheckpointError(
        f"{what}: the noise schedule from {first:g} to {last:g} in {len(values)} steps is neither linear nor "
        "scaled_linear, and facegen has no other."
    )


def schedule_to_compvis(schedule: ScheduleConfig) -> dict[str, Tensor]:
    """The tables (T,) that their ``LatentDiffusion`` keeps: of q(z_t | z_0) and of its posterior (Ho et al. 2020)."""
    bars, betas = alpha_bars(schedule), _betas(schedule)
    before = torch.cat([torch.ones(1, dtype=torch.float64), bars[:-1]])
    variance = betas * (1 - before) / (1 - bars)
    tables = {
        "betas": betas,
        "alphas_cumprod": bars,
        "alphas_cumprod_prev": before,
        "sqrt_alphas_cumprod": bars.sqrt(),
        "sqrt_one_minus_alphas_cumprod": (1 - bars).sqrt(),
        "log_one_minus_alphas_cumprod": (1 - bars).log(),
        "sqrt_recip_alphas_cumprod": bars.rsqrt(),
        "sqrt_recipm1_alphas_cumprod": (1 / bars - 1).sqrt(),
        "posterior_variance": variance,
        "posterior_log_variance_clipped": variance.clamp(min=1e-20).log(),
        "posterior_mean_coef1": betas * before.sqrt() / (1 - bars),
        "posterior_mean_coef2": (1 - before) * (1 - betas).sqrt() / (1 - bars),
    }
    return {name: values.float() for name, values in tables.items()}


def _betas(schedule: ScheduleConfig) -> Tensor:
    bars = alpha_bars(schedule)
    return 1 - bars / torch.cat([torch.ones(1, dtype=torch.float64), bars[:-1]])


def _groups(names: Iterable[str]) -> list[str]:
    """Names counted by their first part: "loss (41 tensors)"."""
    counts = Counter(name.partition(".")[0] for name in names)
    return [f"{group} ({number} tensor{'s' * (number > 1)})" for group, number in sorted(counts.items())]
