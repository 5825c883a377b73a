"""Training stage of 3DFaceCAM's shape GAN."""

from typing import Any

import torch
from torch import Tensor

from facegen_core.config import OptimConfig, as_config
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
from lightning_modules.identity_gan import IdentityGANModule


class ShapeCGANModule(IdentityGANModule):
    """Two steps a batch, see :class:`IdentityGANModule`; the noise is drawn anew for each.

    Args:
        model: networks and objective.
        sizes: what the SAE and the data decide.
        optim: Adam's settings, the same for both.
        identity_codes: z_id of the people trained on; becomes part of the checkpoint.
        classifier: (E, expression_dim) weight and (E,) bias of the SAE's expression classifier, which judges generated
            codes while training goes on; not part of the checkpoint.
    """

    config: ShapeGANConfig
    sizes: CodeSizes
    discriminator: ShapeDiscriminator
    classifier_weight: Tensor
    classifier_bias: Tensor

    def __init__(
        self,
        model: ShapeGANConfig | dict[str, Any],
        sizes: CodeSizes | dict[str, Any],
        optim: OptimConfig | dict[str, Any],
        identity_codes: IdentityCodes,
        classifier: tuple[Tensor, Tensor],
    ) -> None:
        super().__init__(as_config(ShapeGANConfig, model), as_config(CodeSizes, sizes), optim, identity_codes)
        self.generator = ShapeGenerator(self.config, self.sizes)
        self.discriminator = ShapeDiscriminator(self.config, self.sizes)
        self.register_buffer("classifier_weight", classifier[0], persistent=False)
        self.register_buffer("classifier_bias", classifier[1], persistent=False)

    def discriminator_losses(self, batch: CodeBatch) -> dict[str, Tensor]:
        """Real codes against generated ones."""
        real, fake = FaceCodes(batch["identity_code"], batch["expression_code"]), self.generate(batch).detach()
        return discriminator_loss(self.discriminator, real, fake, batch["identity"], batch["expression"], self.config)

    def generator_losses(self, batch: CodeBatch) -> dict[str, Tensor]:
        """Generated codes alone."""
        fake = self.generate(batch)
        return generator_loss(self.discriminator, fake, batch["identity"], batch["expression"], self.config)

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
