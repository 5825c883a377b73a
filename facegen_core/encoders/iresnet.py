"""iResNet (Duta et al., 2020) as insightface's arcface_torch trains it, with its names of parts and its sizes."""

from collections.abc import Sequence

from torch import Tensor, nn

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
"""Blocks of the four layers, by depth."""

CHANNELS = (64, 128, 256, 512)


class IResNet(nn.Module):
    """Pictures (B, 3, 112, 112) in [-1, 1] to features (B, 512), not of length 1.

    Args:
        blocks: of each of the four layers, such as ``BLOCKS[50]``.
    """

    def __init__(self, blocks: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        channels = (64, *CHANNELS)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            nn.Sequential(_Block(before, after, 2), *(_Block(after, after, 1) for _ in range(count - 1)))
            for before, after, count in zip(channels, CHANNELS, blocks, strict=False)
        )
        self.bn2 = nn.BatchNorm2d(512)
        self.fc = nn.Linear(512 * 7 * 7, 512)
        self.features = nn.BatchNorm1d(512)

    def forward(self, pictures: Tensor) -> Tensor:
        found = self.prelu(self.bn1(self.conv1(pictures)))
        found = self.layer4(self.layer3(self.layer2(self.layer1(found))))
        return self.features(self.fc(self.bn2(found).flatten(1)))


class _Block(nn.Module):
    def __init__(self, channels: int, wider: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, wider, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(wider)
        self.prelu = nn.PReLU(wider)
        self.conv2 = nn.Conv2d(wider, wider, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(wider)
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels, wider, 1, stride, bias=False), nn.BatchNorm2d(wider))
            if stride > 1
            else nn.Identity()
        )

    def forward(self, features: Tensor) -> Tensor:
        found = self.prelu(self.bn2(self.conv1(self.bn1(features))))
        return self.bn3(self.conv2(found)) + self.downsample(features)
