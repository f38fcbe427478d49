"""VGG (Simonyan 2014, Table 1), and its argument for small kernels (section 2.3) as single pieces."""

from __future__ import annotations

from torch import nn

from archcalc.zoo.building_blocks import Layers, classifier, glorot, relu, response_norm, sequence
from archcalc.zoo.registry import register

Column = tuple[tuple[int, ...], ...]  # the kernel of every convolution, stage by stage

# Table 1: every column has the same five stages, each ended by a 2×2 pool that halves 224 down to 7.
FILTERS = (64, 128, 256, 512, 512)
A: Column = ((3,), (3,), (3, 3), (3, 3), (3, 3))
B: Column = ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3))
C: Column = ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1))
D: Column = ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3))
E: Column = ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3))


def _same(channels: int, filters: int, kernel: int, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(channels, filters, kernel, padding=kernel // 2, bias=bias)


def _vgg(column: Column, num_classes: int, in_channels: int, lrn: bool = False) -> nn.Sequential:
    layers: Layers = {}
    for stage, (kernels, filters) in enumerate(zip(column, FILTERS, strict=True), start=1):
        for index, kernel in enumerate(kernels, start=1):
            layers[f"conv{stage}_{index}"] = _same(in_channels, filters, kernel)
            layers[f"relu{stage}_{index}"] = relu()
            in_channels = filters
        if lrn and stage == 1:
            layers["norm1_1"] = response_norm()
        layers[f"pool{stage}"] = nn.MaxPool2d(2, stride=2)
    return glorot(sequence(layers | classifier(in_channels * 7 * 7, num_classes)))


@register(
    "vgg11",
    year=2014,
    source="Simonyan 2014, Table 1, column A",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, one scale, dense", 29.6, 10.4),),
)
def vgg11(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Eleven weight layers, eight of them 3×3 convolutions."""
    return _vgg(A, num_classes, in_channels)


@register(
    "vgg11-lrn",
    year=2014,
    source="Simonyan 2014, Table 1, column A-LRN",
    input_shape=(3, 224, 224),
    variant_of="vgg11",
    errors=(("ImageNet val, one scale, dense", 29.7, 10.5),),
)
def vgg11_lrn(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """vgg11 with AlexNet's response normalisation after conv1_1, which bought nothing."""
    return _vgg(A, num_classes, in_channels, lrn=True)


@register(
    "vgg13",
    year=2014,
    source="Simonyan 2014, Table 1, column B",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, one scale, dense", 28.7, 9.9),),
)
def vgg13(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Thirteen weight layers: two convolutions in every stage."""
    return _vgg(B, num_classes, in_channels)


@register(
    "vgg16-1x1",
    year=2014,
    source="Simonyan 2014, Table 1, column C",
    input_shape=(3, 224, 224),
    variant_of="vgg16",
    errors=(("ImageNet val, one scale, dense", 27.3, 8.8),),
)
def vgg16_1x1(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Sixteen weight layers, of which conv3_3, conv4_3 and conv5_3 are 1×1."""
    return _vgg(C, num_classes, in_channels)


@register(
    "vgg16",
    year=2014,
    source="Simonyan 2014, Table 1, column D",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, one scale, dense", 25.6, 8.1),),
)
def vgg16(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Sixteen weight layers, every convolution 3×3."""
    return _vgg(D, num_classes, in_channels)


@register(
    "vgg19",
    year=2014,
    source="Simonyan 2014, Table 1, column E",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, one scale, dense", 25.5, 8.0),),
)
def vgg19(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Nineteen weight layers."""
    return _vgg(E, num_classes, in_channels)


def _stack(kernel: int, depth: int, channels: int) -> nn.Sequential:
    """Convolutions with a ReLU after each; without biases, so that their weights compare as 25C² against 18C²."""
    layers: Layers = {}
    for index in range(1, depth + 1):
        layers[f"conv{index}"] = _same(channels, channels, kernel, bias=False)
        layers[f"relu{index}"] = relu()
    return sequence(layers)


@register("conv5x5", year=2014, source="Simonyan 2014, section 2.3", input_shape=(64, 56, 56))
def conv5x5(channels: int = 64) -> nn.Sequential:
    """One 5×5 convolution: 25C² weights."""
    return _stack(5, 1, channels)


@register(
    "conv3x3-twice", year=2014, source="Simonyan 2014, section 2.3", input_shape=(64, 56, 56), variant_of="conv5x5"
)
def conv3x3_twice(channels: int = 64) -> nn.Sequential:
    """Two 3×3 convolutions, which see 5×5 as well: 18C² weights and one more ReLU."""
    return _stack(3, 2, channels)


@register("conv7x7", year=2014, source="Simonyan 2014, section 2.3", input_shape=(64, 56, 56))
def conv7x7(channels: int = 64) -> nn.Sequential:
    """One 7×7 convolution: 49C² weights."""
    return _stack(7, 1, channels)


@register(
    "conv3x3-thrice", year=2014, source="Simonyan 2014, section 2.3", input_shape=(64, 56, 56), variant_of="conv7x7"
)
def conv3x3_thrice(channels: int = 64) -> nn.Sequential:
    """Three 3×3 convolutions, which see 7×7 as well: 27C² weights and two more ReLUs."""
    return _stack(3, 3, channels)
