"""Inception-v3 (Szegedy 2015, "Rethinking") and Inception-v4 (Szegedy 2016), and their argument for split kernels.

The figures are written down as the papers draw them. `3x3/2V 96` is a convolution with 96 filters and stride 2 on
valid positions only, where the others keep H×W; behind each come batch normalisation and ReLU. `>` leads from one
step to the next, and a tuple lists the branches that read the same input and end in one concatenation.
"""

from __future__ import annotations

import re
from collections import OrderedDict

from torch import nn

from archcalc.zoo.building_blocks import Branches, Head, Headed, Layers, relu, sequence
from archcalc.zoo.registry import register

Concat = tuple["Row", ...]
Row = str | list[str | Concat]

STEP = re.compile(r"(?:(max|average)|(\d)x(\d))(/2)?(V)?(?: (\d+))?")


def _step(text: str, channels: int) -> tuple[Layers, int]:
    """The layers of one step, and how many channels leave it."""
    match = STEP.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no step of an Inception figure")
    pool, height, width, halves, valid, filters = match.groups()
    stride = 2 if halves else 1
    if pool == "max":
        return {"max_pool": nn.MaxPool2d(3, stride, padding=0 if valid else 1)}, channels
    if pool == "average":
        return {"average_pool": nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)}, channels
    kernel = (int(height), int(width))
    padding = 0 if valid else (kernel[0] // 2, kernel[1] // 2)
    label, outputs = f"{height}x{width}", int(filters)
    conv = nn.Conv2d(channels, outputs, kernel, stride, padding, bias=False)
    return {label: conv, f"bn_{label}": nn.BatchNorm2d(outputs, eps=0.001), f"relu_{label}": relu()}, outputs


def _row(row: Row, channels: int) -> tuple[Layers, int]:
    """The layers of a row, and how many channels leave it; a label's second use ends in `_2`."""
    layers: Layers = {}
    for part in [row] if isinstance(row, str) else row:
        for step in [part] if isinstance(part, tuple) else part.split(" > "):
            if isinstance(step, tuple):
                module, channels = _concat(step, channels)
                made: Layers = {"concat": module}
            else:
                made, channels = _step(step, channels)
            layers |= {_unused(label, layers): layer for label, layer in made.items()}
    return layers, channels


def _concat(rows: Concat, channels: int) -> tuple[Branches, int]:
    """The rows side by side as `branch1`, `branch2` ..., and how many channels leave their concatenation."""
    made = [_row(row, channels) for row in rows]
    branches: list[Layers] = [{f"branch{number}": sequence(layers)} for number, (layers, _) in enumerate(made, start=1)]
    return Branches(*branches), sum(outputs for _, outputs in made)


def _unused(label: str, layers: Layers) -> str:
    labels = (label, *(f"{label}_{use}" for use in range(2, len(layers) + 2)))
    return next(label for label in labels if label not in layers)


def _net(stem: Row, modules: dict[str, Concat], in_channels: int) -> tuple[Layers, int]:
    """The stem and the labelled modules, and how many channels leave the last."""
    row, channels = _row(stem, in_channels)
    layers: Layers = {"stem": sequence(row)}
    for label, figure in modules.items():
        layers[label], channels = _concat(figure, channels)
    return layers, channels


def _classifier(channels: int, num_classes: int) -> Layers:
    """Average over the map, dropout that keeps 80%, one linear layer."""
    return {
        "average_pool": nn.AdaptiveAvgPool2d(1),
        "dropout": nn.Dropout(0.2),
        "flatten": nn.Flatten(),
        "fc": nn.Linear(channels, num_classes),
    }


def _v3_35(pooled: int) -> Concat:
    """Figure 5, except that the released net has kept the 5×5 of the second branch."""
    return ("1x1 64", "1x1 48 > 5x5 64", "1x1 64 > 3x3 96 > 3x3 96", f"average > 1x1 {pooled}")


def _v3_17(width: int) -> Concat:
    """Figure 6 with n = 7."""
    return (
        "1x1 192",
        f"1x1 {width} > 1x7 {width} > 7x1 192",
        f"1x1 {width} > 7x1 {width} > 1x7 {width} > 7x1 {width} > 1x7 192",
        "average > 1x1 192",
    )


# Figure 7: the last convolutions of two branches are split, and both halves kept.
V3_8: Concat = (
    "1x1 320",
    ["1x1 384", ("1x3 384", "3x1 384")],
    ["1x1 448 > 3x3 384", ("1x3 384", "3x1 384")],
    "average > 1x1 192",
)
# Table 1, except that the released net has a 1×1 and one 3×3 where the table has three 3×3 after the pool.
V3_STEM = "3x3/2V 32 > 3x3V 32 > 3x3 64 > max/2V > 1x1V 80 > 3x3V 192 > max/2V"
V3: dict[str, Concat] = {
    "Mixed_5b": _v3_35(32),  # 256×35×35
    "Mixed_5c": _v3_35(64),  # 288×35×35
    "Mixed_5d": _v3_35(64),  # 288×35×35
    "Mixed_6a": ("3x3/2V 384", "1x1 64 > 3x3 96 > 3x3/2V 96", "max/2V"),  # Figure 10; 768×17×17
    "Mixed_6b": _v3_17(128),  # 768×17×17
    "Mixed_6c": _v3_17(160),  # 768×17×17
    "Mixed_6d": _v3_17(160),  # 768×17×17
    "Mixed_6e": _v3_17(192),  # 768×17×17
    "Mixed_7a": ("1x1 192 > 3x3/2V 320", "1x1 192 > 1x7 192 > 7x1 192 > 3x3/2V 192", "max/2V"),  # 1280×8×8
    "Mixed_7b": V3_8,  # 2048×8×8
    "Mixed_7c": V3_8,  # 2048×8×8
}


def _auxiliary_head(channels: int, num_classes: int) -> Head:
    """Figure 8: a classifier on the last 17×17 map, with batch normalisation."""
    convs, outputs = _row("1x1 128 > 5x5V 768", channels)
    layers: Layers = {
        "shrink": nn.AvgPool2d(5, stride=3),  # C×5×5
        **convs,  # 768×1×1
        "average_pool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "fc": nn.Linear(outputs, num_classes),
    }
    return Head(OrderedDict(layers))


@register(
    "inception-v3",
    year=2015,
    source="Szegedy 2015, Table 1 and Figures 5-8 and 10, as released",
    input_shape=(3, 299, 299),
    errors=(("ImageNet val, 1 crop", 21.2, 5.6),),
)
def inception_v3(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Eleven modules of small and split kernels, batch normalisation, and one auxiliary head while training."""
    layers: Layers = {}
    modules, channels = _net(V3_STEM, V3, in_channels)
    for label, layer in modules.items():
        layers[label] = layer
        if label == "Mixed_6e":
            layers["auxiliary_head"] = _auxiliary_head(768, num_classes)
    return Headed(OrderedDict(layers | _classifier(channels, num_classes)))


V4_STEM: Row = [  # Figure 3
    "3x3/2V 32 > 3x3V 32 > 3x3 64",  # 64×147×147
    ("max/2V", "3x3/2V 96"),  # 160×73×73
    ("1x1 64 > 3x3V 96", "1x1 64 > 7x1 64 > 1x7 64 > 3x3V 96"),  # 192×71×71
    ("3x3/2V 192", "max/2V"),  # 384×35×35
]
V4_A: Concat = ("average > 1x1 96", "1x1 96", "1x1 64 > 3x3 96", "1x1 64 > 3x3 96 > 3x3 96")  # Figure 4
V4_B: Concat = (  # Figure 5
    "average > 1x1 128",
    "1x1 384",
    "1x1 192 > 1x7 224 > 7x1 256",
    "1x1 192 > 1x7 192 > 7x1 224 > 1x7 224 > 7x1 256",
)
V4_C: Concat = (  # Figure 6
    "average > 1x1 256",
    "1x1 256",
    ["1x1 384", ("1x3 256", "3x1 256")],
    ["1x1 384 > 1x3 448 > 3x1 512", ("1x3 256", "3x1 256")],
)
# Figure 7, with k, l, m and n from Table 1, and Figure 8
V4_REDUCTION_A: Concat = ("max/2V", "3x3/2V 384", "1x1 192 > 3x3 224 > 3x3/2V 256")
V4_REDUCTION_B: Concat = ("max/2V", "1x1 192 > 3x3/2V 192", "1x1 256 > 1x7 256 > 7x1 320 > 3x3/2V 320")
V4: dict[str, Concat] = {  # Figure 9
    **{f"inception_a_{number}": V4_A for number in range(1, 5)},  # 384×35×35
    "reduction_a": V4_REDUCTION_A,  # 1024×17×17
    **{f"inception_b_{number}": V4_B for number in range(1, 8)},  # 1024×17×17
    "reduction_b": V4_REDUCTION_B,  # 1536×8×8
    **{f"inception_c_{number}": V4_C for number in range(1, 4)},  # 1536×8×8
}


@register(
    "inception-v4",
    year=2016,
    source="Szegedy 2016, Figures 3-9 and Table 1",
    input_shape=(3, 299, 299),
    errors=(("ImageNet val, 1 crop", 20.0, 5.0),),
)
def inception_v4(num_classes: int = 1000, in_channels: int = 3) -> nn.Sequential:
    """Fourteen modules of three kinds, two reductions, and no kernel of 5×5."""
    layers, channels = _net(V4_STEM, V4, in_channels)
    return sequence(layers | _classifier(channels, num_classes))


def _stack(channels: int, *kernels: tuple[int, int]) -> nn.Sequential:
    """Convolutions that keep H×W with a ReLU after each; without biases, so that their weights compare."""
    layers: Layers = {}
    for number, (height, width) in enumerate(kernels, start=1):
        padding = (height // 2, width // 2)
        layers[f"conv{number}"] = nn.Conv2d(channels, channels, (height, width), padding=padding, bias=False)
        layers[f"relu{number}"] = relu()
    return sequence(layers)


@register("conv3x3", year=2015, source="Szegedy 2015, section 3.2", input_shape=(64, 56, 56))
def conv3x3(channels: int = 64) -> nn.Sequential:
    """One 3×3 convolution: 9C² weights."""
    return _stack(channels, (3, 3))


@register("conv1x3-3x1", year=2015, source="Szegedy 2015, section 3.2", input_shape=(64, 56, 56), variant_of="conv3x3")
def conv1x3_3x1(channels: int = 64) -> nn.Sequential:
    """A 1×3 convolution and a 3×1, which see 3×3 together: 6C² weights, a third less."""
    return _stack(channels, (1, 3), (3, 1))


@register("conv1x7-7x1", year=2015, source="Szegedy 2015, section 3.2", input_shape=(64, 56, 56), variant_of="conv7x7")
def conv1x7_7x1(channels: int = 64) -> nn.Sequential:
    """A 1×7 convolution and a 7×1, which see 7×7 together: 14C² weights against 49C²."""
    return _stack(channels, (1, 7), (7, 1))
