"""The trained networks, and the pictures that each cell of the grid makes with them."""

from __future__ import annotations  # heavy types are named, not imported, where they are only named

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from experiments.device import pick_device
from experiments.emotion_ldm.tables.grid import Cell
from experiments.emotion_ldm.trained import open_denoiser, open_first_stage, open_tuned
from facegen_core.checkpoint import weights_digest
from facegen_core.diffusion.schedule import alpha_bars
from facegen_core.errors import ConfigError
from facegen_core.images import from_signed
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.methods.emotion_ldm.first_stage import decode, encode
from facegen_core.methods.emotion_ldm.manipulation import (
    EmotionModel,
    invert_emotion,
    reverse_emotion,
    sdedit_emotion,
)
from facegen_core.seeding import torch_generator

if TYPE_CHECKING:
    from diffusers.models.autoencoders.vq_model import VQModel

    from experiments.emotion_ldm.tables.config import Config
    from experiments.emotion_ldm.tables.judges import Sources
    from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser

_NOISE, _ETA = 0, 1
"""Streams of random numbers: SDEdit's noise, and that of edits with eta above 0."""


@dataclass(frozen=True, eq=False)
class Networks:
    """What makes pictures.

    Attributes:
        first_stage: pictures to latents and back.
        denoiser: predicts noise; with averaged weights.
        bars: (T,) float64, of its schedule.
        pixels: side R of the pictures.
        outputs: folder of all runs, for those of tuned networks.
        common: what all edits have in common.
        half: the denoiser computes under bf16 autocast.
        seed: of random numbers.
        digests: of both networks' weights.
    """

    first_stage: VQModel
    denoiser: EmotionDenoiser
    bars: Tensor
    pixels: int
    outputs: str
    common: EditConfig
    half: bool
    seed: int
    digests: dict[str, str]

    @property
    def device(self) -> torch.device:
        """Where they compute."""
        return self.bars.device

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """Latents of pictures (B, 3, R, R) in [0, 1], on the device."""
        return encode(self.first_stage, pictures.to(self.device) * 2 - 1)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Pictures in [0, 1], on the CPU."""
        return from_signed(decode(self.first_stage, latents)).cpu()

    def make(self, cell: Cell, sources: Sources) -> Tensor:
        """Pictures (B, T, 3, R, R) in [0, 1], on the CPU: each source with each of the cell's targets.

        Those that are not edited are the same for all targets, (B, 1, 3, R, R).
        """
        if cell.kind == "truth":
            assert sources.truth is not None
            return sources.truth
        if cell.kind in ("source", "reconstruction"):
            return (sources.raw if cell.kind == "source" else sources.reconstruction)[:, None]
        latents = self.encode(sources.raw)
        target = torch.tensor(cell.targets, device=self.device).repeat(len(latents))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            made = self._edited(cell, sources, latents, target)
        pictures: Tensor = self.decode(made).unflatten(0, (len(latents), len(cell.targets)))
        return pictures

    def _edited(self, cell: Cell, sources: Sources, latents: Tensor, target: Tensor) -> Tensor:
        """Latents (B T, C, h, w), those of one source after another."""
        edit, times = cell.edit(self.common), len(cell.targets)
        if cell.kind == "sdedit":
            noise = torch.stack([self._noise(index, latents[0]) for index in sources.index.tolist()])
            return sdedit_emotion(
                self.denoiser, latents.repeat_interleave(times, 0), noise.repeat_interleave(times, 0), target, edit,
                self.bars,
            )  # fmt: skip
        there: EmotionModel = self.denoiser
        back: EmotionModel = self.denoiser
        if cell.kind == "tuned":
            tuned = _open_tuned(cell.run, self.outputs)
            there, back = tuned.before.to(self.device), tuned.after.to(self.device)
            edit = replace(tuned.settings.edit, steps=cell.steps)
        inverted = invert_emotion(there, latents, sources.emotion.to(self.device), edit, self.bars)
        random = torch_generator(self.seed, _ETA, int(sources.index[0])) if edit.eta > 0 else None
        with torch.no_grad():
            return reverse_emotion(back, inverted.repeat_interleave(times, 0), target, edit, self.bars, random)

    def _noise(self, index: int, like: Tensor) -> Tensor:
        """The same for a picture, whatever its edit."""
        return torch.randn(like.shape, generator=torch_generator(self.seed, _NOISE, index)).to(like)


_open_tuned = functools.lru_cache(maxsize=1)(open_tuned)  # at the paper's size there is no room for all of them


def open_networks(config: Config) -> Networks:
    """The networks of ``config.model``.

    Raises:
        ConfigError: an edit does not fit its schedule.
        FacegenError: there is no such run.
        CheckpointError: it has no checkpoint yet, or a damaged one.
    """
    denoiser, sizes, reference = open_denoiser(config.model, config.outputs)
    first_stage, first_sizes, first_digest = open_first_stage(reference, config.outputs)
    latest = max((*config.grid.strengths, *config.sdedit.strengths, config.edit.strength))
    if latest >= sizes.schedule.steps:
        raise ConfigError(
            f"edit.strength, grid.strengths, sdedit.strengths: {latest} is beyond the model's last time, "
            f"{sizes.schedule.steps - 1}."
        )
    digests = {"model": weights_digest(denoiser), "first_stage": first_digest}
    device = pick_device()
    return Networks(
        first_stage.to(device), denoiser.to(device), alpha_bars(sizes.schedule).to(device), first_sizes.pixels,
        config.outputs, config.edit, config.precision == "bf16-mixed", config.seed, digests,
    )  # fmt: skip
