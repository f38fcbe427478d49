"""Networks at random, from a seed: legal ones only, of every kind of block that moves or widens a receptive field."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = 4
Layers = dict[int, Callable[..., nn.Module]]  # by the number of axes
CONV: Layers = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: Layers = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
MAX_POOL: Layers = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOL: Layers = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
BATCH_NORM: Layers = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


class Call(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Tensor], *modules: nn.Module) -> None:
        super().__init__()
        self.function, self.inner = function, nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.inner)


def same(axes: int, kernel: tuple[int, ...], dilation: int = 1, stride: int = 1) -> nn.Module:
    """A convolution of odd kernels that gives every stride-th position."""
    padding = tuple(dilation * (k // 2) for k in kernel)
    return CONV[axes](CHANNELS, CHANNELS, kernel, stride, padding, dilation)


def convolution(random: Random, axes: int) -> nn.Module:
    kernel = tuple(random.randint(1, 5) for _ in range(axes))
    stride = tuple(random.choice((1, 1, 2, 3)) for _ in range(axes))
    padding = tuple(random.randint(0, k) for k in kernel)
    dilation = tuple(random.choice((1, 1, 2, 3)) for _ in range(axes))
    groups = random.choice((1, 2, CHANNELS))
    if random.random() < 0.2:
        return CONV[axes](CHANNELS, CHANNELS, kernel, 1, "same", dilation)
    conv = CONV[axes](CHANNELS, CHANNELS, kernel, stride, padding, dilation, groups)
    return nn.Sequential(conv, BATCH_NORM[axes](CHANNELS), nn.ReLU(inplace=True))


def pool(random: Random, axes: int) -> nn.Module:
    kernel, stride = random.randint(1, 4), random.choice((None, 1, 2, 3))
    padding, ceil = random.randint(0, kernel // 2), random.random() < 0.5
    if random.random() < 0.5:
        return AVERAGE_POOL[axes](kernel, stride, padding, ceil_mode=ceil)
    return MAX_POOL[axes](kernel, stride, padding, dilation=random.choice((1, 2)), ceil_mode=ceil)


def odd_kernel(random: Random, axes: int) -> tuple[int, ...]:
    return tuple(random.choice((1, 3, 5, 7)) for _ in range(axes))


def residual(random: Random, axes: int) -> nn.Module:
    stride = random.choice((1, 2))
    layers = [same(axes, odd_kernel(random, axes), random.choice((1, 2)), stride), nn.ReLU()]
    layers += [same(axes, (3,) * axes) for _ in range(random.randint(0, 1))]
    main = nn.Sequential(*layers)
    if random.random() < 0.5:
        return Call(lambda x, f: f(x) + x[(..., *[slice(None, None, stride)] * axes)], main)
    return Call(lambda x, f, h: F.relu(f(x) + h(x)), main, same(axes, (1,) * axes, stride=stride))


def inception(random: Random, axes: int) -> nn.Module:
    """Branches of one stride: 1x1, wide or dilated, 1x7 then 7x1, a pool, an even kernel padded on one side."""
    stride = random.choice((1, 1, 2))
    long = [1] * axes
    long[random.randrange(axes)] = 7
    even = CONV[axes](CHANNELS, CHANNELS, 2, stride)
    side = random.choice(((1, 0), (0, 1)))
    branches: list[nn.Module] = [
        same(axes, (1,) * axes, stride=stride),
        same(axes, odd_kernel(random, axes), random.choice((1, 2)), stride),
        nn.Sequential(same(axes, tuple(long)), same(axes, tuple(long[::-1]), stride=stride)),
        AVERAGE_POOL[axes](3, stride, 1),
        Call(lambda x, conv: conv(F.pad(x, side * axes)), even),
        Call(lambda x, conv: conv(x)[(slice(None), slice(None), *[slice(0, -1)] * axes)], conv_one_too_many(axes)),
    ]
    if stride > 1:
        branches.pop()
    chosen = random.sample(branches, random.randint(2, 4))
    mix = CONV[axes](CHANNELS * len(chosen), CHANNELS, 1)
    return Call(lambda x, mix, *each: mix(torch.cat([branch(x) for branch in each], 1)), mix, *chosen)


def conv_one_too_many(axes: int) -> nn.Module:
    return CONV[axes](CHANNELS, CHANNELS, 4, padding=2)


def transposed(random: Random, axes: int) -> nn.Module:
    stride = random.choice((1, 2, 3))
    kernel = random.randint(stride, 5)  # a smaller one leaves units that see nothing
    more = random.randint(0, stride - 1)
    return TRANSPOSED[axes](CHANNELS, CHANNELS, kernel, stride, random.randint(0, (kernel - 1) // 2), more)


def upsampling(random: Random, axes: int) -> nn.Module:
    factor = tuple(random.choice((2, 3)) for _ in range(axes))
    mode = random.choice(("nearest", "nearest-exact", LINEAR[axes]))
    if random.random() < 0.5:
        return nn.Upsample(scale_factor=factor, mode=mode)
    return Call(lambda x: F.interpolate(x, [n * f for n, f in zip(x.shape[2:], factor, strict=True)], mode=mode))


def shuffle(random: Random, axes: int) -> nn.Module:
    if axes != 2:
        return upsampling(random, axes)
    factor = random.choice((2, 3))
    if random.random() < 0.5:
        return nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS * factor**2, 1), nn.PixelShuffle(factor))

    def crop(x: Tensor) -> Tensor:
        height, width = (size // factor * factor for size in x.shape[2:])
        return x[:, :, :height, :width]

    return nn.Sequential(Call(crop), nn.PixelUnshuffle(factor), nn.Conv2d(CHANNELS * factor**2, CHANNELS, 1))


def border(random: Random, axes: int) -> nn.Module:
    pads = [random.randint(-1, 3) for _ in range(2 * axes)]
    return Call(lambda x: F.pad(x, pads))


def channels_last(random: Random, axes: int) -> nn.Module:
    """ConvNeXt's: a depthwise convolution, then linear layers on the channels."""
    depthwise = CONV[axes](CHANNELS, CHANNELS, 3, padding=1, groups=CHANNELS)
    wide, back = nn.Linear(CHANNELS, 8), nn.Linear(8, CHANNELS)
    there, home = (0, *range(2, axes + 2), 1), (0, axes + 1, *range(1, axes + 1))

    def block(x: Tensor, depthwise: nn.Module, norm: nn.Module, wide: nn.Module, back: nn.Module) -> Tensor:
        return x + back(F.gelu(wide(norm(depthwise(x).permute(there))))).permute(*home)

    return Call(block, depthwise, nn.LayerNorm(CHANNELS), wide, back)


