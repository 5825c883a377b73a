"""Settings of 3DFaceCAM's networks. Plain values only: they travel in checkpoints."""

from dataclasses import dataclass

from facegen_core.types import ExpressionLabels


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
