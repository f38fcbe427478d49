"""The report as a file: what stands in it, what it may load, and that no name can break it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise

import pytest
import torch
from torch import nn

import archcalc
from archcalc.page.alignment import alignment_table
from archcalc.page.charts import dark_rules, layer_chart, thinned
from archcalc.values.budget import Step, Timeline

pytest.importorskip("vl_convert", reason="charts need it: pip install 'archcalc[pictures]'")
pytest.importorskip("jinja2", reason="the page needs it: pip install 'archcalc[pictures]'")

HOSTILE = "</script><img src=x onerror=alert(1)>\"'"


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))


class Named(nn.Module):
    """A network whose module has a name that would break a page that did not escape it."""

    def __init__(self) -> None:
        super().__init__()
        block = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
        self.add_module(HOSTILE, block)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        block: torch.Tensor = self._modules[HOSTILE](x)  # type: ignore[misc]
        return block


@pytest.fixture(scope="module")
def lenet() -> str:
    return archcalc.report_page("lenet5")


@pytest.fixture(scope="module")
def five() -> str:
    return archcalc.report_page("alexnet", "vgg16", "googlenet", "resnet18", "resnet50")


def _ids(text: str) -> Iterator[str]:
    yield from (attributes["id"] or "" for _, attributes in Elements(text).all if "id" in attributes)


def test_equal_networks_give_equal_bytes(lenet: str) -> None:
    assert archcalc.report_page("lenet5") == lenet


def test_nothing_is_loaded_and_nothing_is_styled_or_run_but_what_the_policy_names(two: str) -> None:
    elements = Elements(two).all
    policy = next(attributes["content"] for _, attributes in elements if "http-equiv" in attributes)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for tag, attributes in elements:
        assert tag not in ("img", "link", "iframe", "object", "image")
        assert not [name for name in attributes if name in ("src", "style", "srcset") or name.startswith("on")]
        for target in (attributes.get("href"), attributes.get("xlink:href")):
            assert target is None or target.startswith("#")


def test_ids_differ_and_every_reference_leads_to_one(two: str) -> None:
    ids = list(_ids(two))
    assert len(ids) == len(set(ids))
    targets = [attributes["href"] for tag, attributes in Elements(two).all if tag == "a"]
    assert {target[1:] for target in targets if target} <= set(ids)
    assert set(re.findall(r"url\(#([^)]*)\)", two)) <= set(ids)


def test_headings_leave_no_level_out(two: str) -> None:
    levels = [int(tag[1]) for tag, _ in Elements(two).all if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_totals_are_those_of_the_report(two: str) -> None:
    report = archcalc.analyze("googlenet")
    for total in (report.params, report.macs, 2 * report.macs):
        assert f"<dd>{total:,}</dd>" in two


def test_every_module_that_can_be_opened_has_a_picture(two: str) -> None:
    elements = Elements(two).all
    pictures = {attributes["data-path"] for tag, attributes in elements if tag == "template"}
    openable = {attributes["data-path"] for _, attributes in elements if "data-module" in attributes}
    assert openable == pictures
    assert "inception_3a" in pictures


def test_a_module_shades_its_largest_layer_most(five: str) -> None:
    text = five.partition('<section id="network-1"')[0]
    steps = dict(re.findall(r'data-path="([^"]*)" data-params="(\d)"', text))
    assert steps["fc6"] == "5"  # 9216 * 4096 + 4096 of 60,965,224 are the most that a layer has
    assert steps["conv1"] == "0"


def test_names_cannot_become_elements() -> None:
    text = archcalc.report_page(Named(), inputs=(1, 3, 16, 16))
    assert not [tag for tag, _ in Elements(text).all if tag == "img"]
    assert text.count("</script>") == 1
    assert "&lt;/script&gt;&lt;img" in text


class Unknown(nn.Module):
    """A network whose only call cannot be counted."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.inv(x)


def test_layers_of_unknown_cost_are_not_said_to_be_the_same() -> None:
    report = archcalc.analyze(Unknown(), (4, 4))
    (group,) = alignment_table(report, report, ["a", "b"]).groups
    ((_, _, _, params, macs, *_, verdict),) = group.lines
    assert (params.text, macs.text, verdict.text) == ("0", "?", "not known")


def test_an_unknown_op_makes_the_totals_lower_bounds() -> None:
    text = archcalc.report_page(Unknown(), inputs=(4, 4))
    assert "LOWER BOUND" in text
    assert re.search(r"<dt>mult-adds</dt><dd>≥ 0</dd>", text)


def test_charts_have_a_dark_colour_for_every_light_one() -> None:
    svg = str(layer_chart(archcalc.analyze("alexnet"), "x").svg)
    rules = "".join(dark_rules())
    for attribute, colour in re.findall(r'(fill|stroke)="(#[0-9a-f]{6})"', svg):
        assert f'[{attribute}="{colour}"]' in rules


def test_networks_that_were_changed_have_no_documented_figures(lenet: str) -> None:
    assert "documented figures of lenet5" in lenet
    assert "documented figures of lenet5" not in archcalc.report_page("lenet5", batch_size=2)


def test_five_networks_stay_below_a_megabyte_and_a_half(five: str) -> None:
    assert len(five.encode()) < 1_500_000


def test_a_benchmark_adds_its_latencies_and_the_time_of_boxes(lenet: str) -> None:
    measured = archcalc.benchmark("lenet5", mode="inference", seconds=0.01, layers=True)
    text = archcalc.report_page("lenet5", bench=measured)
    assert 'id="latency"' in text
    assert 'id="latency"' not in lenet
    assert '<option value="time">' in text
    assert '<option value="time">' not in lenet


def test_the_memory_of_many_steps_keeps_its_peak_and_its_order() -> None:
    forward = [Step(f"f{number}", "forward", number, 0, 0) for number in range(5000)]
    backward = [Step(f"b{number}", "backward", 5000 - number, 100 * (number == 3777), 0) for number in range(5000)]
    short = thinned(Timeline("net", 1, (*forward, *backward)), 560)
    assert len(short.steps) <= 562
    assert "b0" in [step.path for step in short.steps]  # 5000 bytes: the most there is
    assert "b3777" in [step.path for step in short.steps]  # the most among its neighbours
    assert [step.direction for step in short.steps] == sorted((step.direction for step in short.steps), reverse=True)


def test_a_longer_network_of_the_same_blocks_only_adds_layers() -> None:
    small, large = archcalc.analyze("resnet18"), archcalc.analyze("resnet34")
    (group,) = alignment_table(small, large, ["resnet18", "resnet34"]).groups
    verdicts = Counter(line[-1].text for line in group.lines)
    blocks = sum((3, 4, 6, 3)) - sum((2, 2, 2, 2))
    assert verdicts.pop("only resnet34") == blocks * 2 * 2  # two convolutions and two normalisations each
    assert set(verdicts) == {"same"}


def test_what_differs_between_layers_is_marked() -> None:
    dense, wide = archcalc.analyze("alexnet"), archcalc.analyze("alexnet", num_classes=10)
    (group,) = alignment_table(dense, wide, ["dense", "wide"]).groups
    *same, last = group.lines
    assert {line[-1].text for line in same} == {"same"}
    assert [cell.text for cell in last if cell.tone == "differs"] == [
        *("1000", f"{4096 * 1000 + 1000:,}", f"{4096 * 1000:,}"),
        *("10", f"{4096 * 10 + 10:,}", f"{4096 * 10:,}"),
    ]


def test_no_network_is_an_error() -> None:
    with pytest.raises(archcalc.UsageError, match="name a network"):
        archcalc.report_page()
