"""Networks whose drawings are hard: skips of every length, several inputs and outputs, modules that run again."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def double(channels: int, out: int) -> nn.Sequential:
    layers = [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(out, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU())


class UNet(nn.Module):
    """Ronneberger 2015, figure 1, with padding."""

    def __init__(self, width: int = 64, depth: int = 4) -> None:
        super().__init__()
        widths = [width << at for at in range(depth + 1)]
        self.down = nn.ModuleList([double(1 if at == 0 else widths[at - 1], widths[at]) for at in range(depth)])
        self.pool = nn.MaxPool2d(2)
        self.bottom = double(widths[-2], widths[-1])
        self.up = nn.ModuleList([nn.ConvTranspose2d(2 * wide, wide, 2, 2) for wide in reversed(widths[:-1])])
        self.merge = nn.ModuleList([double(2 * wide, wide) for wide in reversed(widths[:-1])])
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottom(x)
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(torch.cat([skips.pop(), up(x)], 1))
        return self.head(x)


class TwoEnds(nn.Module):
    """Two inputs, two outputs, a shared module that runs twice, a gate, and a call that nothing reads."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
        self.gate = nn.Sequential(nn.Linear(8, 8), nn.Sigmoid())
        self.scale = nn.Parameter(torch.ones(8))

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        x = self.shared(self.shared(x))
        low, high = (x * self.gate(x) + y).chunk(2, -1)
        torch.exp(high)
        return torch.cat([low, high, y], -1), (F.relu(y) - x) * self.scale


class Crossed(nn.Module):
    """Every layer reads every one before it, in an order that crosses."""

    def __init__(self, layers: int = 6) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Sequential(nn.Linear(4 * at, 8), nn.Linear(8, 4)) for at in range(1, layers)])

    def forward(self, x: Tensor) -> Tensor:
        made = [x]
        for at, layer in enumerate(self.layers):
            made.append(layer(torch.cat(made[::-1] if at % 2 else made, -1)))
        return made[1] + made[-1] * made[2]
