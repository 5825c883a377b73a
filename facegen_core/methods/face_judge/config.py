"""Settings of the judges. Plain values only: they travel in checkpoints."""

from dataclasses import dataclass, field

from facegen_core.errors import ConfigError


@dataclass
class TrunkConfig:
    """A residual network; see ``networks.trunk_of``.

    Attributes:
        stem: width of the first layer.
        widths: of the stages, at 32, 16, 8 and 4 pixels.
        blocks: residual blocks of each stage.
    """

    stem: int = 24
    widths: tuple[int, ...] = (32, 64, 128, 256)
    blocks: tuple[int, ...] = (1, 1, 1, 1)


@dataclass
class AugmentConfig:
    """How strongly pictures are changed.

    Attributes:
        light: standard deviation of the logarithm of a smooth light field, drawn at 3 x 3 places.
        gamma: of the logarithm of the exponent of tone.
        exposure: of the logarithm of the brightness.
        cast: of the logarithm of each colour's gain.
        grey: share of pictures that lose their colours, wholly or in part.
        contrast: standard deviation of the logarithm of the contrast.
        blur: share of pictures that are made smaller by 2 or 3 and larger again.
        noise: largest standard deviation of the sensor's noise.
        mask: share of pictures of which only the inner face is left, on another background.
        occlude: share of pictures with a rectangle of one colour on them.
        milder: share of pictures for which all this is weaker, by a factor drawn evenly from 0 to 1.
    """

    light: float = 0.36
    gamma: float = 0.3
    exposure: float = 0.3
    cast: float = 0.1
    grey: float = 0.7
    contrast: float = 0.2
    blur: float = 0.4
    noise: float = 0.06
    mask: float = 0.5
    occlude: float = 0.2
    milder: float = 0.0


@dataclass
class FaceJudgeConfig:
    """Both judges and how they learn.

    Attributes:
        identity: trunk of the identity judge.
        emotion: trunk of the emotion judge.
        embedding: length of the identity judge's embedding.
        temperature: of the contrastive loss.
        scale: length that embeddings are taken to have in the softmax over people.
        margin: of that softmax, on the cosine.
        softmax_weight: of that softmax beside the contrastive loss. In short runs it is in the way: after the same 3
            minutes on one core photographs seen hard and masked gave an AUC of 0.88 without it and 0.69 with weight 1.
        units_weight: of the squared error of action units beside the cross-entropy of emotions.
        identity_augment: what the identity judge's pictures go through.
        emotion_augment: what the emotion judge's pictures go through: more, since it leans on renders sooner.
        ramp: share of the run over which augmentation grows to its full strength.
        warmup_steps: over which the learning rate grows; then it falls to 0 along half a cosine.
    """

    identity: TrunkConfig = field(default_factory=TrunkConfig)
    emotion: TrunkConfig = field(default_factory=TrunkConfig)
    embedding: int = 128
    temperature: float = 0.1
    scale: float = 30.0
    margin: float = 0.2
    softmax_weight: float = 0.0
    units_weight: float = 4.0
    identity_augment: AugmentConfig = field(default_factory=AugmentConfig)
    emotion_augment: AugmentConfig = field(
        default_factory=lambda: AugmentConfig(
            light=0.6, gamma=0.45, cast=0.2, contrast=0.4, blur=0.8, noise=0.1, mask=0.3, milder=0.5
        )
    )
    ramp: float = 0.25
    warmup_steps: int = 100

    def check(self) -> None:
        """Refuses what cannot be built or does not end."""
        for name in ("identity", "emotion"):
            trunk: TrunkConfig = getattr(self, name)
            if not trunk.widths or len(trunk.widths) != len(trunk.blocks) or min(*trunk.widths, *trunk.blocks) < 1:
                raise ConfigError(f"model.{name}: widths and blocks must be as many as each other, each 1 or more.")
        if not 0 <= self.ramp <= 1 or self.temperature <= 0 or self.warmup_steps < 1:
            raise ConfigError(
                "model.ramp must lie between 0 and 1, temperature above 0, and warmup_steps must be 1 or more."
            )
