"""LeNet-5 (LeCun 1998, section II.B, Figure 2 and Table I), and the form in which it is taught today."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from archcalc.zoo.building_blocks import Branches, Layers, sequence
from archcalc.zoo.registry import register

# Table I: the maps of S2 that each map of C3 reads, in the paper's order and its four groups.
C3_TABLE = {
    "3_adjacent": ((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    "4_adjacent": ((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    "4_apart": ((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    "all_6": ((0, 1, 2, 3, 4, 5),),
}

# The targets of the ten output units, 7×12 pixels each. The drawings are ours, in the manner of the paper's Figure 3.
DIGITS = """
..###.. ...#... ..###.. ..###.. .....#. ####### ...###. ####### ..###.. ..###..
.#...#. ..##... .#...#. .#...#. ....##. #...... ..#.... ......# .#...#. .#...#.
#.....# .#.#... #.....# #.....# ...#.#. #...... .#..... ......# #.....# #.....#
#.....# ...#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
#.....# ...#... ......# .....#. ..#..#. #.###.. #...... .....#. .#...#. #.....#
#.....# ...#... .....#. ..###.. .#...#. ##...#. #.###.. ....#.. ..###.. .#...##
#.....# ...#... ....#.. .....#. .#...#. ......# ##...#. ....#.. .#...#. ..###.#
#.....# ...#... ...#... ......# #....#. ......# #.....# ...#... #.....# ......#
#.....# ...#... ..#.... ......# ####### ......# #.....# ...#... #.....# ......#
#.....# ...#... .#..... #.....# .....#. #.....# #.....# ..#.... #.....# .....#.
.#...#. ...#... #...... .#...#. .....#. .#...#. .#...#. ..#.... .#...#. ....#..
..###.. .#####. ####### ..###.. .....#. ..###.. ..###.. ..#.... ..###.. .###...
"""


class ScaledTanh(nn.Module):
    """The paper's squashing function, 1.7159 tanh(2/3 a), which maps ±1 to ±1 (Appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsampling(nn.Module):
    """S2 and S4: the mean of 2×2 units, times a coefficient and plus a bias for each map, then a sigmoid.

    The paper adds the four units where this averages them, so the coefficient starts at 4. That also makes up for
    the sigmoid's slope of 1/4: started at 1, the net takes several times as long to learn anything.
    """

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.average_pool = nn.AvgPool2d(2, stride=2)
        self.coefficient = nn.Parameter(torch.full((maps, 1, 1), 4.0))
        self.bias = nn.Parameter(torch.zeros(maps, 1, 1))
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:  # B×C×H×W
        y: Tensor = self.sigmoid(self.average_pool(x) * self.coefficient + self.bias)
        return y  # B×C×H/2×W/2


class SelectMaps(nn.Module):
    """The maps of these indices, one after the other; a map may be read more than once."""

    maps: Tensor

    def __init__(self, maps: list[int]) -> None:
        super().__init__()
        self.register_buffer("maps", torch.tensor(maps))

    def forward(self, x: Tensor) -> Tensor:  # B×C×H×W
        return x.index_select(1, self.maps)  # B×len(maps)×H×W


class RadialBasis(nn.Module):
    """Squared Euclidean distances to fixed codes, one a class: the smallest output is the answer."""

    codes: Tensor

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.register_buffer("codes", codes)

    def forward(self, x: Tensor) -> Tensor:  # B×84
        return (x.unsqueeze(1) - self.codes).square().sum(dim=2)  # B×10


def digit_codes() -> Tensor:
    """The drawn digits as 10×84 codes: +1 where there is ink, -1 where there is none."""
    rows = [line.split() for line in DIGITS.split("\n") if line]
    digits = ["".join(row[digit] for row in rows) for digit in range(10)]
    return torch.tensor([[1.0 if pixel == "#" else -1.0 for pixel in digit] for digit in digits])


def _c3() -> Branches:
    """16 maps in the table's four groups; each map is one group of a grouped convolution."""
    branches: list[Layers] = []
    for label, table in C3_TABLE.items():
        reads = [source for sources in table for source in sources]
        conv = nn.Conv2d(len(reads), len(table), 5, groups=len(table))
        branches.append({f"select_{label}": SelectMaps(reads), f"conv_{label}": conv})
    return Branches(*branches)


@register(
    "lenet5",
    year=1998,
    source="LeCun 1998, section II.B",
    input_shape=(1, 32, 32),
    errors=(("MNIST test", 0.95, None),),
)
def lenet5(num_classes: int = 10, in_channels: int = 1) -> nn.Sequential:
    """Sparse C3, trainable subsampling, and radial basis outputs that are distances, not scores."""
    if num_classes != len(codes := digit_codes()):
        raise ValueError(f"its outputs are distances to bitmaps of the ten digits, so num_classes must be {len(codes)}")
    layers: Layers = {
        "C1": nn.Conv2d(in_channels, 6, 5),  # 6×28×28
        "tanh1": ScaledTanh(),
        "S2": Subsampling(6),  # 6×14×14
        "C3": _c3(),  # 16×10×10
        "tanh3": ScaledTanh(),
        "S4": Subsampling(16),  # 16×5×5
        "C5": nn.Conv2d(16, 120, 5),  # 120×1×1
        "tanh5": ScaledTanh(),
        "flatten": nn.Flatten(),
        "F6": nn.Linear(120, 84),
        "tanh6": ScaledTanh(),
        "output": RadialBasis(codes),
    }
    return sequence(layers)


@register(
    "lenet5-modern",
    year=1998,
    source="LeCun 1998, as taught today",
    input_shape=(1, 32, 32),
    variant_of="lenet5",
)
def lenet5_modern(num_classes: int = 10, in_channels: int = 1) -> nn.Sequential:
    """Dense C3, plain average pooling, plain tanh, and a linear output layer."""
    layers: Layers = {
        "C1": nn.Conv2d(in_channels, 6, 5),  # 6×28×28
        "tanh1": nn.Tanh(),
        "S2": nn.AvgPool2d(2, stride=2),  # 6×14×14
        "C3": nn.Conv2d(6, 16, 5),  # 16×10×10
        "tanh3": nn.Tanh(),
        "S4": nn.AvgPool2d(2, stride=2),  # 16×5×5
        "C5": nn.Conv2d(16, 120, 5),  # 120×1×1
        "tanh5": nn.Tanh(),
        "flatten": nn.Flatten(),
        "F6": nn.Linear(120, 84),
        "tanh6": nn.Tanh(),
        "output": nn.Linear(84, num_classes),
    }
    return sequence(layers)