def channel_shuffle(random: Random, axes: int) -> nn.Module:
    """ShuffleNet's: half of the channels go round the convolution, then the halves are interleaved."""
    half = CONV[axes](CHANNELS // 2, CHANNELS // 2, 3, padding=1)

    def block(x: Tensor, half: nn.Module) -> Tensor:
        kept, worked = x.chunk(2, 1)
        y = torch.stack((kept, half(worked)), 2)  # B×C/2×2×...
        return y.transpose(1, 2).reshape(x.shape)

    return Call(block, half)


BLOCKS: tuple[Callable[[Random, int], nn.Module], ...] = (
    convolution,
    convolution,
    pool,
    residual,
    inception,
    transposed,
    upsampling,
    shuffle,
    border,
)
BLOCKS += (channels_last, channel_shuffle)


def network(seed: int, axes: int, most: int = 6) -> nn.Sequential:
    """A row of blocks on CHANNELS channels, "0", "1" and so on, that never shrinks to less than three positions."""
    random = Random(seed)
    net = nn.Sequential()
    with torch.device("meta"):
        x = torch.empty(1, CHANNELS, *[24] * axes)
    for _ in range(random.randint(min(3, most - 1), most)):
        block = random.choice(BLOCKS)(random, axes)
        with torch.no_grad():
            try:
                after = block.to("meta").eval()(x)
            except RuntimeError:  # a window larger than what is left
                continue
        if all(3 <= size <= 80 for size in after.shape[2:]):
            net.append(block)
            x = after
    return net.to_empty(device="cpu")
