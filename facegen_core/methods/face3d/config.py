"""Settings of 3DFaceCAM's networks. Plain values only: they travel in checkpoints."""

from dataclasses import dataclass
from typing import Literal

from facegen_core.types import ExpressionLabels

IdentityCodeKind = Literal["gaussian", "one_hot"]


@dataclass
class SAEConfig:
    """The supervised shape auto-encoder.

    Attributes:
        hidden: widths of the two hidden layers, encoder order; the decoder uses them in reverse [P tables 3, 4].
        identity_dim: length of the identity code [P table 3].
        expression_dim: length of the expression code [P table 3].
        negative_slope: of every LeakyReLU [P tables 3, 4].
        reconstruction_weight: of the mean L1, in 1/mm [P eq. 1; C takes the mean where the paper writes a norm].
        identity_weight: of the identity cross-entropy [P eq. 1]. 0 with ``expression_weight=0`` is the unsupervised
            auto-encoder of the paper's figure 3.
        expression_weight: of the expression classification loss [P eq. 1].
        expression_labels: "classes": cross-entropy (FaceScape). "action_units": binary cross-entropy over multi-hot
            labels with unknowns left out (BP4D; the paper does not say which loss it used there). Null: as the data
            are labelled.
    """

    hidden: tuple[int, int] = (1024, 512)
    identity_dim: int = 100
    expression_dim: int = 30
    negative_slope: float = 0.2
    reconstruction_weight: float = 1.0
    identity_weight: float = 1.0
    expression_weight: float = 1.0
    expression_labels: ExpressionLabels | None = None


@dataclass
class MeshSizes:
    """What the data decide about the networks.

    Attributes:
        vertices: vertices a mesh has.
        identities: identities to tell apart, those trained on.
        expressions: expression classes, or action units.
    """

    vertices: int
    identities: int
    expressions: int


@dataclass
class ShapeGANConfig:
    """The shape GAN (ShapeCGAN), which makes the SAE's codes.

    Attributes:
        identity_code: "gaussian": a fixed draw from N(0, I) for every identity [C]. "one_hot": as many numbers as there
            are identities, the other variant of [P table 1].
        identity_code_dim: length of a Gaussian identity code [C].
        noise_dim: length of the noise that both generators share [C].
        generator_hidden: widths of both generators [P table 5]; the code has 256, 512, 1024.
        discriminator: "trunk": one network on both codes, three heads [P table 6]. "branches": a first layer each for
            the pair, the identity code and the expression code, so that a class head sees its own factor alone [C].
        discriminator_hidden: widths [P table 6].
        dropout: after every hidden layer of the discriminator, in its own steps and the generators' [C; P has none].
        negative_slope: of every LeakyReLU [P tables 5, 6].
        objective: "code": non-saturating, one sum for both generators, class losses of the discriminator on real codes
            alone [C]. "paper": saturating, each generator against its own class loss, class losses of the discriminator
            on generated codes too [P eq. 2-4]. The code's trains more steadily, since the saturating form gives the
            generators no gradient while the discriminator wins.
    """

    identity_code: IdentityCodeKind = "gaussian"
    identity_code_dim: int = 20
    noise_dim: int = 5
    generator_hidden: tuple[int, int, int] = (512, 512, 1024)
    discriminator: Literal["trunk", "branches"] = "trunk"
    discriminator_hidden: tuple[int, int, int] = (1024, 512, 256)
    dropout: float = 0.5
    negative_slope: float = 0.2
    objective: Literal["code", "paper"] = "code"


@dataclass
class CodeSizes:
    """What the SAE and the data decide about the shape GAN.

    Attributes:
        identity_dim: length of the SAE's identity code.
        expression_dim: length of the SAE's expression code.
        identity_code_dim: length of z_id.
        identities: identities trained on.
        expressions: expression classes, or action units.
    """

    identity_dim: int
    expression_dim: int
    identity_code_dim: int
    identities: int
    expressions: int
