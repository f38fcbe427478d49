"""What every registered network must cost, derived by hand or quoted from facts.md, never from the code under test.

PARAMS are trainable numbers, biases and batch normalisation included; MACS are the multiply-adds of convolutions and
matrix products on one image of the registered size, without biases, in evaluation.
"""

from __future__ import annotations


def conv(size: int, kernel: int, inputs: int, filters: int) -> int:
    """Multiply-adds of a convolution that gives size×size positions."""
    return size**2 * kernel**2 * inputs * filters


def vgg_macs(*kernels_by_stage: tuple[int, ...]) -> int:
    """Simonyan 2014, Table 1: the image is 224×224 in the first stage and halves after each."""
    macs, inputs = 0, 3
    for stage, (filters, kernels) in enumerate(zip((64, 128, 256, 512, 512), kernels_by_stage, strict=True)):
        for kernel in kernels:
            macs += conv(224 >> stage, kernel, inputs, filters)
            inputs = filters
    return macs + 7 * 7 * 512 * 4096 + 4096 * 4096 + 4096 * 1000


def two_stage(size: int, inputs: int, reduce: int, kernel: int, filters: int) -> int:
    """A 1×1 to `reduce` channels, then kernel×kernel."""
    return conv(size, 1, inputs, reduce) + conv(size, kernel, reduce, filters)


# The three projections of a basic ResNet: 64 -> 128 at 28×28, 128 -> 256 at 14×14, 256 -> 512 at 7×7.
PROJECTION_PARAMS = (64 * 128 + 2 * 128) + (128 * 256 + 2 * 256) + (256 * 512 + 2 * 512)
PROJECTION_MACS = conv(28, 1, 64, 128) + conv(14, 1, 128, 256) + conv(7, 1, 256, 512)

Convs = tuple[tuple[int, int, int, int], ...]

# Szegedy 2016, Figures 3 to 8: output size, kernel positions, input channels and filters of every convolution.
V4_STEM: Convs = ((149, 9, 3, 32), (147, 9, 32, 32), (147, 9, 32, 64), (73, 9, 64, 96), (73, 1, 160, 64))
V4_STEM += ((71, 9, 64, 96), (73, 1, 160, 64), (73, 7, 64, 64), (73, 7, 64, 64), (71, 9, 64, 96), (35, 9, 192, 192))
V4_A: Convs = ((35, 1, 384, 96), (35, 1, 384, 96), (35, 1, 384, 64), (35, 9, 64, 96))
V4_A += ((35, 1, 384, 64), (35, 9, 64, 96), (35, 9, 96, 96))
V4_REDUCTION_A: Convs = ((17, 9, 384, 384), (35, 1, 384, 192), (35, 9, 192, 224), (17, 9, 224, 256))
V4_B: Convs = ((17, 1, 1024, 128), (17, 1, 1024, 384), (17, 1, 1024, 192), (17, 7, 192, 224), (17, 7, 224, 256))
V4_B += ((17, 1, 1024, 192), (17, 7, 192, 192), (17, 7, 192, 224), (17, 7, 224, 224), (17, 7, 224, 256))
V4_REDUCTION_B: Convs = ((17, 1, 1024, 192), (8, 9, 192, 192))
V4_REDUCTION_B += ((17, 1, 1024, 256), (17, 7, 256, 256), (17, 7, 256, 320), (8, 9, 320, 320))
V4_C: Convs = ((8, 1, 1536, 256), (8, 1, 1536, 256), (8, 1, 1536, 384), (8, 3, 384, 256), (8, 3, 384, 256))
V4_C += ((8, 1, 1536, 384), (8, 3, 384, 448), (8, 3, 448, 512), (8, 3, 512, 256), (8, 3, 512, 256))
V4 = V4_STEM + 4 * V4_A + V4_REDUCTION_A + 7 * V4_B + V4_REDUCTION_B + 3 * V4_C  # Figure 9


