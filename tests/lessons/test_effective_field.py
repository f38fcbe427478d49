"""The effective receptive field: widths of known kernels worked out by hand, and the theoretical field as its bound."""

from __future__ import annotations

from math import sqrt

import pytest
import torch
from torch import nn

import archcalc
from archcalc.values.effective_field import EffectiveField


def conv(weights: list[float]) -> nn.Module:
    """A one-dimensional convolution with these weights."""
    layer = nn.Conv1d(1, 1, len(weights), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights).view(1, 1, -1))
    return layer


@pytest.mark.parametrize(
    ("weights", "deviation"),
    [
        ([1.0], 0.0),
        ([1.0, 1.0, 1.0], sqrt((1 + 0 + 1) / 3)),  # the squared gradient is the squared weights
        ([1.0, 2.0, 1.0], sqrt((1 + 0 + 1) / 6)),
        ([1.0, 0.0, 0.0, 0.0, 1.0], 2.0),
    ],
)
def test_the_width_of_a_kernel_is_four_deviations_of_its_square(weights: list[float], deviation: float) -> None:
    (axis,) = archcalc.effective_field(nn.Sequential(conv(weights)), "0", (2, 1, 20), unit=5).axes
    assert (axis.width.low, axis.width.high) == pytest.approx((4 * deviation, 4 * deviation), abs=1e-5)
    assert axis.centre.median == pytest.approx(5 + (len(weights) - 1) / 2)
    assert (axis.first, axis.last, axis.size) == (5, 4 + len(weights), len(weights))


def test_no_gradient_lies_outside_of_the_field_in_theory() -> None:
    field = archcalc.effective_field("lenet5-modern", "S4", seeds=2, batch_size=2)
    rows, columns = field.axes
    assert (rows.position, columns.position) == (2, 2)  # the middle of 5×5
    inside = sum(sum(line[columns.first : columns.last + 1]) for line in field.energy[rows.first : rows.last + 1])
    assert inside == pytest.approx(1)
    assert sum(map(sum, field.energy)) == pytest.approx(1)
    assert all(0 < axis.width.low <= axis.width.high < axis.size for axis in field.axes)
    assert EffectiveField.from_json(field.to_json()) == field


def test_volumes_and_networks_that_have_seen_no_data() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv3d(1, 4, (1, 3, 5), bias=False), nn.BatchNorm3d(4), nn.ReLU(inplace=True))
    state = {name: value.clone() for name, value in net.state_dict().items()}
    field = archcalc.effective_field(net, "2", (4, 1, 6, 8, 10))
    assert [axis.name for axis in field.axes] == ["planes", "rows", "columns"]
    assert field.axes[0].width.high == pytest.approx(0, abs=1e-9)  # a unit sees one plane
    assert (len(field.energy), len(field.energy[0])) == (8, 10)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert net.training


def test_a_normalisation_that_has_seen_no_data_gets_the_statistics_of_a_batch() -> None:
    """One branch sees the pixel to the left a hundred times as strongly, and is normalised: both count alike."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = conv([100.0, 0.0, 0.0]), conv([0.0, 0.0, 1.0])
            self.norm = nn.BatchNorm1d(1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            normal: torch.Tensor = self.norm(self.left(x))
            return normal + self.right(x)

    net = Net()
    (axis,) = archcalc.effective_field(net, "add", (4, 1, 400)).axes
    assert axis.width.median == pytest.approx(4, rel=0.02)
    net.norm.num_batches_tracked = torch.tensor(1)  # as if its mean of 0 and variance of 1 were those of data
    (axis,) = archcalc.effective_field(net, "add", (4, 1, 400)).axes
    assert axis.width.median == pytest.approx(8 * 0.01 / (1 + 0.01**2), rel=0.01)  # 2·4·√(p(1-p)), p = 1/(1 + 100²)


def test_what_has_no_effective_field_is_an_error() -> None:
    first = nn.Conv2d(1, 2, 3)
    net = nn.Sequential(first, nn.Flatten(), nn.Linear(72, 2))
    for layer, unit, message in (
        ("2", None, "sees the whole input"),
        ("3", None, "layer of"),
        ("0", (6, 6), "the last of them is 5,5"),
    ):
        with pytest.raises(archcalc.UsageError, match=message):
            archcalc.effective_field(net, layer, (1, 1, 8, 8), unit=unit)
    nn.init.zeros_(first.weight)
    with pytest.raises(archcalc.ModelError, match="no gradient"):
        archcalc.effective_field(net, "0", (1, 1, 8, 8))
