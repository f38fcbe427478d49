"""AlexNet (Krizhevsky 2012, section 3.5 and Figure 2), and its two single-tower relatives."""

from __future__ import annotations

from torch import nn

from archcalc.zoo.building_blocks import Layers, classifier, relu, response_norm, sequence
from archcalc.zoo.registry import register

Conv = tuple[int, int, int, int, int]  # filters, kernel, stride, padding, groups

# The two towers are two groups; only conv3 and the fully connected layers see both.
TWO_TOWERS: tuple[Conv, ...] = (
    (96, 11, 4, 0, 1),  # 55×55 from 227: the paper's 224 does not divide, see `alexnet`
    (256, 5, 1, 2, 2),  # 27×27
    (384, 3, 1, 1, 1),  # 13×13
    (384, 3, 1, 1, 2),
    (256, 3, 1, 1, 2),
)
ONE_TOWER: tuple[Conv, ...] = tuple((*conv[:4], 1) for conv in TWO_TOWERS)
ONE_WEIRD_TRICK: tuple[Conv, ...] = (
    (64, 11, 4, 2, 1),  # 55×55 from 224
    (192, 5, 1, 2, 1),  # 27×27
    (384, 3, 1, 1, 1),  # 13×13
    (256, 3, 1, 1, 1),
    (256, 3, 1, 1, 1),
)


def _alexnet(convs: tuple[Conv, ...], norms: tuple[int, ...], num_classes: int, in_channels: int) -> nn.Sequential:
    """Five convolutions, 3×3 pools of stride 2 after the first, second and fifth; `norms` are followed by LRN."""
    layers: Layers = {}
    for number, (filters, kernel, stride, padding, groups) in enumerate(convs, start=1):
        layers[f"conv{number}"] = nn.Conv2d(in_channels, filters, kernel, stride, padding, groups=groups)
        layers[f"relu{number}"] = relu()
        if number in norms:
            layers[f"norm{number}"] = response_norm()
        if number in (1, 2, 5):
            layers[f"pool{number}"] = nn.MaxPool2d(3, stride=2)  # overlapping: 55 -> 27 -> 13 -> 6
        in_channels = filters
    return sequence(layers | classifier(in_channels * 6 * 6, num_classes))


@register(
    "alexnet",
    year=2012,
    source="Krizhevsky 2012, section 3.5",
    input_shape=(3, 227, 227),
    errors=(("ImageNet val, 10 crops", 40.7, 18.2),),
)
def alexnet(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Two towers, joined in conv3 and the classifier, with ReLU, LRN and dropout.

    The paper says 224×224, from which an 11×11 window of stride 4 cannot make its 55×55; 227 can.
    """
    return _alexnet(TWO_TOWERS, (1, 2), num_classes, in_channels)


@register(
    "alexnet-one-tower",
    year=2012,
    source="Krizhevsky 2012, section 3.5, without the split over two GPUs",
    input_shape=(3, 227, 227),
    variant_of="alexnet",
)
def alexnet_one_tower(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """The same filters without groups: what the two towers saved."""
    return _alexnet(ONE_TOWER, (1, 2), num_classes, in_channels)


@register(
    "alexnet-owt",
    year=2014,
    source="Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks",
    input_shape=(3, 224, 224),
    variant_of="alexnet",
)
def alexnet_owt(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """One narrower tower on 224×224 without normalisation: the form that most frameworks ship.

    The frameworks put each dropout before its fully connected layer; here, as in 2012, it follows the ReLU.
    """
    return _alexnet(ONE_WEIRD_TRICK, (), num_classes, in_channels)
