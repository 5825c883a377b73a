"""The discriminator of patches (Isola et al. 2017) that VQGAN trains against."""

from torch import Tensor, nn

from facegen_core.methods.emotion_ldm.vqgan_config import DiscriminatorConfig

MOST_WIDENED = 8


class PatchDiscriminator(nn.Module):
    """Pictures (B, 3, R, R) in [-1, 1] -> scores (B, 1, h, w), high where a patch looks real.

    Convolutions of 4 x 4 that halve the picture and double the channels up to eightfold, one more that does not halve
    it, and one that scores; batch normalisation but for the first and last. Weights are drawn from N(0, 0.02), those of
    the normalisation from N(1, 0.02) [A].

    Args:
        config: its size.
    """

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        widths = [config.width * min(2**i, MOST_WIDENED) for i in range(config.layers + 1)]
        layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for i in range(1, len(widths)):
            stride = 1 if i == config.layers else 2
            layers += [
                nn.Conv2d(widths[i - 1], widths[i], 4, stride, 1, bias=False),
                nn.BatchNorm2d(widths[i]),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 1))
        self.apply(_initialise)

    def forward(self, pictures: Tensor) -> Tensor:
        scores: Tensor = self.layers(pictures)
        return scores.float()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
