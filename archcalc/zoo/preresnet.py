"""Pre-activation ResNet on CIFAR-10 (He 2016, "Identity mappings", Figures 1b and 4e and the appendix).

Batch normalisation and ReLU come before each convolution and nothing comes after the addition, so that the
identity path is clean. The exceptions are in the appendix: the very first unit's shortcut starts behind its first
activation, and so does every projection; the last addition has an activation after it.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from archcalc.zoo.building_blocks import Layers, relu, sequence, through
from archcalc.zoo.registry import register
from archcalc.zoo.resnet_blocks import Block, shortcut_row, stage

BASIC_CHANNELS = (16, 32, 64)
BOTTLENECK_CHANNELS = (64, 128, 256)


class PreResidual(nn.Module):
    """x_(l+1) = h(x_l) + F(x_l), He 2016, equations 1 and 2 with f the identity.

    `layers` is F with its first activation, `bn1` and `relu1`; where that is `shared`, h reads what leaves it.
    """

    def __init__(self, layers: Layers, shortcut: Layers, shared: bool) -> None:
        super().__init__()
        self.activation, self.labels = tuple(layers)[:2], tuple(layers)[2:]
        self.shortcut_labels, self.shared = tuple(shortcut), shared
        for label, layer in (layers | shortcut).items():
            self.add_module(label, layer)

    def forward(self, x: Tensor) -> Tensor:  # B×C×H×W
        activated = through(self, self.activation, x)
        shortcut = through(self, self.shortcut_labels, activated if self.shared else x)
        return shortcut + through(self, self.labels, activated)  # B×C'×H'×W'


def _bn_relu(number: int | str, channels: int) -> Layers:
    return {f"bn{number}": nn.BatchNorm2d(channels), f"relu{number}": relu()}


def _conv(number: int, in_channels: int, filters: int, kernel: int, stride: int = 1) -> Layers:
    return {f"conv{number}": nn.Conv2d(in_channels, filters, kernel, stride, padding=kernel // 2, bias=False)}


def _bn_relu_conv(number: int, in_channels: int, filters: int, kernel: int, stride: int = 1) -> Layers:
    return _bn_relu(number, in_channels) | _conv(number, in_channels, filters, kernel, stride)


def _basic_unit(in_channels: int, channels: int, stride: int, shared: bool = False) -> nn.Module:
    """Two 3×3 convolutions; the shortcut is option A of He 2015, as for all of its nets on CIFAR-10."""
    layers = _bn_relu_conv(1, in_channels, channels, 3, stride) | _bn_relu_conv(2, channels, channels, 3)
    return PreResidual(layers, shortcut_row("A", in_channels, channels, stride), shared)


def _bottleneck_unit(in_channels: int, channels: int, stride: int) -> nn.Module:
    """1×1 to a quarter of the channels, 3×3, 1×1 back; a bare 1×1 convolution where the shape changes."""
    layers = (
        _bn_relu_conv(1, in_channels, channels // 4, 1, stride)
        | _bn_relu_conv(2, channels // 4, channels // 4, 3)
        | _bn_relu_conv(3, channels // 4, channels, 1)
    )
    projects = stride != 1 or in_channels != channels
    projection = nn.Conv2d(in_channels, channels, 1, stride, bias=False)
    return PreResidual(layers, {"projection": projection} if projects else {}, shared=projects)


def _net(
    unit: Block, first: Block, n: int, channels: tuple[int, int, int], num_classes: int, in_channels: int
) -> nn.Sequential:
    """conv1, three stages of n units, of which `first` is the very first, and the last activation."""
    layers: Layers = {
        **_conv(1, in_channels, 16, 3),  # 16×32×32
        "conv2_x": stage(2, unit, n, 16, channels[0], stride=1, first=first),  # 32×32
        "conv3_x": stage(3, unit, n, channels[0], channels[1], stride=2),  # 16×16
        "conv4_x": stage(4, unit, n, channels[1], channels[2], stride=2),  # 8×8
        **_bn_relu("_last", channels[2]),
        "average_pool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "fc": nn.Linear(channels[2], num_classes),
    }
    return sequence(layers)


@register(
    "preresnet110",
    year=2016,
    source="He 2016, Table 3",
    input_shape=(3, 32, 32),
    variant_of="resnet110",
    errors=(("CIFAR-10 test, median of 5", 6.37, None),),
)
def preresnet110(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """Fifty-four units of two 3×3 convolutions, each behind its own activation."""
    first = partial(_basic_unit, shared=True)
    return _net(_basic_unit, first, 18, BASIC_CHANNELS, num_classes, in_channels)


@register(
    "preresnet164",
    year=2016,
    source="He 2016, Tables 3 and 4",
    input_shape=(3, 32, 32),
    errors=(("CIFAR-10 test, median of 5", 5.46, None),),
)
def preresnet164(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """Fifty-four bottleneck units: the cost of preresnet110 in 164 layers."""
    return _net(_bottleneck_unit, _bottleneck_unit, 18, BOTTLENECK_CHANNELS, num_classes, in_channels)


@register(
    "preresnet1001",
    year=2016,
    source="He 2016, Tables 3 and 4",
    input_shape=(3, 32, 32),
    errors=(("CIFAR-10 test, median of 5", 4.92, None), ("CIFAR-10 test, mini-batch 64", 4.62, None)),
)
def preresnet1001(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """Three hundred and thirty-three bottleneck units: the error still falls."""
    return _net(_bottleneck_unit, _bottleneck_unit, 111, BOTTLENECK_CHANNELS, num_classes, in_channels)
