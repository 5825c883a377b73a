"""Settings of 3DFaceCAM's networks. Plain values only: they travel in checkpoints."""

from dataclasses import dataclass, field
from typing import Literal

from facegen_core.errors import ConfigError
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


@dataclass
class GrowthConfig:
    """How the texture GAN grows.

    Attributes:
        first_resolution: pixels of a side in the first phase [P 3.3]; the code begins at 8.
        last_resolution: of the finished textures [P 3.3].
        stable_images: real pictures shown at a resolution that is fully there (Karras et al. 2018; the paper says none,
            the code has 85,714 batches a resolution).
        fade_images: real pictures shown while a resolution fades in.
        batch: pictures in a batch, for each resolution from the first to the last (Karras et al. 2018, one GPU).
    """

    first_resolution: int = 16
    last_resolution: int = 512
    stable_images: int = 600_000
    fade_images: int = 600_000
    batch: list[int] = field(default_factory=lambda: [128, 64, 32, 16, 8, 4])

    def check(self) -> None:
        """Refuses sizes that cannot be grown."""
        sizes = [8 * 2**i for i in range(8)]  # the critic has no entrance at 4
        if self.first_resolution not in sizes or self.last_resolution not in sizes:
            raise ConfigError(f"model.growth: resolutions are powers of two from {sizes[0]} to {sizes[-1]}.")
        phases = sizes.index(self.last_resolution) - sizes.index(self.first_resolution) + 1
        if phases < 1 or len(self.batch) != phases or min(self.batch) < 1:
            raise ConfigError(
                f"model.growth.batch = {self.batch}: needs {phases} sizes, one for each resolution from "
                f"{self.first_resolution} to {self.last_resolution}."
            )
        if self.stable_images < 1 or self.fade_images < 1:
            raise ConfigError("model.growth: stable_images and fade_images must be 1 or more.")


@dataclass
class TextureGANConfig:
    """The texture GAN (TextureProGAN).

    Attributes:
        width: features at low resolutions, of which higher ones have shares [C].
        noise_dim: length of the noise [P 3.3]; the code has 128.
        negative_slope: of every LeakyReLU [P]; the code has 0.1.
        deviation_group: pictures in a group of the minibatch's deviation (Karras et al. 2018); the code: all.
        penalty_weight: of the gradient penalty [P, C].
        drift_weight: of the squared scores of real pictures [P, C].
        class_weight: of the class losses [C].
        growth: resolutions, pictures and batches.
    """

    width: int = 256
    noise_dim: int = 256
    negative_slope: float = 0.2
    deviation_group: int = 4
    penalty_weight: float = 10.0
    drift_weight: float = 0.001
    class_weight: float = 1.0
    growth: GrowthConfig = field(default_factory=GrowthConfig)


@dataclass
class TextureSizes:
    """What the data and the z_id table decide about the texture GAN.

    Attributes:
        identity_code_dim: length of z_id.
        identities: identities trained on.
        expressions: expression classes, or action units.
        whole_maps: pictures are whole texture maps (PRNet's), and not the face's part of them.
    """

    identity_code_dim: int
    identities: int
    expressions: int
    whole_maps: bool = False


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
    """How CoMA is trained.

    Attributes:
        method: "momentum": stochastic gradient descent with momentum [C]. "adam" learns in minutes what the other takes
            hours for, and is what the demo uses.
        lr: learning rate at the start [C 8e-3].
        lr_decay: factor on it after each pass over the data [C 0.99].
        momentum: [C 0.9]; Adam's is 0.9 as well.
        weight_decay: of the dense layers alone, as in the released code [C 5e-4].
    """

    method: Literal["momentum", "adam"] = "momentum"
    lr: float = 8e-3
    lr_decay: float = 0.99
    momentum: float = 0.9
    weight_decay: float = 5e-4

    def check(self) -> None:
        """Refuses what no optimiser can work with."""
        shares = (self.lr_decay, self.momentum)
        if self.lr <= 0 or self.weight_decay < 0 or self.lr_decay <= 0 or not all(0 <= share <= 1 for share in shares):
            raise ConfigError(
                f"optim: lr = {self.lr} must be above 0, lr_decay = {self.lr_decay} and momentum = {self.momentum} "
                f"shares up to 1, weight_decay = {self.weight_decay} 0 or more."
            )
