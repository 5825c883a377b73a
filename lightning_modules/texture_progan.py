"""Training stage of 3DFaceCAM's texture GAN."""

from typing import Any, cast

import torch
from torch import Tensor

from facegen_core.config import OptimConfig, as_config, to_plain
from facegen_core.losses.classification import label_loss
from facegen_core.losses.wgan_gp import critic_loss, gradient_penalty
from facegen_core.methods.face3d.config import TextureGANConfig, TextureSizes
from facegen_core.methods.face3d.expression_codes import expression_codes
from facegen_core.methods.face3d.identity_codes import IdentityCodes
from facegen_core.methods.face3d.progressive import faded
from facegen_core.methods.face3d.texture_gan import TextureDiscriminator, TextureGenerator, TextureVerdict
from facegen_core.types import TextureBatch
from lightning_modules.base import FaceGenModule, build_adam


class TextureProGANModule(FaceGenModule):
    """One critic and one generator step a batch [C], each on pictures of its own; the batch says how far it has grown.

    Args:
        model: networks, losses and growth.
        sizes: what the data and the z_id table decide.
        optim: Adam's settings, the same for both.
        expression_names: of the classes, or action units; so that a checkpoint can be used without its data.
        identity_codes: z_id of the people trained on; becomes part of the checkpoint.
        template: (3, R, R) uint8, a whole map of which generated faces are a part; so that a checkpoint can be used
            without its data.
    """

    optim: OptimConfig
    resolution: Tensor
    alpha: Tensor
    template: Tensor | None
    network = "generator"
    optimizers_per_step = 2
    find_unused_parameters = True

    def __init__(
        self,
        model: TextureGANConfig | dict[str, Any],
        sizes: TextureSizes | dict[str, Any],
        optim: OptimConfig | dict[str, Any],
        expression_names: list[str],
        identity_codes: IdentityCodes,
        template: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.config, self.optim = as_config(TextureGANConfig, model), as_config(OptimConfig, optim)
        self.sizes = as_config(TextureSizes, sizes)
        self.save_hyperparameters(
            {
                "model": to_plain(self.config),
                "sizes": to_plain(self.sizes),
                "optim": to_plain(self.optim),
                "expression_names": expression_names,
            }
        )
        self.expression_names = expression_names
        self.identity_codes = identity_codes
        self.generator = TextureGenerator(self.config, self.sizes)
        self.discriminator = TextureDiscriminator(self.config, self.sizes)
        self.register_buffer("resolution", torch.tensor(self.config.growth.first_resolution))
        self.register_buffer("alpha", torch.tensor(1.0))
        self.register_buffer("template", template)

    def training_step(self, batch: TextureBatch, batch_idx: int) -> dict[str, Tensor]:
        critic_optimizer, optimizer = cast(tuple[Any, Any], self.optimizers())
        self.resolution.fill_(batch["image"].shape[-1])
        self.alpha.copy_(batch["alpha"])
        with critic_optimizer.toggle_model():  # the other's weights must gather no gradient
            critic = self._critic_losses(batch)
            self._move(critic_optimizer, critic["d_loss"])
        with optimizer.toggle_model():
            maker = self._generator_losses(batch)
            self._move(optimizer, maker["loss"])
        return {name: value.detach() for name, value in (critic | maker).items()}

    def _critic_losses(self, batch: TextureBatch) -> dict[str, Tensor]:
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

    def _generator_losses(self, batch: TextureBatch) -> dict[str, Tensor]:
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

    def _move(self, optimizer: Any, loss: Tensor) -> None:
        self.manual_backward(loss)
        optimizer.step()
        optimizer.zero_grad()

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

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses a checkpoint made with another z_id table than the one in use.

        Raises:
            CheckpointError: the tables differ, or other weights do.
        """
        super().on_load_checkpoint(checkpoint)
        self.identity_codes.refuse_others(checkpoint["state_dict"], "identity_codes.")

    def generate(self, batch: TextureBatch) -> Tensor:
        """Pictures of the batch's people and expressions with new noise, as large as the batch's."""
        identity = self.identity_codes(batch["identity"])
        noise = torch.randn(len(identity), self.config.noise_dim, device=self.device)
        expression = expression_codes(batch["expression"], self.sizes.expressions)
        pictures: Tensor = self.generator(noise, identity, expression, batch["image"].shape[-1], float(batch["alpha"]))
        return pictures

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        return (
            build_adam(self.discriminator.parameters(), self.optim),
            build_adam(self.generator.parameters(), self.optim),
        )
