"""Network in Network (Lin 2013, sections 3 and 4.1), as the authors' own configuration files have it.

An mlpconv layer is a convolution and two 1×1 ones after it, which the authors call cccp. The last of them has a
map for each class, whose global average is the class's logit. Like all the others it ends in a ReLU.
"""

from __future__ import annotations

from torch import nn

from archcalc.zoo.building_blocks import Layers, conv_relu, glorot, sequence
from archcalc.zoo.registry import register


def _mlpconv(
    number: int, in_channels: int, filters: tuple[int, int, int], kernel: int, stride: int = 1, padding: int = 0
) -> Layers:
    """Layer 1 is conv1, cccp1 and cccp2; layer 2 is conv2, cccp3 and cccp4; and so on."""
    first, second, third = filters
    return (
        conv_relu(f"conv{number}", in_channels, first, kernel, stride, padding)
        | conv_relu(f"cccp{2 * number - 1}", first, second, 1)
        | conv_relu(f"cccp{2 * number}", second, third, 1)
    )


def _global_average() -> Layers:
    return {"global_average": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}


@register(
    "nin",
    year=2013,
    source="Lin 2013; the authors' ImageNet model, 2014",
    input_shape=(3, 224, 224),
    variant_of="nin-cifar10",
)
def nin(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Four mlpconv layers on ImageNet and no fully connected one."""
    layers: Layers = {
        **_mlpconv(1, in_channels, (96, 96, 96), 11, stride=4),  # 96×54×54
        "pool1": nn.MaxPool2d(3, stride=2, ceil_mode=True),  # 96×27×27
        **_mlpconv(2, 96, (256, 256, 256), 5, padding=2),
        "pool2": nn.MaxPool2d(3, stride=2, ceil_mode=True),  # 256×13×13
        **_mlpconv(3, 256, (384, 384, 384), 3, padding=1),
        "pool3": nn.MaxPool2d(3, stride=2, ceil_mode=True),  # 384×6×6
        "dropout3": nn.Dropout(0.5),
        **_mlpconv(4, 384, (1024, 1024, num_classes), 3, padding=1),
        **_global_average(),
    }
    return glorot(sequence(layers))


@register(
    "nin-cifar10",
    year=2013,
    source="Lin 2013, section 4.1",
    input_shape=(3, 32, 32),
    errors=(("CIFAR-10 test", 10.41, None), ("CIFAR-10 test, augmented", 8.81, None)),
)
def nin_cifar10(num_classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """Three mlpconv layers on CIFAR-10, the last averaged over its whole maps."""
    layers: Layers = {
        **_mlpconv(1, in_channels, (192, 160, 96), 5, padding=2),  # 96×32×32
        "pool1": nn.MaxPool2d(3, stride=2, ceil_mode=True),  # 96×16×16
        "dropout1": nn.Dropout(0.5),
        **_mlpconv(2, 96, (192, 192, 192), 5, padding=2),  # 192×16×16
        "pool2": nn.AvgPool2d(3, stride=2, ceil_mode=True),  # 192×8×8
        "dropout2": nn.Dropout(0.5),
        **_mlpconv(3, 192, (192, 192, num_classes), 3, padding=1),  # 10×8×8
        **_global_average(),
    }
    return glorot(sequence(layers))
