"""archcalc gradients: the chart on a logarithmic axis, and what is said of the numbers; and the pictures of both."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import archcalc
from archcalc.charts.effective_field import effective_field as field_chart
from archcalc.charts.gradients import gradients as chart
from archcalc.charts.theme import theme
from archcalc.formats import render
from archcalc.render.gradients import gradients
from archcalc.render.rf_effective import effective_field
from archcalc.values.effective_field import EffectiveAxis, EffectiveField
from archcalc.values.gradients import Gradients, LayerGradient, Range, StartSetting
from tests.cli.test_cli import run


def network(*values: float | None, note: str = "", growth: float = 2.0) -> Gradients:
    """A net whose layers get these gradients, the last of them 1."""

    def same(value: float) -> Range:
        return Range(value, value / 2, value * 2)

    layers = tuple(
        LayerGradient(
            *(f"conv{number}", 0, "conv2d", number, None if value is None else same(value), None),
            *(same(0.5), same(1.0), same(0.25), same(3.0), "" if value else note),
        )
        for number, value in enumerate((*values, 1.0), start=1)
    )
    last = layers[-1].path
    return Gradients("net", "", ((8, 3, 4, 4),), StartSetting(), "a loss", last, same(growth), None, layers)


FIELD = EffectiveField(
    *("net", "conv2", "conv2d", StartSetting("he")),
    (
        EffectiveAxis("rows", 1, 0, 2, 4, Range(2.0, 1.0, 3.0), Range(1.0, 1.0, 1.0)),
        EffectiveAxis("columns", 1, -1, 3, 4, Range(2.0, 1.0, 3.0), Range(1.5, 1.5, 1.5)),
    ),
    ((0.0, 0.0, 0.0, 0.0), (0.0, 0.25, 0.25, 0.0), (0.0, 0.25, 0.25, 0.0), (0.0, 0.0, 0.0, 0.0)),
)


def text(value: Any) -> str:
    return " ".join(str(value).split())


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (0.001, "conv1 gets 0.001 times (0.0005 to 0.002) what conv3 gets: it vanishes"),
        (0.02, "it neither vanishes nor explodes"),
        (1e7, "conv1 gets 1e+07 times (5e+06 to 2e+07) what conv3 gets: it explodes"),
        (0.0, "conv1 gets none"),
        (None, "what conv1 gets is not known"),
    ],
)
def test_what_becomes_of_the_gradient_is_said(first: float | None, words: str) -> None:
    shown = text(network(first, 1.0))
    assert words in shown
    assert "x2 a layer towards the input" in shown
    assert "this is how the network starts" in shown


def test_where_it_starts_is_said() -> None:
    assert "below a tenth of what conv5 gets from conv2 on to the input" in text(network(0.01, 0.05, 0.5, 0.01 * 50))
    assert "above ten times conv4 from conv1 on" in text(network(20.0, 5.0, 20.0 / 4))
    assert "starts" not in text(network(5.0, 0.5)).replace("network starts", "")


def test_the_bars_reach_from_one_to_the_gradient_on_a_logarithmic_axis() -> None:
    lines = render(gradients(network(1e-4, 1e-2, 1e2, 0.0, note="none: dead")), "table", width=100).splitlines()
    bars = [line.split("  ", 1)[1] for line in lines if line.startswith("conv")]
    assert [bar.count("█") for bar in bars] == [16, 8, 8, 0, 0]  # 24 characters for the powers -4 to 2
    assert [bar.index("|") - bar.index("█") for bar in bars[:2]] == [16, 8]
    assert [bar.index("|") for bar in (bars[0], bars[1], bars[2], bars[4])] == [bars[0].index("|")] * 4
    assert "none" in bars[3]
    assert "conv4: dead" in text("\n".join(lines))


def test_a_mean_that_is_next_to_nothing_is_zero() -> None:
    net = network(5.0)
    layers = tuple(replace(layer, mean=Range(-0.0004, -1.0, 1.0)) for layer in net.layers)
    line = next(line for line in str(replace(net, layers=layers)).splitlines() if line.startswith("conv1"))
    assert line.split()[-4:] == ["0", "1", "25.0%", "3"]  # mean, spread, zeros, of weights


def test_a_long_network_shows_its_ends_and_some_between_and_csv_all() -> None:
    long = network(*[1.0] * 99)
    table = render(gradients(long, 5), "table", width=100)
    assert [line.split()[0] for line in table.splitlines() if line.startswith("conv")] == [
        *("conv1", "conv26", "conv51", "conv75", "conv100")  # 99·k/4 layers behind the first, rounded
    ]
    assert "95 layers between these" in text(table)
    records = list(csv.DictReader(io.StringIO(render(gradients([long, long], 5), "csv"))))
    assert len(records) == 200
    assert (records[0]["gradient"], records[0]["gradient_low"], records[0]["zeros_high"]) == ("1", "0.5", "0.5")
    content = json.loads(render(gradients(long), "json"))
    assert Gradients.from_dict(content["networks"][0]) == long


def test_the_effective_field_is_drawn_in_shades() -> None:
    lines = render(effective_field(FIELD), "table", width=80).splitlines()
    assert lines[-2:] == [".@@.", ".@@."]  # two rows of cells a line
    assert "random, he" in text("\n".join(lines))
    assert "40.0%" in "\n".join(lines)  # 2 of 5 columns
    (row, _) = csv.DictReader(io.StringIO(render(effective_field(FIELD), "csv")))
    assert (row["axis"], row["size"], row["width"]) == ("rows", "3", "2")


def test_charts_hold_the_values_and_leave_out_what_a_logarithm_has_none_of() -> None:
    spec = chart([network(1e-4, 0.0, 10.0, note="none: dead")], theme("light"))
    points = spec["layer"][2]["data"]["values"]
    assert [(point["depth"], point["gradient"]) for point in points] == [(1, 1e-4), (3, 10.0), (4, 1.0)]
    assert spec["layer"][2]["encoding"]["y"]["scale"]["domain"] == [1e-5, 100.0]
    boxes = [layer["data"]["values"][0] for layer in field_chart(FIELD, theme("dark"))["layer"][1:]]
    assert boxes[0] == {"x": 0, "x2": 4, "y": 0, "y2": 3}  # theory, cut off at the input's edge
    assert boxes[1] == {"x": 1.0, "x2": 3.0, "y": 0.5, "y2": 2.5}  # one deviation is half a pixel


def test_the_commands_and_their_charts() -> None:
    result = run("gradients", "lenet5-modern", "--seeds", "2", "-b", "2", "-f", "json")
    assert result.exit_code == 0, result.stderr
    (shown,) = json.loads(result.stdout)["networks"]
    layers = [layer["path"] for layer in shown["layers"]]
    assert layers == ["C1", "C3", "C5", "F6", "output"]
    points = archcalc.plot("gradients", "lenet5-modern", seeds=2, batch_size=2).spec["layer"][2]["data"]["values"]
    assert [point["gradient"] for point in points] == [layer["gradient"]["median"] for layer in shown["layers"]]
    command = "plot effective-field lenet5-modern --layer S2 --seeds 1 -b 1 -f json"
    spec = json.loads(run(*command.split()).stdout)
    assert sum(cell["share"] for cell in spec["layer"][0]["data"]["values"]) == pytest.approx(1)
    refused = run("plot", "layers", "lenet5-modern", "--init", "he", "-f", "json")
    assert refused.exit_code == 2
    assert "init is for the chart gradients or effective-field" in refused.stderr


def test_a_saved_report_holds_no_network_to_start(tmp_path: Path) -> None:
    saved = tmp_path / "lenet5.json"
    saved.write_text(archcalc.analyze("lenet5").to_json())
    for words in (["gradients", str(saved)], ["rf", str(saved), "--layer", "S2", "--effective"]):
        result = run(*words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "holds no network to run" in result.stderr


def test_rf_draws_the_middle_unit_and_shows_the_effective_field() -> None:
    middle = run("rf", "lenet5-modern", "--layer", "S2", "--draw").stdout
    assert middle == run("rf", "lenet5-modern", "--layer", "S2", "--unit", "7,7").stdout
    result = run("rf", "lenet5-modern", "--layer", "S2", "--effective", "--seeds", "1", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["axis"], row["first"], row["last"]) for row in rows] == [("rows", "14", "19"), ("columns", "14", "19")]
    assert run("rf", "lenet5-modern", "--effective").exit_code == 2