def cifar_params(n: int) -> int:
    """He 2015, section 4.2: 2n convolutions a stage, a scale and a shift a filter, and no shortcut that weighs."""
    params = (9 * 3 + 2) * 16 + (64 + 1) * 10
    for inputs, filters in ((16, 16), (16, 32), (32, 64)):
        params += (9 * inputs + 2) * filters + (2 * n - 1) * (9 * filters + 2) * filters
    return params


def cifar_macs(n: int) -> int:
    """The same convolutions on 32×32, 16×16 and 8×8."""
    macs = conv(32, 3, 3, 16) + 64 * 10
    for size, inputs, filters in ((32, 16, 16), (16, 16, 32), (8, 32, 64)):
        macs += conv(size, 3, inputs, filters) + (2 * n - 1) * conv(size, 3, filters, filters)
    return macs


def bottlenecks(n: int) -> list[tuple[int, int, int]]:
    """He 2016: output size, input channels and narrow channels of every unit; four times the latter leave it."""
    units = []
    for size, narrow, entering in ((32, 16, 16), (16, 32, 64), (8, 64, 128)):
        units += [(size, entering, narrow)] + (n - 1) * [(size, 4 * narrow, narrow)]
    return units


def preresnet_params(n: int) -> int:
    """Batch normalisation of what enters each convolution, and of what enters the average; three bare projections."""
    params = 9 * 3 * 16 + 16 * 64 + 64 * 128 + 128 * 256 + 2 * 256 + (256 + 1) * 10
    for _, inputs, narrow in bottlenecks(n):
        params += 2 * (inputs + narrow + narrow) + inputs * narrow + 9 * narrow**2 + narrow * 4 * narrow
    return params


def preresnet_macs(n: int) -> int:
    """The first 1×1 of a stage takes the stride, so that all of a unit runs at its output's size."""
    macs = conv(32, 3, 3, 16) + conv(32, 1, 16, 64) + conv(16, 1, 64, 128) + conv(8, 1, 128, 256) + 256 * 10
    for size, inputs, narrow in bottlenecks(n):
        macs += conv(size, 1, inputs, narrow) + conv(size, 3, narrow, narrow) + conv(size, 1, narrow, 4 * narrow)
    return macs


CIFAR_BLOCKS = {20: 3, 32: 5, 44: 7, 56: 9, 110: 18, 1202: 200}  # n, where the depth is 6n + 2
CIFAR = {f"resnet{depth}": n for depth, n in CIFAR_BLOCKS.items()}
CIFAR |= {f"plain{depth}": n for depth, n in CIFAR_BLOCKS.items() if depth < 1000}

LENET5_LAYERS = {
    "C1": (5 * 5 * 1 + 1) * 6,
    "S2": (1 + 1) * 6,
    "C3": (5 * 5 * 3 + 1) * 6 + (5 * 5 * 4 + 1) * 6 + (5 * 5 * 4 + 1) * 3 + (5 * 5 * 6 + 1) * 1,
    "S4": (1 + 1) * 16,
    "C5": (5 * 5 * 16 + 1) * 120,
    "F6": (120 + 1) * 84,
    "output": 0,
}
LENET5_MODERN_LAYERS = {
    "C1": (5 * 5 * 1 + 1) * 6,
    "C3": (5 * 5 * 6 + 1) * 16,
    "C5": (5 * 5 * 16 + 1) * 120,
    "F6": (120 + 1) * 84,
    "output": (84 + 1) * 10,
}
ALEXNET_LAYERS = {
    "conv1": (11 * 11 * 3 + 1) * 96,
    "conv2": (5 * 5 * 48 + 1) * 256,
    "conv3": (3 * 3 * 256 + 1) * 384,
    "conv4": (3 * 3 * 192 + 1) * 384,
    "conv5": (3 * 3 * 192 + 1) * 256,
    "fc6": (6 * 6 * 256 + 1) * 4096,
    "fc7": (4096 + 1) * 4096,
    "fc8": (4096 + 1) * 1000,
}

