"""Networks of other families, written from their papers; torchvision prints the size of each on its page of models."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EncoderBlock(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.perceptron = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.perceptron(self.norm2(x))


class VisionTransformer(nn.Module):
    """Dosovitskiy 2021, table 1."""

    input_shape = (3, 224, 224)

    def __init__(self, patch: int, width: int, heads: int, hidden: int, blocks: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + (224 // patch) ** 2, width))
        self.blocks = nn.Sequential(*[EncoderBlock(width, heads, hidden) for _ in range(blocks)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


class DenseLayer(nn.Module):
    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(channels), nn.Conv2d(channels, 4 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * growth), nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, features: list[Tensor]) -> Tensor:
        x = self.conv1(F.relu(self.norm1(torch.cat(features, 1))))
        return self.conv2(F.relu(self.norm2(x)))


class DenseBlock(nn.Module):
    def __init__(self, channels: int, growth: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([DenseLayer(channels + at * growth, growth) for at in range(layers)])

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.layers:
            features.append(layer(features))
        return torch.cat(features, 1)


def densenet(growth: int, *blocks: int) -> nn.Module:
    """Huang 2017, table 1."""
    channels = 2 * growth
    parts: list[nn.Module] = [nn.Conv2d(3, channels, 7, 2, 3, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
    parts.append(nn.MaxPool2d(3, 2, 1))
    for at, layers in enumerate(blocks):
        parts.append(DenseBlock(channels, growth, layers))
        channels += layers * growth
        parts += [nn.BatchNorm2d(channels), nn.ReLU()]
        if at < len(blocks) - 1:
            parts += [nn.Conv2d(channels, channels // 2, 1, bias=False), nn.AvgPool2d(2)]
            channels //= 2
    return imagenet(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


class ConvNextBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.perceptron = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.scale = nn.Parameter(torch.full((width, 1, 1), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        y = self.perceptron(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))
        return x + self.scale * y.permute(0, 3, 1, 2)


class ChannelNorm(nn.LayerNorm):
    """Over the channels of images."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def convnext(depths: tuple[int, ...], widths: tuple[int, ...]) -> nn.Module:
    """Liu 2022, section 3 and table 9."""
    parts: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, 4), ChannelNorm(widths[0])]
    for at, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        if at:
            parts += [ChannelNorm(widths[at - 1]), nn.Conv2d(widths[at - 1], width, 2, 2)]
        parts += [ConvNextBlock(width) for _ in range(depth)]
    last = widths[-1]
    return imagenet(*parts, nn.AdaptiveAvgPool2d(1), ChannelNorm(last), nn.Flatten(), nn.Linear(last, 1000))


class InvertedResidual(nn.Module):
    def __init__(self, channels: int, out: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = channels * expansion
        wider = [normed(channels, hidden, 1), nn.ReLU6()] if expansion > 1 else []
        depthwise = normed(hidden, hidden, 3, stride, groups=hidden)
        self.branch = nn.Sequential(*wider, depthwise, nn.ReLU6(), normed(hidden, out, 1))
        self.shortcut = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x) if self.shortcut else self.branch(x)


def normed(channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
    """A convolution without bias, and its batch norm."""
    conv = nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out))


def mobilenet_v2() -> nn.Module:
    """Sandler 2018, table 2."""
    parts: list[nn.Module] = [normed(3, 32, 3, 2), nn.ReLU6()]
    channels = 32
    for expansion, out, repeats, stride in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        for at in range(repeats):
            parts.append(InvertedResidual(channels, out, stride if at == 0 else 1, expansion))
            channels = out
    head = [normed(channels, 1280, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return imagenet(*parts, *head, nn.Dropout(0.2), nn.Linear(1280, 1000))


def imagenet(*parts: nn.Module) -> nn.Module:
    """In a row, on images of ImageNet's usual size."""
    net: Any = nn.Sequential(*parts)
    net.input_shape = (3, 224, 224)
    return net


def vit_b_16() -> nn.Module:
    return VisionTransformer(16, 768, 12, 3072, 12)


def densenet121() -> nn.Module:
    return densenet(32, 6, 12, 24, 16)


def convnext_tiny() -> nn.Module:
    return convnext((3, 3, 9, 3), (96, 192, 384, 768))
