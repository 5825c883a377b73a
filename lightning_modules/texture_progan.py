"""Training stage of 3DFaceCAM's texture GAN."""

from typing import Any

import torch
from torch import Tensor

from facegen_core.config import OptimConfig, as_config
from facegen_core.losses.classification import label_loss
from facegen_core.losses.wgan_gp import critic_loss, gradient_penalty
from facegen_core.methods.face3d.config import TextureGANConfig, TextureSizes
from facegen_core.methods.face3d.expression_codes import expression_codes
from facegen_core.methods.face3d.identity_codes import IdentityCodes
from facegen_core.methods.face3d.progressive import faded
from facegen_core.methods.face3d.texture_gan import TextureDiscriminator, TextureGenerator, TextureVerdict
from facegen_core.types import TextureBatch
from lightning_modules.identity_gan import IdentityGANModule


class TextureProGANModule(IdentityGANModule):
    """Two steps a batch, see :class:`IdentityGANModule`, on other noise each; the batch says how far it has grown.

    Args:
        model: networks, losses and growth.
        sizes: what the data and the z_id table decide.
        optim: Adam's settings, the same for both.
        expression_names: of the classes, or action units; so that a checkpoint can be used without its data.
        identity_codes: z_id of the people trained on; becomes part of the checkpoint.
        template: (3, R, R) uint8, a whole map of which generated faces are a part; so that a checkpoint can be used
            without its data.
    """

    config: TextureGANConfig
    sizes: TextureSizes
    resolution: Tensor
    alpha: Tensor
    template: Tensor | None

    def __init__(
        self,
        model: TextureGANConfig | dict[str, Any],
        sizes: TextureSizes | dict[str, Any],
        optim: OptimConfig | dict[str, Any],
        expression_names: list[str],
        identity_codes: IdentityCodes,
        template: Tensor | None = None,
    ) -> None:
        super().__init__(
            as_config(TextureGANConfig, model),
            as_config(TextureSizes, sizes),
            optim,
            identity_codes,
            expression_names=expression_names,
        )
        self.expression_names = expression_names
        self.generator = TextureGenerator(self.config, self.sizes)
        self.discriminator = TextureDiscriminator(self.config, self.sizes)
        self.register_buffer("resolution", torch.tensor(self.config.growth.first_resolution))
        self.register_buffer("alpha", torch.tensor(1.0))
        self.register_buffer("template", template)

    def training_step(self, batch: TextureBatch, batch_idx: int) -> dict[str, Tensor]:
        self.resolution.fill_(batch["image"].shape[-1])
        self.alpha.copy_(batch["alpha"])
        return super().training_step(batch, batch_idx)

    def discriminator_losses(self, batch: TextureBatch) -> dict[str, Tensor]:
        """Class losses are taken of real pictures alone [C; eq. 3 and 4 of the paper have them of both]."""
        alpha = float(batch["alpha"])
        real, fake = faded(batch["image"], alpha), self.generate(batch)
        seen, made = self.discriminator(real, alpha), self.discriminator(fake, alpha)
        share = torch.rand(len(real), device=self.device)
        penalty = gradient_penalty(lambda pictures: self.discriminator(pictures, alpha).score, real, fake, share)
        wasserstein = critic_loss(seen.score, made.score, penalty, self.config.penalty_weight, self.config.drift_weight)
        classes = self._class_loss(seen, batch)
        return {
            "d_loss": wasserstein + self.config.class_weight * classes,
            "d_wasserstein": wasserstein,
            "d_penalty": penalty,
            "d_classes": classes,
        }

    def generator_losses(self, batch: TextureBatch) -> dict[str, Tensor]:
        """Wasserstein, and the classes its pictures are to have."""
        verdict = self.discriminator(self.generate(batch), float(batch["alpha"]))
        adversarial, classes = -verdict.score.mean(), self._class_loss(verdict, batch)
        return {
            "loss": adversarial + self.config.class_weight * classes,
            "g_adversarial": adversarial,
            "g_classes": classes,
        }

    def _class_loss(self, verdict: TextureVerdict, batch: TextureBatch) -> Tensor:
        who = torch.nn.functional.cross_entropy(verdict.identity, batch["identity"])
        return who + label_loss(verdict.expression, batch["expression"])

    def validation_step(self, batch: TextureBatch, batch_idx: int) -> dict[str, Tensor]:
        """What the discriminator reads off real pictures, shrunk to the size it has grown to."""
        pictures = torch.nn.functional.adaptive_avg_pool2d(batch["image"], int(self.resolution))
        verdict = self.discriminator(faded(pictures, float(self.alpha)), float(self.alpha))
        return {"expression_logits": verdict.expression, "expression": batch["expression"]}

    def pictures(self, noise: Tensor, identity: Tensor, expression: Tensor) -> Tensor:
        """Pictures (B, 3, R, R) in [0, 1] at the size it has grown to, on the CPU.

        Args:
            noise: (B, noise_dim).
            identity: (B, identity_code_dim), z_id.
            expression: (B, expressions), z_exp.
        """
        codes = (code.to(self.device) for code in (noise, identity, expression))
        with torch.no_grad():
            made: Tensor = self.generator(*codes, int(self.resolution), float(self.alpha))
        return (made.float().cpu() / 2 + 0.5).clamp(0, 1)

    def generate(self, batch: TextureBatch) -> Tensor:
        """Pictures of the batch's people and expressions with new noise, as large as the batch's."""
        identity = self.identity_codes(batch["identity"])
        noise = self._noise(len(identity))
        expression = expression_codes(batch["expression"], self.sizes.expressions)
        pictures: Tensor = self.generator(noise, identity, expression, batch["image"].shape[-1], float(batch["alpha"]))
        return pictures
