"""Shows: which of two blocks is cheaper, and where the saving comes from."""

from collections import OrderedDict

from torch import nn

import archcalc


def dense(channels: int) -> nn.Sequential:
    """A 3x3 convolution from every channel to every channel."""
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(channels, channels, 3, padding=1)))


def separable(channels: int) -> nn.Sequential:
    """A 3x3 convolution of each channel by itself, then a 1x1 convolution that mixes them."""
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
            pointwise=nn.Conv2d(channels, channels, 1),
        )
    )


first = archcalc.analyze(dense(256), (1, 256, 28, 28))
second = archcalc.analyze(separable(256), (1, 256, 28, 28))
for report in (first, second):
    for row in report.rows:
        print(f"{row.path:<10} {row.params:>8,} params {row.macs:>12,} mult-adds")

print(f"params    {first.total('params') / second.total('params'):.1f} times fewer")
print(f"mult-adds {first.total('macs') / second.total('macs'):.1f} times fewer")
