"""ResNet (He 2015, Table 1 and Figures 3 and 5), its plain counterparts, and single blocks.

A block is its residual function F, a row of labelled layers, and a shortcut around it. Where the shape changes,
the shortcut is the paper's option B: a projection, a 1×1 convolution with batch normalisation.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from archcalc.zoo.layers import Layers, relu, sequence, through
from archcalc.zoo.registry import register

Block = Callable[[int, int, int], nn.Module]  # input channels, output channels, stride

# Blocks in conv2_x ... conv5_x, and the channels that leave these stages.
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
BASIC_CHANNELS = (64, 128, 256, 512)
BOTTLENECK_CHANNELS = (256, 512, 1024, 2048)


class Residual(nn.Module):
    """y = relu(F(x) + W_s x), He 2015, equation 2; W_s is the identity where there is no projection."""

    def __init__(self, layers: Layers, projection: nn.Module | None) -> None:
        super().__init__()
        self.labels = tuple(layers)
        for label, layer in layers.items():
            self.add_module(label, layer)
        self.projection = projection
        self.relu = relu()

    def forward(self, x: Tensor) -> Tensor:  # B×C×H×W
        residual = through(self, self.labels, x)  # B×C'×H'×W'
        shortcut = x if self.projection is None else self.projection(x)
        y: Tensor = self.relu(residual + shortcut)
        return y


def _conv_bn(number: int, in_channels: int, filters: int, kernel: int, stride: int = 1) -> Layers:
    """A "same" convolution and its batch normalisation, whose shift makes a bias pointless."""
    conv = nn.Conv2d(in_channels, filters, kernel, stride, padding=kernel // 2, bias=False)
    return {f"conv{number}": conv, f"bn{number}": nn.BatchNorm2d(filters)}


def _conv_bn_relu(number: int, in_channels: int, filters: int, kernel: int, stride: int = 1) -> Layers:
    return _conv_bn(number, in_channels, filters, kernel, stride) | {f"relu{number}": relu()}


def _basic(in_channels: int, channels: int, stride: int) -> Layers:
    """Figure 5, left: two 3×3 convolutions."""
    return _conv_bn_relu(1, in_channels, channels, 3, stride) | _conv_bn(2, channels, channels, 3)


def _bottleneck(in_channels: int, channels: int, strides: tuple[int, int]) -> Layers:
    """Figure 5, right: a 1×1 to a quarter of the channels, a 3×3 there, a 1×1 back."""
    return (
        _conv_bn_relu(1, in_channels, channels // 4, 1, strides[0])
        | _conv_bn_relu(2, channels // 4, channels // 4, 3, strides[1])
        | _conv_bn(3, channels // 4, channels, 1)
    )


def _projection(in_channels: int, channels: int, stride: int) -> nn.Sequential | None:
    """Option B: a 1×1 convolution where the shape changes, else the identity."""
    if stride == 1 and in_channels == channels:
        return None
    conv = nn.Conv2d(in_channels, channels, 1, stride, bias=False)
    return sequence({"conv": conv, "bn": nn.BatchNorm2d(channels)})


def _basic_block(in_channels: int, channels: int, stride: int) -> nn.Module:
    return Residual(_basic(in_channels, channels, stride), _projection(in_channels, channels, stride))


def _plain_block(in_channels: int, channels: int, stride: int) -> nn.Module:
    return sequence(_basic(in_channels, channels, stride) | {"relu": relu()})


def _bottleneck_block(in_channels: int, channels: int, stride: int) -> nn.Module:
    """The paper's: the first 1×1 takes the stride."""
    return Residual(_bottleneck(in_channels, channels, (stride, 1)), _projection(in_channels, channels, stride))


def _bottleneck_block_v15(in_channels: int, channels: int, stride: int) -> nn.Module:
    """The frameworks': the 3×3 takes the stride, so that no position is skipped unseen."""
    return Residual(_bottleneck(in_channels, channels, (1, stride)), _projection(in_channels, channels, stride))


def _stage(number: int, block: Block, depth: int, in_channels: int, channels: int, stride: int) -> nn.Sequential:
    """Blocks conv<number>_1 ... conv<number>_<depth>, of which the first changes the shape."""
    blocks = {f"conv{number}_1": block(in_channels, channels, stride)}
    for index in range(2, depth + 1):
        blocks[f"conv{number}_{index}"] = block(channels, channels, 1)
    return sequence(blocks)