PARAMS: dict[str, int] = {
    "lenet5": sum(LENET5_LAYERS.values()),
    "lenet5-modern": sum(LENET5_MODERN_LAYERS.values()),
    "alexnet": sum(ALEXNET_LAYERS.values()),
    "alexnet-one-tower": 62378344,
    "alexnet-owt": 61100840,
    "vgg11": 132863336,
    "vgg11-lrn": 132863336,
    "vgg13": 133047848,
    "vgg16-1x1": 133638952,
    "vgg16": 138357544,
    "vgg19": 143667240,
    "conv5x5": 25 * 64**2,
    "conv3x3-twice": 18 * 64**2,
    "conv7x7": 49 * 64**2,
    "conv3x3-thrice": 27 * 64**2,
    "nin": 7595176,
    "nin-cifar10": 966986,
    "googlenet": 6998552 + 3188840 + 3190888,  # with the heads after 4a and 4d
    "inception-naive": (5 * 5 * 192 + 1) * 32,
    "inception-bottleneck": (192 + 1) * 16 + (5 * 5 * 16 + 1) * 32,
    "inception-4a-5x5-naive": (5 * 5 * 480 + 1) * 48,
    "inception-4a-5x5-bottleneck": (480 + 1) * 16 + (5 * 5 * 16 + 1) * 48,
    "inception-module": (192 + 1) * (64 + 96 + 16 + 32) + (9 * 96 + 1) * 128 + (25 * 16 + 1) * 32,
    "inception-module-naive": (192 + 1) * 64 + (9 * 192 + 1) * 128 + (25 * 192 + 1) * 32,
    "head-fc": 7 * 7 * 1024 * 1024,
    "head-gap": 0,
    "inception-v3": 23834568 + (27161264 - 23834568),  # with the head
    "conv3x3": 9 * 64**2,
    "conv1x3-3x1": (3 + 3) * 64**2,
    "conv1x7-7x1": (7 + 7) * 64**2,
    "inception-v4": sum((kernel * inputs + 2) * filters for _, kernel, inputs, filters in V4) + (1536 + 1) * 1000,
    "resnet18": 11689512,
    "resnet34": 21797672,
    "resnet50": 25557032,
    "resnet101": 44549160,
    "resnet152": 60192808,
    "resnet50-v1.5": 25557032,
    "resnet101-v1.5": 44549160,
    "resnet152-v1.5": 60192808,
    "plain18": 11689512 - PROJECTION_PARAMS,
    "plain34": 21797672 - PROJECTION_PARAMS,
    "residual-block": 2 * (9 * 64 * 64 + 2 * 64),
    "plain-block": 2 * (9 * 64 * 64 + 2 * 64),
    "residual-bottleneck": 69632 + 2 * (64 + 64 + 256),
    "residual-projection": 9 * 64 * 128 + 9 * 128 * 128 + 64 * 128 + 3 * (2 * 128),
    **{name: cifar_params(n) for name, n in CIFAR.items()},
    "preresnet110": cifar_params(18),  # the same convolutions, and the same widths to normalise
    "preresnet164": preresnet_params(18),
    "preresnet1001": preresnet_params(111),
}

