"""What several families build from: labelled layers in a row, side by side, and the papers' common blocks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeVar

import torch
from torch import Tensor, nn

Layers = dict[str, nn.Module]
"""Layers in forward order, each under the label that its row has in a table; `|` joins two."""

Net = TypeVar("Net", bound=nn.Module)


def sequence(layers: Layers) -> nn.Sequential:
    """The layers one after the other."""
    return nn.Sequential(OrderedDict(layers))


def through(module: nn.Module, labels: Iterable[str], x: Tensor) -> Tensor:
    """What comes out of the module's own layers of these labels, run one after the other."""
    for label in labels:
        x = module.get_submodule(label)(x)
    return x


class Branches(nn.Module):
    """Rows of layers that all read the same input, their outputs concatenated along the channels.

    The layers of every branch are children of this module, so that a path ends `inception_3a.5x5_reduce`.
    """

    def __init__(self, *branches: Layers) -> None:
        super().__init__()
        self.labels = [tuple(branch) for branch in branches]
        for branch in branches:
            for label, layer in branch.items():
                self.add_module(label, layer)

    def forward(self, x: Tensor) -> Tensor:  # B×C×H×W
        return torch.cat([through(self, labels, x) for labels in self.labels], dim=1)  # B×ΣC×H×W


class Head(nn.Sequential):
    """A classifier that reads what flows past it in a `Headed` net, and runs while training only."""


class Headed(nn.Sequential):
    """Layers in a row, with heads among them that read what flows past and return it unchanged."""

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:  # B×C×H×W
        """Logits; while training, a tuple of the main ones and those of the heads, in their order."""
        heads: list[Tensor] = []
        for layer in self:
            if not isinstance(layer, Head):
                x = layer(x)
            elif self.training:
                heads.append(layer(x))
        return (x, *heads) if heads else x


def relu() -> nn.ReLU:
    """A ReLU that overwrites its input, as every framework runs them after a convolution."""
    return nn.ReLU(inplace=True)


def conv_relu(label: str, in_channels: int, filters: int, kernel: int, stride: int = 1, padding: int = 0) -> Layers:
    """A convolution with bias and the ReLU after it, called `relu_<label>`."""
    return {label: nn.Conv2d(in_channels, filters, kernel, stride, padding), f"relu_{label}": relu()}


def response_norm() -> nn.LocalResponseNorm:
    """Local response normalisation with the constants of Krizhevsky 2012, section 3.3.

    b_i = a_i / (k + alpha Σ a_j²)^beta over the n = 5 channels around i, k = 2, alpha = 1e-4, beta = 0.75.
    torch divides its alpha by n, hence the factor 5 here.
    """
    return nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)


def classifier(features: int, num_classes: int) -> Layers:
    """The three fully connected layers that AlexNet introduced and VGG kept, on `features` flattened inputs."""
    return {
        "flatten": nn.Flatten(),
        "fc6": nn.Linear(features, 4096),
        "relu6": relu(),
        "dropout6": nn.Dropout(0.5),
        "fc7": nn.Linear(4096, 4096),
        "relu7": relu(),
        "dropout7": nn.Dropout(0.5),
        "fc8": nn.Linear(4096, num_classes),  # logits: the softmax is left to the loss
    }


def glorot(net: Net) -> Net:
    """The net with its weights drawn anew as in Glorot 2010, and no biases.

    Deep stacks without batch normalisation need it: under torch's defaults the first gradient of VGG-19's conv1_1
    is five orders of magnitude below that of fc8, relative to the weights. The VGG paper names it (section 3.1).
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return net
