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
            labels with unknowns left out (BP4D; the paper does not say which loss it used there).
    """

    hidden: tuple[int, int] = (1024, 512)
    identity_dim: int = 100
    expression_dim: int = 30
    negative_slope: float = 0.2
    reconstruction_weight: float = 1.0
    identity_weight: float = 1.0
    expression_weight: float = 1.0
    expression_labels: ExpressionLabels = "classes"


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
class CoMAConfig:
    """The convolutional mesh auto-encoder that stands beside 3DFaceCAM's networks, as its authors set it.

    From anuragranj/coma at 44daa20 and 2467165, tagged [C] here.

    Attributes:
        widths: filters of each convolution on the way down; the way up has them in reverse [C 16, 16, 16, 32].
        factors: how many vertices become one after each [C 4 each].
        order: Chebyshev polynomials in a filter [C 6].
        code_dim: length of the code [C 8].
    """

    widths: tuple[int, int, int, int] = (16, 16, 16, 32)
    factors: tuple[int, int, int, int] = (4, 4, 4, 4)
    order: int = 6
    code_dim: int = 8


@dataclass
class CoMAOptimConfig:
    """How CoMA is trained: stochastic gradient descent with momentum.

    Attributes:
        lr: learning rate at the start [C 8e-3].
        lr_decay: factor on it after each pass over the data [C 0.99].
        momentum: [C 0.9].
        weight_decay: of the dense layers alone, as in the released code [C 5e-4].
    """

    lr: float = 8e-3
    lr_decay: float = 0.99
    momentum: float = 0.9
    weight_decay: float = 5e-4
