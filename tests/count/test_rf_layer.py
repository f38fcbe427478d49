"""archcalc.receptive_field: the field of a layer, and the pixels of one unit, as values."""

from __future__ import annotations

import pytest
from torch import nn

import archcalc


def test_the_field_of_a_layer() -> None:
    found = archcalc.receptive_field("alexnet", "pool5")
    # 11x11/4, 3x3/2, 5x5, 3x3/2, three of 3x3, 3x3/2: each kernel adds (k - 1) times the jump before it
    size = 1 + 10 * 1 + 2 * 4 + 4 * 8 + 2 * 8 + 3 * (2 * 16) + 2 * 16
    assert (found.subject, found.path, found.kind) == ("alexnet", "pool5", "max_pool2d")
    assert (found.size, found.jump, found.offset, found.unit) == ((size, size), (32, 32), (-64, -64), ())
    text = str(found)
    assert text.startswith("receptive field of alexnet pool5")
    assert f"{size}x{size}" in text


def test_the_pixels_of_a_unit() -> None:
    found = archcalc.receptive_field("alexnet", "pool5", unit=(3, 4))
    assert found.jump is not None
    ends = [(axis.name, axis.position, axis.first, axis.last) for axis in found.unit]
    assert ends == [("rows", 3, -64 + 3 * 32, -64 + 3 * 32 + 194), ("columns", 4, -64 + 4 * 32, -64 + 4 * 32 + 194)]
    assert [axis.padding for axis in found.unit] == [0, 64 + 194 - 226]
    assert "# seen" in str(found)


def test_a_unit_of_a_sound_is_one_number() -> None:
    net = nn.Sequential(nn.Conv1d(1, 2, 5, 2))
    assert [(axis.first, axis.last) for axis in archcalc.receptive_field(net, "0", (1, 1, 20), unit=3).unit] == [
        (6, 10)
    ]


def test_a_module_is_asked_through_its_last_call() -> None:
    found = archcalc.receptive_field("resnet50", "conv5_x")
    assert (found.path, found.size) == ("conv5_x.conv5_3.relu", (483, 483))


def test_where_all_is_seen_the_size_says_so_and_no_unit_can_be_asked_for() -> None:
    found = archcalc.receptive_field("alexnet", "fc7")
    assert (found.size, found.jump, found.offset) == ("all", None, None)
    assert "all" in str(found)
    with pytest.raises(archcalc.UsageError, match="every unit of fc7 sees the whole input"):
        archcalc.receptive_field("alexnet", "fc7", unit=0)


def test_wrong_requests() -> None:
    with pytest.raises(archcalc.UsageError, match="unknown layer of alexnet 'pol5': did you mean pool5"):
        archcalc.receptive_field("alexnet", "pol5")
    with pytest.raises(archcalc.UsageError, match="the last of them is 5,5"):
        archcalc.receptive_field("alexnet", "pool5", unit=(6, 0))
    with pytest.raises(archcalc.UsageError, match="the last of them is 5,5"):
        archcalc.receptive_field("alexnet", "pool5", unit=(-1, 0))
    with pytest.raises(archcalc.ModelError, match="fc6"):
        archcalc.receptive_field("alexnet", "pool5", (1, 3, 100, 100))


def test_a_model_that_reads_values_has_fields_too() -> None:
    class Reads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3)

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.conv(x) if x.mean() < 10**6 else x

    found = archcalc.receptive_field(Reads(), "conv", (1, 1, 8, 8), unit=(2, 1))
    assert [(axis.first, axis.last) for axis in found.unit] == [(2, 4), (1, 3)]
