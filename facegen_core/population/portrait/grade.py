"""From light to a picture: the place behind, exposure, colour, lens and grain."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.images import linear, srgb
from facegen_core.population.portrait.shot import Grade

SHOULDER = 0.82
"""Linear light above this is compressed, so that highlights do not clip hard."""


def developed(colour: Tensor, cover: Tensor, behind: Tensor, grade: Grade) -> Tensor:
    """A picture (3, P, P), sRGB in [0, 1].

    Args:
        colour: (3, P, P) linear light of the scene, times its cover.
        cover: (1, P, P) share of each pixel that shows it.
        behind: (3, P, P) the place behind, sRGB.
        grade: what the camera makes of it.
    """
    light = colour + (1 - cover) * linear(behind)
    pixels = light.shape[-1]
    light = light * grade.exposure * torch.tensor(grade.balance)[:, None, None]
    if grade.vignette:
        at = torch.linspace(-1, 1, pixels)
        light = light * (1 - grade.vignette * (at[:, None] ** 2 + at**2) / 2)
    if grade.blur:
        light = _blurred(light, grade.blur * pixels / 128)
    over = (light - SHOULDER).clamp(min=0)
    light = light.clamp(max=SHOULDER) + (1 - SHOULDER) * (1 - torch.exp(-over / (1 - SHOULDER)))
    picture = srgb(light)
    grey = (picture * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0, keepdim=True)
    picture = grey + grade.saturation * (picture - grey)
    picture = 0.5 + grade.contrast * (picture - 0.5)
    if grade.grain:
        noise = np.random.default_rng(grade.seed).standard_normal((3, pixels, pixels), dtype=np.float32)
        picture = picture + grade.grain * torch.from_numpy(noise)
    return picture.clamp(0, 1)


def _blurred(picture: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (3, P, P)."""
    reach = int(3 * sigma) + 1
    at = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-((at / sigma) ** 2) / 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(picture[:, None], (reach, reach, reach, reach), mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel[None, None, None]), kernel[None, None, :, None])[:, 0]