MACS: dict[str, int] = {
    "lenet5": conv(28, 5, 1, 6) + 10 * 10 * 25 * (6 * 3 + 6 * 4 + 3 * 4 + 6) + conv(1, 5, 16, 120) + 120 * 84,
    "lenet5-modern": conv(28, 5, 1, 6) + conv(10, 5, 6, 16) + conv(1, 5, 16, 120) + 120 * 84 + 84 * 10,
    "alexnet": 105415200 + 223948800 + 149520384 + 112140288 + 74760192 + 37748736 + 16777216 + 4096000,
    "alexnet-one-tower": 1135256096,
    "alexnet-owt": 714188480,
    "vgg11": vgg_macs((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "vgg11-lrn": vgg_macs((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "vgg13": vgg_macs((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "vgg16-1x1": vgg_macs((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "vgg16": 15470264320,
    "vgg19": 19632062464,
    "conv5x5": conv(56, 5, 64, 64),
    "conv3x3-twice": 2 * conv(56, 3, 64, 64),
    "conv7x7": conv(56, 7, 64, 64),
    "conv3x3-thrice": 3 * conv(56, 3, 64, 64),
    "nin": 1100188800,
    "nin-cifar10": sum(
        (
            conv(32, 5, 3, 192) + conv(32, 1, 192, 160) + conv(32, 1, 160, 96),
            conv(16, 5, 96, 192) + 2 * conv(16, 1, 192, 192),
            conv(8, 3, 192, 192) + conv(8, 1, 192, 192) + conv(8, 1, 192, 10),
        )
    ),
    "googlenet": 1582671872,
    "inception-naive": 28 * 28 * 32 * (5 * 5 * 192),
    "inception-bottleneck": 2408448 + 10035200,
    "inception-4a-5x5-naive": 14 * 14 * 48 * (5 * 5 * 480),
    "inception-4a-5x5-bottleneck": 1505280 + 3763200,
    "inception-module": sum((conv(28, 1, 192, 64 + 32), two_stage(28, 192, 96, 3, 128), two_stage(28, 192, 16, 5, 32))),
    "inception-module-naive": conv(28, 1, 192, 64) + conv(28, 3, 192, 128) + conv(28, 5, 192, 32),
    "head-fc": 7 * 7 * 1024 * 1024,
    "head-gap": 0,
    "inception-v3": 5713216096,
    "conv3x3": conv(56, 3, 64, 64),
    "conv1x3-3x1": 56**2 * (3 + 3) * 64**2,
    "conv1x7-7x1": 56**2 * (7 + 7) * 64**2,
    "inception-v4": sum(size**2 * kernel * inputs * filters for size, kernel, inputs, filters in V4) + 1536 * 1000,
    "resnet18": 1814073344,
    "resnet34": 3663761408,
    "resnet50": 3857973248,
    "resnet101": 7570194432,
    "resnet152": 11282415616,
    "resnet50-v1.5": 4089184256,
    "resnet101-v1.5": 7801405440,
    "resnet152-v1.5": 11513626624,
    "plain18": 1814073344 - PROJECTION_MACS,
    "plain34": 3663761408 - PROJECTION_MACS,
    "residual-block": 2 * conv(56, 3, 64, 64),
    "plain-block": 2 * conv(56, 3, 64, 64),
    "residual-bottleneck": 56 * 56 * 69632,
    "residual-projection": conv(28, 3, 64, 128) + conv(28, 3, 128, 128) + conv(28, 1, 64, 128),
    **{name: cifar_macs(n) for name, n in CIFAR.items()},
    "preresnet110": cifar_macs(18),
    "preresnet164": preresnet_macs(18),
    "preresnet1001": preresnet_macs(111),
}

OUTPUTS: dict[str, tuple[int, ...]] = {
    "lenet5": (10,),
    "lenet5-modern": (10,),
    "nin-cifar10": (10,),
    "conv5x5": (64, 56, 56),
    "conv3x3-twice": (64, 56, 56),
    "conv7x7": (64, 56, 56),
    "conv3x3-thrice": (64, 56, 56),
    "inception-naive": (32, 28, 28),
    "inception-bottleneck": (32, 28, 28),
    "inception-4a-5x5-naive": (48, 14, 14),
    "inception-4a-5x5-bottleneck": (48, 14, 14),
    "inception-module": (256, 28, 28),
    "inception-module-naive": (64 + 128 + 32 + 192, 28, 28),
    "head-fc": (1024,),
    "head-gap": (1024,),
    "residual-block": (64, 56, 56),
    "plain-block": (64, 56, 56),
    "residual-bottleneck": (256, 56, 56),
    "residual-projection": (128, 28, 28),
    "conv3x3": (64, 56, 56),
    "conv1x3-3x1": (64, 56, 56),
    "conv1x7-7x1": (64, 56, 56),
    **dict.fromkeys((*CIFAR, "preresnet110", "preresnet164", "preresnet1001"), (10,)),
}
"""C×H×W, or the units of a classifier; a network that is not here has 1000 classes."""

WHOLE = [name for name in PARAMS if len(OUTPUTS.get(name, (1000,))) == 1 and not name.startswith("head-")]
"""The whole networks, which classify images; the others are pieces."""
