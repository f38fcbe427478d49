"""GoogLeNet (Szegedy 2014, Table 1 and Figure 3), and the Inception module's cost argument as single pieces."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from archcalc.zoo.building_blocks import (
    Branches,
    Head,
    Headed,
    Layers,
    conv_relu,
    glorot,
    relu,
    response_norm,
    sequence,
)
from archcalc.zoo.registry import register

Widths = tuple[int, int, int, int, int, int]  # filters: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool proj

MODULES: dict[str, Widths] = {
    "3a": (64, 96, 128, 16, 32, 32),  # 256×28×28
    "3b": (128, 128, 192, 32, 96, 64),  # 480×28×28
    "4a": (192, 96, 208, 16, 48, 64),  # 512×14×14
    "4b": (160, 112, 224, 24, 64, 64),  # 512×14×14
    "4c": (128, 128, 256, 24, 64, 64),  # 512×14×14
    "4d": (112, 144, 288, 32, 64, 64),  # 528×14×14
    "4e": (256, 160, 320, 32, 128, 128),  # 832×14×14
    "5a": (256, 160, 320, 32, 128, 128),  # 832×7×7
    "5b": (384, 192, 384, 48, 128, 128),  # 1024×7×7
}
POOLED = ("3b", "4e")  # a 3×3 pool of stride 2 follows
HEADED = ("4a", "4d")  # an auxiliary head reads what leaves


def _inception(in_channels: int, widths: Widths) -> Branches:
    """Figure 2b: the 3×3 and the 5×5 behind a 1×1 that narrows, the pool before one."""
    single, reduce3, filters3, reduce5, filters5, projection = widths
    return Branches(
        conv_relu("1x1", in_channels, single, 1),
        conv_relu("3x3_reduce", in_channels, reduce3, 1) | conv_relu("3x3", reduce3, filters3, 3, padding=1),
        conv_relu("5x5_reduce", in_channels, reduce5, 1) | conv_relu("5x5", reduce5, filters5, 5, padding=2),
        {"pool": nn.MaxPool2d(3, stride=1, padding=1)} | conv_relu("pool_proj", in_channels, projection, 1),
    )


def _inception_channels(widths: Widths) -> int:
    single, _, filters3, _, filters5, projection = widths  # the branches' last ones
    return single + filters3 + filters5 + projection


def _auxiliary_head(in_channels: int, num_classes: int) -> Head:
    """Section 5: a small classifier on C×14×14, there to bring gradient into the middle of the net."""
    layers: Layers = {
        "average_pool": nn.AvgPool2d(5, stride=3),  # C×4×4
        **conv_relu("conv", in_channels, 128, 1),
        "flatten": nn.Flatten(),
        "fc": nn.Linear(128 * 4 * 4, 1024),
        "relu_fc": relu(),
        "dropout": nn.Dropout(0.7),
        "classifier": nn.Linear(1024, num_classes),
    }
    return Head(OrderedDict(layers))


def _halve() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def _stem(in_channels: int) -> Layers:
    """Everything before the first module; every 3×3 pool of stride 2 rounds up, as 112 -> 56 asks.

    The paper gives no constants for its response normalisation: these are AlexNet's.
    """
    return {
        **conv_relu("conv1", in_channels, 64, 7, stride=2, padding=3),  # 64×112×112
        "pool1": _halve(),  # 64×56×56
        "norm1": response_norm(),
        **conv_relu("conv2_reduce", 64, 64, 1),
        **conv_relu("conv2", 64, 192, 3, padding=1),  # 192×56×56
        "norm2": response_norm(),
        "pool2": _halve(),  # 192×28×28
    }


@register(
    "googlenet",
    year=2014,
    source="Szegedy 2014, Table 1",
    input_shape=(3, 224, 224),
    errors=(("ImageNet val, 1 crop", None, 10.07),),
)
def googlenet(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Nine Inception modules, global average pooling, and two auxiliary heads while training."""
    layers = _stem(in_channels)
    channels = 192
    for label, widths in MODULES.items():
        layers[f"inception_{label}"] = _inception(channels, widths)
        channels = _inception_channels(widths)
        if label in HEADED:
            layers[f"head_{label}"] = _auxiliary_head(channels, num_classes)
        if label in POOLED:
            layers[f"pool{label[0]}"] = _halve()
    layers["average_pool"] = nn.AdaptiveAvgPool2d(1)  # 1024×1×1
    layers["dropout"] = nn.Dropout(0.4)
    layers["flatten"] = nn.Flatten()
    layers["linear"] = nn.Linear(channels, num_classes)
    return glorot(Headed(OrderedDict(layers)))


