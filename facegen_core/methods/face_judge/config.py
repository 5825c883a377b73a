"""Settings of the judges. Plain values only: they travel in checkpoints."""

from dataclasses import dataclass


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
