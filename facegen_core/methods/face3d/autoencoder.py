"""The supervised shape auto-encoder (SAE): two encoders, two linear classifiers, one decoder [P 3.1, tables 3, 4]."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facegen_core.losses.classification import label_loss
from facegen_core.methods.face3d.config import MeshSizes, SAEConfig
from facegen_core.types import MeshBatch


class SAEOutput(NamedTuple):
    """What the SAE makes of a batch.

    Attributes:
        reconstruction: (B, V, 3) displacements from the template, mm.
        identity_code: (B, identity_dim).
        expression_code: (B, expression_dim).
        identity_logits: (B, identities).
        expression_logits: (B, expressions).
    """

    reconstruction: Tensor
    identity_code: Tensor
    expression_code: Tensor
    identity_logits: Tensor
    expression_logits: Tensor


class ShapeAutoencoder(nn.Module):
    """Encodes displacements into an identity and an expression code and decodes the two together.

    Table 4 prints two decoders; text, figure 2 and code have one, on the concatenated codes, which is built here.
    """

    def __init__(self, config: SAEConfig, sizes: MeshSizes) -> None:
        super().__init__()
        wide, narrow = config.hidden
        coordinates, codes = 3 * sizes.vertices, config.identity_dim + config.expression_dim
        self.identity_encoder = _mlp(coordinates, wide, narrow, config.identity_dim, config.negative_slope)
        self.expression_encoder = _mlp(coordinates, wide, narrow, config.expression_dim, config.negative_slope)
        self.identity_classifier = nn.Linear(config.identity_dim, sizes.identities)
        self.expression_classifier = nn.Linear(config.expression_dim, sizes.expressions)
        self.decoder = _mlp(codes, narrow, wide, coordinates, config.negative_slope)

    def encode(self, displacement: Tensor) -> tuple[Tensor, Tensor]:
        """Codes of meshes.

        Args:
            displacement: (B, V, 3), mm from the template.

        Returns:
            Identity codes (B, identity_dim) and expression codes (B, expression_dim).
        """
        flat = displacement.flatten(1)
        return self.identity_encoder(flat), self.expression_encoder(flat)

    def decode(self, identity_code: Tensor, expression_code: Tensor) -> Tensor:
        """Displacements (B, V, 3), mm, of identity codes (B, identity_dim) and expression codes."""
        return self.decoder(torch.cat([identity_code, expression_code], dim=1)).unflatten(1, (-1, 3))

    def forward(self, displacement: Tensor) -> SAEOutput:
        """Reconstruction, codes and class logits of ``displacement`` (B, V, 3), mm."""
        identity, expression = self.encode(displacement)
        return SAEOutput(
            self.decode(identity, expression),
            identity,
            expression,
            self.identity_classifier(identity),
            self.expression_classifier(expression),
        )


def sae_loss(output: SAEOutput, batch: MeshBatch, config: SAEConfig) -> dict[str, Tensor]:
    """The training loss and its parts: mean L1 + identity CE + expression CE [P eq. 1].

    The L1 is the mean over coordinates, as in the released code: with data in mm all three terms are then of order
    one, where a sum over 3V coordinates would drown the classifiers.

    Returns:
        Scalars ``loss``, ``l1_mm``, ``identity_loss``, ``expression_loss``; the last three without their weights.
    """
    l1 = F.l1_loss(output.reconstruction, batch["displacement"])
    identity = F.cross_entropy(output.identity_logits, batch["identity"])
    expression = label_loss(output.expression_logits, batch["expression"])
    loss = config.reconstruction_weight * l1 + config.identity_weight * identity + config.expression_weight * expression
    return {"loss": loss, "l1_mm": l1, "identity_loss": identity, "expression_loss": expression}


def _mlp(inputs: int, first: int, second: int, outputs: int, slope: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, first),
        nn.LeakyReLU(slope),
        nn.Linear(first, second),
        nn.LeakyReLU(slope),
        nn.Linear(second, outputs),
    )
