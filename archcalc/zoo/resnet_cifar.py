"""ResNet on CIFAR-10 and its plain counterparts (He 2015, section 4.2).

6n + 2 weight layers: a 3×3 convolution, three stages of n blocks on maps of 32×32, 16×16 and 8×8, a linear layer.
Every shortcut is the identity, padded with zeros where the shape changes (option A), so that a residual net has
exactly the parameters of its plain counterpart.
"""

from __future__ import annotations

from functools import partial

from torch import nn

from archcalc.zoo.building_blocks import Layers, sequence
from archcalc.zoo.registry import register
from archcalc.zoo.resnet_blocks import Block, basic, conv_bn_relu, plain, stage

BLOCKS = {20: 3, 32: 5, 44: 7, 56: 9, 110: 18, 1202: 200}  # n, in each of the three stages


def _net(block: Block, n: int, num_classes: int, in_channels: int) -> nn.Sequential:
    """The section's table, with the stages called as in Table 1."""
    layers: Layers = {
        **conv_bn_relu(1, in_channels, 16, 3),  # 16×32×32
        "conv2_x": stage(2, block, n, 16, 16, stride=1),  # 16×32×32
        "conv3_x": stage(3, block, n, 16, 32, stride=2),  # 32×16×16
        "conv4_x": stage(4, block, n, 32, 64, stride=2),  # 64×8×8
        "average_pool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "fc": nn.Linear(64, num_classes),
    }
    return sequence(layers)


def _resnet(depth: int, num_classes: int, in_channels: int) -> nn.Sequential:
    return _net(partial(basic, option="A"), BLOCKS[depth], num_classes, in_channels)


def _plain(depth: int, num_classes: int, in_channels: int) -> nn.Sequential:
    return _net(plain, BLOCKS[depth], num_classes, in_channels)


@register(
    "resnet20",
    year=2015,
    source="He 2015, section 4.2 and Table 6",
    input_shape=(3, 32, 32),
    errors=(("CIFAR-10 test", 8.75, None),),
)
def resnet20(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """Nine blocks of two 3×3 convolutions on CIFAR-10."""
    return _resnet(20, num_classes, in_channels)


@register(
    "resnet32",
    year=2015,
    source="He 2015, section 4.2 and Table 6",
    input_shape=(3, 32, 32),
    errors=(("CIFAR-10 test", 7.51, None),),
)
def resnet32(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """Fifteen blocks of two 3×3 convolutions on CIFAR-10."""
    return _resnet(32, num_classes, in_channels)


@register(
    "resnet44",
    year=2015,
    source="He 2015, section 4.2 and Table 6",
    input_shape=(3, 32, 32),
    errors=(("CIFAR-10 test", 7.17, None),),
)
def resnet44(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """Twenty-one blocks of two 3×3 convolutions on CIFAR-10."""
    return _resnet(44, num_classes, in_channels)


@register(
    "resnet56",
    year=2015,
    source="He 2015, section 4.2 and Table 6",
    input_shape=(3, 32, 32),
    errors=(("CIFAR-10 test", 6.97, None),),
)
def resnet56(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """Twenty-seven blocks of two 3×3 convolutions on CIFAR-10."""
    return _resnet(56, num_classes, in_channels)


@register(
    "resnet110",
    year=2015,
    source="He 2015, section 4.2 and Table 6",
    input_shape=(3, 32, 32),
    errors=(("CIFAR-10 test", 6.43, None),),
)
def resnet110(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """Fifty-four blocks of two 3×3 convolutions on CIFAR-10."""
    return _resnet(110, num_classes, in_channels)


@register(
    "resnet1202",
    year=2015,
    source="He 2015, section 4.2 and Table 6",
    input_shape=(3, 32, 32),
    errors=(("CIFAR-10 test", 7.93, None),),
)
def resnet1202(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """Six hundred blocks of two 3×3 convolutions on CIFAR-10: it trains, and overfits."""
    return _resnet(1202, num_classes, in_channels)


@register(
    "plain20",
    year=2015,
    source="He 2015, section 4.2 and Figure 6",
    input_shape=(3, 32, 32),
    variant_of="resnet20",
)
def plain20(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """resnet20 without shortcuts."""
    return _plain(20, num_classes, in_channels)


@register(
    "plain32",
    year=2015,
    source="He 2015, section 4.2 and Figure 6",
    input_shape=(3, 32, 32),
    variant_of="resnet32",
)
def plain32(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """resnet32 without shortcuts."""
    return _plain(32, num_classes, in_channels)


@register(
    "plain44",
    year=2015,
    source="He 2015, section 4.2 and Figure 6",
    input_shape=(3, 32, 32),
    variant_of="resnet44",
)
def plain44(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """resnet44 without shortcuts."""
    return _plain(44, num_classes, in_channels)


@register(
    "plain56",
    year=2015,
    source="He 2015, section 4.2 and Figure 6",
    input_shape=(3, 32, 32),
    variant_of="resnet56",
)
def plain56(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """resnet56 without shortcuts."""
    return _plain(56, num_classes, in_channels)


@register(
    "plain110",
    year=2015,
    source="He 2015, section 4.2 and Figure 6",
    input_shape=(3, 32, 32),
    variant_of="resnet110",
)
def plain110(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """resnet110 without shortcuts."""
    return _plain(110, num_classes, in_channels)
