"""Measures of whole networks: receptive field, memory, published errors; ratios to a baseline, by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from torch import Tensor, nn

import archcalc
from archcalc import UsageError
from archcalc.count.compare import compare_by, with_baseline
from archcalc.sources.published import published_errors
from archcalc.values.comparison import Comparison
from archcalc.values.measures import chosen_measures

WIDTH = 8


def metric(compared: Comparison, key: str) -> tuple[Any, ...]:
    return next(metric.values for metric in compared.metrics if metric.key == key)


def test_measures_are_chosen_by_key_or_title_with_or_without_unit() -> None:
    assert chosen_measures("params, Mult-Adds,latency,latency_seconds,top-1") == (
        *("params", "macs", "latency_seconds", "top1_percent"),
    )
    assert chosen_measures(["memory", "receptive field"]) == ("memory_bytes", "receptive_field")
    assert "latency_seconds" not in chosen_measures("all")  # which takes seconds, and so has to be asked for
    with pytest.raises(UsageError, match="add --layers"):
        chosen_measures("path")
    with pytest.raises(UsageError, match="unknown column 'nonsense'"):
        chosen_measures("nonsense")


def test_the_receptive_field_is_that_of_the_last_layer_with_positions() -> None:
    """Araujo 2019, table of computed fields: AlexNet 195, VGG-16 212, ResNet-50 483."""
    compared = archcalc.compare("alexnet", "vgg16", "resnet50", columns="receptive_field")
    assert metric(compared, "receptive_field") == ((195, 195), (212, 212), (483, 483))


class Gated(nn.Module):
    """A convolution whose channels are weighted by their means, as squeeze-and-excitation does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out * out.mean((2, 3), keepdim=True)


def test_units_that_all_see_everything_are_not_taken_for_a_classifier() -> None:
    compared = archcalc.compare(Gated(), inputs=(1, 3, WIDTH, WIDTH), columns="receptive_field")
    assert metric(compared, "receptive_field") == ("all",)


def test_memory_is_that_of_the_command() -> None:
    compared = archcalc.compare("lenet5", "conv3x3", columns="memory,training_memory", batch_size=2)
    budgets = [archcalc.memory(name, batch_size=2) for name in ("lenet5", "conv3x3")]
    assert metric(compared, "memory_bytes") == tuple(budget.inference_total for budget in budgets)
    assert metric(compared, "training_memory_bytes") == tuple(budget.training_total for budget in budgets)


def test_what_a_report_does_not_hold_is_unknown_and_not_zero() -> None:
    report = archcalc.analyze("lenet5")
    compared = archcalc.compare(report, columns="saved_bytes,memory,latency,top1,params")
    assert [entry.values[0] for entry in compared.metrics] == [None, None, None, None, report.params]
    followed = archcalc.compare("lenet5", columns="saved_bytes")
    assert metric(followed, "saved_bytes") == (archcalc.analyze("lenet5", backward=True).total("saved_bytes"),)


def test_networks_have_the_names_that_they_are_given() -> None:
    net = nn.Linear(WIDTH, 2 * WIDTH)
    compared = archcalc.compare(net, Ours=nn.Linear(WIDTH, WIDTH), inputs=(1, WIDTH), baseline="Ours", columns="macs")
    assert [report.subject for report in compared.reports] == ["Linear", "Ours"]
    assert compared.metrics[0].ratios == (2.0, 1.0)
    frame = compared.to_pandas()
    assert frame.loc["Ours", "macs"] == WIDTH * WIDTH
    with pytest.raises(UsageError, match="unknown baseline 'x'"):
        archcalc.compare(net, inputs=(1, WIDTH), baseline="x")


def test_the_latency_is_measured_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from archcalc.library import benchmark

    quick = benchmark.benchmark
    monkeypatch.setattr(benchmark, "benchmark", lambda *models, **how: quick(*models, **how, seconds=0.001))
    compared = archcalc.compare(Ours="head-gap", columns="latency,params")
    (latency,) = metric(compared, "latency_seconds")
    assert latency > 0
    assert compared.metrics[0].note.startswith("inference")


def test_published_errors_are_those_of_the_network_as_it_was_tested() -> None:
    """He 2015, Table 3: 10-crop errors of ResNet-34 with shortcuts A and B, and of ResNet-50."""
    report = archcalc.analyze("resnet34")
    assert published_errors("resnet34", {}, report) == (("ImageNet val, 10 crops", 24.52, 7.46),)
    assert published_errors("Ours=resnet34?shortcut=A", {}, report) == (("ImageNet val, 10 crops", 25.03, 7.76),)
    assert published_errors("resnet34", {"num_classes": 10}, report) == ()
    assert published_errors("resnet34", {}, archcalc.analyze("resnet34", (1, 3, 64, 64))) == ()
    assert published_errors("net.py:Net", {}, report) == published_errors(nn.Linear(1, 1), {}, report) == ()


def test_errors_of_one_protocol_stand_side_by_side() -> None:
    compared = archcalc.compare("resnet50", "vgg16", "alexnet", "lenet5", columns="top1,top5")
    assert metric(compared, "top1_percent") == (22.85, None, 40.7, None)
    assert metric(compared, "top5_percent") == (6.71, None, 18.2, None)
    assert compared.metrics[0].note == "published, ImageNet val, 10 crops; by other protocols, not shown: vgg16, lenet5"


def test_a_comparison_is_read_back_as_it_was_also_from_before_it_had_a_baseline() -> None:
    compared = archcalc.compare("lenet5", "conv3x3", columns="params,receptive_field,memory,top1", baseline="conv3x3")
    assert Comparison.from_json(compared.to_json()) == compared
    plain = archcalc.compare("lenet5", "conv3x3")
    document = plain.to_dict()
    del document["baseline"], document["chosen"]
    for entry in document["metrics"]:
        del entry["note"]
    assert Comparison.from_dict(document) == plain


def test_a_baseline_may_be_left_out_of_what_is_shown() -> None:
    compared = with_baseline(archcalc.compare("lenet5", "lenet5-modern"), "lenet5")
    assert compared.base == 0
    assert replace(compared, baseline="gone").base is None
    assert compare_by([], ["params"]).base is None
