"""IR-SE50: the face recognition network whose features the emotion paper's identity loss compares.

Parts are named as in the released model_ir_se50.pth, so that its file loads as it is: 43,797,696 parameters.
"""

import torch.nn.functional as F
from torch import Tensor, nn

# Channels and blocks of the four stages; the first block of each halves the picture.
STAGES = ((64, 3), (128, 4), (256, 14), (512, 3))
SQUEEZE = 16


class IRSE50(nn.Module):
    """Pictures (B, 3, 112, 112) in [-1, 1] to features (B, 512) of length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        blocks, channels = [], 64
        for wider, count in STAGES:
            blocks += [_Block(channels, wider, 2)] + [_Block(wider, wider, 1) for _ in range(count - 1)]
            channels = wider
        self.body = nn.Sequential(*blocks)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512), nn.Dropout(0.5), nn.Flatten(), nn.Linear(512 * 7 * 7, 512), nn.BatchNorm1d(512)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        return F.normalize(self.output_layer(self.body(self.input_layer(pictures))), dim=1)


class _Block(nn.Module):
    """A residual block that weighs its channels by what the whole picture says of them."""

    def __init__(self, channels: int, wider: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = (
            nn.MaxPool2d(1, stride)
            if channels == wider
            else nn.Sequential(nn.Conv2d(channels, wider, 1, stride, bias=False), nn.BatchNorm2d(wider))
        )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, wider, 3, padding=1, bias=False),
            nn.PReLU(wider),
            nn.Conv2d(wider, wider, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(wider),
            _SqueezeExcite(wider),
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.res_layer(features) + self.shortcut_layer(features)


class _SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // SQUEEZE, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // SQUEEZE, channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        summary = features.mean((2, 3), keepdim=True)
        return features * self.fc2(self.fc1(summary).relu()).sigmoid()
