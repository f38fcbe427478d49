"""archcalc rf: the chart, one unit, every format, and what is said where there is no answer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from archcalc.cli import app
from archcalc.count.rf_growth import growth
from archcalc.count.rf_layer import unit_fields
from archcalc.formats import render
from archcalc.render.rf import receptive_fields
from archcalc.render.rf_unit import layer_field
from archcalc.values.axis_field import AxisField
from archcalc.values.layer_field import LayerField
from archcalc.values.report import Report, Row

NETS = """
import torch
from torch import nn
from torch.nn import functional as F
class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 4, 3, 2, 1)
        self.up = nn.ConvTranspose2d(4, 3, 4, 2, 1)
    def forward(self, x): return self.up(self.down(x)) + x
class Sound(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 5, 2)
    def forward(self, x): return self.conv(x).roll(1, 2).relu()
class Volume(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(1, 4, (1, 3, 5))
    def forward(self, x): return self.conv(x)
class Misaligned(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, 2)
    def forward(self, x): return self.conv(x) + x[:, :, :7, :7]
class Halls(nn.Module):
    def forward(self, x): return F.avg_pool2d(x, 3, 1).mean(3)
class Constant(nn.Module):
    def forward(self, x): return torch.zeros_like(x) + x.mean((2, 3), keepdim=True)
"""


def run(*arguments: str, width: int = 80) -> Result:
    return CliRunner().invoke(app, ["rf", *arguments], env={"COLUMNS": str(width)}, catch_exceptions=False)


def printed(*arguments: str, width: int = 80) -> str:
    result = run(*arguments, width=width)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    return " ".join(result.stderr.split())


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)


# ---- growth


@pytest.mark.parametrize(
    ("name", "arguments", "width"),
    [
        ("rf-alexnet-80.txt", ["alexnet"], 80),
        ("rf-resnet18-80.txt", ["resnet18"], 80),
        ("rf-googlenet-120.txt", ["googlenet", "--depth", "1"], 120),
        ("rf-vgg16-40.txt", ["vgg16"], 40),
        ("rf-lenet5.md", ["lenet5", "-f", "markdown"], 80),
        ("rf-lenet5.tex", ["lenet5", "-f", "latex"], 80),
        ("rf-unit-80.txt", ["vgg16", "--layer", "pool5", "--unit", "0,6"], 80),
    ],
)
def test_it_prints_what_it_did(name: str, arguments: list[str], width: int, golden: Callable[[str, str], None]) -> None:
    golden(name, printed(*arguments, width=width))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("model", ["alexnet", "inception-v3", "resnet152"])
def test_the_chart_fits_the_terminal(model: str, width: int) -> None:
    lines = printed(model, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) < (100 if width >= 80 else 150)


def test_bars_cross_the_mark_where_the_field_is_larger_than_the_input() -> None:
    lines = [line for line in printed("resnet18", width=120).splitlines() if "|" in line and "=" not in line]
    assert len({line.index("|") for line in lines}) == 1
    for line in lines:
        assert ("|█" in line or "|▏" in line) == ("> input" in line)
    assert next(line for line in lines if "> input" in line).startswith("conv5_x.conv5_1.conv1")
    # 211 of 224 pixels does not reach the mark, 243 crosses it
    assert "▏ |" in next(line for line in lines if "211x211" in line)


def test_only_what_sees_more_than_all_before_is_shown() -> None:
    shapes: list[tuple[tuple[int, ...] | str | None, int]] = [
        *[((3, 3), 1), ((3, 3), 1), ((1, 5), 1), ((3, 5), 1), ((3, 5), 2), ((3, 4), 1), ((3, 7), 2)],
        *[("all", 0), ("all", 0), (None, 0), ("all", 0), (None, 0)],
    ]
    rows = [Row(str(at), "k", receptive_field=seen, jump=(jump,) * 2 or None) for at, (seen, jump) in enumerate(shapes)]
    assert [row.path for row in growth(rows)] == ["0", "2", "4", "6", "7", "9"]


def test_csv_and_json_hold_every_call() -> None:
    rows = list(csv.DictReader(io.StringIO(printed("alexnet", "-f", "csv"))))
    assert len(rows) == 23
    pool5 = next(row for row in rows if row["path"] == "pool5")
    assert (pool5["receptive_field"], pool5["jump"], pool5["rf_offset"]) == ("195x195", "32x32", "-64x-64")
    assert pool5["exceeds_input"] == "false"
    assert {row["schema"] for row in rows} == {"archcalc.rf/1"}
    found = json.loads(printed("alexnet", "-f", "json"))
    assert (found["schema"], len(found["rows"])) == ("archcalc.rf/1", 23)
    assert next(row for row in found["rows"] if row["path"] == "pool5")["receptive_field"] == [195, 195]


def test_depth_and_all_are_those_of_the_table() -> None:
    folded = list(csv.DictReader(io.StringIO(printed("resnet50", "--depth", "1", "-f", "csv"))))
    assert [row["path"] for row in folded if row["path"].startswith("conv5")] == ["conv5_x"]
    assert "483x483" in printed("resnet50", "--depth", "1")
    assert len(printed("resnet50", "--all").splitlines()) > 170
    assert len(printed("preresnet1001").splitlines()) < 80


def test_the_input_size_moves_the_mark() -> None:
    found = printed("resnet18", "-i", "3x100x224")
    assert "| = input 100x224" in found
    assert next(line for line in found.splitlines() if "> input" in line).startswith("conv4_x.conv4_1.conv1")  # 115


@pytest.mark.usefixtures("nets")
def test_what_is_not_plain_is_said() -> None:
    decoder = " ".join(printed("nets.py:Decoder", "-i", "3x32x32").split())
    assert "upsampled from up on neighbours may share what they see" in decoder
    sound = " ".join(printed("nets.py:Sound", "-i", "2x64").split())
    assert "NOT KNOWN at roll: positions cannot be followed through roll" in sound
    assert "misaligned paths of different jumps met" in " ".join(printed("nets.py:Misaligned", "-i", "3x15x15").split())
    assert "3x16" in printed("nets.py:Halls", "-i", "3x16x16")


def test_a_report_without_an_image_has_a_chart_of_nothing() -> None:
    report = Report("words", (Row("fc", "linear"),), ((1, 8),))
    text = render(receptive_fields(report, report.rows, 80), "table", ascii_only=True)
    assert text.isascii()
    assert "NOT KNOWN" in text


# ---- one unit


def test_a_unit_sees_what_its_axis_says() -> None:
    rows = list(csv.DictReader(io.StringIO(printed("alexnet", "--layer", "pool5", "--unit", "3,4", "-f", "csv"))))
    # offset -64, jump 32, size 195
    assert [(row["axis"], row["first"], row["last"]) for row in rows] == [
        ("rows", str(-64 + 3 * 32), str(-64 + 3 * 32 + 194)),
        ("columns", str(-64 + 4 * 32), str(-64 + 4 * 32 + 194)),
    ]
    # columns 64..258 of 0..226
    found = [(row["inside"], row["padding"], row["centre"]) for row in rows]
    assert found == [("195", "0", "129"), ("163", "32", "161")]


def test_a_module_is_asked_through_its_last_call() -> None:
    one, other = (
        json.loads(printed("resnet50", "--layer", layer, "--unit", "3x3", "-f", "json"))
        for layer in ("conv5_x", "conv5_x.conv5_3.relu")
    )
    assert one == other
    assert [axis["size"] for axis in one["axes"]] == [483, 483]


@pytest.mark.usefixtures("nets")
def test_behind_an_upsampling_each_unit_has_ends_of_its_own() -> None:
    ends = [
        [axis["first"], axis["last"]]
        for j in range(4)
        for axis in json.loads(
            printed("nets.py:Decoder", "-i", "3x32x32", "--layer", "up", "--unit", f"0,{j}", "-f", "json")
        )["axes"][1:]
    ]
    # unit j of `up` reads i with j = 2i - 1 + k, k < 4; unit i of `down` reads 2i - 1 to 2i + 1
    below = [[-1, 0], [0, 1], [0, 1], [1, 2]]
    assert ends == [[2 * first - 1, 2 * last + 1] for first, last in below]


@pytest.mark.usefixtures("nets")
def test_sound_and_volumes_have_units_too() -> None:
    sound = printed("nets.py:Sound", "-i", "2x64", "--layer", "conv", "--unit", "3")
    assert "positions 6..10 of 64" in sound
    assert sound.rstrip().splitlines()[-1].strip("-") == "####"  # 5 of 64 positions on 48 characters
    volume = printed("nets.py:Volume", "-i", "1x1x8x9x10", "--layer", "conv", "--unit", "1,2,3")
    assert "planes 1..1, rows 2..4, columns 3..7 of 8x9x10" in volume
    halls = printed("nets.py:Halls", "-i", "3x16x16", "--layer", "mean", "--unit", "2,0")
    assert "rows 2..4, columns 0..15 of 16x16" in halls


@pytest.mark.usefixtures("nets")
def test_a_misaligned_unit_is_said_to_be_of_one_path() -> None:
    found = printed("nets.py:Misaligned", "-i", "3x15x15", "--layer", "add", "--unit", "1,1")
    assert "misaligned  paths of different jumps met" in found


def test_the_sketch_tells_input_padding_and_what_is_not_seen() -> None:
    row = Row("conv", "conv2d", output_shapes=((1, 1, 4, 8),))
    field = (AxisField(lo=(-2,), hi=(1,), length=4), AxisField(lo=(1,), hi=(3,), length=8))
    unit = unit_fields(field, row, (0, 3))
    text = render(layer_field(LayerField("net", "conv", "conv2d", None, None, None, unit=unit)), "table")
    assert text.rstrip().splitlines()[-6:] == ["    +++", "    +++", "----###-", "----###-", "--------", "--------"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["alexnet", "--unit", "3,3"], "--unit and --layer go together"),
        (["alexnet", "--layer", "pool5"], "--unit and --layer go together"),
        (["alexnet", "--layer", "pol5", "--unit", "3,3"], "unknown layer of alexnet 'pol5': did you mean pool5"),
        (["alexnet", "--layer", "pool5", "--unit", "6,0"], "pool5 puts out 6x6 units: the last of them is 5,5"),
        (["alexnet", "--layer", "pool5", "--unit", "3"], "pool5 puts out 6x6 units: --unit takes 2 numbers"),
        (["alexnet", "--layer", "pool5", "--unit", "-1,3"], "'-1,3' is no unit"),
        (["alexnet", "--layer", "pool5", "--unit", "a"], "'a' is no unit"),
        (["alexnet", "--layer", "fc7", "--unit", "0"], "every unit of fc7 sees the whole input"),
        (["alexnet", "--layer", "flatten", "--unit", "0"], "the units of flatten lie in one line"),
        (["nets.py:Sound", "-i", "2x64", "--layer", "relu", "--unit", "0"], "roll (roll) cannot be followed"),
        (["nets.py:Constant", "-i", "3x9x9", "--layer", "zeros_like", "--unit", "0,0"], "made of constants"),
        (["alexnett"], "unknown network 'alexnett'"),
        (["alexnett", "--layer", "pool5", "--unit", "0,0"], "unknown network 'alexnett'"),
    ],
)
@pytest.mark.usefixtures("nets")
def test_wrong_questions_are_answered_clearly(arguments: list[str], said: str) -> None:
    assert said in refused(*arguments)


def test_a_network_that_fails_ends_with_three() -> None:
    for more in ([], ["--layer", "pool5", "--unit", "0,0"]):
        result = run("alexnet", "-i", "3x100x100", *more)
        assert result.exit_code == 3
        assert "fc6" in result.stderr