def _direct_5x5(in_channels: int, filters: int) -> nn.Sequential:
    return sequence(conv_relu("5x5", in_channels, filters, 5, padding=2))


def _reduced_5x5(in_channels: int, reduce: int, filters: int) -> nn.Sequential:
    return sequence(conv_relu("5x5_reduce", in_channels, reduce, 1) | conv_relu("5x5", reduce, filters, 5, padding=2))


@register("inception-naive", year=2014, source="Szegedy 2014, Figure 2a, the 5×5 of 3a", input_shape=(192, 28, 28))
def inception_naive(in_channels: int = 192, filters: int = 32) -> nn.Sequential:
    """One 5×5 convolution on all 192 channels: 120 million multiply-adds."""
    return _direct_5x5(in_channels, filters)


@register(
    "inception-bottleneck",
    year=2014,
    source="Szegedy 2014, Table 1, the 5×5 of 3a",
    input_shape=(192, 28, 28),
    variant_of="inception-naive",
)
def inception_bottleneck(in_channels: int = 192, reduce: int = 16, filters: int = 32) -> nn.Sequential:
    """The same 5×5 behind a 1×1 bottleneck to 16 channels: a tenth of the cost."""
    return _reduced_5x5(in_channels, reduce, filters)


@register(
    "inception-4a-5x5-naive",
    year=2014,
    source="Szegedy 2014, Figure 2a, the 5×5 of 4a",
    input_shape=(480, 14, 14),
    variant_of="inception-naive",
)
def inception_4a_5x5_naive(in_channels: int = 480, filters: int = 48) -> nn.Sequential:
    """The 5×5 of module 4a on all 480 channels."""
    return _direct_5x5(in_channels, filters)


@register(
    "inception-4a-5x5-bottleneck",
    year=2014,
    source="Szegedy 2014, Table 1, the 5×5 of 4a",
    input_shape=(480, 14, 14),
    variant_of="inception-4a-5x5-naive",
)
def inception_4a_5x5_bottleneck(in_channels: int = 480, reduce: int = 16, filters: int = 48) -> nn.Sequential:
    """The 5×5 of module 4a as it is, behind its 1×1."""
    return _reduced_5x5(in_channels, reduce, filters)


@register("inception-module", year=2014, source="Szegedy 2014, Table 1, row 3a", input_shape=(192, 28, 28))
def inception_module(in_channels: int = 192) -> nn.Module:
    """Module 3a whole: four branches, concatenated to 256 channels."""
    return _inception(in_channels, MODULES["3a"])


@register(
    "inception-module-naive",
    year=2014,
    source="Szegedy 2014, Figure 2a, with the filters of 3a",
    input_shape=(192, 28, 28),
    variant_of="inception-module",
)
def inception_module_naive(in_channels: int = 192) -> nn.Module:
    """Module 3a without its 1×1 reductions: the pool alone passes all 192 channels on."""
    single, _, filters3, _, filters5, _ = MODULES["3a"]
    return Branches(
        conv_relu("1x1", in_channels, single, 1),
        conv_relu("3x3", in_channels, filters3, 3, padding=1),
        conv_relu("5x5", in_channels, filters5, 5, padding=2),
        {"pool": nn.MaxPool2d(3, stride=1, padding=1)},
    )  # (64 + 128 + 32 + 192)×28×28


@register("head-fc", year=2014, source="Szegedy 2014, section 5: what pooling replaced", input_shape=(1024, 7, 7))
def head_fc(channels: int = 1024) -> nn.Sequential:
    """A fully connected layer on 1024×7×7; without bias, so that its params are its 51.4 million weights."""
    return sequence({"flatten": nn.Flatten(), "fc": nn.Linear(channels * 7 * 7, 1024, bias=False)})


@register(
    "head-gap",
    year=2014,
    source="Szegedy 2014, section 5, after Lin 2013",
    input_shape=(1024, 7, 7),
    variant_of="head-fc",
)
def head_gap() -> nn.Sequential:
    """Global average pooling: as many outputs, no weight at all."""
    return sequence({"average_pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()})
