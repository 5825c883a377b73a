"""Training stage of 3DFaceCAM's shape GAN."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from facegen_core.config import OptimConfig, as_config, to_plain
from facegen_core.methods.face3d.config import CodeSizes, ShapeGANConfig
from facegen_core.methods.face3d.expression_codes import expression_codes
from facegen_core.methods.face3d.identity_codes import IdentityCodes
from facegen_core.methods.face3d.shape_gan import (
    FaceCodes,
    ShapeDiscriminator,
    ShapeGenerator,
    discriminator_loss,
    generator_loss,
)
from facegen_core.types import CodeBatch
from lightning_modules.base import FaceGenModule, build_adam


class ShapeCGANModule(FaceGenModule):
    """One discriminator and one generator step a batch [C]; the noise is drawn anew for each.

    Args:
        model: networks and objective.
        sizes: what the SAE and the data decide.
        optim: Adam's settings, the same for both.
        identity_codes: z_id of the people trained on; becomes part of the checkpoint.
        classifier: (E, expression_dim) weight and (E,) bias of the SAE's expression classifier, which judges generated
            codes while training goes on; not part of the checkpoint.
    """

    optim: OptimConfig
    classifier_weight: Tensor
    classifier_bias: Tensor

    network = "generator"
    optimizers_per_step = 2
    find_unused_parameters = True

    def __init__(
        self,
        model: ShapeGANConfig | dict[str, Any],
        sizes: CodeSizes | dict[str, Any],
        optim: OptimConfig | dict[str, Any],
        identity_codes: IdentityCodes,
        classifier: tuple[Tensor, Tensor],
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.config, self.optim = as_config(ShapeGANConfig, model), as_config(OptimConfig, optim)
        self.sizes = as_config(CodeSizes, sizes)
        self.save_hyperparameters(
            {"model": to_plain(self.config), "sizes": to_plain(self.sizes), "optim": to_plain(self.optim)}
        )
        self.identity_codes = identity_codes
        self.generator = ShapeGenerator(self.config, self.sizes)
        self.discriminator = ShapeDiscriminator(self.config, self.sizes)
        self.register_buffer("classifier_weight", classifier[0], persistent=False)
        self.register_buffer("classifier_bias", classifier[1], persistent=False)

    def training_step(self, batch: CodeBatch, batch_idx: int) -> dict[str, Tensor]:
        critic_optimizer, optimizer = cast(tuple[Any, Any], self.optimizers())
        labels = batch["identity"], batch["expression"]
        real = FaceCodes(batch["identity_code"], batch["expression_code"])
        critic = self._step(
            critic_optimizer,
            lambda: discriminator_loss(self.discriminator, real, self.generate(batch).detach(), *labels, self.config),
        )
        return critic | self._step(
            optimizer, lambda: generator_loss(self.discriminator, self.generate(batch), *labels, self.config)
        )

    def validation_step(self, batch: CodeBatch, batch_idx: int) -> dict[str, Tensor]:
        """Generated codes of new people with the batch's expressions, read by the SAE's classifier."""
        count = len(batch["expression"])
        identity = self.identity_codes.sample(count, torch.default_generator).to(self.device)
        expression = expression_codes(batch["expression"], self.sizes.expressions)
        codes = self.generator(self._noise(count), identity, expression)
        logits = torch.nn.functional.linear(codes.expression, self.classifier_weight, self.classifier_bias)
        return {"expression_logits": logits, "expression": batch["expression"]}

    def generate(self, batch: CodeBatch) -> FaceCodes:
        """Codes for the batch's people and expressions, with new noise."""
        identity = self.identity_codes(batch["identity"])
        expression = expression_codes(batch["expression"], self.sizes.expressions)
        codes: FaceCodes = self.generator(self._noise(len(identity)), identity, expression)
        return codes

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses a checkpoint made with another z_id table than the one in use.

        Raises:
            CheckpointError: the tables differ, or other weights do.
        """
        super().on_load_checkpoint(checkpoint)
        self.identity_codes.refuse_others(checkpoint["state_dict"], "identity_codes.")

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        return (
            build_adam(self.discriminator.parameters(), self.optim),
            build_adam(self.generator.parameters(), self.optim),
        )

    def _noise(self, count: int) -> Tensor:
        return torch.randn(count, self.config.noise_dim, device=self.device)

    def _step(self, optimizer: Any, losses: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """One optimiser's share of a batch; its weights move where the accumulated batch is complete.

        The loss is computed with the other optimiser's weights switched off: they would gather gradients otherwise.
        """
        last = (self.batches + 1) % self.accumulate == 0
        with optimizer.toggle_model(sync_grad=last):
            values = losses()
            self.manual_backward(values["loss" if "loss" in values else "d_loss"] / self.accumulate)
            if last:
                optimizer.step()
                optimizer.zero_grad()
        return {name: value.detach() for name, value in values.items()}
