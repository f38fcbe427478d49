"""What is written as JSON and read back is equal: traces and reports of real, small, public and random networks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from fractions import Fraction
from functools import cache, partial
from typing import Any

import pytest
import torch
from torch import nn

import archcalc
from archcalc.analysis import Analysis, analysis_of
from archcalc.count.compare import compare
from archcalc.count.report import build_report
from archcalc.peers.conventions import conventions
from archcalc.values.comparison import Comparison
from archcalc.values.conventions import Conventions
from archcalc.values.report import Report
from archcalc.values.trace import Op, Slice, TensorSpec, Trace
from tests.support import public_nets, random_nets
from tests.support.convention_nets import NETS

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")


def random_net(axes: int, seed: int) -> Analysis:
    return analysis_of(random_nets.network(seed, axes), (1, random_nets.CHANNELS, *[24] * axes))


def public_net(name: str) -> Analysis:
    with torch.device("meta"):
        net = getattr(public_nets, name)().eval()
    return analysis_of(net, (1, 3, 224, 224))


def of_every_op(name: str) -> Analysis:
    """With the torch ops beneath each call, their arguments, and what is kept for the backward pass."""
    net, shape = NETS[name]
    return analysis_of(net, shape, backward=True, every_op=True)


ANALYSES: dict[str, Callable[[], Analysis]] = {
    **{name: partial(analysis_of, name) for name in ("lenet5", "googlenet", "vgg11-lrn", "resnet50", "inception-v3")},
    "resnet18, training": partial(analysis_of, "resnet18", batch_size=2, training=True, backward=True),
    **{name: partial(of_every_op, name) for name in NETS},
    **{name: partial(public_net, name) for name in ("vit_b_16", "densenet121", "convnext_tiny", "mobilenet_v2")},
    **{f"random {axes} {seed}": partial(random_net, axes, seed) for axes in (1, 2, 3) for seed in range(6)},
}


@cache
def analysis(name: str) -> Analysis:
    return ANALYSES[name]()


def is_json_ready(value: Any) -> bool:
    """Whether it holds the types that `json.loads` gives, and no others, such as tuples."""
    if type(value) is dict:
        return all(type(key) is str and is_json_ready(item) for key, item in value.items())
    if type(value) is list:
        return all(map(is_json_ready, value))
    return value is None or type(value) in (str, int, float, bool)


@pytest.mark.sweep
@pytest.mark.parametrize("name", ANALYSES)
def test_a_trace_is_read_back_equal(name: str) -> None:
    trace = analysis(name).trace
    document = trace.to_dict()
    assert document["schema"] == "archcalc.trace/1"
    assert is_json_ready(document)
    assert Trace.from_json(trace.to_json()) == trace == Trace.from_dict(document)


@pytest.mark.sweep
@pytest.mark.parametrize("name", ANALYSES)
def test_a_report_is_read_back_equal(name: str) -> None:
    report = analysis(name).report
    document = report.to_dict()
    assert is_json_ready(document)
    read = Report.from_json(report.to_json())
    assert read == report == Report.from_dict(document)
    assert read.modules == report.modules
    assert read.to_dict() == document


@pytest.mark.sweep
def test_a_copy_of_a_trace_gives_an_equal_report() -> None:
    for name in ANALYSES:
        trace = analysis(name).trace
        assert build_report(Trace.from_json(trace.to_json())) == build_report(trace), name


def test_arguments_keep_their_types() -> None:
    spec = TensorSpec((1, 3), "float32", "call", 4)
    arguments: tuple[Any, ...] = (
        *(True, 1, 1.0, -0.0, float("inf"), float("-inf"), None, Slice(0, None, 2), 2j, complex("inf")),
        *((1, (2.0, spec)), [1, (2,)], {"a": (spec,)}, {1: "int", "$tuple": "string"}, {}, (), []),
    )
    op = Op(0, "conv2d", (("", 0),), arguments, {"size": (2, 2), "other": spec}, (spec,), (spec,))
    trace = Trace("net", (spec,), (spec,), False, 1, (op,), (), {})
    read = Trace.from_json(trace.to_json())
    assert read == trace
    assert repr(read) == repr(trace)  # 1 == 1.0 == True, but they are written in different ways


def test_not_a_number_is_read_back_as_such() -> None:
    op = Op(0, "full", (("", 0),), (float("nan"),), {}, (), ())
    read = Trace.from_json(Trace("net", (), (), False, 1, (op,), (), {}).to_json())
    assert str(read.ops[0].args[0]) == "nan"


def test_half_a_pixel_is_read_back_exactly() -> None:
    # Behind a stride of 2 a transposed convolution of stride 4 halves the jump: 2 / 4.
    net = nn.Sequential(nn.Conv2d(3, 4, 1, 2), nn.ConvTranspose2d(4, 4, 4, 4))
    report = archcalc.analyze(net, (1, 3, 8, 8))
    assert report.rows[1].jump == (Fraction(1, 2), Fraction(1, 2))
    document = json.loads(json.dumps(report.to_dict()))
    assert [row["jump"] for row in document["rows"]] == [[2, 2], ["1/2", "1/2"]]
    assert Report.from_dict(document) == report


def test_a_report_that_ends_at_an_error_is_read_back_equal() -> None:
    with pytest.raises(archcalc.ModelError) as failure:
        archcalc.analyze(nn.Sequential(nn.Linear(4, 5), nn.Linear(4, 5)), (1, 4))
    report = failure.value.report
    assert report is not None
    assert report.failure
    assert Report.from_json(report.to_json()) == report


def test_every_field_of_a_report_is_written() -> None:
    document = analysis("lenet5").report.to_dict()
    assert set(document) == {entry.name for entry in fields(Report)} | {
        *("schema", "complete", "unknown", "totals", "convention")
    }


def test_a_comparison_is_read_back_equal() -> None:
    comparison = compare(analysis("lenet5").report, analysis("resnet50").report)
    document = comparison.to_dict()
    assert is_json_ready(document)
    assert document["networks"] == ["lenet5", "resnet50"]
    assert document["reports"][0] == analysis("lenet5").report.to_dict()
    assert Comparison.from_json(comparison.to_json()) == comparison


@pytest.mark.parametrize("run", [False, True])
def test_conventions_are_read_back_equal(run: bool) -> None:
    analyzed = analysis_of("lenet5", every_op=True)
    found = conventions(analyzed, run=run, only=("fvcore",))
    document = found.to_dict()
    assert is_json_ready(document)
    assert (document["network"], document["macs"]) == ("lenet5", analyzed.report.total("macs"))
    assert document["tools"][0]["printed"] == found.tools[0].printed
    assert ("verdict" in document["tools"][0]) is run
    assert Conventions.from_json(found.to_json()) == found


def test_a_budget_is_read_back_equal() -> None:
    budget = archcalc.memory("lenet5", batch_size=3, optimizer="adam")
    document = budget.to_dict()
    assert document["training_total"] == budget.training_total
    assert archcalc.Budget.from_json(budget.to_json()) == budget
