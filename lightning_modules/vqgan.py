"""Training stage of EmotionLDM's first stage."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facegen_core.config import OptimConfig, as_config, to_plain
from facegen_core.images import from_signed
from facegen_core.methods.emotion_ldm.discriminator import PatchDiscriminator
from facegen_core.methods.emotion_ldm.first_stage import Reconstruction, build_first_stage, reconstruct
from facegen_core.methods.emotion_ldm.vqgan_config import VQGANConfig
from facegen_core.methods.emotion_ldm.vqgan_losses import adaptive_weight, hinge_discriminator_loss
from facegen_core.metrics.codebook import perplexity
from facegen_core.types import PictureBatch
from lightning_modules.base import FaceGenModule, build_adam


class VQGANModule(FaceGenModule):
    """One step of the autoencoder on a batch, then one of the discriminator on the same pictures.

    The first ``disc_start`` steps are the autoencoder's alone: the discriminator is not computed, neither for its own
    loss nor for the autoencoder's, and stays as it was drawn. taming-transformers computes it there and multiplies its
    losses by 0: its weights stay as well, but its batch norms' averages move.

    The discriminator is shown the reconstructions that the autoencoder was just trained on; taming-transformers makes
    them anew with the weights that have moved since, at the price of one more pass through the autoencoder.

    Args:
        model: networks and losses.
        optim: Adam's settings, the same for both.
        perceptual: the frozen network that compares pictures, see ``perceptual.build_perceptual``; it stays out of
            checkpoints.
    """

    optim: OptimConfig
    network = "first_stage"
    optimizers_per_step = 2
    find_unused_parameters = True

    def __init__(
        self,
        model: VQGANConfig | dict[str, Any],
        optim: OptimConfig | dict[str, Any],
        perceptual: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.config, self.optim = as_config(VQGANConfig, model), as_config(OptimConfig, optim)
        self.save_hyperparameters({"model": to_plain(self.config), "optim": to_plain(self.optim)})
        self.first_stage = build_first_stage(self.config.first_stage)
        self.discriminator = PatchDiscriminator(self.config.discriminator)
        nn.Module.to(self, memory_format=torch.channels_last)
        self._frozen = (perceptual,)  # in a tuple, so that it is no submodule

    @property
    def perceptual(self) -> nn.Module | None:
        """The frozen network that compares pictures."""
        return self._frozen[0]

    def training_step(self, batch: PictureBatch, batch_idx: int) -> dict[str, Tensor]:
        first, second = cast(tuple[Any, Any], self.optimizers())
        pictures = batch["image"].contiguous(memory_format=torch.channels_last)
        values = self._step(first, "loss", lambda: self.autoencoder_losses(pictures))
        made = values.pop("made")
        if self.discriminating:
            return values | self._step(second, "d_loss", lambda: self.discriminator_losses(pictures, made))
        if self.last_of_step:
            second.step()  # without gradients, so nothing moves; Lightning counts the steps of all optimisers
        return values

    @property
    def discriminating(self) -> bool:
        """Whether the discriminator takes part by now; counted in steps, which the checkpoint knows."""
        return self.step >= self.config.disc_start

    def autoencoder_losses(self, pictures: Tensor) -> dict[str, Tensor]:
        """What the autoencoder minimises on pictures (B, 3, R, R) in [-1, 1], its terms, and what it ``made``."""
        made, quantiser, codes = reconstruct(self.first_stage, pictures)
        reconstruction = self.reconstruction_losses(made, pictures).mean()
        values = {
            "loss": reconstruction + self.config.quantiser_weight * quantiser,
            "reconstruction": reconstruction,
            "quantiser": quantiser,
            "codebook_perplexity": perplexity(torch.bincount(codes.flatten(), minlength=self.config.first_stage.codes)),
            "made": made,
        }
        if self.discriminating:
            adversarial = -self.discriminator(made).mean()
            last_layer = self.first_stage.decoder.conv_out.weight
            adaptive = adaptive_weight(reconstruction, adversarial, last_layer)
            values["loss"] = values["loss"] + self.config.disc_weight * adaptive * adversarial
            values |= {"g_adversarial": adversarial, "adaptive_weight": adaptive}
        return values

    def discriminator_losses(self, pictures: Tensor, made: Tensor) -> dict[str, Tensor]:
        """What the discriminator minimises on pictures and their reconstructions."""
        real, fake = self.discriminator(pictures), self.discriminator(made)
        return {"d_loss": hinge_discriminator_loss(real, fake), "d_real": real.mean(), "d_fake": fake.mean()}

    def reconstruction_losses(self, made: Tensor, pictures: Tensor) -> Tensor:
        """L1 and perceptual distance (B,) of pictures in [-1, 1]."""
        losses = F.l1_loss(made, pictures, reduction="none").mean((1, 2, 3))
        if self.perceptual is not None:
            distance = self.perceptual(made / 2 + 0.5, pictures / 2 + 0.5)
            losses = losses + self.config.perceptual_weight * distance
        return losses

    def validation_step(self, batch: PictureBatch, batch_idx: int) -> dict[str, Tensor]:
        """Reconstructions of pictures held out. The discriminator has no say here [A]."""
        made, quantiser, codes = self.reconstruct(batch["image"])
        return {
            "picture": from_signed(batch["image"]),
            "made": from_signed(made),
            "codes": codes,
            "reconstruction": self.reconstruction_losses(made, batch["image"]),
            "quantiser": quantiser.expand(len(made)),
        }

    def reconstruct(self, pictures: Tensor) -> Reconstruction:
        """Pictures (B, 3, R, R) in [-1, 1] there and back."""
        return reconstruct(self.first_stage, pictures.contiguous(memory_format=torch.channels_last))

    def compile_network(self) -> None:
        """Block by block: the last layer must stay apart, since the adaptive weight asks for its gradient alone."""
        for half, blocks in ((self.first_stage.encoder, "down_blocks"), (self.first_stage.decoder, "up_blocks")):
            for block in (half.mid_block, *getattr(half, blocks)):
                block.compile(dynamic=False)  # blocks of one kind are called with shapes of several levels

    def on_fit_start(self) -> None:
        if self.perceptual is not None:
            self.perceptual.to(self.device)

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        return (
            build_adam(self.first_stage.parameters(), self.optim),
            build_adam(self.discriminator.parameters(), self.optim),
        )
