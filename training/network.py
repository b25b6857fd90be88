"""The demo network: a small U-shaped residual network with heads at a quarter and at half of the
input's resolution, as HigherHRNet has them (Cheng et al., 2020).

The recipe's sizes come from trials on two CPU cores: 1.45 M parameters and 1.3 GFLOP at 256×256.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

KEYPOINT_COUNT = 17

# ImageNet's, in the order blue, green, red; the values only have to centre and scale.
_MEAN_BGR = (103.53, 116.28, 123.675)
_DEVIATION_BGR = (57.375, 57.12, 58.395)


class PoseNetwork(nn.Module):
    """Frames (B, 3, H, W) BGR in 0..255, H and W multiples of 32, to two maps of cells.

    The first, (B, 34, H/4, W/4), holds 17 heatmaps and then 17 tag maps; the second,
    (B, 17, H/2, W/2), holds heatmaps alone.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN_BGR).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(_DEVIATION_BGR).view(1, 3, 1, 1))
        self.stem = nn.Sequential(_convolution(3, 16, stride=2), _convolution(16, 32, stride=2))
        self.down4 = _Residual(32)
        self.down8 = _stage(32, 56)
        self.down16 = _stage(56, 96)
        self.down32 = _stage(96, 128)
        self.up16 = _Merge(96, 128, 80)
        self.up8 = _Merge(56, 80, 48)
        self.up4 = _Merge(32, 48, 32)
        self.quarter_head = nn.Conv2d(32, 2 * KEYPOINT_COUNT, kernel_size=1)
        self.upsample = nn.Sequential(
            nn.Conv2d(32 + 2 * KEYPOINT_COUNT, 64, kernel_size=1, bias=False),
            nn.PixelShuffle(2),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
            _Residual(16),
        )
        self.half_head = nn.Conv2d(16, KEYPOINT_COUNT, kernel_size=1)
        self._initialise()

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        at4 = self.down4(self.stem((frames - self.mean) / self.deviation))
        at8 = self.down8(at4)
        at16 = self.down16(at8)
        at32 = self.down32(at16)
        features = self.up4(at4, self.up8(at8, self.up16(at16, at32)))
        quarter = self.quarter_head(features)
        half = self.half_head(self.upsample(torch.cat([features, quarter], dim=1)))
        return quarter, half

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, _Residual):
                # A block that begins close to the identity lets the gradient through at once.
                nn.init.constant_(module.second[1].weight, 0.5)
        for head, deviation in ((self.quarter_head, 0.02), (self.half_head, 0.01)):
            nn.init.normal_(head.weight, std=deviation)
            nn.init.zeros_(head.bias)


class ServedNetwork(nn.Module):
    """What the server runs: uint8 frames (1, H, W, 3) to (embeddings, heatmaps).

    Both are (1, 17, H/2, W/2). The heatmaps are signed as HigherHRNet's: the mean of both heads,
    cut below zero, and negated wherever a 5×5 neighbour is warmer.
    """

    def __init__(self, network: PoseNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        quarter, half = self.network(frames.permute(0, 3, 1, 2).to(torch.float32))
        quarter = functional.interpolate(
            quarter, scale_factor=2, mode="bilinear", align_corners=False
        )
        heat = functional.relu((quarter[:, :KEYPOINT_COUNT] + half) / 2)
        peaks = functional.max_pool2d(heat, kernel_size=5, stride=1, padding=2) == heat
        return quarter[:, KEYPOINT_COUNT:], heat * (2 * peaks.to(torch.float32) - 1)


class _Residual(nn.Module):
    """Two 3×3 convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(self.second(self.first(features)) + features, inplace=True)


class _Merge(nn.Module):
    """Features of one resolution, joined with those of half of it."""

    def __init__(self, fine: int, coarse: int, channels: int) -> None:
        super().__init__()
        self.fine = _projection(fine, channels)
        self.coarse = _projection(coarse, channels)
        self.block = _Residual(channels)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        widened = functional.interpolate(self.coarse(coarse), scale_factor=2, mode="nearest")
        return self.block(functional.relu(self.fine(fine) + widened, inplace=True))


def _convolution(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _projection(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=1, bias=False), nn.BatchNorm2d(outputs)
    )


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        _convolution(inputs, outputs, stride=2), _Residual(outputs), _Residual(outputs)
    )
