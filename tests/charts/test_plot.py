"""Charts: their data are the numbers of the tables, labels are apart, names stay text, every format is written."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import archcalc
from archcalc.analysis import analysis_of
from archcalc.charts import convert
from archcalc.charts.chart import MIME
from archcalc.charts.labels import Point, box_of, place
from archcalc.charts.plot import KINDS
from archcalc.charts.zoo import results
from archcalc.cli.plot import Kind
from archcalc.count.memory import budget, timeline
from archcalc.values.budget import Timeline
from archcalc.values.errors import UsageError
from archcalc.zoo import registry
from tests.cli.test_cli import run
from tests.support.bench_literals import LAYERED
from tests.support.calls import calls_of


def data_of(spec: Any, key: str) -> list[dict[str, Any]]:
    """The records of the first data in a specification that have that key."""
    parts = [spec, *(part for name in ("layer", "concat", "hconcat") for part in spec.get(name, ()))]
    sets = [part["data"]["values"] for part in parts if "data" in part]
    return next(records for records in sets if records and key in records[0])


def table(*words: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run("table", *words, "-f", "csv").stdout)))


def test_the_bars_of_layers_are_the_rows_of_the_table() -> None:
    bars = data_of(archcalc.plot("layers", "alexnet").spec, "measure")
    shown = [row for row in table("alexnet", "--columns", "path,params,macs") if row["params"] != "0"]
    for key in ("params", "macs"):
        rows = [(row["path"], int(row[key])) for row in shown]
        assert [(bar["path"], bar["value"]) for bar in bars if bar["measure"] == key] == rows
        assert sum(bar["share"] for bar in bars if bar["measure"] == key) == pytest.approx(1)


def test_compare_shows_the_totals() -> None:
    bars = data_of(archcalc.plot("compare", "lenet5-modern", "alexnet").spec, "measure")
    totals = {name: archcalc.analyze(name) for name in ("lenet5-modern", "alexnet")}
    assert len(bars) == 2 * 3
    assert all(bar["value"] == totals[bar["network"]].total(bar["measure"]) for bar in bars)


def test_what_is_unknown_is_marked_and_no_zero() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.fft.fft(self.conv(x)).abs()

    report = archcalc.analyze(Net(), (1, 3, 8, 8))
    bars = data_of(archcalc.plot("layers", report).spec, "measure")
    assert [bar["label"] for bar in bars if bar["value"] is None] == ["unknown"]
    whole = data_of(archcalc.plot("compare", report).spec, "measure")
    assert {bar["measure"]: bar["label"][0] for bar in whole} == {"params": "1", "macs": "≥", "activations": "≥"}


def test_the_line_of_the_receptive_field_holds_the_rows_where_it_grows() -> None:
    points = data_of(archcalc.plot("receptive-field", "vgg11").spec, "jump")
    size, jump, sizes = 1, 1, []
    for kernel, stride in [(3, 1), (2, 2), (3, 1), (2, 2), *[(3, 1), (3, 1), (2, 2)] * 3]:  # vgg11's eight convolutions
        size, jump = size + (kernel - 1) * jump, jump * stride
        sizes.append(size)
    assert [point["pixels"] for point in points] == [*sizes, 224]
    assert points[-1]["receptive_field"] == "all"


def test_the_timeline_of_a_step_is_what_the_budget_takes_its_peak_from() -> None:
    trace = analysis_of("lenet5-modern", batch_size=2, training=True, backward=True).trace
    steps = timeline(trace)
    assert Timeline.from_json(steps.to_json()) == steps
    assert [step.direction for step in steps.steps] == ["forward"] * len(trace.ops) + ["backward"] * len(trace.ops)
    assert max(step.nbytes for step in steps.steps) == budget(trace).training.nbytes
    assert [step.path for step in steps.steps[len(trace.ops) :]] == [op.path for op in reversed(trace.ops)]
    assert steps.steps[-1].weight_gradients == 4 * 61_706  # all of lenet5's gradients, at the end
    assert steps.steps[0].saved >= 2 * 32 * 32 * 4  # the input


def test_the_zoo_compares_one_protocol_and_builds_what_was_tested() -> None:
    chosen = {result.architecture.name: result for result in results(registry.catalogue().values())}
    assert not {"vgg16", "googlenet"} & {*chosen}
    assert chosen["resnet34"].settings == {"shortcut": "A"}
    (point,) = data_of(archcalc.plot("zoo", "resnet18").spec, "protocol")
    report = archcalc.analyze("resnet18", shortcut="A")
    assert (point["params"], point["macs"], point["top1_percent"]) == (
        report.total("params"),
        report.total("macs"),
        27.88,
    )


def test_latency_shows_medians() -> None:
    spec = archcalc.plot("latency", bench=LAYERED).spec
    panels = {panel["title"]["text"]: panel["data"]["values"] for panel in spec["concat"]}
    assert [(bar["network"], bar["median_ms"]) for bar in panels["forward"]] == [("a", 10.0), ("b", 25.0)]
    assert panels["forward"][1]["label"].endswith("! ms")


def test_a_roof_bounds_the_layers_of_a_device() -> None:
    points = data_of(archcalc.plot("roofline", "alexnet", device="a100-fp32").spec, "bound")
    rows = {row["path"]: row for row in table("alexnet", "--device", "a100-fp32")}
    assert {point["path"] for point in points} == {f"conv{n}" for n in range(1, 6)} | {"fc6", "fc7", "fc8"}
    for point in points:
        assert point["least_ms"] == pytest.approx(float(rows[point["path"]]["least_ms"]), rel=1e-3)
        roof = min(19.5e12, point["intensity"] * 2.039e12)
        assert 1e9 * point["gflops_per_second"] == pytest.approx(roof)


def test_a_roofline_of_many_layers_costs_work_in_a_line() -> None:
    def deep(layers: int) -> archcalc.Report:
        return archcalc.analyze(nn.Sequential(*[nn.Linear(3, 3) for _ in range(layers)]), (2, 3))

    work = [calls_of(archcalc.plot, "roofline", deep(size), device="a100-fp32") for size in (40, 140, 240)]
    assert work[2] - work[1] < 1.2 * (work[1] - work[0])


def test_labels_lie_on_no_other_label_and_on_no_point() -> None:
    points = [Point(40.0 + 30 * (number % 6), 40.0 + 25 * (number // 6), 9, f"network{number}") for number in range(24)]
    placed = place(points, 400, 200)
    boxes = {number: box_of(points[number], label) for number, label in placed.items()}
    assert len(placed) >= 4
    for number, box in boxes.items():
        assert not [other for other, taken in boxes.items() if other != number and box.overlaps(taken)]
        assert not [p for p in points if box.left < p.x < box.right and box.top < p.y < box.bottom]


def test_the_command_knows_the_kinds() -> None:
    assert [*KINDS] == [*Kind]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_same_bytes_each_time(theme: str) -> None:
    chart = archcalc.plot("layers", "lenet5-modern", theme=theme)
    again = archcalc.plot("layers", "lenet5-modern", theme=theme)
    assert (chart.svg(), chart.png()) == (again.svg(), again.png())


def test_names_stay_text_in_a_page() -> None:
    report = archcalc.analyze(nn.Sequential(nn.Linear(2, 2)), (1, 2))
    hostile = archcalc.Report("</script><script>alert(1)</script>\x1b[2J", report.rows, report.input_shapes)
    page = str(archcalc.plot("layers", hostile).render("html"))
    assert page.count("</script") == 2
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "default-src 'none'; script-src 'sha256-" in page  # no request, and no script but the one below
    assert not re.findall(r"<[^>]+(?:src|href)=", re.sub(r"<script>.*</script>", "", page, flags=re.S))


@pytest.mark.parametrize(("form", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("json", b"{")])
def test_every_format_is_written(form: str, start: bytes, tmp_path: Path) -> None:
    file = tmp_path / f"chart.{form}"
    assert run("plot", "compare", "lenet5-modern", "-o", str(file)).exit_code == 0
    assert file.read_bytes().startswith(start)


def test_the_specification_needs_no_extra_and_a_picture_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    result = run("plot", "compare", "lenet5-modern", "-f", "json")
    assert json.loads(result.stdout)["$schema"] == "https://vega.github.io/schema/vega-lite/v5.json"
    failed = run("plot", "compare", "lenet5-modern", "-f", "svg")
    assert failed.exit_code == 2
    assert "pip install 'archcalc[pictures]'" in failed.stderr


def test_a_notebook_gets_the_specification_and_an_image() -> None:
    bundle = archcalc.plot("compare", "lenet5-modern")._repr_mimebundle_()
    assert {*bundle} == {"text/plain", MIME, "image/png"}


def test_a_notebook_without_the_extra_is_told_how_to_get_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "find_spec", lambda name: None)
    bundle = archcalc.plot("compare", "lenet5-modern")._repr_mimebundle_()
    assert {*bundle} == {"text/plain", MIME}
    assert bundle["text/plain"].endswith("pip install 'archcalc[pictures]'")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("layers", "name a network"),
        ("zoo nobody", "unknown network"),
        ("zoo --protocol nobody", "ImageNet val, 10 crops"),
        ("zoo -b 3", "as they were published"),
        ("roofline alexnet", "--device NAME"),
        ("layers alexnet --device cpu", "not for layers"),
        ("latency", "name the networks to time"),
        ("compare lenet5 -o chart.gif", "end the name in one of .svg"),
    ],
)
def test_what_makes_no_sense_is_one_line(words: str, problem: str) -> None:
    result = run("plot", *words.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert problem in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_report_is_no_network_to_run() -> None:
    report = archcalc.analyze("lenet5-modern")
    for kind in ("memory", "latency"):
        with pytest.raises(UsageError, match="a report is not enough"):
            archcalc.plot(kind, report)


def test_formats_are_those_of_the_command() -> None:
    assert {*convert.FORMATS} == {"svg", "png", "pdf", "html", "json"}