def _resnet(
    block: Block, depths: tuple[int, ...], channels: tuple[int, ...], num_classes: int, in_channels: int
) -> nn.Sequential:
    """Table 1 from top to bottom."""
    layers: Layers = {
        **_conv_bn_relu(1, in_channels, 64, 7, stride=2),  # 64×112×112
        "pool1": nn.MaxPool2d(3, stride=2, padding=1),  # 64×56×56
        "conv2_x": _stage(2, block, depths[0], 64, channels[0], stride=1),  # 56×56
        "conv3_x": _stage(3, block, depths[1], channels[0], channels[1], stride=2),  # 28×28
        "conv4_x": _stage(4, block, depths[2], channels[1], channels[2], stride=2),  # 14×14
        "conv5_x": _stage(5, block, depths[3], channels[2], channels[3], stride=2),  # 7×7
        "average_pool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "fc": nn.Linear(channels[3], num_classes),
    }
    return sequence(layers)


@register(
    "resnet18",
    year=2015,
    source="He 2015, Table 1",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, 10 crops", 27.88, None),),
)
def resnet18(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Eight blocks of two 3×3 convolutions."""
    return _resnet(_basic_block, DEPTHS[18], BASIC_CHANNELS, num_classes, in_channels)


@register(
    "resnet34",
    year=2015,
    source="He 2015, Table 1",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, 10 crops", 25.03, 7.76),),
)
def resnet34(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Sixteen blocks of two 3×3 convolutions."""
    return _resnet(_basic_block, DEPTHS[34], BASIC_CHANNELS, num_classes, in_channels)


@register(
    "resnet50",
    year=2015,
    source="He 2015, Table 1",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, 10 crops", 22.85, 6.71),),
)
def resnet50(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Sixteen bottleneck blocks; stride 2 in the first 1×1 of a stage, as in the paper."""
    return _resnet(_bottleneck_block, DEPTHS[50], BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "resnet101",
    year=2015,
    source="He 2015, Table 1",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, 10 crops", 21.75, 6.05),),
)
def resnet101(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Thirty-three bottleneck blocks; stride 2 in the first 1×1 of a stage, as in the paper."""
    return _resnet(_bottleneck_block, DEPTHS[101], BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "resnet152",
    year=2015,
    source="He 2015, Table 1",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, 10 crops", 21.43, 5.71),),
)
def resnet152(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Fifty bottleneck blocks; stride 2 in the first 1×1 of a stage, as in the paper."""
    return _resnet(_bottleneck_block, DEPTHS[152], BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "resnet50-v1.5",
    year=2016,
    source="fb.resnet.torch, Facebook 2016: not in a paper",
    input_shape=(3, 224, 224),
    variant_of="resnet50",
)
def resnet50_v15(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """resnet50 with stride 2 in the 3×3: the form that most frameworks ship."""
    return _resnet(_bottleneck_block_v15, DEPTHS[50], BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "resnet101-v1.5",
    year=2016,
    source="fb.resnet.torch, Facebook 2016: not in a paper",
    input_shape=(3, 224, 224),
    variant_of="resnet101",
)
def resnet101_v15(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """resnet101 with stride 2 in the 3×3: the form that most frameworks ship."""
    return _resnet(_bottleneck_block_v15, DEPTHS[101], BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "resnet152-v1.5",
    year=2016,
    source="fb.resnet.torch, Facebook 2016: not in a paper",
    input_shape=(3, 224, 224),
    variant_of="resnet152",
)
def resnet152_v15(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """resnet152 with stride 2 in the 3×3: the form that most frameworks ship."""
    return _resnet(_bottleneck_block_v15, DEPTHS[152], BOTTLENECK_CHANNELS, num_classes, in_channels)


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
    return _resnet(_plain_block, DEPTHS[18], BASIC_CHANNELS, num_classes, in_channels)


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
    return _resnet(_plain_block, DEPTHS[34], BASIC_CHANNELS, num_classes, in_channels)


@register("residual-block", year=2015, source="He 2015, Figure 5, left", input_shape=(64, 56, 56))
def residual_block(channels: int = 64) -> nn.Module:
    """Two 3×3 convolutions and an identity shortcut, on 56×56."""
    return _basic_block(channels, channels, stride=1)


@register(
    "plain-block",
    year=2015,
    source="He 2015, Figure 3, middle",
    input_shape=(64, 56, 56),
    variant_of="residual-block",
)
def plain_block(channels: int = 64) -> nn.Module:
    """The same two convolutions without the shortcut."""
    return _plain_block(channels, channels, stride=1)


@register("residual-bottleneck", year=2015, source="He 2015, Figure 5, right", input_shape=(256, 56, 56))
def residual_bottleneck(channels: int = 256) -> nn.Module:
    """1×1 to a quarter of the channels, 3×3, 1×1 back, and an identity shortcut, on 56×56."""
    return _bottleneck_block(channels, channels, stride=1)


@register(
    "residual-projection",
    year=2015,
    source="He 2015, section 3.3, option B",
    input_shape=(64, 56, 56),
    variant_of="residual-block",
)
def residual_projection(channels: int = 64) -> nn.Module:
    """Halves 56×56 and doubles the channels, so that the shortcut needs a 1×1 projection of stride 2."""
    return _basic_block(channels, 2 * channels, stride=2)
