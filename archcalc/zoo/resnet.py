"""ResNet on ImageNet (He 2015, Table 1 and Figure 3) and its plain counterparts.

The shortcuts are option B unless the setting `shortcut` says otherwise; the paper compares the three in Table 3.
"""

from __future__ import annotations

from functools import partial

from torch import nn

from archcalc.zoo.building_blocks import Layers, sequence
from archcalc.zoo.registry import register
from archcalc.zoo.resnet_blocks import Block, basic, bottleneck, bottleneck_v15, conv_bn_relu, plain, stage

# Blocks in conv2_x ... conv5_x, and the channels that leave these stages.
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
BASIC_CHANNELS = (64, 128, 256, 512)
BOTTLENECK_CHANNELS = (256, 512, 1024, 2048)


def _resnet(
    block: Block, depths: tuple[int, ...], channels: tuple[int, ...], num_classes: int, in_channels: int
) -> nn.Sequential:
    """Table 1 from top to bottom."""
    layers: Layers = {
        **conv_bn_relu(1, in_channels, 64, 7, stride=2),  # 64×112×112
        "pool1": nn.MaxPool2d(3, stride=2, padding=1),  # 64×56×56
        "conv2_x": stage(2, block, depths[0], 64, channels[0], stride=1),  # 56×56
        "conv3_x": stage(3, block, depths[1], channels[0], channels[1], stride=2),  # 28×28
        "conv4_x": stage(4, block, depths[2], channels[1], channels[2], stride=2),  # 14×14
        "conv5_x": stage(5, block, depths[3], channels[2], channels[3], stride=2),  # 7×7
        "average_pool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "fc": nn.Linear(channels[3], num_classes),
    }
    return sequence(layers)


@register(
    "resnet18",
    year=2015,
    source="He 2015, Tables 1 and 2",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, 10 crops, shortcut A", 27.88, None),),
)
def resnet18(num_classes: int = 1000, in_channels: int = 3, shortcut: str = "B") -> nn.Sequential:
    """Eight blocks of two 3×3 convolutions."""
    return _resnet(partial(basic, option=shortcut), DEPTHS[18], BASIC_CHANNELS, num_classes, in_channels)


@register(
    "resnet34",
    year=2015,
    source="He 2015, Tables 1 and 3",
    input_shape=(3, 224, 224),
    errors=(
        ("ImageNet val, 10 crops, shortcut A", 25.03, 7.76),
        ("ImageNet val, 10 crops, shortcut B", 24.52, 7.46),
        ("ImageNet val, 10 crops, shortcut C", 24.19, 7.4),
    ),
)
def resnet34(num_classes: int = 1000, in_channels: int = 3, shortcut: str = "B") -> nn.Sequential:
    """Sixteen blocks of two 3×3 convolutions."""
    return _resnet(partial(basic, option=shortcut), DEPTHS[34], BASIC_CHANNELS, num_classes, in_channels)


@register(
    "resnet50",
    year=2015,
    source="He 2015, Table 1",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, 10 crops", 22.85, 6.71),),
)
def resnet50(num_classes: int = 1000, in_channels: int = 3, shortcut: str = "B") -> nn.Sequential:
    """Sixteen bottleneck blocks; stride 2 in the first 1×1 of a stage, as in the paper."""
    return _resnet(partial(bottleneck, option=shortcut), DEPTHS[50], BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "resnet101",
    year=2015,
    source="He 2015, Table 1",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, 10 crops", 21.75, 6.05),),
)
def resnet101(num_classes: int = 1000, in_channels: int = 3, shortcut: str = "B") -> nn.Sequential:
    """Thirty-three bottleneck blocks; stride 2 in the first 1×1 of a stage, as in the paper."""
    return _resnet(partial(bottleneck, option=shortcut), DEPTHS[101], BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "resnet152",
    year=2015,
    source="He 2015, Table 1",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, 10 crops", 21.43, 5.71),),
)
def resnet152(num_classes: int = 1000, in_channels: int = 3, shortcut: str = "B") -> nn.Sequential:
    """Fifty bottleneck blocks; stride 2 in the first 1×1 of a stage, as in the paper."""
    return _resnet(partial(bottleneck, option=shortcut), DEPTHS[152], BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "resnet50-v1.5",
    year=2016,
    source="fb.resnet.torch, Facebook 2016: not in a paper",
    input_shape=(3, 224, 224),
    variant_of="resnet50",
)
def resnet50_v15(num_classes: int = 1000, in_channels: int = 3, shortcut: str = "B") -> nn.Sequential:
    """resnet50 with stride 2 in the 3×3: the form that most frameworks ship."""
    return _resnet(partial(bottleneck_v15, option=shortcut), DEPTHS[50], BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "resnet101-v1.5",
    year=2016,
    source="fb.resnet.torch, Facebook 2016: not in a paper",
    input_shape=(3, 224, 224),
    variant_of="resnet101",
)
def resnet101_v15(num_classes: int = 1000, in_channels: int = 3, shortcut: str = "B") -> nn.Sequential:
    """resnet101 with stride 2 in the 3×3: the form that most frameworks ship."""
    return _resnet(partial(bottleneck_v15, option=shortcut), DEPTHS[101], BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "resnet152-v1.5",
    year=2016,
    source="fb.resnet.torch, Facebook 2016: not in a paper",
    input_shape=(3, 224, 224),
    variant_of="resnet152",
)
def resnet152_v15(num_classes: int = 1000, in_channels: int = 3, shortcut: str = "B") -> nn.Sequential:
    """resnet152 with stride 2 in the 3×3: the form that most frameworks ship."""
    return _resnet(partial(bottleneck_v15, option=shortcut), DEPTHS[152], BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "plain18",
    year=2015,
    source="He 2015, Table 2 and Figure 3",
    input_shape=(3, 224, 224),
    variant_of="resnet18",
    errors=(("ImageNet val, 10 crops", 27.94, None),),
)
def plain18(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """resnet18 without shortcuts."""
    return _resnet(plain, DEPTHS[18], BASIC_CHANNELS, num_classes, in_channels)


@register(
    "plain34",
    year=2015,
    source="He 2015, Table 2 and Figure 3",
    input_shape=(3, 224, 224),
    variant_of="resnet34",
    errors=(("ImageNet val, 10 crops", 28.54, 10.02),),
)
def plain34(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """resnet34 without shortcuts: deeper than plain18, and worse."""
    return _resnet(plain, DEPTHS[34], BASIC_CHANNELS, num_classes, in_channels)
